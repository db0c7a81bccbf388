// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

/// A child that waits before its exec until it is told to go, as the launcher's does. Ends with the object.
class StoppedChild
{
public:
    explicit StoppedChild(const std::vector<std::string> &command)
    {
        int ends[2] = {-1, -1};
        if (pipe2(ends, O_CLOEXEC) != 0)
            return;
        std::vector<char *> arguments;
        for (const std::string &argument : command)
            arguments.push_back(const_cast<char *>(argument.c_str()));
        arguments.push_back(nullptr);
        m_pid = fork();
        if (m_pid == 0) {
            char go = 0;
            const int null = open("/dev/null", O_WRONLY);
            dup2(null, STDOUT_FILENO);
            if (read(ends[0], &go, 1) == 1)
                execv(arguments[0], arguments.data());
            _exit(127);
        }
        close(ends[0]);
        m_start = ends[1];
    }
    StoppedChild(const StoppedChild &) = delete;
    StoppedChild &operator=(const StoppedChild &) = delete;
    ~StoppedChild()
    {
        if (m_start >= 0)
            close(m_start);
        if (m_pid > 0 && !hasEnded()) {
            kill(m_pid, SIGKILL);
            waitpid(m_pid, nullptr, 0);
        }
    }

    pid_t pid() const { return m_pid; }
    bool start()
    {
        const bool isStarted = write(m_start, "g", 1) == 1;
        close(m_start);
        m_start = -1;
        return isStarted;
    }
    /// Whether it has ended; status() then holds.
    bool hasEnded()
    {
        if (!m_hasEnded)
            m_hasEnded = wait4(m_pid, &m_status, WNOHANG, &m_usage) == m_pid;
        return m_hasEnded;
    }
    int status() const { return m_status; }
    /// CPU time of it and of the children it waited for, once it ended.
    const rusage &usage() const { return m_usage; }

private:
    pid_t m_pid = -1;
    int m_start = -1;
    int m_status = 0;
    rusage m_usage = {};
    bool m_hasEnded = false;
};

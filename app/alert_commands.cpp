// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/alert_commands.h"

#include "app/exit_code.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

extern char **environ;

namespace app {

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

std::int64_t nowNs()
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * kSecondNs + now.tv_nsec;
}

std::vector<char *> pointers(std::vector<std::string> &texts)
{
    std::vector<char *> pointers;
    for (std::string &text : texts)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

std::vector<std::string> environmentWith(const std::vector<std::pair<std::string, std::string>> &variables)
{
    std::vector<std::string> texts;
    for (char **entry = environ; *entry; ++entry)
        texts.emplace_back(*entry);
    for (const auto &[name, value] : variables) {
        std::erase_if(texts, [&](const std::string &text) { return text.starts_with(name + '='); });
        texts.push_back(name + '=' + value);
    }
    return texts;
}

/// What a spawned program starts with; released with it.
class SpawnSetup
{
public:
    SpawnSetup()
    {
        ::posix_spawn_file_actions_init(&m_actions);
        ::posix_spawn_file_actions_addopen(&m_actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_adddup2(&m_actions, STDERR_FILENO, STDOUT_FILENO);
        ::posix_spawn_file_actions_addclosefrom_np(&m_actions, STDERR_FILENO + 1);
        ::posix_spawnattr_init(&m_attributes);
        sigset_t none, all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::posix_spawnattr_setsigmask(&m_attributes, &none);
        ::posix_spawnattr_setsigdefault(&m_attributes, &all);
        ::posix_spawnattr_setpgroup(&m_attributes, 0);
        ::posix_spawnattr_setflags(
            &m_attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    SpawnSetup(const SpawnSetup &) = delete;
    SpawnSetup &operator=(const SpawnSetup &) = delete;
    ~SpawnSetup()
    {
        ::posix_spawn_file_actions_destroy(&m_actions);
        ::posix_spawnattr_destroy(&m_attributes);
    }

    const posix_spawn_file_actions_t *actions() const { return &m_actions; }
    const posix_spawnattr_t *attributes() const { return &m_attributes; }

private:
    posix_spawn_file_actions_t m_actions{};
    posix_spawnattr_t m_attributes{};
};

} // namespace

AlertCommands::~AlertCommands()
{
    for (const Running &running : m_running) {
        ::kill(-running.pid, SIGKILL);
        while (::waitpid(running.pid, nullptr, 0) < 0 && errno == EINTR) { }
    }
}

model::Result<void> AlertCommands::start(
    const std::vector<std::string> &arguments, const std::vector<std::pair<std::string, std::string>> &variables)
{
    const auto rule = std::find_if(variables.begin(), variables.end(),
        [](const auto &variable) { return variable.first == "GENPROF_ALERT_RULE"; });
    const std::string name = arguments.front() != kShell ? fmt::format("Alert command \"{}\"", arguments.front())
        : rule == variables.end()                        ? std::string("A command of an alert")
                                                         : fmt::format("The command of the alert \"{}\"", rule->second);
    if (m_running.size() >= kMost)
        return model::Error(fmt::format("{} was not started: {} of earlier alerts still run", name, kMost));
    std::vector<std::string> words = arguments, environment = environmentWith(variables);
    const SpawnSetup setup;
    pid_t pid = 0;
    const int failure = ::posix_spawnp(&pid, words.front().c_str(), setup.actions(), setup.attributes(),
        pointers(words).data(), pointers(environment).data());
    if (failure != 0)
        return model::systemError(name + " cannot be started", failure);
    m_running.push_back({pid, name, nowNs() + kTimeLimit.ns});
    return {};
}

std::vector<std::string> AlertCommands::look()
{
    std::vector<std::string> said;
    const std::int64_t now = nowNs();
    std::erase_if(m_running, [&](Running &running) {
        int status = 0;
        const pid_t ended = ::waitpid(running.pid, &status, WNOHANG);
        if (ended == 0) {
            if (now >= running.deadlineNs && !running.isKilled) {
                ::kill(-running.pid, SIGKILL);
                running.isKilled = true;
                said.push_back(
                    fmt::format("{} was killed: it ran for more than {:.0f} s", running.name, kTimeLimit.seconds()));
            }
            return false;
        }
        if (ended > 0 && status != 0 && !running.isKilled)
            said.push_back(fmt::format("{} ended with status {}", running.name, exitCodeOf(status)));
        return true;
    });
    return said;
}

std::vector<std::string> AlertCommands::finish(model::Duration most)
{
    std::vector<std::string> said = look();
    const std::int64_t deadline = nowNs() + most.ns;
    while (!m_running.empty() && nowNs() < deadline) {
        const timespec pause{0, 20'000'000};
        ::nanosleep(&pause, nullptr);
        const std::vector<std::string> more = look();
        said.insert(said.end(), more.begin(), more.end());
    }
    return said;
}

} // namespace app

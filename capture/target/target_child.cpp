// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/target_child.h"

#include "capture/target/executable_search.h"

#include <errno.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

namespace capture {

namespace {

constexpr int kOwnFailure = 125;
char g_shell[] = "/bin/sh"; // execve takes char *, and does not write to it

std::vector<std::string> mergedEnvironment(const std::vector<std::pair<std::string, std::string>> &additions)
{
    std::vector<std::string> merged;
    for (char **variable = environ; variable && *variable; ++variable) {
        const std::string_view text = *variable;
        const std::string_view name = text.substr(0, text.find('='));
        bool isReplaced = false;
        for (const auto &[added, value] : additions)
            isReplaced = isReplaced || added == name;
        if (!isReplaced)
            merged.emplace_back(text);
    }
    for (const auto &[name, value] : additions)
        merged.push_back(name + '=' + value);
    return merged;
}

std::string_view searchPathOf(const std::vector<std::string> &environment)
{
    constexpr std::string_view prefix = "PATH=";
    for (const std::string &variable : environment) {
        if (variable.starts_with(prefix))
            return std::string_view(variable).substr(prefix.size());
    }
    return kDefaultSearchPath;
}

std::vector<char *> pointersTo(std::vector<std::string> &texts)
{
    std::vector<char *> pointers;
    for (std::string &text : texts)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

/// Whether a failed exec means "look further along PATH", as execvp has it.
bool isNotHere(int error)
{
    return error == ENOENT || error == ENOTDIR || error == ESTALE || error == ENODEV || error == ETIMEDOUT;
}

} // namespace

ChildPlan::ChildPlan(std::vector<std::string> command, std::string workingDirectory,
    const std::vector<std::pair<std::string, std::string>> &environment)
    : m_command(std::move(command))
    , m_workingDirectory(std::move(workingDirectory))
    , m_environment(mergedEnvironment(environment))
    , m_candidates(executableCandidates(m_command.front(), searchPathOf(m_environment)))
    , m_arguments(pointersTo(m_command))
    , m_variables(pointersTo(m_environment))
{
    m_shellArguments = {g_shell, nullptr};
    m_shellArguments.insert(m_shellArguments.end(), m_arguments.begin() + 1, m_arguments.end());
}

void ChildPlan::run(const InheritedState &inherited, int barrier, int failurePipe)
{
    inherited.restore();
    // A recorder that seals is closed to others; its target is not: without this perf refuses to look at it before its exec.
    ::prctl(PR_SET_DUMPABLE, 1);
    char goAhead = 0;
    ssize_t got = 0;
    do {
        got = ::read(barrier, &goAhead, 1);
    } while (got < 0 && errno == EINTR);
    if (got != 1)
        ::_exit(kOwnFailure);

    ChildFailure failure;
    if (!m_workingDirectory.empty() && ::chdir(m_workingDirectory.c_str()) != 0)
        failure = {ChildStep::ChangeDirectory, errno};
    else
        failure = {ChildStep::Exec, execFirstCandidate()};
    // Fits into the empty pipe, so it is written whole or the recorder is gone.
    [[maybe_unused]] const ssize_t written = ::write(failurePipe, &failure, sizeof failure);
    ::_exit(kOwnFailure);
}

int ChildPlan::execFirstCandidate()
{
    bool wasDenied = false;
    for (std::string &candidate : m_candidates) {
        ::execve(candidate.c_str(), m_arguments.data(), m_variables.data());
        if (errno == ENOEXEC) { // a script without "#!"
            m_shellArguments[1] = candidate.data();
            ::execve(g_shell, m_shellArguments.data(), m_variables.data());
        }
        if (errno == EACCES)
            wasDenied = true;
        else if (!isNotHere(errno))
            return errno;
    }
    if (wasDenied)
        return EACCES;
    return m_command.front().find('/') == std::string::npos ? ENOENT : errno;
}

} // namespace capture

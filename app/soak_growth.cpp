// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/soak_growth.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

extern char **environ;

namespace app {

double worstGrowth(const std::string &leaksJson)
{
    using Json = nlohmann::json;
    const Json report = Json::parse(leaksJson, nullptr, false);
    double worst = 0;
    if (!report.is_object() || !report.contains("items") || !report["items"].is_array())
        return worst;
    for (const Json &item : report["items"]) {
        if (!item.is_object() || item.value("tier", "") != "growing" || !item.contains("bytes_per_hour_interval95"))
            continue;
        const Json &interval = item["bytes_per_hour_interval95"];
        if (interval.is_array() && interval.size() == 2 && interval[1].is_number())
            worst = std::max(worst, interval[1].get<double>());
    }
    return worst;
}

SoakGrowth::~SoakGrowth()
{
    if (m_pid == 0)
        return;
    ::kill(m_pid, SIGKILL);
    while (::waitpid(m_pid, nullptr, 0) < 0 && errno == EINTR) { }
}

void SoakGrowth::ask(const std::string &path)
{
    if (m_pid != 0)
        return;
    m_output.reset(::memfd_create("genprof-leaks", MFD_CLOEXEC));
    if (!m_output.isOpen())
        return;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, m_output.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    std::array<std::string, 7> words{"genprof", "report", path, "--what", "leaks", "--format", "json"};
    std::array<char *, 8> arguments{};
    std::transform(words.begin(), words.end(), arguments.begin(), [](std::string &word) { return word.data(); });
    if (::posix_spawn(&m_pid, "/proc/self/exe", &actions, &attributes, arguments.data(), environ) != 0)
        m_pid = 0;
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
}

std::optional<double> SoakGrowth::look()
{
    int status = 0;
    if (m_pid == 0 || ::waitpid(m_pid, &status, WNOHANG) == 0)
        return std::nullopt;
    m_pid = 0;
    struct stat size
    {
    };
    if (status != 0 || ::fstat(m_output.get(), &size) != 0)
        return std::nullopt;
    std::string text(static_cast<std::size_t>(size.st_size), '\0');
    const ssize_t got = ::pread(m_output.get(), text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return worstGrowth(text);
}

} // namespace app

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/jit_names.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <sstream>

namespace capture {

namespace {

/// What a process can make the recorder keep: names of more code than any engine generates.
constexpr std::size_t kMostCodes = 1'000'000;
/// What one refresh reads at most, so that a tick stays a tick.
constexpr std::size_t kMostBytesAtOnce = std::size_t{8} << 20;
constexpr std::size_t kMostNameBytes = 4096;

/// The pid that the process knows itself by: the last of NSpid.
std::int32_t ownPidOf(std::int32_t pid)
{
    std::ifstream status(fmt::format("/proc/{}/status", pid));
    std::string line;
    while (std::getline(status, line)) {
        if (!line.starts_with("NSpid:"))
            continue;
        std::istringstream numbers(line.substr(6));
        for (std::int32_t number = 0; numbers >> number;)
            pid = number;
        break;
    }
    return pid;
}

} // namespace

JitNames::JitNames(std::int32_t pid, std::string path)
    : m_path(std::move(path))
{
    if (m_path.empty())
        m_path = fmt::format("/proc/{}/root/tmp/perf-{}.map", pid, ownPidOf(pid));
    const std::size_t slash = m_path.rfind('/');
    m_folder = ::open(
        slash == std::string::npos ? "." : m_path.substr(0, slash + 1).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    m_path.erase(0, slash == std::string::npos ? 0 : slash + 1);
    struct stat owner = {};
    if (stat(fmt::format("/proc/{}", pid).c_str(), &owner) == 0)
        m_owner = owner.st_uid;
    refresh();
}

JitNames::~JitNames()
{
    for (const int fd : {m_fd, m_folder})
        if (fd >= 0)
            close(fd);
}

void JitNames::open()
{
    const int fd = m_folder < 0
        ? -1
        : openat(m_folder, m_path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return;
    struct stat status = {};
    const bool isTrusted = fstat(fd, &status) == 0 && S_ISREG(status.st_mode)
        && (status.st_uid == 0 || status.st_uid == geteuid() || status.st_uid == m_owner);
    if (isTrusted)
        m_fd = fd;
    else
        close(fd);
}

bool JitNames::refresh()
{
    if (m_fd < 0)
        open();
    if (m_fd < 0)
        return false;
    std::string text(kMostBytesAtOnce, '\0');
    const ssize_t got = pread(m_fd, text.data(), text.size(), static_cast<off_t>(m_offset));
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    std::size_t begin = 0;
    for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
        addLine(std::string_view(text).substr(begin, end - begin));
    m_offset += begin; // an unfinished line is read again
    return begin > 0;
}

void JitNames::addLine(std::string_view line)
{
    std::uint64_t begin = 0, size = 0;
    const char *const end = line.data() + line.size();
    auto parsed = std::from_chars(line.data(), end, begin, 16);
    if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != ' ')
        return;
    parsed = std::from_chars(parsed.ptr + 1, end, size, 16);
    if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != ' ' || size == 0 || begin + size < begin)
        return;
    const std::string_view name = line.substr(static_cast<std::size_t>(parsed.ptr + 1 - line.data()));
    if (name.empty() || m_codes.size() >= kMostCodes)
        return;
    // Code written over older code ends that.
    auto next = m_codes.lower_bound(begin);
    if (next != m_codes.begin() && std::prev(next)->second.end > begin)
        std::prev(next)->second.end = begin;
    while (next != m_codes.end() && next->first < begin + size)
        next = m_codes.erase(next);
    m_codes[begin] = {begin + size, std::string(name.substr(0, kMostNameBytes))};
}

std::string_view JitNames::find(std::uint64_t address) const
{
    const auto next = m_codes.upper_bound(address);
    if (next == m_codes.begin() || address >= std::prev(next)->second.end)
        return {};
    return std::prev(next)->second.name;
}

} // namespace capture

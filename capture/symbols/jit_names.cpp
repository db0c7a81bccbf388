// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/symbols/jit_names.h"

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

/// Hexadecimal, with a leading 0x or without: Java writes it.
std::from_chars_result parseHex(const char *begin, const char *end, std::uint64_t &value)
{
    if (end - begin > 2 && begin[0] == '0' && begin[1] == 'x')
        begin += 2;
    return std::from_chars(begin, end, value, 16);
}

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
    if (struct stat owner = {}; stat(fmt::format("/proc/{}", pid).c_str(), &owner) == 0)
        m_owner = owner.st_uid;
    if (m_path.empty()) {
        m_folder
            = FileDescriptor(::open(fmt::format("/proc/{}/root/tmp", pid).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        m_path = fmt::format("perf-{}.map", ownPidOf(pid));
    }
}

void JitNames::open()
{
    // Without a folder there is nothing but whole paths to be opened.
    FileDescriptor file(
        ::openat(m_folder.get(), m_path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    struct stat status = {};
    if (file.isOpen() && fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode)
        && (status.st_uid == 0 || status.st_uid == geteuid() || status.st_uid == m_owner))
        m_file = std::move(file);
}

/// Another file of that name, or the same begun anew: what an earlier process of the same pid left behind is forgotten.
void JitNames::forgetOld()
{
    struct stat own = {}, named = {};
    if (!m_file.isOpen() || ::fstat(m_file.get(), &own) != 0)
        return;
    const bool isOther = ::fstatat(m_folder.get(), m_path.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0
        && (named.st_ino != own.st_ino || named.st_dev != own.st_dev);
    if (!isOther && static_cast<std::uint64_t>(own.st_size) >= m_offset)
        return;
    m_codes.clear();
    m_offset = 0;
    if (isOther)
        m_file = FileDescriptor();
}

bool JitNames::refresh()
{
    forgetOld();
    if (!m_file.isOpen())
        open();
    if (!m_file.isOpen())
        return false;
    std::string text(kMostBytesAtOnce, '\0');
    const ssize_t got = pread(m_file.get(), text.data(), text.size(), static_cast<off_t>(m_offset));
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
    auto parsed = parseHex(line.data(), end, begin);
    if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != ' ')
        return;
    parsed = parseHex(parsed.ptr + 1, end, size);
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

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/proc_reader.h"

#include "capture/file_descriptor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

namespace capture {

namespace {

constexpr std::size_t kFirstReadBytes = 4096;

struct CloseDirectory
{
    void operator()(DIR *directory) const { ::closedir(directory); }
};

bool needsNoQuotes(std::string_view text)
{
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    return !text.empty() && text.find_first_not_of(plain) == std::string_view::npos;
}

/// Whether a signal is in a set as /proc/PID/status has it: blanks and 16 hexadecimal digits.
bool hasSignal(std::string_view set, int number)
{
    set.remove_prefix(std::min(set.find_first_not_of(" \t"), set.size()));
    std::uint64_t bits = 0;
    std::from_chars(set.data(), set.data() + set.size(), bits, 16);
    return (bits >> (number - 1) & 1) != 0;
}

void appendQuoted(std::string &line, std::string_view argument)
{
    if (needsNoQuotes(argument)) {
        line += argument;
        return;
    }
    line += '\'';
    for (const char c : argument) {
        if (c == '\'')
            line += "'\\''";
        else
            line += c;
    }
    line += '\'';
}

} // namespace

bool rereadProcFile(int fd, std::string &text, std::size_t mostBytes)
{
    std::size_t length = 0;
    if (text.size() < kFirstReadBytes)
        text.resize(std::min(kFirstReadBytes, mostBytes));
    for (;;) {
        if (length == text.size()) {
            if (length >= mostBytes)
                break;
            text.resize(std::min(length * 2, mostBytes));
        }
        const ssize_t got = ::pread(fd, text.data() + length, text.size() - length, static_cast<off_t>(length));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            text.clear();
            return false;
        }
        if (got == 0)
            break;
        length += static_cast<std::size_t>(got);
    }
    text.resize(length);
    return true;
}

std::optional<std::string> readProcFile(const std::string &path, std::size_t mostBytes)
{
    const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text;
    if (!fd.isOpen() || !rereadProcFile(fd.get(), text, mostBytes))
        return std::nullopt;
    return text;
}

std::optional<std::int64_t> parseNumber(std::string_view text)
{
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos)
        return std::nullopt;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data() + begin, text.data() + text.size(), number);
    if (error != std::errc())
        return std::nullopt;
    return number;
}

std::optional<ProcStat> parseStat(std::string_view text)
{
    // The name stands in parentheses and may itself hold parentheses and blanks: the last one ends it.
    const std::size_t open = text.find('(');
    const std::size_t close = text.rfind(')');
    const auto pid = parseNumber(text);
    if (!pid || *pid < 0 || *pid > INT32_MAX || open == std::string_view::npos || close == std::string_view::npos
        || close < open)
        return std::nullopt;

    // proc(5): field 3 follows the name.
    constexpr std::size_t kFirstField = 3;
    constexpr std::size_t kLastField = 28;
    constexpr std::int64_t kExiting = 0x4;            // PF_EXITING of linux/sched.h
    constexpr std::int64_t kForkedWithoutExec = 0x40; // PF_FORKNOEXEC
    std::array<std::string_view, kLastField + 1> fields;
    std::string_view rest = text.substr(close + 1);
    for (std::size_t field = kFirstField; field <= kLastField; ++field) {
        const std::size_t begin = rest.find_first_not_of(" \n");
        if (begin == std::string_view::npos)
            return std::nullopt;
        rest.remove_prefix(begin);
        const std::size_t end = std::min(rest.find_first_of(" \n"), rest.size());
        fields[field] = rest.substr(0, end);
        rest.remove_prefix(end);
    }
    const auto number
        = [&](std::size_t field) { return std::max<std::int64_t>(parseNumber(fields[field]).value_or(0), 0); };
    ProcStat stat;
    stat.pid = static_cast<std::int32_t>(*pid);
    stat.name = text.substr(open + 1, close - open - 1);
    stat.state = fields[3].front();
    stat.parentPid = static_cast<std::int32_t>(number(4));
    stat.isFork = (number(9) & kForkedWithoutExec) != 0;
    stat.isExiting = (number(9) & kExiting) != 0;
    stat.minorFaults = number(10);
    stat.majorFaults = number(12);
    stat.userTicks = number(14);
    stat.systemTicks = number(15);
    stat.threads = number(20);
    stat.startTicks = number(22);
    stat.virtualBytes = number(23);
    stat.residentPages = number(24);
    stat.startCode = number(26);
    stat.startStack = number(28);
    return stat;
}

namespace {

std::optional<ProcStat> readStat(std::int32_t pid, const std::string &procRoot)
{
    const auto text = readProcFile(procRoot + '/' + std::to_string(pid) + "/stat");
    return text ? parseStat(*text) : std::nullopt;
}

} // namespace

std::optional<char> processState(std::int32_t pid, const std::string &procRoot)
{
    const auto stat = readStat(pid, procRoot);
    return stat ? std::optional(stat->state) : std::nullopt;
}

bool isRunning(std::int32_t pid, const std::string &procRoot)
{
    const auto stat = readStat(pid, procRoot);
    return stat && !isZombie(*stat);
}

bool isEnding(std::int32_t pid, const std::string &procRoot)
{
    const std::string folder = procRoot + '/' + std::to_string(pid);
    const auto stat = readStat(pid, procRoot);
    if (!stat || isZombie(*stat))
        return false;
    if (stat->isExiting)
        return true;
    // Of whatever signal ends a process at once the kernel makes a SIGKILL for each thread.
    bool isKilled = false;
    forEachField(readProcFile(folder + "/status").value_or(std::string()), [&](std::string_view name, auto rest) {
        if (name == "SigPnd" || name == "ShdPnd")
            isKilled |= hasSignal(rest, SIGKILL);
    });
    return isKilled;
}

std::optional<std::vector<std::int32_t>> numberedEntries(const std::string &directory)
{
    const std::unique_ptr<DIR, CloseDirectory> handle(::opendir(directory.c_str()));
    if (!handle)
        return std::nullopt;
    std::vector<std::int32_t> numbers;
    while (const dirent *entry = ::readdir(handle.get())) {
        const std::string_view name = entry->d_name;
        std::int32_t number = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
        if (error == std::errc() && end == name.data() + name.size())
            numbers.push_back(number);
    }
    return numbers;
}

std::string quotedCommandLine(std::string_view zeroSeparated)
{
    // A process may have written over its arguments (setproctitle). Then the last zero byte can be missing, or what is left of their room is full of
    // zero bytes, which are no empty arguments; one empty argument at the end may be meant.
    const std::size_t last = zeroSeparated.find_last_not_of('\0');
    if (last != std::string_view::npos && zeroSeparated.size() - last > 3)
        zeroSeparated = zeroSeparated.substr(0, last + 1);
    std::string line;
    while (!zeroSeparated.empty()) {
        const std::size_t end = std::min(zeroSeparated.find('\0'), zeroSeparated.size());
        if (!line.empty())
            line += ' ';
        appendQuoted(line, zeroSeparated.substr(0, end));
        zeroSeparated.remove_prefix(std::min(end + 1, zeroSeparated.size()));
    }
    return line;
}

std::string wholeName(std::string name, std::string_view arguments)
{
    constexpr std::size_t kMostOfTheKernel = 15; // TASK_COMM_LEN without its zero
    std::string_view started = arguments.substr(0, arguments.find('\0'));
    if (!started.starts_with(name)) // else it may be a title, with a path behind the name
        started.remove_prefix(started.rfind('/') + 1);
    if (name.size() != kMostOfTheKernel || !started.starts_with(name))
        return name;
    return std::string(started.substr(0, started.find_first_of(" :", kMostOfTheKernel)));
}

std::string programOf(std::int32_t pid, const std::string &procRoot)
{
    constexpr std::string_view kDeleted = " (deleted)"; // behind the path of a file that was removed or replaced
    const std::string folder = procRoot + '/' + std::to_string(pid);
    std::array<char, 4096> link{};
    const ssize_t length = ::readlink((folder + "/exe").c_str(), link.data(), link.size());
    std::string_view path(link.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
    if (path.ends_with(kDeleted))
        path.remove_suffix(kDeleted.size());
    if (!path.empty())
        return std::string(path.substr(path.rfind('/') + 1));
    std::string name = readProcFile(folder + "/comm").value_or(std::string());
    name.erase(std::min(name.find('\n'), name.size()));
    const std::string arguments = readProcFile(folder + "/cmdline").value_or(std::string());
    return wholeName(std::move(name), arguments);
}

std::string commandLineOf(std::int32_t pid)
{
    const auto text = readProcFile("/proc/" + std::to_string(pid) + "/cmdline");
    return text ? quotedCommandLine(*text) : std::string();
}

} // namespace capture

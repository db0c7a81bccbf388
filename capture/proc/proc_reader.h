// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace capture {

/// The longest that a file of /proc is read; what comes after is cut off (a maps file of 60,000 mappings fits).
inline constexpr std::size_t kMostProcBytes = 8u << 20;

/// Reads a file of /proc or /sys with plain reads, without any buffer of ours in between. Empty if it cannot be opened or read.
std::optional<std::string> readProcFile(const std::string &path, std::size_t mostBytes = kMostProcBytes);

/// Reads an open file of /proc from its start (the kernel makes its text anew at offset 0) into `text`. False if it failed: the process
/// is gone, or a right is missing; `errno` says which.
bool rereadProcFile(int fd, std::string &text, std::size_t mostBytes = kMostProcBytes);

/// A decimal number at the start of `text` (leading blanks skipped), which must end there or go on with something else than a digit.
std::optional<std::int64_t> parseNumber(std::string_view text);

/// Calls `field(name, rest)` for each "Name: rest" line.
template <typename Field> void forEachField(std::string_view text, Field &&field)
{
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        if (const std::size_t colon = line.find(':'); colon != std::string_view::npos)
            field(line.substr(0, colon), line.substr(colon + 1));
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
}

/// What the recorder reads from /proc/PID/stat and /proc/PID/task/TID/stat. Times are clock ticks (sysconf(_SC_CLK_TCK)).
struct ProcStat
{
    std::int32_t pid = 0;
    std::string name; ///< up to 15 bytes; may hold any byte, also blanks and parentheses
    char state = '?';
    std::int32_t parentPid = 0;
    bool isFork = false;    ///< it has not called exec since it was forked: it runs its parent's program
    bool isExiting = false; ///< the kernel is taking it apart, which takes the longer the more memory it has
    std::int64_t minorFaults = 0;
    std::int64_t majorFaults = 0;
    std::int64_t userTicks = 0;
    std::int64_t systemTicks = 0;
    std::int64_t threads = 0;
    std::int64_t startTicks = 0; ///< after boot; with the pid it names a process for good
    std::int64_t virtualBytes = 0;
    std::int64_t residentPages = 0;
    std::int64_t startCode = 0; ///< addresses; 0 or 1 where reading them is not allowed. A new program image has others
    std::int64_t startStack = 0; ///< unless address randomisation is off
};

/// Parses the text of a stat file; empty if it is none.
std::optional<ProcStat> parseStat(std::string_view text);

/// Whether the kernel has nothing left of a process but its end. A leader that ended before its threads is not that.
inline bool isZombie(const ProcStat &stat) { return (stat.state == 'Z' || stat.state == 'X') && stat.threads <= 1; }

/// The state letter of a process ('R', 'S', 'T', 'Z', …); empty if there is none with that pid.
std::optional<char> processState(std::int32_t pid, const std::string &procRoot = "/proc");
/// Whether it is more than an entry that waits for its parent.
bool isRunning(std::int32_t pid, const std::string &procRoot = "/proc");
/// Whether it is running, and on its way out: being taken apart, or killed and yet to notice.
bool isEnding(std::int32_t pid, const std::string &procRoot = "/proc");

/// Names of a directory that are decimal numbers, unsorted: pids, tids, descriptors. Empty result if it cannot be read.
std::optional<std::vector<std::int32_t>> numberedEntries(const std::string &directory);

/// Arguments as /proc/PID/cmdline has them (each ended by a zero byte), joined by spaces and quoted as a shell needs it.
/// Without the zero bytes that a process leaves behind a title which it wrote over its arguments.
std::string quotedCommandLine(std::string_view zeroSeparated);

/// The kernel keeps 15 bytes of a process's name: all of it where its arguments, separated by zero bytes, begin with a program so called.
/// They may be a title that it wrote over them ("server: worker 3 of …"): what begins with a blank or a colon behind these bytes is none of its name, and is
/// nobody's business.
std::string wholeName(std::string name, std::string_view arguments);

/// The file's name of the program that `pid` runs now, or where that may not be read the process's name; empty if there is no such process.
std::string programOf(std::int32_t pid, const std::string &procRoot = "/proc");

/// The arguments of the program that `pid` runs now, quoted as above; empty if there is no such process, or it is a kernel thread.
std::string commandLineOf(std::int32_t pid);

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace capture {

/// What /proc/PID/status says. Bytes; absent where the line is (a zombie has no memory, old kernels have fewer lines).
struct StatusReading
{
    std::optional<std::int64_t> residentBytes;     ///< with huge pages, which VmRSS leaves out
    std::optional<std::int64_t> mostResidentBytes; ///< since it was executed or forked, without huge pages
    std::int64_t hugeBytes = 0;                    ///< of those
    std::optional<std::int64_t> anonymousBytes;
    std::optional<std::int64_t> fileBytes;
    std::optional<std::int64_t> sharedBytes;
    std::optional<std::int64_t> swapBytes;
    std::optional<std::int64_t> virtualBytes;
    std::int64_t voluntarySwitches = 0;   ///< of the one thread that the file is about
    std::int64_t involuntarySwitches = 0; ///< same
    std::string_view name;                ///< points into the text parsed; escaped as the kernel writes it
};

/// Parses a status file of a process or a thread.
StatusReading parseStatus(std::string_view text);

/// Bytes that a process caused to be fetched from and sent to storage, and how often it read and wrote at all (/proc/PID/io).
struct IoReading
{
    std::int64_t readBytes = 0;
    std::int64_t writtenBytes = 0;
    std::int64_t readCalls = 0; ///< of any file: pipes and caches too; 0 where the kernel does not say
    std::int64_t writeCalls = 0;
};

/// Parses an io file; empty if a line is missing.
std::optional<IoReading> parseIo(std::string_view text);

/// Soft limits of a process; absent where there is none.
struct ProcessLimits
{
    std::optional<std::int64_t> addressSpaceBytes;
    std::optional<std::int64_t> openFiles;
    std::optional<std::int64_t> userThreads; ///< of all processes of its user together; root is exempt
};

/// Parses a limits file.
ProcessLimits parseLimits(std::string_view limits);

/// The stack pointer in a task's syscall file; empty while it runs, and where the kernel hides it.
std::optional<std::uint64_t> stackPointerOf(std::string_view text);

/// A "Name:  123 kB" line of meminfo, smaps_rollup or status, in bytes.
std::optional<std::int64_t> kilobyteField(std::string_view text, std::string_view name);

} // namespace capture

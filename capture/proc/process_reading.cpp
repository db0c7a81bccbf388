// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/process_reading.h"

#include "capture/proc/proc_reader.h"

#include <charconv>

namespace capture {

namespace {

std::optional<std::int64_t> kilobytes(std::string_view text)
{
    constexpr std::int64_t kMost = std::int64_t{1} << 50; // more than any machine addresses: it is no size
    const auto number = parseNumber(text);
    return number && *number >= 0 && *number <= kMost ? std::optional(*number * 1024) : std::nullopt;
}

/// A number that only grows from 0; one that says something else says nothing.
std::optional<std::int64_t> count(std::string_view text)
{
    const auto number = parseNumber(text);
    return number && *number >= 0 ? number : std::nullopt;
}

std::string_view trimmed(std::string_view text)
{
    const std::size_t begin = text.find_first_not_of(" \t");
    return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

} // namespace

StatusReading parseStatus(std::string_view text)
{
    StatusReading reading;
    std::int64_t hugeBytes = 0;
    forEachField(text, [&](std::string_view name, std::string_view rest) {
        if (name == "Name")
            reading.name = trimmed(rest);
        else if (name == "VmRSS")
            reading.residentBytes = kilobytes(rest);
        else if (name == "VmHWM")
            reading.mostResidentBytes = kilobytes(rest);
        else if (name == "RssAnon")
            reading.anonymousBytes = kilobytes(rest);
        else if (name == "RssFile")
            reading.fileBytes = kilobytes(rest);
        else if (name == "RssShmem")
            reading.sharedBytes = kilobytes(rest);
        else if (name == "VmSwap")
            reading.swapBytes = kilobytes(rest);
        else if (name == "VmSize")
            reading.virtualBytes = kilobytes(rest);
        else if (name == "HugetlbPages")
            hugeBytes = kilobytes(rest).value_or(0);
        else if (name == "voluntary_ctxt_switches")
            reading.voluntarySwitches = count(rest).value_or(0);
        else if (name == "nonvoluntary_ctxt_switches")
            reading.involuntarySwitches = count(rest).value_or(0);
    });
    if (reading.residentBytes)
        *reading.residentBytes += hugeBytes;
    reading.hugeBytes = hugeBytes;
    return reading;
}

std::optional<IoReading> parseIo(std::string_view text)
{
    std::optional<std::int64_t> read;
    std::optional<std::int64_t> written;
    IoReading calls;
    forEachField(text, [&](std::string_view name, std::string_view rest) {
        if (name == "read_bytes")
            read = count(rest);
        else if (name == "write_bytes")
            written = count(rest);
        else if (name == "syscr")
            calls.readCalls = count(rest).value_or(0);
        else if (name == "syscw")
            calls.writeCalls = count(rest).value_or(0);
    });
    if (!read || !written)
        return std::nullopt;
    return IoReading{*read, *written, calls.readCalls, calls.writeCalls};
}

ProcessLimits parseLimits(std::string_view limits)
{
    const auto limit = [limits](std::string_view name) {
        const std::size_t at = limits.find(name);
        return at == std::string_view::npos ? std::nullopt : count(limits.substr(at + name.size()));
    };
    return {limit("Max address space"), limit("Max open files"), limit("Max processes")};
}

std::optional<std::uint64_t> stackPointerOf(std::string_view text)
{
    // proc(5): the call and its arguments, or -1, then the stack pointer and the program counter; or "running".
    const std::size_t pc = text.rfind(" 0x");
    const std::size_t sp = pc == std::string_view::npos || pc == 0 ? pc : text.rfind(" 0x", pc - 1);
    if (pc == std::string_view::npos || sp == std::string_view::npos)
        return std::nullopt;
    std::uint64_t pointer = 0;
    const auto [end, error] = std::from_chars(text.data() + sp + 3, text.data() + pc, pointer, 16);
    return error == std::errc() && end == text.data() + pc && pointer != 0 ? std::optional(pointer) : std::nullopt;
}

std::optional<std::int64_t> kilobyteField(std::string_view text, std::string_view name)
{
    std::optional<std::int64_t> bytes;
    forEachField(text, [&](std::string_view field, std::string_view rest) {
        if (field == name)
            bytes = kilobytes(rest);
    });
    return bytes;
}

} // namespace capture

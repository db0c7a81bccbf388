// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/go_functions.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace capture {

namespace {

constexpr std::uint32_t kMagic118 = 0xfffffff0, kMagic120 = 0xfffffff1; // Go's internal/abi/symtab.go

/// A goroutine's, a thread's and the program's first function; and those that run one on the stack of the thread, as Go's own traces end there.
constexpr std::array<std::string_view, 6> kBottoms{
    "runtime.goexit", "runtime.mstart", "runtime.rt0_go", "runtime.mcall", "runtime.systemstack", "runtime.morestack"};

template <typename T> bool readAt(const std::vector<std::uint8_t> &table, std::uint64_t at, T &value)
{
    if (at > table.size() || table.size() - at < sizeof(T))
        return false;
    std::memcpy(&value, table.data() + at, sizeof(T));
    return true;
}

bool isBottom(const std::vector<std::uint8_t> &table, std::uint64_t at)
{
    const auto isName = [&](std::string_view name) {
        return at < table.size() && table.size() - at > name.size()
            && std::memcmp(table.data() + at, name.data(), name.size()) == 0 && table[at + name.size()] == 0;
    };
    return std::any_of(kBottoms.begin(), kBottoms.end(), isName);
}

} // namespace

std::vector<CodeRange> goStackBottoms(const std::vector<std::uint8_t> &table, std::uint64_t text)
{
    struct Header
    {
        std::uint32_t magic;
        std::uint8_t zeros[2], quantum, pointerBytes;
        std::uint64_t functions, files, text, names, units, fileTable, pcTable, functionTable;
    } header;
    static_assert(sizeof(Header) == 72);
    if (!readAt(table, 0, header) || (header.magic != kMagic118 && header.magic != kMagic120)
        || header.pointerBytes != 8 || header.functions > table.size())
        return {};
    // Position-independent programs have 0 there until they are loaded.
    const std::uint64_t base = header.text != 0 ? header.text : text;
    std::vector<CodeRange> bottoms;
    for (std::uint64_t i = 0; i < header.functions; ++i) {
        std::array<std::uint32_t, 3>
            row{}; // a function's begin, its data, the begin of the next one; from `base` and `functionTable`
        std::uint32_t name = 0;
        if (!readAt(table, header.functionTable + i * 8, row)
            || !readAt(table, header.functionTable + row[1] + 4, name))
            break;
        if (row[2] > row[0] && isBottom(table, header.names + name))
            bottoms.push_back({base + row[0], base + row[2]});
    }
    return bottoms;
}

} // namespace capture

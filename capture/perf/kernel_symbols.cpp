// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/kernel_symbols.h"

#include <algorithm>
#include <charconv>
#include <fstream>

namespace capture {

namespace {

/// A line: "ffffffff81000000 T name\t[module]".
struct Line
{
    std::uint64_t address = 0;
    char type = 0;
    std::string_view name, moduleName;
};

bool parse(std::string_view text, Line &line)
{
    const char *end = text.data() + text.size();
    const auto number = std::from_chars(text.data(), end, line.address, 16);
    if (number.ec != std::errc() || end - number.ptr < 4 || *number.ptr != ' ')
        return false;
    line.type = number.ptr[1];
    text.remove_prefix(static_cast<std::size_t>(number.ptr + 3 - text.data()));
    const std::size_t tab = text.find('\t');
    line.name = text.substr(0, tab);
    line.moduleName = tab == std::string_view::npos ? std::string_view() : text.substr(tab + 1);
    return !line.name.empty();
}

} // namespace

bool KernelSymbols::areVisible(const char *path)
{
    std::ifstream file(path);
    std::string text;
    Line line;
    for (int i = 0; i < 16 && std::getline(file, text); ++i) {
        if (parse(text, line) && line.address != 0 && (line.type == 'T' || line.type == 't'))
            return true;
    }
    // Per-CPU symbols at small addresses may come first, so a few lines decide nothing when they are all zero.
    return parse(text, line) && line.address != 0;
}

KernelSymbols KernelSymbols::read(const char *path)
{
    KernelSymbols symbols;
    std::ifstream file(path);
    std::string text;
    Line line;
    while (std::getline(file, text)) {
        const bool isCode = parse(text, line) && line.address != 0
            && (line.type == 't' || line.type == 'T' || line.type == 'w' || line.type == 'W');
        if (!isCode)
            continue;
        std::string name(line.name);
        if (!line.moduleName.empty())
            name.append(" ").append(line.moduleName);
        symbols.m_rows.push_back({line.address, static_cast<std::uint32_t>(symbols.m_names.size()),
            static_cast<std::uint32_t>(name.size())});
        symbols.m_names += name;
    }
    std::stable_sort(
        symbols.m_rows.begin(), symbols.m_rows.end(), [](const Row &a, const Row &b) { return a.address < b.address; });
    return symbols;
}

std::string_view KernelSymbols::find(std::uint64_t address) const
{
    const auto next = std::upper_bound(m_rows.begin(), m_rows.end(), address,
        [](std::uint64_t wanted, const Row &row) { return wanted < row.address; });
    if (next == m_rows.begin())
        return {};
    // Of several names at one address the first is the one that was declared first.
    const auto first = std::lower_bound(m_rows.begin(), next, std::prev(next)->address,
        [](const Row &row, std::uint64_t wanted) { return row.address < wanted; });
    return std::string_view(m_names).substr(first->nameAt, first->nameBytes);
}

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/distinct_names.h"

#include "model/aggregate/stack_text.h"
#include "model/report/text_table.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace model {

namespace {

using Texts = std::vector<std::string>;

std::size_t differentOf(const Texts &texts) { return std::set<std::string>(texts.begin(), texts.end()).size(); }

Texts elidedAll(const Texts &texts, std::size_t columns)
{
    Texts cut;
    for (const std::string &text : texts)
        cut.push_back(elided(text, columns));
    return cut;
}

/// The characters of a UTF-8 text.
std::vector<std::string_view> charactersOf(std::string_view text)
{
    std::vector<std::string_view> characters;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at + 1;
        while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
            ++end;
        characters.push_back(text.substr(at, end - at));
        at = end;
    }
    return characters;
}

/// The texts cut to the begin of each and what stands where they begin to differ.
Texts cutAroundDifference(Texts texts, std::size_t columns)
{
    std::vector<std::vector<std::string_view>> all;
    for (std::string &text : texts) {
        text = onOneLine(text);
        all.push_back(charactersOf(text));
    }
    std::size_t same = all.front().size();
    for (const auto &each : all)
        same = std::min<std::size_t>(same,
            static_cast<std::size_t>(
                std::mismatch(each.begin(), each.end(), all.front().begin(), all.front().end()).first - each.begin()));
    const std::size_t head = columns / 3;
    const std::size_t from = std::max(head, same > 2 ? same - 2 : 0);
    Texts cut;
    for (const auto &each : all) {
        std::string text;
        for (std::size_t i = 0; i < std::min(head, each.size()); ++i)
            text += each[i];
        text += from > head ? "…" : "";
        const std::size_t room = columns - head - (from > head ? 1 : 0);
        const bool isWhole = each.size() <= from + room;
        for (std::size_t i = from; i < std::min(each.size(), isWhole ? each.size() : from + room - 1); ++i)
            text += each[i];
        cut.push_back(text + (isWhole ? "" : "…"));
    }
    return cut;
}

/// Of functions that read alike.
Texts told(const Texts &names, std::size_t columns)
{
    constexpr int kDeepest = 4;
    const std::size_t different = differentOf(names);
    Texts wide; // the shortest that differ where there is room
    for (int depth = 0; depth <= kDeepest + 1; ++depth) {
        Texts texts;
        for (const std::string &name : names)
            texts.push_back(depth <= kDeepest ? shortFunctionName(name, depth) : name);
        if (differentOf(texts) < different)
            continue;
        Texts cut = elidedAll(texts, columns);
        if (differentOf(cut) == different)
            return cut;
        if (wide.empty())
            wide = std::move(texts);
    }
    return cutAroundDifference(std::move(wide), std::max<std::size_t>(columns, 8));
}

NamedRow namedRow(const FunctionIndex &index, FunctionId function, StringId file, std::uint32_t line)
{
    const std::string place = shortPlace(index.tables()->text(file), line);
    return {index.name(function), place.empty() ? std::string(index.moduleName(function)) : place};
}

} // namespace

std::vector<NamedRow> namedRows(const FunctionIndex &index, const std::vector<HotFunction> &functions)
{
    std::vector<NamedRow> rows;
    for (const HotFunction &each : functions)
        rows.push_back(namedRow(index, each.function, each.file, each.line));
    return rows;
}

std::vector<NamedRow> namedRows(const FunctionTable &table)
{
    std::vector<NamedRow> rows;
    rows.reserve(table.rows.size());
    for (const FunctionCost &each : table.rows)
        rows.push_back(namedRow(*table.functions, each.function, each.file, each.line));
    return rows;
}

std::vector<std::string> distinctNames(const std::vector<NamedRow> &rows, std::size_t columns)
{
    Texts shown;
    std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> alike;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        shown.push_back(elided(shortFunctionName(rows[i].name), columns));
        alike[{shown.back(), rows[i].place}].push_back(i);
    }
    for (const auto &[look, positions] : alike) {
        Texts names;
        for (const std::size_t i : positions)
            names.push_back(rows[i].name);
        if (differentOf(names) < 2)
            continue;
        names = told(names, columns);
        for (std::size_t k = 0; k < positions.size(); ++k)
            shown[positions[k]] = std::move(names[k]);
    }
    return shown;
}

} // namespace model

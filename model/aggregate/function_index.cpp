// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/function_index.h"

#include <fmt/format.h>

namespace model {

std::size_t FunctionIndex::Hash::operator()(const std::pair<std::uint64_t, std::uint64_t> &key) const noexcept
{
    std::uint64_t h = key.first * 0x9e3779b97f4a7c15ull + key.second;
    h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93ull;
    return h ^ (h >> 32);
}

FunctionIndex::FunctionIndex(std::shared_ptr<const ProgramTables> tables)
    : m_tables(std::move(tables))
    , m_functions(kStackEndCount)
    , m_ranges(m_tables->frames.size())
{
    for (std::uint32_t end = 0; end < kStackEndCount; ++end)
        m_places.push_back({FunctionId(end)});
}

FunctionId FunctionIndex::intern(const Function &function)
{
    const std::uint64_t nameInModule = (std::uint64_t{function.module.value} << 32) | function.name.value;
    const auto [it, isNew] = m_ids.try_emplace({nameInModule, function.address}, FunctionId(m_functions.size()));
    if (isNew)
        m_functions.push_back(function);
    return it->second;
}

/// Code that a program generates moves with each run, and an address in it says nothing: without names it is one function of its module.
bool FunctionIndex::isGenerated(ModuleId module) const
{
    if (!module.isValid())
        return false;
    const ModuleKind kind = m_tables->modules.at(module.index()).kind;
    return kind == ModuleKind::Jit || kind == ModuleKind::Anonymous;
}

FunctionIndex::Range FunctionIndex::resolve(FrameId id)
{
    const Frame &frame = m_tables->frames.at(id.index());
    const auto first = static_cast<std::uint32_t>(m_places.size());
    const bool hasRow = id.index() < m_tables->symbols.size();
    const std::uint32_t lines = hasRow ? m_tables->symbols[id.index()].count : 0;
    if (lines == 0) {
        const std::uint64_t address = isGenerated(frame.module) ? 0 : frame.address;
        m_places.push_back({intern({StringId(0u), frame.module, address})});
        return {first, 1};
    }
    const ProgramTables::LineSpan span = m_tables->linesOf(id);
    for (const SourceLine *line = span.last; line-- != span.first;) {
        const std::uint64_t address = line->function.value == 0 ? frame.address : 0;
        m_places.push_back(
            {intern({line->function, frame.module, address}), line->file, line->line, line + 1 != span.last});
    }
    return {first, lines};
}

FunctionIndex::Range FunctionIndex::placesOf(FrameId frame)
{
    Range &range = m_ranges.at(frame.index());
    if (range.count == 0)
        range = resolve(frame);
    return range;
}

std::string_view FunctionIndex::modulePath(FunctionId id) const
{
    const Function &found = function(id);
    return found.module.isValid() ? std::string_view(m_tables->text(m_tables->modules.at(found.module.index()).path))
                                  : std::string_view();
}

std::string_view FunctionIndex::moduleName(FunctionId id) const { return fileNameOf(modulePath(id)); }

std::string FunctionIndex::name(FunctionId id) const
{
    if (id == endFunction(StackEnd::ReachedStart))
        return "all";
    if (isEnd(id))
        return std::string(stackEndText(static_cast<StackEnd>(id.value)));
    const Function &found = function(id);
    if (const std::string &text = m_tables->text(found.name); !text.empty())
        return text;
    if (isGenerated(found.module))
        return std::string(kGeneratedCode);
    const std::string_view module = moduleName(id);
    return fmt::format("{}+{:#x}", module.empty() ? "[unknown]" : module, found.address);
}

bool FunctionIndex::isBefore(FunctionId a, FunctionId b) const
{
    const Function &left = function(a);
    const Function &right = function(b);
    if (left.name != right.name)
        return m_tables->text(left.name) < m_tables->text(right.name);
    if (left.module != right.module)
        return left.module < right.module;
    return left.address != right.address ? left.address < right.address : a < b;
}

std::string_view fileNameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

} // namespace model

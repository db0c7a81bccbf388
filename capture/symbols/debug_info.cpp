// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/symbols/debug_info.h"

#include "capture/symbols/demangler.h"

#include <dwarf.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>

namespace capture {

namespace {

constexpr int kMostDepth = 64;    // of nested scopes; deeper is a damaged file
constexpr int kMostInlined = 256; // the same for inlined functions and blocks
constexpr int kMostOverlapping = 64;

bool isScope(int tag)
{
    switch (tag) {
    case DW_TAG_namespace:
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_interface_type:
    case DW_TAG_module:
    case DW_TAG_enumeration_type: // Rust's have methods
        return true;
    default:
        return false;
    }
}

/// Calls `range(begin, end)` for each range of code of a DIE.
template <typename Visit> void forEachRange(Dwarf_Die *die, Visit &&range)
{
    Dwarf_Addr base = 0;
    Dwarf_Addr begin = 0;
    Dwarf_Addr end = 0;
    for (std::ptrdiff_t at = 0; (at = dwarf_ranges(die, at, &base, &begin, &end)) > 0;) {
        // Code that the linker threw away keeps a range from 0, or from −1 or −2 with newer linkers.
        if (begin < end && begin != 0)
            range(begin, end);
    }
}

std::string plainPath(const char *path)
{
    return path ? std::filesystem::path(path).lexically_normal().string() : std::string();
}

/// Where an inlined function was called: file and line in its caller.
void readCall(Dwarf_Die *inlined, SourceFrame &caller)
{
    Dwarf_Attribute attribute;
    Dwarf_Word number = 0;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &number) == 0)
        caller.line = static_cast<std::uint32_t>(number);
    Dwarf_Die unit;
    Dwarf_Files *files = nullptr;
    std::size_t count = 0;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &number) == 0
        && dwarf_diecu(inlined, &unit, nullptr, nullptr) && dwarf_getsrcfiles(&unit, &files, &count) == 0)
        caller.file = plainPath(dwarf_filesrc(files, number, nullptr, nullptr));
}

void readLine(Dwarf_Die *unit, std::uint64_t address, SourceFrame &frame)
{
    Dwarf_Line *line = dwarf_getsrc_die(unit, address);
    int number = 0;
    if (!line || dwarf_lineno(line, &number) != 0)
        return;
    frame.line = static_cast<std::uint32_t>(std::max(number, 0));
    frame.file = plainPath(dwarf_linesrc(line, nullptr, nullptr));
}

bool isBlock(int tag) { return tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block; }

bool mayHold(Dwarf_Die *block, std::uint64_t address)
{
    return dwarf_haspc(block, address) == 1
        || (!dwarf_hasattr(block, DW_AT_low_pc) && !dwarf_hasattr(block, DW_AT_ranges));
}

/// The types of what a nameless class's operator() takes, beside the object itself; empty of what is no such class.
std::optional<std::vector<Dwarf_Off>> lambdaParameters(Dwarf_Die *type)
{
    Dwarf_Die member, parameter, of;
    Dwarf_Attribute attribute;
    if (dwarf_tag(type) == DW_TAG_namespace || dwarf_child(type, &member) != 0)
        return std::nullopt;
    do {
        const char *name = dwarf_tag(&member) == DW_TAG_subprogram ? dwarf_diename(&member) : nullptr;
        if (!name || !std::string_view(name).starts_with("operator()")) // of one with auto: operator()<int>
            continue;
        std::vector<Dwarf_Off> types;
        if (dwarf_child(&member, &parameter) != 0)
            return types;
        do {
            if (dwarf_tag(&parameter) == DW_TAG_formal_parameter && !dwarf_hasattr(&parameter, DW_AT_artificial)
                && dwarf_formref_die(dwarf_attr(&parameter, DW_AT_type, &attribute), &of))
                types.push_back(dwarf_dieoffset(&of));
        } while (dwarf_siblingof(&parameter, &parameter) == 0);
        return types;
    } while (dwarf_siblingof(&member, &member) == 0);
    return std::nullopt;
}

/// Appends the inlined functions inside `parent` that hold `address`, outermost first. Blocks are looked into last, each in turn:
/// optimised code is interleaved, and several may claim an address.
bool appendInlined(Dwarf_Die *parent, std::uint64_t address, std::vector<Dwarf_Die> &chain, int depth)
{
    Dwarf_Die child;
    if (depth > kMostInlined || dwarf_child(parent, &child) != 0)
        return false;
    std::vector<Dwarf_Die> blocks;
    do {
        const int tag = dwarf_tag(&child);
        if (tag == DW_TAG_inlined_subroutine && dwarf_haspc(&child, address) == 1) {
            chain.push_back(child);
            appendInlined(&child, address, chain, depth + 1);
            return true;
        }
        if (isBlock(tag) && mayHold(&child, address))
            blocks.push_back(child);
    } while (dwarf_siblingof(&child, &child) == 0);
    return std::any_of(blocks.begin(), blocks.end(),
        [&](Dwarf_Die &block) { return appendInlined(&block, address, chain, depth + 1); });
}

} // namespace

std::unique_ptr<DebugInfo> DebugInfo::open(Elf *elf)
{
    Dwarf *dwarf = dwarf_begin_elf(elf, DWARF_C_READ, nullptr);
    if (!dwarf)
        return nullptr;
    std::unique_ptr<DebugInfo> info(new DebugInfo(dwarf));
    info->readUnits();
    return info->m_units.empty() ? nullptr : std::move(info);
}

/// What is being read of.
struct DebugInfo::Enclosing
{
    std::optional<std::string> name;                    ///< of the function, once it was asked for
    Dwarf_Die *function = nullptr;                      ///< null: the scope says it all
    std::map<std::vector<Dwarf_Off>, unsigned> lambdas; ///< how many it has had, by the types of their parameters
};

DebugInfo::DebugInfo(Dwarf *dwarf)
    : m_dwarf(dwarf)
{
}

DebugInfo::~DebugInfo() { dwarf_end(m_dwarf); }

void DebugInfo::readUnits()
{
    Dwarf_CU *unit = nullptr;
    Dwarf_Die die;
    std::uint8_t type = 0;
    // Whoever asks for the split units here has all their files opened; unitAt() opens that of the unit it reads.
    while (dwarf_get_units(m_dwarf, unit, &unit, nullptr, &type, &die, nullptr) == 0) {
        if (type != DW_UT_compile && type != DW_UT_skeleton)
            continue;
        // Units by offset of their skeleton: a split unit's own offset is one in another file.
        const Dwarf_Off offset = dwarf_dieoffset(&die);
        forEachRange(&die, [&](std::uint64_t begin, std::uint64_t end) { m_units.push_back({begin, end, offset}); });
    }
    std::sort(m_units.begin(), m_units.end(), [](const Range &a, const Range &b) { return a.begin < b.begin; });
}

const DebugInfo::Unit &DebugInfo::unitAt(Dwarf_Off die)
{
    const auto [it, isNew] = m_read.try_emplace(die);
    Dwarf_Die unit;
    if (!isNew || !dwarf_offdie(m_dwarf, die, &unit))
        return it->second;
    Dwarf_Die split;
    if (dwarf_cu_info(unit.cu, nullptr, nullptr, nullptr, &split, nullptr, nullptr, nullptr) == 0
        && dwarf_tag(&split) == DW_TAG_compile_unit)
        unit = split;
    Enclosing none;
    readScope(&unit, {}, none, it->second, 0);
    std::sort(it->second.functions.begin(), it->second.functions.end(),
        [](const Function &a, const Function &b) { return a.begin != b.begin ? a.begin < b.begin : a.end > b.end; });
    return it->second;
}

void DebugInfo::readScope(Dwarf_Die *parent, const std::string &scope, Enclosing &enclosing, Unit &unit, int depth)
{
    Dwarf_Die child;
    if (depth > kMostDepth || dwarf_child(parent, &child) != 0)
        return;
    do {
        const int tag = dwarf_tag(&child);
        if (tag == DW_TAG_subprogram) {
            addFunction(&child, scope, unit);
            Enclosing inner;
            inner.function = &child;
            readScope(&child, scope, inner, unit, depth + 1); // Fortran, Ada and D nest functions
        } else if (isBlock(tag)) {
            readScope(&child, scope, enclosing, unit, depth + 1); // its lambdas count as the function's
        } else if (isScope(tag)) {
            Enclosing inner;
            readScope(&child, scopeIn(&child, scope, enclosing, unit), inner, unit, depth + 1);
        }
    } while (dwarf_siblingof(&child, &child) == 0);
}

/// The scope that a namespace or class opens; those of a function, lambdas foremost, begin with it, as they do in linkage names.
std::string DebugInfo::scopeIn(Dwarf_Die *named, const std::string &scope, Enclosing &enclosing, const Unit &unit) const
{
    std::string outer = scope, inner;
    if (const char *name = dwarf_diename(named))
        inner = name;
    else if (const auto parameters = lambdaParameters(named))
        inner = "{lambda#" + std::to_string(++enclosing.lambdas[*parameters]) + '}';
    else
        inner = dwarf_tag(named) == DW_TAG_namespace ? "(anonymous namespace)" : "(anonymous)";
    if (enclosing.function && !enclosing.name) {
        constexpr std::size_t kMostName = 8192; // of which a file may hold many scopes
        SourceFrame function;
        nameOf(enclosing.function, unit, function);
        enclosing.name = function.function.empty() ? scope : function.function.substr(0, kMostName);
    }
    if (enclosing.name)
        outer = *enclosing.name;
    return outer.empty() ? inner : outer + "::" + inner;
}

void DebugInfo::addFunction(Dwarf_Die *function, const std::string &scope, Unit &unit)
{
    const Dwarf_Off offset = dwarf_dieoffset(function);
    forEachRange(function, [&](std::uint64_t begin, std::uint64_t end) {
        unit.functions.push_back({begin, end, *function});
    });
    if (scope.empty() || dwarf_hasattr(function, DW_AT_linkage_name) || dwarf_hasattr(function, DW_AT_specification)
        || dwarf_hasattr(function, DW_AT_abstract_origin))
        return;
    if (m_scopes.empty() || m_scopes.back() != scope)
        m_scopes.push_back(scope);
    unit.scopes.emplace(offset, static_cast<std::uint32_t>(m_scopes.size() - 1));
}

std::vector<Dwarf_Die> DebugInfo::chainAt(const Unit &unit, std::uint64_t address) const
{
    auto it = std::upper_bound(unit.functions.begin(), unit.functions.end(), address,
        [](std::uint64_t value, const Function &function) { return value < function.begin; });
    for (int looked = 0; it != unit.functions.begin() && looked < kMostOverlapping; ++looked) {
        --it;
        if (address >= it->end)
            continue;
        std::vector<Dwarf_Die> chain{it->die};
        Dwarf_Die function = chain.front();
        appendInlined(&function, address, chain, 0);
        return chain;
    }
    return {};
}

void DebugInfo::nameOf(Dwarf_Die *function, const Unit &unit, SourceFrame &frame) const
{
    Dwarf_Attribute attribute;
    for (const unsigned kind : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name}) {
        if (const char *name = dwarf_formstring(dwarf_attr_integrate(function, kind, &attribute))) {
            frame.function = demangled(name);
            return;
        }
    }
    frame.hasShortName = true;
    const char *name = dwarf_diename(function);
    if (!name)
        return;
    // Follow to where it was declared: that is what stands in a namespace or class.
    Dwarf_Die declared = *function;
    for (int step = 0; step < 4; ++step) {
        Dwarf_Die next;
        if (!dwarf_formref_die(dwarf_attr(&declared, DW_AT_abstract_origin, &attribute), &next)
            && !dwarf_formref_die(dwarf_attr(&declared, DW_AT_specification, &attribute), &next))
            break;
        declared = next;
    }
    const auto scope = unit.scopes.find(dwarf_dieoffset(&declared));
    frame.function = scope == unit.scopes.end() ? name : m_scopes[scope->second] + "::" + name;
}

std::vector<SourceFrame> DebugInfo::find(std::uint64_t address)
{
    auto it = std::upper_bound(m_units.begin(), m_units.end(), address,
        [](std::uint64_t value, const Range &range) { return value < range.begin; });
    Dwarf_Die unitDie;
    if (it == m_units.begin() || address >= (--it)->end || !dwarf_offdie(m_dwarf, it->die, &unitDie))
        return {};
    const Unit &unit = unitAt(it->die);
    std::vector<Dwarf_Die> chain = chainAt(unit, address);
    std::vector<SourceFrame> frames(std::max<std::size_t>(chain.size(), 1));
    readLine(&unitDie, address, frames.front());
    // The chain goes inwards, the frames outwards.
    for (std::size_t i = 0; i < chain.size(); ++i) {
        Dwarf_Die &function = chain[chain.size() - 1 - i];
        nameOf(&function, unit, frames[i]);
        if (i + 1 < chain.size())
            readCall(&function, frames[i + 1]);
    }
    return frames;
}

} // namespace capture

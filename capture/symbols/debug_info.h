// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/symbols/source_frame.h"

#include <elfutils/libdw.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace capture {

/// Functions, inlined functions and lines from the DWARF information of one file. Compilation units are found by their own ranges (not
/// every compiler writes .debug_aranges), and what is in a unit is read when the first address falls into it. Symbolizer thread only.
class DebugInfo
{
public:
    /// Empty if the file has no DWARF information. `elf` outlives the result.
    static std::unique_ptr<DebugInfo> open(Elf *elf);

    ~DebugInfo();

    /// What stands at `address` (p_vaddr space), innermost inlined function first, the real function last. Empty if no
    /// unit covers it. The last one's name is empty where the unit does not know the function.
    std::vector<SourceFrame> find(std::uint64_t address);

private:
    struct Range
    {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        Dwarf_Off die = 0;
    };
    struct Function
    {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        Dwarf_Die die{};
    };
    struct Unit
    {
        std::vector<Function> functions;                     ///< ascending; nested ones after those around them
        std::unordered_map<Dwarf_Off, std::uint32_t> scopes; ///< of functions without linkage name: index into m_scopes
    };

    struct Enclosing;

    explicit DebugInfo(Dwarf *dwarf);

    void readUnits();
    const Unit &unitAt(Dwarf_Off die);
    void readScope(Dwarf_Die *parent, const std::string &scope, Enclosing &enclosing, Unit &unit, int depth);
    std::string scopeIn(Dwarf_Die *named, const std::string &scope, Enclosing &enclosing, const Unit &unit) const;
    void addFunction(Dwarf_Die *function, const std::string &scope, Unit &unit);
    std::vector<Dwarf_Die> chainAt(const Unit &unit, std::uint64_t address) const;
    void nameOf(Dwarf_Die *function, const Unit &unit, SourceFrame &frame) const;

    Dwarf *m_dwarf;
    std::vector<Range> m_units; ///< ascending
    std::unordered_map<Dwarf_Off, Unit> m_read;
    std::vector<std::string> m_scopes;
};

} // namespace capture

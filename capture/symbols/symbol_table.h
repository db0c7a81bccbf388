// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <libelf.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace capture {

/// The functions or the variables of an ELF file in a sorted array; libelf's own search goes through all symbols each time. Owns its names.
class SymbolTable
{
public:
    enum class Kind { Functions, Variables };

    /// Adds those of .symtab, or of .dynsym where there is none. Corrupt entries are passed over. Call `sort` after the last.
    void add(Elf *elf, Kind kind = Kind::Functions);
    /// The same from one section.
    void addSection(Elf_Scn *section, Elf *elf, Kind kind = Kind::Functions);
    void sort();

    /// What stands at an address.
    struct Found
    {
        const char *name = nullptr; ///< as linked; null: no symbol holds the address
        std::uint64_t inside = 0;   ///< how far behind its begin
        bool isSized = false;
    };
    /// The symbol that holds `address` (p_vaddr space). One without size reaches to the next one of its section. Where only exported ones are known,
    /// others may have stood between: it is only believed of a next one that is near.
    Found find(std::uint64_t address) const;

    /// Whether one begins there.
    bool begins(std::uint64_t address) const;

    std::size_t size() const { return m_symbols.size(); }

private:
    struct Symbol
    {
        std::uint64_t begin = 0;
        std::uint64_t size = 0; ///< of an unsized one: up to its section's end
        std::uint32_t nameAt = 0;
        std::uint8_t rank = 0; ///< of several at one address the one with the highest is shown
    };

    std::vector<Symbol> m_symbols;
    std::string m_names; ///< each ended by a zero byte
    std::uint64_t m_largest = 0;
    bool m_isWhole = false; ///< there is a .symtab, and not only the exported ones
};

} // namespace capture

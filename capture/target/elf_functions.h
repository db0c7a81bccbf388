// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace capture {

/// A stretch of addresses; empty where begin is not below end.
struct AddressRange
{
    std::uint64_t begin = 0;
    std::uint64_t end = 0;

    bool contains(std::uint64_t address) const { return address >= begin && address < end; }
};

/// The exported functions of an ELF file and its code, as far as one needs them to call into a process that maps it. Addresses are the
/// file's own (p_vaddr). A value; every bound in the file is checked.
class ElfFunctions
{
public:
    /// Does not keep `fd`.
    static model::Result<ElfFunctions> fromFile(int fd);
    /// Whether a file exports a function of that name, without keeping the rest. False if it is no ELF file.
    static bool exports(int fd, std::string_view name);

    /// The address of a function; 0 if the file exports none of that name. Of several versions the default one.
    std::uint64_t find(std::string_view name) const;
    bool defines(std::string_view name) const { return find(name) != 0; }
    /// What is taken up by the function of that name; empty if there is none.
    AddressRange rangeOf(std::string_view name) const;
    /// From behind the last exported function before all of `names` to the first one after them: the part of the file that
    /// holds them and the unexported functions of the same source. Empty if none of them is exported.
    AddressRange neighbourhoodOf(std::span<const std::string_view> names) const;
    /// Where these bytes stand in the code; 0: nowhere.
    std::uint64_t findCode(std::span<const std::uint8_t> bytes) const;
    /// The address of the file's first byte.
    std::uint64_t baseAddress() const { return m_base; }
    /// Whether the file's full symbol table, where it was not stripped, names a function.
    bool hasSymbol(std::string_view name) const;

private:
    struct Function
    {
        std::uint64_t address = 0;
        std::uint64_t bytes = 0;
        std::string name;
    };
    struct Code
    {
        std::uint64_t address = 0;
        std::vector<std::uint8_t> bytes;
    };

    std::vector<Function> m_functions;  ///< ascending by address
    std::vector<std::string> m_symbols; ///< of the full table, sorted
    std::vector<Code> m_code;
    std::uint64_t m_base = 0;
};

} // namespace capture

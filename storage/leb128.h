// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace storage {

/// Appends an unsigned number as LEB128: seven bits a byte, lowest first; the top bit says that more follow.
/// https://dwarfstd.org/doc/DWARF5.pdf, section 7.6
inline void appendLeb128(std::string &bytes, std::uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        bytes.push_back(static_cast<char>(value | 0x80));
    bytes.push_back(static_cast<char>(value));
}

/// Takes a number off the front of `bytes`; false where there is none, or it has no end within 64 bits.
inline bool takeLeb128(std::string_view &bytes, std::uint64_t &value)
{
    value = 0;
    for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(bytes.front());
        bytes.remove_prefix(1);
        value |= std::uint64_t{byte & 0x7fu} << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

} // namespace storage

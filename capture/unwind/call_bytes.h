// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace capture::unwind {

/// Whether the last bytes of these are a call of x86-64: near and relative, or through a register or a word of memory. What stands before a return
/// address ends so.
inline bool endsWithCall(const std::uint8_t (&code)[8])
{
    const std::uint8_t *const end = code + sizeof(code);
    if (end[-5] == 0xe8)
        return true;
    constexpr unsigned kCallByOperand = 2; // of the operations that begin with 0xff
    for (int length = 2; length <= 7; ++length) {
        const unsigned operand = end[1 - length], mode = operand >> 6, base = operand & 7;
        if (end[-length] != 0xff || (operand >> 3 & 7) != kCallByOperand)
            continue;
        const bool hasIndex = mode != 3 && base == 4;
        const bool isAbsolute = mode == 0 && (base == 5 || (hasIndex && length > 2 && (end[2 - length] & 7) == 5));
        const int displacement = mode == 1 ? 1 : mode == 2 || isAbsolute ? 4 : 0;
        if (length == 2 + hasIndex + displacement)
            return true;
    }
    return false;
}

} // namespace capture::unwind

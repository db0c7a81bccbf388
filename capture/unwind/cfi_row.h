// SPDX-License-Identifier: MIT
#pragma once

#include "capture/unwind/frame_rule.h"

#include <cstddef>
#include <cstdint>

namespace capture::unwind {

/// Bytes of a section, and the address at which they lie in the program's own address space.
///
/// In the target, `address` is where `data` is mapped; of a file, it is the section's link-time address, and every
/// pc asked for is then a link-time address too. Not owned: it must outlive what is made from it.
struct Section
{
    const std::uint8_t *data = nullptr;
    std::size_t size = 0;
    std::uint64_t address = 0;
};

/// How one register of the caller is found.
enum class RegisterRule : std::uint8_t {
    Same,            ///< unchanged (also: never mentioned)
    Undefined,       ///< lost; for the return address: no caller
    Offset,          ///< saved at CFA + value
    ValueOffset,     ///< is CFA + value
    Register,        ///< is in register number `value`
    Expression,      ///< saved at the address that the expression at `value` computes
    ValueExpression, ///< is what the expression at `value` computes
};

/// The complete rule of one pc, as call-frame information has it: one row of its table.
/// Expressions are byte offsets into the section it was made from, each led by its ULEB128 length.
struct CfiRow
{
    bool cfaIsExpression = false;
    bool isSignalFrame = false;
    std::uint8_t cfaRegister = 0;
    RegisterRule rules[reg::kCount] = {};
    std::int32_t values[reg::kCount] = {};
    std::int32_t cfaValue = 0; ///< offset, or where the expression stands in the section
};

/// The row in one word, RuleKind::Complex where it does not fit. `section` is the one the row was made from.
FrameRule compactRule(const CfiRow &row, const Section &section);

} // namespace capture::unwind

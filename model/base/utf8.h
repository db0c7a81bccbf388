// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace model {

/// What stands for bytes that are no UTF-8: U+FFFD.
inline constexpr std::string_view kReplacementCharacter = "\xef\xbf\xbd";

/// Bytes of the character at the front of a text; 0 if it is no UTF-8 (Unicode 15, table 3-7) or the text is empty.
std::size_t utf8Length(std::string_view text);

/// A text that may be handed on as UTF-8: bytes that are none stand as "\\xff".
std::string withBytesShown(std::string_view text);

} // namespace model

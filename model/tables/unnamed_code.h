// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

namespace model {

/// The function that code generated at run time counts for where nobody said what it is: all of an image's is one function, as its
/// addresses say nothing to a reader.
inline constexpr std::string_view kUnnamedCode = "[generated code without names]";

} // namespace model

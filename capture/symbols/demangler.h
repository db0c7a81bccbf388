// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace capture {

/// The name as a programmer wrote it: Itanium C++ and Rust's older scheme are demangled; a Rust hash at the end is left out.
/// Any other name is returned as it is.
std::string demangled(const char *symbol);

} // namespace capture

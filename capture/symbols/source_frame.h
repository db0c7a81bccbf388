// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

namespace capture {

/// One function at an address, as the symbolizer's thread found it. Becomes a model::SourceLine in the capture thread.
struct SourceFrame
{
    std::string function;      ///< demangled, whole
    std::string file;          ///< empty if unknown
    std::uint32_t line = 0;    ///< 0 if unknown
    bool hasShortName = false; ///< without parameters, at times without scope: the linkage name was not to be had
};

} // namespace capture

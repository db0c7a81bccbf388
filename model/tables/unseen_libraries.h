// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

namespace model {

/// What stands behind the names of libraries in the note of an image whose heap is not seen whole, as they may have called past the tracer.
/// Known to who hides names: what stands before is whatever the program opened.
inline constexpr std::string_view kOpenedInNamespace
    = ", opened by dlmopen: a namespace with a C library and a heap of its own, which are not seen";
inline constexpr std::string_view kOpenedDeepBinding
    = ", opened with RTLD_DEEPBIND: may call another allocator than the program, past the tracer";

} // namespace model

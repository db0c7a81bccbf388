// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

struct genesis_scope_limits;

/// Scopes of genesis_profiler.h: parts of a thread's run about which it asks the recorder, which has the books. All that the tracer does
/// for them is to write a note and to wait for the answer; events cost what they always do.
namespace capture::tracer {

std::uint64_t beginScope(unsigned threads);
int endScope(std::uint64_t scope, const genesis_scope_limits *limits, char *text, std::size_t bytes);

} // namespace capture::tracer

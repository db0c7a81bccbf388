// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace capture::tracer {

/// Whether the last bytes of these are a call of x86-64: near and relative, or through a register or a word of memory. What stands before a return
/// address ends so.
bool endsWithCall(const std::uint8_t (&code)[8]);

/// Whether the memory before `address` does. One system call, so that it may be asked of any number: false also where nothing can be read,
/// or the program forbade itself that call. Any thread, any signal handler.
bool followsCall(std::uint64_t address);

} // namespace capture::tracer

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace capture {

/// Whether a thread that is stopped at `instruction`, traced by the calling one, is in the middle of a restartable sequence (rseq(2)).
/// Made to run something else there, it would go on as if it had never been away. Also true where the sequence cannot be read.
bool isInRestartableSequence(std::int32_t pid, std::int32_t tid, std::uint64_t instruction);

} // namespace capture

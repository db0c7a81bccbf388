// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "storage/seal/seal_key.h"

#include <cstdint>
#include <string>

namespace storage {

/// What a redacted copy keeps beyond numbers, times, and the names of well-known system libraries and of their functions.
struct RedactionOptions
{
    bool keepsFunctions = false; ///< functions, and the last part of source files' names
};

/// How many different texts were replaced.
struct RedactionResult
{
    std::int64_t texts = 0;
};

/// Writes the session at `in` to a new file `out` (mode 0600, must not exist) in which paths, arguments, the names of programs, hosts, threads,
/// pools, phases and marks, build-ids and, unless kept, functions and source files are replaced by numbered stand-ins: the same text by
/// the same one throughout, and in the same way each time; the copy says so itself (model::SessionInfo::redaction). Rows are written afresh, so nothing of the old texts is left between them.
/// `key`: of `in`, if that is sealed; the copy never is. Refuses a session that is being recorded, or damaged. On failure there is no `out`.
model::Result<RedactionResult> redactSession(
    const std::string &in, const std::string &out, const RedactionOptions &options, const SealKeyPointer &key = {});

} // namespace storage

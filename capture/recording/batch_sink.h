// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "model/event_batch.h"
#include "model/session_info.h"
#include "model/tables/table_builder.h"

#include <cstdint>

namespace capture {

/// Where a recording puts its batches; in the program this is a session file. All calls come from the capture thread.
class BatchSink
{
public:
    BatchSink() = default;
    BatchSink(const BatchSink &) = delete;
    BatchSink &operator=(const BatchSink &) = delete;
    virtual ~BatchSink() = default;

    /// Stores one tick, all of it or nothing. After a failure the caller keeps the batch, merges the next one into it and
    /// calls again; what was taken from `tables` is kept by the sink.
    virtual model::Result<void> write(const model::EventBatch &batch, model::TableBuilder &tables) = 0;

    /// Tells that only the last rows and the end are written from now on. What is kept to tell the end is for them, too.
    virtual void expectEnd() = 0;

    /// Replaces what is stored about the session as a whole.
    virtual model::Result<void> updateInfo(const model::SessionInfo &info) = 0;

    /// Ends the session; nothing is written afterwards.
    virtual model::Result<void> finish(const model::SessionInfo &info) = 0;

    /// How much is stored by now, in bytes on disk.
    virtual std::int64_t storedBytes() const = 0;
};

} // namespace capture

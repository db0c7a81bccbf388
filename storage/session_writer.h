// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "model/event_batch.h"
#include "model/session_info.h"
#include "model/tables/table_builder.h"
#include "storage/seal/seal_key.h"

#include <memory>
#include <string>

namespace storage {

/// Writes a session file while it is being recorded: SQLite in WAL mode, one transaction a tick, synchronous=FULL. The capture
/// thread owns it. After a failed write nothing of the batch is in the file; the caller keeps the batch and tries again.
class SessionWriter
{
public:
    /// Makes a new session at `path` (mode 0600), which must not exist yet, and stores `info`.
    /// With a key everything is sealed from the first byte on.
    static model::Result<SessionWriter> create(
        const std::string &path, const model::SessionInfo &info, SealKeyPointer key = {});

    SessionWriter(SessionWriter &&) noexcept;
    SessionWriter &operator=(SessionWriter &&) noexcept;
    ~SessionWriter();

    /// Writes one tick: new rows of the tables, their changes, new symbols, and the batch, in one transaction. On failure the
    /// changes taken from `tables` are kept here and written with the next call.
    model::Result<void> write(const model::EventBatch &batch, model::TableBuilder &tables);

    /// Only what is left is written from now on: it may have the room that was kept for it.
    void expectEnd();

    /// Replaces what is stored about the session as a whole (state, control address, end).
    model::Result<void> updateInfo(const model::SessionInfo &info);

    /// Ends the recording: stores `info`, and leaves a single compact file without -wal and -shm (VACUUM INTO and rename where there is space, else
    /// a checkpoint in place). Nothing can be written afterwards.
    model::Result<void> finish(const model::SessionInfo &info);

    const std::string &path() const;

private:
    struct Private;
    explicit SessionWriter(std::unique_ptr<Private> d);
    std::unique_ptr<Private> d;
};

} // namespace storage

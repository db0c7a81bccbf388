// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "model/selection.h"
#include "model/snapshot.h"
#include "storage/seal/seal_key.h"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

namespace storage {

/// Reads a session, saved or still growing. Keeps no transaction open between calls. One thread at a time may use a reader;
/// a process may have several readers on one file.
class SessionReader
{
public:
    /// What of a session a snapshot holds. WithAges: also Snapshot::heapAges, which takes longer the first time and is needed by leaks only, and
    /// Snapshot::afterWarmup.
    enum class Parts : std::uint8_t { Usual, WithAges };

private:
    struct Private;

public:
    /// Opens the session at `path`. Fails with a sentence when it is missing, no session, from a newer version, or too damaged to read;
    /// what is whole in a damaged file is read, and Snapshot::damage says what is not.
    /// A sealed session needs its key.
    static model::Result<SessionReader> open(const std::string &path, SealKeyPointer key = {});

    SessionReader(SessionReader &&) noexcept;
    SessionReader &operator=(SessionReader &&) noexcept;
    ~SessionReader();

    /// Fetches what was added since the last call, in O(new rows). Returns whether anything changed.
    model::Result<bool> poll();

    /// The session as of the last poll, under `selection`. Stops early with an error when `stop` is requested.
    model::Result<std::shared_ptr<const model::Snapshot>> snapshot(
        const model::Selection &selection, std::stop_token stop = {}, Parts parts = Parts::Usual);

    /// What is known about the recording as of the last poll.
    const model::SessionInfo &info() const;

    const std::string &path() const;

private:
    explicit SessionReader(std::unique_ptr<Private> d);
    std::unique_ptr<Private> d;
};

} // namespace storage

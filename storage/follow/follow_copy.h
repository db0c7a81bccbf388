// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/follow/follow_stream.h"
#include "storage/seal/seal_key.h"

#include <memory>
#include <string>

namespace storage {

/// Makes a session of a stream: a copy that grows as the recording does, and that viewers open as one that is being recorded. What it is fed
/// is not trusted: only tables of the format are written. One thread at a time.
class FollowCopy
{
public:
    /// The copy at `path`: a new file, or one that an earlier stream of the same recording left, which is brought up to date. With a key it is sealed;
    /// the copy of a sealed session must be.
    FollowCopy(std::string path, SealKeyPointer key = {});
    FollowCopy(FollowCopy &&) noexcept;
    FollowCopy &operator=(FollowCopy &&) noexcept;
    ~FollowCopy();

    /// Takes the next bytes of the stream. After a failure nothing of an unfinished batch is in the copy.
    model::Result<void> feed(std::string_view bytes);

    /// The stream said that there is no more.
    bool hasEnded() const;
    /// The recording ended in order: finish() makes a compact file of the copy.
    bool isComplete() const;
    /// Batches taken so far.
    std::int64_t batches() const;

    /// Ends the copy. One whose recording did not end stays unfinished.
    model::Result<void> finish();

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace storage

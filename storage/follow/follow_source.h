// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/follow/follow_stream.h"
#include "storage/seal/seal_key.h"

#include <functional>
#include <memory>
#include <string>

namespace storage {

/// Where encoded bytes go. Fails when nobody takes them any more.
using FollowOutput = std::function<model::Result<void>(std::string_view)>;

/// Turns a session, saved or growing, into a stream. Reads as any viewer does: no transaction between polls, only the new rows. One thread at a time.
class FollowSource
{
public:
    static model::Result<FollowSource> open(const std::string &path, SealKeyPointer key = {});

    FollowSource(FollowSource &&) noexcept;
    FollowSource &operator=(FollowSource &&) noexcept;
    ~FollowSource();

    /// Writes what is new. Returns whether there is more to come; after the end has been written it is not.
    model::Result<bool> poll(const FollowOutput &output);

private:
    struct Private;
    explicit FollowSource(std::unique_ptr<Private> d);
    std::unique_ptr<Private> d;
};

} // namespace storage

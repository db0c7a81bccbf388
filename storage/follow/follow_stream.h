// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "storage/database.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace storage {

// A session as a stream of its rows, for `genprof follow`: "GPRFFLW1", then messages: a byte that says which, four bytes length
// (little-endian), and so many bytes. A batch is what one transaction of the reader saw, and becomes one of the copy.

/// Says which recording follows. First, and once.
struct FollowHello
{
    std::int64_t version = 0; ///< of the session's format
    std::int64_t uuid = 0;
    bool isSealed = false;
};

/// The rows that follow are of this table.
struct FollowTable
{
    enum class Kind : std::uint8_t {
        Added = 0, ///< new rows, and rows that take the place of others with their key
        Whole = 1, ///< all rows: those that the copy has go
    };
    std::string name;
    Kind kind = Kind::Added;
    std::uint32_t columns = 0;
};

using FollowValue = std::variant<std::monostate, std::int64_t, double, std::string>;

struct FollowRow
{
    std::vector<FollowValue> values;
};

/// Rows of a table with ticks below `least` in the level that it is in are gone.
struct FollowExpiry
{
    std::string table;
    std::int64_t least = 0;
};

/// The batch is whole.
struct FollowCommit
{
};

/// There is nothing more to come.
struct FollowEnd
{
    bool isComplete = false; ///< the recording ended in order
};

using FollowMessage = std::variant<FollowHello, FollowTable, FollowRow, FollowExpiry, FollowCommit, FollowEnd>;

inline constexpr std::string_view kFollowMagic = "GPRFFLW1";

/// The message as bytes.
std::string encodeFollow(const FollowMessage &message);

/// Takes a stream apart, however it is cut into pieces.
class FollowDecoder
{
public:
    /// Adds bytes and calls `handler` for each message that is whole; its first failure ends it. Fails with a sentence when the bytes are no
    /// such stream, or a message is longer than any that is written.
    model::Result<void> feed(
        std::string_view bytes, const std::function<model::Result<void>(const FollowMessage &)> &handler);

private:
    std::string m_rest;
    bool m_hasBegun = false;
};

} // namespace storage

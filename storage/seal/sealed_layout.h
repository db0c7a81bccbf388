// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/seal/seal_header.h"

#include <cstdint>

namespace storage {

/// A piece of a file that is encrypted and authenticated as one.
struct SealedUnit
{
    std::int64_t index = 0;
    std::int64_t plain = 0;  ///< where it begins as SQLite sees the file
    std::int64_t bytes = 0;  ///< as SQLite sees it
    std::int64_t stored = 0; ///< where it begins in the file: 24 bytes nonce, 16 bytes tag, then the encrypted bytes
};

/// What a unit takes beyond its bytes.
inline constexpr std::int64_t kUnitNonceBytes = 24, kUnitTagBytes = 16,
                              kUnitExtraBytes = kUnitNonceBytes + kUnitTagBytes;
inline constexpr std::int64_t kUnitPageBytes = 4096;

/// How a file that SQLite sees is laid out on disk. Main file: the header, then units of 4096 bytes. Log: a unit of 32 bytes, then pairs of
/// 24 and 4096 bytes, which are the parts that SQLite writes (https://www.sqlite.org/fileformat.html, section 4.1).
class SealedLayout
{
public:
    enum class Kind : std::uint8_t { Main, Log };

    explicit SealedLayout(Kind kind)
        : m_kind(kind)
    {
    }

    Kind kind() const { return m_kind; }

    /// The unit with the byte at `plain`.
    SealedUnit at(std::int64_t plain) const;

    /// Size as SQLite sees it of a file of `stored` bytes; a unit that was begun counts whole.
    std::int64_t plainSize(std::int64_t stored) const;

    /// Bytes on disk of a file that SQLite sees with `plain` bytes, rounded up to whole units.
    std::int64_t storedSize(std::int64_t plain) const;

private:
    Kind m_kind;
};

} // namespace storage

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"

#include <array>
#include <cstdint>
#include <string>

namespace storage {

/// What deriving a key from a passphrase costs, once each opening. The defaults are what RFC 9106, section 4, recommends where memory is
/// scarce, as beside a program that is being profiled: about 0.2 s and 64 MiB.
struct SealCost
{
    std::uint64_t operations = 3;
    std::uint64_t memoryBytes = 64 * 1024 * 1024;
};

/// The first 128 bytes of a sealed file, in clear. Numbers are little-endian.
///
///     0  16  "GenesisSealed\0\0\1": the last byte is the layout's version
///    16   8  Argon2id: operations
///    24   8  Argon2id: bytes of memory
///    32  16  Argon2id: salt
///    48  16  the file's id, random: the keys of two files differ even under one passphrase
///    64  32  BLAKE2b-256 of bytes 0 to 63 under the key for Use::Check: tells a wrong passphrase
///    96  16  zeros
///   112  16  BLAKE2b-128 of bytes 0 to 111, without a key: tells a damaged header from a wrong passphrase
class SealHeader
{
public:
    static constexpr std::size_t kBytes = 128;
    static constexpr std::size_t kSaltBytes = 16, kIdBytes = 16, kCheckBytes = 32;
    using Bytes = std::array<unsigned char, kBytes>;

    SealHeader(); ///< of a new file: random salt and id, no cost yet

    /// Reads one; fails with a sentence when it is none, damaged, of a newer layout, or asks for an absurd cost.
    static model::Result<SealHeader> parse(const Bytes &bytes, const std::string &path);
    static model::Result<SealHeader> read(const std::string &path);

    /// Whether these bytes begin a sealed file.
    static bool isSeal(const unsigned char *bytes, std::size_t count);

    void setCost(SealCost cost);
    void takeSaltAndCost(const SealHeader &other);
    void setCheck(const std::array<unsigned char, kCheckBytes> &check);

    SealCost cost() const;
    const unsigned char *salt() const { return m_bytes.data() + 32; }
    const unsigned char *id() const { return m_bytes.data() + 48; }
    const unsigned char *check() const { return m_bytes.data() + 64; }
    const unsigned char *begin() const { return m_bytes.data(); }
    static constexpr std::size_t kCheckedBytes = 64;

    /// As it stands in the file, with its checksum.
    Bytes bytes() const;

private:
    Bytes m_bytes{};
};

} // namespace storage

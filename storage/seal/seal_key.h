// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "storage/seal/seal_header.h"
#include "storage/seal/secret_text.h"

#include <memory>
#include <string>

namespace storage {

class SealKey;
/// Immutable, shared by all connections that use it; any thread.
using SealKeyPointer = std::shared_ptr<const SealKey>;

/// What a passphrase opens: the key from which each sealed file's own keys are made. In locked memory.
class SealKey
{
public:
    /// A key for new files: of `passphrase` and a new random salt. Takes as long as `cost` says, which is the point of it.
    static model::Result<SealKeyPointer> make(const SecretText &passphrase, SealCost cost = {});

    /// The key of the sealed session at `path`. Fails with "wrong passphrase", or with what is wrong with the file.
    static model::Result<SealKeyPointer> unlock(const std::string &path, const SecretText &passphrase);

    /// The header of a new file under this key.
    SealHeader newHeader() const;

    /// Whether this key opens the file with this header.
    bool opens(const SealHeader &header) const;

    /// What a key is used for: two uses never share one.
    enum class Use : std::uint8_t { Check = 0, Main = 1, Log = 2 };

    /// The key of a file for one use: BLAKE2b-256 of the file's id and the use, keyed with this key. 32 bytes.
    SecretText derived(const SealHeader &header, Use use) const;

    explicit SealKey(SecretText master, SealHeader prototype)
        : m_master(std::move(master))
        , m_prototype(prototype)
    {
    }

private:
    SecretText m_master;
    SealHeader m_prototype; ///< salt and cost
};

/// Whether the file at `path` is sealed, as its first bytes say; false also where there is no file.
bool isSealed(const std::string &path);

} // namespace storage

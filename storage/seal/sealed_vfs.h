// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "storage/seal/seal_key.h"

#include <memory>
#include <string>

namespace storage {

/// The layer below SQLite that seals: known to it under name() while this lives. Main files and logs are encrypted and authenticated unit by unit;
/// locks and the log's index in shared memory are passed on; journals are kept in memory; any other file (temporary ones) is refused, so that
/// nothing can reach the disk in clear. Connections must be closed before it goes.
class SealedVfs
{
public:
    static model::Result<std::shared_ptr<SealedVfs>> open(SealKeyPointer key);

    SealedVfs(const SealedVfs &) = delete;
    SealedVfs &operator=(const SealedVfs &) = delete;
    ~SealedVfs();

    const std::string &name() const;

    /// How many parts of a log were not what was sealed when SQLite looked for its end: torn by a power cut, damaged or altered.
    int brokenLogUnits() const;

    struct Private; ///< of the functions that SQLite calls

private:
    explicit SealedVfs(std::unique_ptr<Private> d);
    std::unique_ptr<Private> d;
};

} // namespace storage

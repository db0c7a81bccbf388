// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/seal/seal_key.h"
#include "storage/seal/sealed_layout.h"

#include <atomic>
#include <cstdint>
#include <vector>

struct sqlite3_file;

namespace storage {

/// The encryption of one open file: maps what SQLite reads and writes to units of the file below it. Codes are SQLite's. One thread at a time.
class SealedFile
{
public:
    /// `file`: opened below, and open as long as this. `brokenLogUnits` counts the parts of a log that are not what was sealed.
    SealedFile(sqlite3_file *file, SealedLayout::Kind kind, const SealKey &key, const SealHeader &header,
        std::atomic<int> &brokenLogUnits);

    int read(void *into, int count, std::int64_t offset);
    int write(const void *from, int count, std::int64_t offset);
    int truncate(std::int64_t size);
    int size(std::int64_t &size);

    const SealHeader &header() const { return m_header; }

private:
    enum class Found : std::uint8_t { Whole, Absent, Broken, Failed };

    Found fetch(const SealedUnit &unit, unsigned char *plain, int &code);
    int put(const SealedUnit &unit, const unsigned char *plain);
    int fillGap(std::int64_t until);
    bool mayBeBeingWritten() const;
    int storedSize(std::int64_t &size);

    sqlite3_file *m_file;
    SealedLayout m_layout;
    SealHeader m_header;
    SecretText m_key;
    std::atomic<int> &m_brokenLogUnits;
    int m_vainTries = 0;
    std::vector<unsigned char> m_stored; ///< a unit as it is on disk
    SecretText m_plain;                  ///< a unit as SQLite sees it
};

} // namespace storage

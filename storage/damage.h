// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/database.h"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace storage {

/// What is not whole in a session file, gathered while it is read.
class Damage
{
public:
    /// A sentence about the file as a whole, ended by a full stop.
    void note(std::string sentence);

    /// A part of `table` could not be read.
    void unreadable(std::string_view table);

    /// The table is missing, or declared in another way than the format says: it is not read at all.
    void unusable(std::string_view table);

    /// A row of `table` says something impossible, and was left out or mended.
    void badRow(std::string_view table);

    /// A table that the file's format does not have yet: it is not read, and nothing is missing.
    void absent(std::string_view table) { m_absent.emplace(table); }

    bool isUsable(std::string_view table) const { return !m_unusable.contains(table) && !m_absent.contains(table); }

    /// A copy that counts no rows from now on, since they may be read several times; it says "some".
    Damage withoutCounting() const;

    /// All of it as sentences; empty when everything is whole.
    std::string text() const;

private:
    struct Count
    {
        std::int64_t unreadable = 0;
        std::int64_t badRows = 0;
        bool someMore = false; ///< bad rows, not counted
    };

    std::vector<std::string> m_notes;
    bool m_isCounting = true;
    std::map<std::string, Count, std::less<>> m_tables;
    std::set<std::string, std::less<>> m_unusable;
    std::set<std::string, std::less<>> m_absent;
};

/// While it lives, no value or row of more than `bytes` is read from `database`.
class LengthLimit
{
public:
    LengthLimit(Database &database, int bytes);
    LengthLimit(const LengthLimit &) = delete;
    LengthLimit &operator=(const LengthLimit &) = delete;
    ~LengthLimit();

private:
    sqlite3 *m_handle;
    int m_before;
};

/// Calls `row` for each row of `sql`, whose first column is an integer key, whose order is ascending in it, and whose only parameter is
/// the key after which to begin. Parts of `table` that cannot be read are skipped and noted. Fails only where reading on makes no sense:
/// stopped on request, locked, or the medium fails.
model::Result<void> scan(Database &database, Damage &damage, std::string_view table, std::string_view sql,
    std::int64_t after, const std::function<void(const Statement &)> &row);

} // namespace storage

// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/damage.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>

namespace storage {

namespace {

constexpr int kMostSkips = 200; ///< in one scan; each is a search in a tree

bool isDamage(sqlite3 *db)
{
    switch (sqlite3_errcode(db) & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_TOOBIG:
    case SQLITE_NOMEM:
    case SQLITE_ERROR:
        return true;
    case SQLITE_IOERR:
        return sqlite3_extended_errcode(db) == SQLITE_IOERR_SHORT_READ
            || sqlite3_extended_errcode(db) == SQLITE_IOERR_CORRUPTFS;
    default:
        return false;
    }
}

} // namespace

void Damage::note(std::string sentence)
{
    if (std::find(m_notes.begin(), m_notes.end(), sentence) == m_notes.end())
        m_notes.push_back(std::move(sentence));
}

void Damage::unreadable(std::string_view table) { ++m_tables.try_emplace(std::string(table)).first->second.unreadable; }

void Damage::unusable(std::string_view table) { m_unusable.emplace(table); }

void Damage::badRow(std::string_view table)
{
    Count &count = m_tables.try_emplace(std::string(table)).first->second;
    if (m_isCounting)
        ++count.badRows;
    else
        count.someMore = true;
}

Damage Damage::withoutCounting() const
{
    Damage copy = *this;
    copy.m_isCounting = false;
    return copy;
}

std::string Damage::text() const
{
    std::string text;
    const auto add = [&text](const std::string &sentence) { text += (text.empty() ? "" : " ") + sentence; };
    for (const std::string &note : m_notes)
        add(note);
    for (const std::string &table : m_unusable)
        add(fmt::format("Table \"{}\" is missing or damaged and was left out.", table));
    for (const auto &[table, count] : m_tables) {
        if (count.unreadable > 0)
            add(fmt::format("Part of table \"{}\" cannot be read.", table));
        if (count.someMore)
            add(fmt::format("Some rows of table \"{}\" are damaged.", table));
        else if (count.badRows == 1)
            add(fmt::format("1 row of table \"{}\" is damaged.", table));
        else if (count.badRows > 1)
            add(fmt::format("{} rows of table \"{}\" are damaged.", count.badRows, table));
    }
    return text;
}

model::Result<void> scan(Database &database, Damage &damage, std::string_view table, std::string_view sql,
    std::int64_t after, const std::function<void(const Statement &)> &row)
{
    if (!damage.isUsable(table))
        return {};
    auto statement = database.prepare(sql);
    if (!statement) {
        if (!isDamage(database.handle()))
            return statement.error();
        damage.unusable(table);
        return {};
    }
    // Behind a damaged page the next whole one is found by steps that double.
    std::int64_t step = 1;
    for (int skips = 0; skips < kMostSkips; ++skips) {
        statement->bindAll(after);
        for (;;) {
            const auto found = statement->step();
            if (!found && !isDamage(database.handle()))
                return found.error();
            if (!found)
                break;
            if (!*found)
                return {};
            row(*statement);
            after = std::max(after, statement->integer(0));
            step = 1;
        }
        damage.unreadable(table);
        if (after > std::numeric_limits<std::int64_t>::max() - step || step > (std::int64_t{1} << 42))
            return {};
        after += step;
        step *= 2;
    }
    return {};
}

} // namespace storage

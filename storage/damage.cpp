// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/damage.h"

#include "storage/session_file.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <limits>
#include <optional>

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
            || sqlite3_extended_errcode(db) == SQLITE_IOERR_CORRUPTFS
            || sqlite3_extended_errcode(db) == SQLITE_IOERR_DATA;
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
    // One sentence a cause, however many tables it met.
    std::vector<std::string> missing(m_unusable.begin(), m_unusable.end()), unreadable, damaged;
    std::int64_t badRows = 0;
    bool isUncounted = false;
    for (const auto &[table, count] : m_tables) {
        if (count.unreadable > 0)
            unreadable.push_back(table);
        if (count.badRows > 0 || count.someMore)
            damaged.push_back(count.someMore ? table + " (some)"
                    : count.badRows == 1     ? table
                                             : fmt::format("{} ({})", table, count.badRows));
        badRows += count.badRows;
        isUncounted = isUncounted || count.someMore;
    }
    if (missing.size() == 1)
        add(fmt::format("Table {} is missing or damaged and was left out.", missing.front()));
    else if (!missing.empty())
        add(fmt::format(
            "{} tables are missing or damaged and were left out: {}.", missing.size(), fmt::join(missing, ", ")));
    if (unreadable.size() == 1)
        add(fmt::format("A part of table {} cannot be read.", unreadable.front()));
    else if (!unreadable.empty())
        add(fmt::format("Parts of {} tables cannot be read: {}.", unreadable.size(), fmt::join(unreadable, ", ")));
    if (isUncounted)
        add(fmt::format("Rows say what cannot be, in {}.", fmt::join(damaged, ", ")));
    else if (badRows == 1)
        add(fmt::format("A row of table {} says what cannot be.", damaged.front()));
    else if (badRows > 1)
        add(fmt::format("{} rows say what cannot be, in {}.", badRows, fmt::join(damaged, ", ")));
    return text;
}

namespace {

/// Tables with texts; the rows of all others are a few numbers.
bool hasTexts(std::string_view table)
{
    return table == "string" || table == "mark" || table == "phase" || table == "loss" || table == "alert"
        || table == "stack_age" || table == "packed_cost" || table == "packed_total" || table == "scan"
        || table == "scan_path" || table == "soak" || table == "soak_leg" || table == "soak_load"
        || table == "soak_exclusion" || table == "sqlite_schema";
}

constexpr int kLongestNumbers = 4096; ///< bytes of a row of numbers, and far more than any has

/// Whole rows of a file are not longer than the file. Values that lie on top of each other (pages of a long text may be shared, in a file made to
/// hurt) would be read for hours, and take more memory than there is.
class ByteBudget
{
public:
    explicit ByteBudget(Database &database)
    {
        constexpr std::int64_t kSlack = 1 << 20;
        const char *path = sqlite3_db_filename(database.handle(), "main");
        m_left = (path ? sizeOf(path) : 0) + kSlack;
    }

    /// Whether what was read so far can be in the file.
    bool take(const Statement &row)
    {
        m_left -= row.textBytes();
        return m_left >= 0;
    }

private:
    std::int64_t m_left = 0;
};

} // namespace

LengthLimit::LengthLimit(Database &database, int bytes)
    : m_handle(database.handle())
    , m_before(sqlite3_limit(m_handle, SQLITE_LIMIT_LENGTH, bytes))
{
}

LengthLimit::~LengthLimit() { sqlite3_limit(m_handle, SQLITE_LIMIT_LENGTH, m_before); }

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
    std::optional<LengthLimit> limit;
    std::optional<ByteBudget> budget;
    if (hasTexts(table))
        budget.emplace(database);
    else
        limit.emplace(database, kLongestNumbers);
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
            if (budget && !budget->take(*statement)) {
                damage.unreadable(table);
                return {};
            }
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

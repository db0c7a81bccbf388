// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/follow/follow_source.h"

#include "storage/info_rows.h"
#include "storage/levels.h"
#include "storage/schema.h"
#include "storage/session_file.h"
#include "storage/writer_lock.h"

#include <map>
#include <optional>

namespace storage {

namespace {

using model::Error;
using model::Result;
using model::SessionState;

constexpr std::int64_t kMostLevels = 8;

constexpr std::int64_t kFirstTick = 1;

/// How new rows of a table are found; follows from its columns, so that a table of a later version needs nothing here.
enum class Growth : std::uint8_t {
    ById,       ///< rows are added only: id INTEGER PRIMARY KEY
    ByRevision, ///< rows are changed too, and say in which transaction
    ByTick,     ///< rows of a tick are added with it; old ones expire
    Whole,      ///< small, or changed in any way: all rows when one changed
};

struct TablePlan
{
    std::string name;
    Growth growth = Growth::Whole;
    int keyColumn = 0;                          ///< of id, revision or tick
    std::int64_t last = -1;                     ///< id or revision sent last
    std::map<std::int64_t, std::int64_t> ticks; ///< by level: tick sent last
    std::map<std::int64_t, std::int64_t> least; ///< by level: lowest tick that was there
    std::int64_t cutSeconds = -1;               ///< see FollowSource::Private
    std::size_t hash = 0;                       ///< of all rows as sent
};

Result<TablePlan> planOf(Database &format, const std::string &table)
{
    TablePlan plan{.name = table};
    auto columns = format.prepare("SELECT name, pk, type FROM pragma_table_info(?) ORDER BY cid");
    if (!columns)
        return columns.error();
    columns->bindAll(std::string_view(table));
    bool hasRevision = false, hasId = false;
    std::optional<int> tickColumn;
    for (int position = 0;; ++position) {
        const auto row = columns->step();
        if (!row)
            return row.error();
        if (!*row)
            break;
        const std::string_view name = columns->text(0);
        if (name == "revision")
            plan.keyColumn = position;
        hasRevision = hasRevision || name == "revision";
        hasId = hasId || (name == "id" && columns->integer(1) == 1 && columns->text(2) == "INTEGER");
        if (name == "tick" && columns->integer(1) >= 1)
            tickColumn = position;
    }
    // Ids of ticks count within a level.
    if (table == "tick" || tickColumn) {
        plan.growth = Growth::ByTick;
        plan.keyColumn = tickColumn.value_or(0);
    } else if (hasRevision)
        plan.growth = Growth::ByRevision;
    else if (hasId)
        plan.growth = Growth::ById;
    return plan;
}

FollowValue valueOf(const Statement &row, int column)
{
    if (row.isInteger(column))
        return row.integer(column);
    if (row.isReal(column))
        return row.real(column);
    if (row.isNull(column))
        return std::monostate();
    // Bytes travel as texts do: the copy knows by its columns which they are.
    return std::string(row.blob(column).empty() ? row.text(column) : row.blob(column));
}

} // namespace

struct FollowSource::Private
{
    std::string path;
    SealKeyPointer key;
    std::optional<SessionFile> file;
    std::vector<TablePlan> plans;
    std::int64_t uuid = 0;
    std::int64_t revision = -1;  ///< of the last transaction that was sent
    std::int64_t cutSeconds = 0; ///< a sum that grows whenever a level is cut
    bool hasGreeted = false;
    bool hasEnded = false;

    Result<void> open();
    Result<SessionState> send(const FollowOutput &output);
    Result<void> greet(const FollowOutput &output, std::int64_t version);
    Result<void> sendTable(const FollowOutput &output, TablePlan &plan);
    Result<void> sendTicks(const FollowOutput &output, TablePlan &plan);
    Result<bool> sendMoved(const FollowOutput &output, TablePlan &plan);
    Result<void> sendWhole(const FollowOutput &output, TablePlan &plan);
    Result<std::int64_t> sendRows(const FollowOutput &output, const TablePlan &plan, FollowTable::Kind kind,
        const std::string &where, int keyColumn);
};

Result<void> FollowSource::Private::open()
{
    Damage damage;
    auto opened = openSessionFile(path, damage, key);
    if (!opened)
        return opened.error();
    if (!damage.text().empty())
        return Error("Cannot follow " + path + ": " + damage.text());
    file = std::move(*opened);
    return {};
}

Result<void> FollowSource::Private::greet(const FollowOutput &output, std::int64_t version)
{
    if (hasGreeted)
        return {};
    const auto tables = tableDeclarations(static_cast<int>(version));
    if (!tables)
        return tables.error();
    // The format's own tables, which those of the file were found to equal.
    auto format = Database::open({}, OpenMode::Memory);
    if (!format)
        return format.error();
    if (auto done = createSchema(*format, static_cast<int>(version)); !done)
        return done;
    // What others refer to first: a copy that ends somewhere makes sense up to there.
    std::vector<TablePlan> last;
    for (const auto &[name, sql] : *tables) {
        auto plan = planOf(*format, name);
        if (!plan)
            return plan.error();
        (plan->growth == Growth::ById ? plans : last).push_back(std::move(*plan));
    }
    plans.insert(plans.end(), last.begin(), last.end());
    hasGreeted = true;
    if (auto done = output(kFollowMagic); !done)
        return done;
    return output(encodeFollow(FollowHello{version, uuid, file->database.isSealed()}));
}

Result<std::int64_t> FollowSource::Private::sendRows(
    const FollowOutput &output, const TablePlan &plan, FollowTable::Kind kind, const std::string &where, int keyColumn)
{
    auto rows = file->database.prepare("SELECT * FROM " + plan.name + where);
    if (!rows)
        return rows.error();
    std::int64_t last = -1;
    bool isNamed = kind == FollowTable::Kind::Whole;
    const auto name = [&] {
        return output(encodeFollow(FollowTable{plan.name, kind, static_cast<std::uint32_t>(rows->columnCount())}));
    };
    if (isNamed)
        if (auto done = name(); !done)
            return done.error();
    for (;;) {
        const auto found = rows->step();
        if (!found)
            return found.error();
        if (!*found)
            return last;
        if (!isNamed)
            if (auto done = name(); !done)
                return done.error();
        isNamed = true;
        FollowRow row;
        for (int i = 0; i < rows->columnCount(); ++i)
            row.values.push_back(valueOf(*rows, i));
        last = std::max(last, rows->integer(keyColumn));
        if (auto done = output(encodeFollow(row)); !done)
            return done.error();
    }
}

/// The newest bucket of a coarse level may have grown since: it is sent once more. Ticks that expired are told, also to a copy that an earlier
/// stream made.
Result<void> FollowSource::Private::sendTicks(const FollowOutput &output, TablePlan &plan)
{
    const std::string column = plan.name == "tick" ? "id" : "tick";
    for (std::int64_t level = 0; level < kMostLevels; ++level) {
        const std::int64_t from = level * kTicksPerLevel, end = from + kTicksPerLevel - 1;
        const auto within = [&](std::int64_t first) {
            return " WHERE " + column + " >= " + std::to_string(first) + " AND " + column + " < " + std::to_string(end);
        };
        // Of a level that has nothing left all rows are gone.
        const auto least = file->database.integer("SELECT coalesce(min(" + column + "), " + std::to_string(end)
            + ") FROM " + plan.name + within(from + kFirstTick));
        if (!least)
            return least.error();
        if (const auto known = plan.least.find(level); known == plan.least.end() || known->second < *least) {
            if (auto done = output(encodeFollow(FollowExpiry{plan.name, *least})); !done)
                return done;
            // Rows of tick 0 hold the sums of ticks that expired: they change with each that does.
            if (level == 0)
                if (auto sums
                    = sendRows(output, plan, FollowTable::Kind::Added, " WHERE " + column + " = 0", plan.keyColumn);
                    !sums)
                    return sums.error();
        }
        plan.least[level] = *least;
        const auto sent = plan.ticks.find(level);
        const std::int64_t first = sent == plan.ticks.end() ? from + kFirstTick : sent->second + (level == 0 ? 1 : 0);
        const auto last = sendRows(output, plan, FollowTable::Kind::Added, within(first), plan.keyColumn);
        if (!last)
            return last.error();
        if (*last >= 0)
            plan.ticks[level] = *last;
    }
    return {};
}

/// What is moved or thinned out when a level is cut is sent as a whole then.
Result<bool> FollowSource::Private::sendMoved(const FollowOutput &output, TablePlan &plan)
{
    if (plan.name != "loss" && plan.name != "packed_total")
        return false;
    if (std::exchange(plan.cutSeconds, cutSeconds) == cutSeconds)
        return false;
    const auto last = sendRows(output, plan, FollowTable::Kind::Whole, "", plan.keyColumn);
    if (!last)
        return last.error();
    plan.last = std::max(plan.last, *last);
    if (*last >= 0)
        plan.ticks[*last / kTicksPerLevel] = *last;
    return true;
}

Result<void> FollowSource::Private::sendWhole(const FollowOutput &output, TablePlan &plan)
{
    // Whether anything changed is found out by putting the rows together first; these tables are small.
    std::string all;
    const auto gathered = sendRows(
        [&all](std::string_view bytes) {
            all += bytes;
            return Result<void>();
        },
        plan, FollowTable::Kind::Whole, "", 0);
    if (!gathered)
        return gathered.error();
    const std::size_t hash = std::hash<std::string>()(all);
    if (std::exchange(plan.hash, hash) == hash)
        return {};
    return output(all);
}

Result<void> FollowSource::Private::sendTable(const FollowOutput &output, TablePlan &plan)
{
    const auto isSent = sendMoved(output, plan);
    if (!isSent || *isSent)
        return isSent ? Result<void>() : isSent.error();
    if (plan.growth == Growth::ByTick)
        return sendTicks(output, plan);
    if (plan.growth == Growth::Whole)
        return sendWhole(output, plan);
    const std::string column = plan.growth == Growth::ById ? "id" : "revision";
    const auto last = sendRows(output, plan, FollowTable::Kind::Added,
        " WHERE " + column + " > " + std::to_string(plan.last) + " ORDER BY " + column, plan.keyColumn);
    if (!last)
        return last.error();
    plan.last = std::max(plan.last, *last);
    return {};
}

/// One transaction of what is new; gives the state that the recorder stored.
Result<SessionState> FollowSource::Private::send(const FollowOutput &output)
{
    auto transaction = Transaction::begin(file->database, Transaction::Kind::Read);
    if (!transaction)
        return transaction.error();
    const auto stored = readInfo(file->database);
    if (!stored)
        return stored.error();
    if (hasGreeted && stored->uuid != uuid)
        return Error("Cannot follow " + path + " any further: another recording took its place");
    uuid = stored->uuid;
    if (hasGreeted && stored->revision == revision)
        return stored->info.state;
    const auto version = file->database.integer("PRAGMA user_version");
    if (!version)
        return version.error();
    if (auto done = greet(output, *version); !done)
        return done.error();
    const auto cut = *version < kFirstFormatWithLevels
        ? Result<std::int64_t>(0)
        : file->database.integer("SELECT coalesce(sum(kept_from_ns / 1000000000), 0) FROM level");
    if (!cut)
        return cut.error();
    cutSeconds = *cut;
    for (TablePlan &plan : plans)
        if (auto done = sendTable(output, plan); !done)
            return done.error();
    revision = stored->revision;
    if (auto done = output(encodeFollow(FollowCommit{})); !done)
        return done.error();
    return stored->info.state;
}

FollowSource::FollowSource(std::unique_ptr<Private> p)
    : d(std::move(p))
{
}
FollowSource::FollowSource(FollowSource &&) noexcept = default;
FollowSource &FollowSource::operator=(FollowSource &&) noexcept = default;
FollowSource::~FollowSource() = default;

Result<FollowSource> FollowSource::open(const std::string &path, SealKeyPointer key)
{
    auto d = std::make_unique<Private>();
    d->path = path;
    d->key = std::move(key);
    if (auto done = d->open(); !done)
        return done.error();
    return FollowSource(std::move(d));
}

Result<bool> FollowSource::poll(const FollowOutput &output)
{
    if (d->hasEnded)
        return false;
    const auto now = identityOf(d->path);
    if (d->file && now && !(*now == d->file->identity))
        d->file.reset(); // the finished file took the place
    // Asked before what is in the file is read: a recorder that ends in between has then written all of it.
    const bool writerLives = WriterLock::isHeld(d->path);
    if (!d->file)
        if (auto done = d->open(); !done)
            return done.error();
    const auto state = d->send(output);
    if (!state)
        return state.error();
    if (*state == SessionState::Stopping)
        d->file.reset(); // the recorder folds its log in as soon as nobody else has the file open
    if (*state != SessionState::Complete && writerLives)
        return true;
    if (const auto after = identityOf(d->path); *state != SessionState::Complete && after && now && !(*after == *now))
        return true; // it was finished while we looked
    d->hasEnded = true;
    if (auto done = output(encodeFollow(FollowEnd{*state == SessionState::Complete})); !done)
        return done.error();
    return false;
}

} // namespace storage

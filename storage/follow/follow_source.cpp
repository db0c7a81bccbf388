// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/follow/follow_source.h"

#include "storage/follow/follow_plan.h"
#include "storage/info_rows.h"
#include "storage/levels.h"
#include "storage/session_file.h"
#include "storage/writer_lock.h"

#include <algorithm>
#include <optional>

namespace storage {

namespace {

using model::Error;
using model::Result;
using model::SessionState;

constexpr std::int64_t kMostLevels = 8;

constexpr std::int64_t kFirstTick = 1;

/// What is read in one transaction, about: a follower that takes long to take it holds nothing up then.
constexpr std::size_t kPieceBytes = 4 << 20;

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
    /// Up to which key rows were added to the piece.
    struct Sent
    {
        std::int64_t last = -1; ///< all rows with this key are in it; -1: none
        bool isCut = false;     ///< more rows are there than fit
    };

    std::string path;
    SealKeyPointer key;
    std::optional<SessionFile> file;
    std::vector<FollowPlan> plans;
    std::int64_t uuid = 0;
    std::int64_t revision = -1;  ///< of the last transaction that was sent
    std::int64_t cutSeconds = 0; ///< a sum that grows whenever a level is cut
    std::string piece;           ///< read, and not written yet
    bool isBehind = false;       ///< the last piece did not take all that there was
    bool hasGreeted = false;
    bool hasEnded = false;

    Result<void> open();
    void put(const FollowMessage &message) { piece += encodeFollow(message); }
    Result<SessionState> readPiece();
    Result<void> greet(std::int64_t version);
    // Each gives whether all rows of the table are in this piece or in earlier ones.
    Result<bool> addTable(FollowPlan &plan);
    Result<bool> addTicks(FollowPlan &plan);
    Result<bool> addLevel(FollowPlan &plan, std::int64_t level, std::int64_t kind);
    Result<bool> addSums(FollowPlan &plan);
    Result<bool> addWhole(FollowPlan &plan);
    void beginMovedAgain(FollowPlan &plan);
    Result<bool> isUnchanged(FollowPlan &plan);
    Result<std::vector<std::int64_t>> kindsOf(const FollowPlan &plan);
    Result<Sent> addRows(const FollowPlan &plan, const std::string &where);
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

Result<void> FollowSource::Private::greet(std::int64_t version)
{
    if (hasGreeted)
        return {};
    auto made = followPlans(static_cast<int>(version));
    if (!made)
        return made.error();
    plans = std::move(*made);
    hasGreeted = true;
    piece += kFollowMagic;
    put(FollowHello{version, uuid, file->database.isSealed()});
    return {};
}

/// Adds rows in the order of the table's key until the piece is full.
Result<FollowSource::Private::Sent> FollowSource::Private::addRows(const FollowPlan &plan, const std::string &where)
{
    const bool isWhole = plan.growth == FollowGrowth::Whole;
    auto rows = file->database.prepare(
        "SELECT * FROM " + plan.name + where + (isWhole ? std::string() : " ORDER BY " + plan.keyName));
    if (!rows)
        return rows.error();
    Sent sent;
    bool isNamed = false;
    for (;;) {
        const auto found = rows->step();
        if (!found)
            return found.error();
        if (!*found)
            return sent;
        const std::int64_t next = isWhole ? 0 : rows->integer(plan.keyColumn);
        if (!isWhole && next != sent.last && piece.size() >= kPieceBytes) {
            sent.isCut = true;
            return sent;
        }
        if (!std::exchange(isNamed, true))
            put(FollowTable{plan.name, FollowTable::Kind::Added, static_cast<std::uint32_t>(rows->columnCount())});
        FollowRow row;
        for (int i = 0; i < rows->columnCount(); ++i)
            row.values.push_back(valueOf(*rows, i));
        put(row);
        sent.last = next;
    }
}

/// Rows of tick 0 hold the sums of ticks that expired.
Result<bool> FollowSource::Private::addSums(FollowPlan &plan)
{
    const auto sent = addRows(plan, " WHERE " + plan.keyName + " = 0");
    return sent ? Result<bool>(!sent->isCut) : Result<bool>(sent.error());
}

/// What a level has of one kind, of tables that are kept by kind. Rows of a tick or bucket are all written at once, and sent once: what is sent
/// in every piece could fill it, and nothing would ever come behind it.
Result<bool> FollowSource::Private::addLevel(FollowPlan &plan, std::int64_t level, std::int64_t kind)
{
    const std::int64_t from = level * kTicksPerLevel;
    const auto known = plan.ticks.find({kind, level});
    const std::int64_t first = known == plan.ticks.end() ? from + kFirstTick : known->second + 1;
    const auto sent = addRows(plan,
        plan.whereKind(kind) + plan.keyName + " >= " + std::to_string(first) + " AND " + plan.keyName + " < "
            + std::to_string(from + kTicksPerLevel));
    if (!sent)
        return sent.error();
    if (sent->last >= 0)
        plan.ticks[{kind, level}] = sent->last;
    return !sent->isCut;
}

Result<std::vector<std::int64_t>> FollowSource::Private::kindsOf(const FollowPlan &plan)
{
    std::vector<std::int64_t> kinds;
    if (plan.kindName.empty())
        return std::vector<std::int64_t>{0};
    for (std::int64_t last = -1;;) {
        const auto next = file->database.integer("SELECT coalesce(min(" + plan.kindName + "), -1) FROM " + plan.name
            + " WHERE " + plan.kindName + " > " + std::to_string(last));
        if (!next)
            return next.error();
        if (*next < 0)
            return kinds;
        kinds.push_back(last = *next);
    }
}

/// Ticks that expired are told, also to a copy that an earlier stream made.
Result<bool> FollowSource::Private::addTicks(FollowPlan &plan)
{
    const auto kinds = kindsOf(plan);
    if (!kinds)
        return kinds.error();
    for (std::int64_t level = 0; level < kMostLevels; ++level) {
        const std::int64_t from = level * kTicksPerLevel, end = from + kTicksPerLevel - 1;
        // Of a level that has nothing left all rows are gone.
        std::int64_t least = end;
        for (const std::int64_t kind : *kinds) {
            const auto first = file->database.integer("SELECT coalesce(min(" + plan.keyName + "), "
                + std::to_string(end) + ") FROM " + plan.name + plan.whereKind(kind) + plan.keyName
                + " >= " + std::to_string(from + kFirstTick) + " AND " + plan.keyName + " < " + std::to_string(end));
            if (!first)
                return first.error();
            least = std::min(least, *first);
        }
        if (const auto known = plan.least.find(level); known == plan.least.end() || known->second < least) {
            put(FollowExpiry{plan.name, least});
            if (level == 0)
                if (auto whole = addSums(plan); !whole || !*whole)
                    return whole;
        }
        plan.least[level] = least;
        for (const std::int64_t kind : *kinds)
            if (auto whole = addLevel(plan, level, kind); !whole || !*whole)
                return whole;
    }
    return true;
}

/// Rows that are moved or thinned out when a level is cut are sent afresh then.
void FollowSource::Private::beginMovedAgain(FollowPlan &plan)
{
    if (!plan.isMoved || std::exchange(plan.cutSeconds, cutSeconds) == cutSeconds)
        return;
    put(FollowTable{plan.name, FollowTable::Kind::Whole, static_cast<std::uint32_t>(plan.columns)});
    plan.last = -1;
    plan.ticks.clear();
    plan.least.clear();
}

/// Whether the table that says when rows of this one change tells of none.
Result<bool> FollowSource::Private::isUnchanged(FollowPlan &plan)
{
    if (plan.ownerName.empty())
        return false;
    const auto newest = file->database.integer("SELECT coalesce(max(revision), -1) FROM " + plan.ownerName);
    if (!newest)
        return newest.error();
    const bool isNew = !plan.ownerRevision || *plan.ownerRevision != *newest;
    plan.ownerRevision = *newest;
    return !isNew;
}

Result<bool> FollowSource::Private::addWhole(FollowPlan &plan)
{
    const auto unchanged = isUnchanged(plan);
    if (!unchanged || *unchanged)
        return unchanged;
    // Whether anything changed is found out by putting the rows together first; these tables are small.
    const std::size_t before = piece.size();
    put(FollowTable{plan.name, FollowTable::Kind::Whole, static_cast<std::uint32_t>(plan.columns)});
    if (const auto added = addRows(plan, ""); !added)
        return added.error();
    const std::size_t hash = std::hash<std::string_view>()(std::string_view(piece).substr(before));
    if (std::exchange(plan.hash, hash) == hash)
        piece.resize(before);
    return true;
}

Result<bool> FollowSource::Private::addTable(FollowPlan &plan)
{
    beginMovedAgain(plan);
    if (plan.growth == FollowGrowth::ByTick)
        return addTicks(plan);
    if (plan.growth == FollowGrowth::Whole)
        return addWhole(plan);
    const auto sent = addRows(plan, " WHERE " + plan.keyName + " > " + std::to_string(plan.last));
    if (!sent)
        return sent.error();
    plan.last = std::max(plan.last, sent->last);
    return !sent->isCut;
}

/// One transaction of what is new, as much as fits into a piece; gives the state that the recorder stored. What is left is looked for anew in
/// the next one, from the first table on: the batch ends when a transaction has all that it sees in the copy.
Result<SessionState> FollowSource::Private::readPiece()
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
    if (hasGreeted && !isBehind && stored->revision == revision)
        return stored->info.state;
    const auto version = file->database.integer("PRAGMA user_version");
    if (!version)
        return version.error();
    if (auto done = greet(*version); !done)
        return done.error();
    const auto cut = *version < kFirstFormatWithLevels
        ? Result<std::int64_t>(0)
        : file->database.integer("SELECT coalesce(sum(kept_from_ns / 1000000000), 0) FROM level");
    if (!cut)
        return cut.error();
    cutSeconds = *cut;
    isBehind = true;
    for (FollowPlan &plan : plans) {
        const auto whole = addTable(plan);
        if (!whole)
            return whole.error();
        if (!*whole)
            return stored->info.state;
    }
    isBehind = false;
    revision = stored->revision;
    put(FollowCommit{});
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
    for (;;) {
        const auto now = identityOf(d->path);
        if (d->file && now && !(*now == d->file->identity))
            d->file.reset(); // the finished file took the place
        // Asked before what is in the file is read: a recorder that ends in between has then written all of it.
        const bool writerLives = WriterLock::isHeld(d->path);
        if (!d->file)
            if (auto done = d->open(); !done)
                return done.error();
        const auto state = d->readPiece();
        if (!state)
            return state.error();
        if (*state == SessionState::Stopping)
            d->file.reset(); // the recorder folds its log in as soon as nobody else has the file open
        // No transaction is open by now.
        if (auto done = output(std::exchange(d->piece, {})); !done)
            return done.error();
        if (d->isBehind)
            continue;
        if (*state != SessionState::Complete && writerLives)
            return true;
        if (const auto after = identityOf(d->path);
            *state != SessionState::Complete && after && now && !(*after == *now))
            return true; // it was finished while we looked
        d->hasEnded = true;
        if (auto done = output(encodeFollow(FollowEnd{*state == SessionState::Complete})); !done)
            return done.error();
        return false;
    }
}

} // namespace storage

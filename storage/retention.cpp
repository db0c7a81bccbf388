// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/retention.h"

#include <algorithm>
#include <numeric>

namespace storage {

namespace {

using model::Result;

constexpr std::int64_t kMinuteNs = 60'000'000'000;
constexpr std::int64_t kHourNs = 60 * kMinuteNs;
constexpr std::int64_t kForEverNs = std::int64_t{1} << 60;
constexpr std::array<std::int64_t, kLevelCount - 1> kUsualKeepNs
    = {kHourNs, 8 * kHourNs, 24 * kHourNs, kForEverNs, kForEverNs};
/// Where a budget asks for less, the levels are cut down to the first of these, the largest first, and when that is not enough to the second. A
/// bucket is made of those below when it ends, and a total of ten minutes within an hour: so long they are needed.
constexpr std::array<std::array<std::int64_t, kLevelCount - 1>, 2> kLeastKeepNs
    = {{{10 * kMinuteNs, 20 * kMinuteNs, 40 * kMinuteNs, kForEverNs, kForEverNs},
        {2 * kMinuteNs, 5 * kMinuteNs, 20 * kMinuteNs, 2 * kHourNs, 8 * kHourNs}}};

/// How much longer than asked a level is kept before it is cut: cuts are seldom, as each makes viewers load anew. What is cut to little is
/// loaded soon.
std::int64_t slackOf(std::int64_t keepNs)
{
    return std::max<std::int64_t>((keepNs < kHourNs ? 1 : 10) * kMinuteNs, keepNs / 8);
}

/// A level is cut where a bucket of this one begins: of the next, which goes on from there, or of ten minutes.
std::size_t cutLevel(std::size_t level, std::int64_t keepNs)
{
    return std::max<std::size_t>(level + 1, keepNs < kHourNs ? 1 : kTotalLevel);
}

// What sums of a whole recording need of ticks that go (?1 to ?2) is added to rows of tick 0.
constexpr std::array kFold = {
    "INSERT INTO heap SELECT 0, image, stack, period_bytes, sum(allocations), sum(allocated_bytes), sum(frees),"
    " sum(freed_bytes), sum(temporaries), sum(temporary_bytes) FROM heap WHERE tick BETWEEN ?1 AND ?2"
    " GROUP BY image, stack, period_bytes ON CONFLICT DO UPDATE SET allocations = allocations + excluded.allocations,"
    " allocated_bytes = allocated_bytes + excluded.allocated_bytes, frees = frees + excluded.frees,"
    " freed_bytes = freed_bytes + excluded.freed_bytes, temporaries = temporaries + excluded.temporaries,"
    " temporary_bytes = temporary_bytes + excluded.temporary_bytes",
    "INSERT INTO heap_sampling SELECT 0, image, stack, period_bytes, sum(samples), sum(allocation_variance),"
    " sum(allocated_variance), sum(free_variance), sum(freed_variance) FROM heap_sampling WHERE tick BETWEEN ?1 AND ?2"
    " GROUP BY image, stack, period_bytes ON CONFLICT DO UPDATE SET samples = samples + excluded.samples,"
    " allocation_variance = allocation_variance + excluded.allocation_variance,"
    " allocated_variance = allocated_variance + excluded.allocated_variance,"
    " free_variance = free_variance + excluded.free_variance,"
    " freed_variance = freed_variance + excluded.freed_variance",
    "INSERT INTO cpu SELECT 0, thread, image, stack, period_ns, sum(samples) FROM cpu WHERE tick BETWEEN ?1 AND ?2"
    " GROUP BY thread, image, stack, period_ns ON CONFLICT DO UPDATE SET samples = samples + excluded.samples",
    "INSERT INTO activity SELECT 0, thread, image, activity, stack, sum(count), sum(time_ns), sum(errors), sum(bytes),"
    " sum(own_stacks), sum(estimated) FROM activity WHERE tick BETWEEN ?1 AND ?2"
    " GROUP BY thread, image, activity, stack ON CONFLICT DO UPDATE SET count = count + excluded.count,"
    " time_ns = time_ns + excluded.time_ns, errors = errors + excluded.errors, bytes = bytes + excluded.bytes,"
    " own_stacks = own_stacks + excluded.own_stacks, estimated = estimated + excluded.estimated",
    "INSERT INTO area SELECT 0, image, kind, name, stack, sum(allocations), sum(allocated_bytes), sum(frees),"
    " sum(freed_bytes) FROM area WHERE tick BETWEEN ?1 AND ?2 GROUP BY image, kind, name, stack"
    " ON CONFLICT DO UPDATE SET allocations = allocations + excluded.allocations,"
    " allocated_bytes = allocated_bytes + excluded.allocated_bytes, frees = frees + excluded.frees,"
    " freed_bytes = freed_bytes + excluded.freed_bytes",
    "INSERT INTO heap_tick SELECT 0, s.image, l.live_bytes, l.live_blocks, s.least, s.most, s.allocations,"
    " s.allocated_bytes, s.frees, s.freed_bytes, s.temporaries, s.unknown_frees FROM"
    " (SELECT image, max(tick) AS last, min(least_live_bytes) AS least, max(most_live_bytes) AS most,"
    " sum(allocations) AS allocations, sum(allocated_bytes) AS allocated_bytes, sum(frees) AS frees,"
    " sum(freed_bytes) AS freed_bytes, sum(temporaries) AS temporaries, sum(unknown_frees) AS unknown_frees"
    " FROM heap_tick WHERE tick BETWEEN ?1 AND ?2 GROUP BY image) s"
    " JOIN heap_tick l ON l.tick = s.last AND l.image = s.image WHERE true"
    " ON CONFLICT DO UPDATE SET live_bytes = excluded.live_bytes, live_blocks = excluded.live_blocks,"
    " least_live_bytes = min(least_live_bytes, excluded.least_live_bytes),"
    " most_live_bytes = max(most_live_bytes, excluded.most_live_bytes),"
    " allocations = allocations + excluded.allocations, allocated_bytes = allocated_bytes + excluded.allocated_bytes,"
    " frees = frees + excluded.frees, freed_bytes = freed_bytes + excluded.freed_bytes,"
    " temporaries = temporaries + excluded.temporaries, unknown_frees = unknown_frees + excluded.unknown_frees",
    "INSERT INTO heap_size SELECT 0, image, bin, sum(allocations), sum(bytes) FROM heap_size"
    " WHERE tick BETWEEN ?1 AND ?2 GROUP BY image, bin"
    " ON CONFLICT DO UPDATE SET allocations = allocations + excluded.allocations, bytes = bytes + excluded.bytes",
    "INSERT INTO heap_lifetime SELECT 0, image, bin, sum(frees), sum(bytes) FROM heap_lifetime"
    " WHERE tick BETWEEN ?1 AND ?2 GROUP BY image, bin"
    " ON CONFLICT DO UPDATE SET frees = frees + excluded.frees, bytes = bytes + excluded.bytes",
    "INSERT INTO cpu_tick SELECT 0, thread, sum(samples), sum(time_ns) FROM cpu_tick WHERE tick BETWEEN ?1 AND ?2"
    " GROUP BY thread"
    " ON CONFLICT DO UPDATE SET samples = samples + excluded.samples, time_ns = time_ns + excluded.time_ns",
};

/// Of buckets; the ticks' tables come on top.
constexpr std::array kBucketTables
    = {"heap_tick", "heap_size", "heap_lifetime", "cpu_tick", "area_tick", "memory_part"};
constexpr std::array kTickTables = {"heap", "heap_sampling", "cpu", "area", "activity"};

} // namespace

Result<Retention> Retention::prepare(Database &database, std::optional<model::ByteBudget> budget)
{
    Retention retention;
    retention.m_budget = budget;
    const auto prepareInto = [&database](std::vector<Statement> &list, const std::string &sql) -> Result<void> {
        auto statement = database.prepare(sql);
        if (!statement)
            return statement.error();
        list.push_back(std::move(*statement));
        return {};
    };
    Result<void> done;
    for (std::size_t i = 0; i < kFold.size() && done; ++i)
        done = prepareInto(retention.m_fold, kFold[i]);
    for (std::size_t i = 0; i < kBucketTables.size() && done; ++i)
        done = prepareInto(
            retention.m_dropBuckets, std::string("DELETE FROM ") + kBucketTables[i] + " WHERE tick BETWEEN ? AND ?");
    for (std::size_t i = 0; i < kTickTables.size() && done; ++i)
        done = prepareInto(
            retention.m_dropTicks, std::string("DELETE FROM ") + kTickTables[i] + " WHERE tick BETWEEN ? AND ?");
    if (done)
        done = prepareAll(database,
            {{&retention.m_lastBucketBefore,
                 "SELECT begin_ns FROM tick WHERE level = ? AND begin_ns <= ? ORDER BY begin_ns DESC LIMIT 1"},
                {&retention.m_setLevel, "UPDATE level SET keep_ns = ?, kept_from_ns = ? WHERE level = ?"},
                {&retention.m_moveLosses,
                    "INSERT INTO loss (tick, kind, image, count, detail)"
                    " SELECT ((?1 + 1) << 40) + t.begin_ns / ?4 + 1 AS bucket, l.kind, l.image, sum(l.count), l.detail"
                    " FROM loss l JOIN tick t ON t.id = l.tick"
                    " WHERE t.level = ?1 AND t.begin_ns >= ?2 AND t.begin_ns < ?3"
                    " GROUP BY bucket, l.kind, l.image, l.detail"},
                {&retention.m_dropLosses,
                    "DELETE FROM loss WHERE tick IN"
                    " (SELECT id FROM tick WHERE level = ?1 AND begin_ns >= ?2 AND begin_ns < ?3)"},
                {&retention.m_firstTicks,
                    "SELECT max(t.id) FROM tick t,"
                    " (SELECT begin_ns AS first FROM tick WHERE level = 0 ORDER BY begin_ns LIMIT 1)"
                    " WHERE t.level = 0 AND t.begin_ns < min(?1, first + 20000000000 + (?1 - first) / 16)"},
                {&retention.m_dropPacked, "DELETE FROM packed_cost WHERE kind = ? AND tick BETWEEN ? AND ?"},
                {&retention.m_dropMetrics, "DELETE FROM metric WHERE tick BETWEEN ? AND ?"},
                {&retention.m_dropTickRows, "DELETE FROM tick WHERE id BETWEEN ? AND ?"},
                {&retention.m_packedBytes, "SELECT tick >> 40, sum(length(data)) FROM packed_cost GROUP BY tick >> 40"},
                {&retention.m_totalBytes, "SELECT sum(length(data)) FROM packed_total"},
                {&retention.m_totals,
                    "SELECT tick, sum(length(data)), tick < (SELECT max(tick) FROM packed_total WHERE kind = ?1)"
                    " FROM packed_total WHERE kind = ?1 AND tick < ?2 GROUP BY tick ORDER BY tick"},
                {&retention.m_bytesBetween,
                    "SELECT sum(length(data)) FROM packed_cost WHERE kind = ? AND tick BETWEEN ? AND ?"},
                {&retention.m_dropTotal, "DELETE FROM packed_total WHERE kind = ? AND tick = ?"}});
    if (!done)
        return done.error();
    for (std::size_t level = 0; level < retention.m_state.size(); ++level)
        retention.m_state[level] = {kUsualKeepNs[level], 0, static_cast<std::int64_t>(level) * kTicksPerLevel};
    return retention;
}

Result<void> Retention::step(Database &database, model::Timestamp now)
{
    m_next = m_state;
    m_stepNs = now.ns;
    if (m_budget)
        if (auto done = shorten(database, now); !done)
            return done;
    // The finest first: its losses may have to go up several levels at once.
    for (std::size_t level = 0; level < m_next.size(); ++level)
        if (auto done = declare(level, now); !done)
            return done;
    for (std::size_t level = 0; level < m_next.size(); ++level)
        if (auto done = remove(level); !done)
            return done;
    return {};
}

Result<void> Retention::declare(std::size_t level, model::Timestamp now)
{
    Level &next = m_next[level];
    const bool isChanged = next.keepNs != m_state[level].keepNs;
    if (now.ns - next.keptFromNs > next.keepNs + slackOf(next.keepNs)) {
        // What a finer level still has goes there first: levels never overlap.
        const std::int64_t latest = now.ns - next.keepNs;
        m_lastBucketBefore.bindAll(
            cutLevel(level, next.keepNs), level > 0 ? std::min(latest, m_next[level - 1].keptFromNs) : latest);
        const auto from = single(m_lastBucketBefore);
        if (!from)
            return from.error();
        if (*from > next.keptFromNs) {
            if (auto done = moveLosses(level, next.keptFromNs, *from); !done)
                return done;
            next.keptFromNs = *from;
            if (level >= kTotalLevel)
                if (auto done = thinTotals(level + 1, *from); !done)
                    return done;
        }
    }
    if (!isChanged && next.keptFromNs == m_state[level].keptFromNs)
        return {};
    const auto keepNs = next.keepNs == kForEverNs ? std::nullopt : std::optional(next.keepNs);
    return m_setLevel.run(keepNs, next.keptFromNs, level);
}

/// Of the totals before a moment only those stay that end with a bucket of the level that is the finest there now, and that are worth their room
/// (see LevelWriter::writeTotal); and the newest of each kind, behind which nothing happened.
Result<void> Retention::thinTotals(std::size_t coarser, std::int64_t keptFromNs)
{
    constexpr std::int64_t kBase = std::int64_t{kTotalLevel} * kTicksPerLevel;
    const std::int64_t ratio = kBucketNs[coarser] / kBucketNs[kTotalLevel];
    const std::int64_t coarseBase = static_cast<std::int64_t>(coarser) * kTicksPerLevel;
    std::vector<std::pair<PackedKind, std::int64_t>> gone;
    for (const PackedKind kind : kPackedKinds) {
        std::int64_t lastKept = 0; // as a count of coarse buckets
        m_totals.bindAll(static_cast<int>(kind), bucketId(kTotalLevel, {keptFromNs}));
        for (;;) {
            const auto row = m_totals.step();
            if (!row)
                return row.error();
            if (!*row)
                break;
            const std::int64_t tick = m_totals.integer(0), count = (tick - kBase) / ratio;
            bool isKept = m_totals.integer(2) == 0;
            if (!isKept && (tick - kBase) % ratio == 0) {
                m_bytesBetween.bindAll(static_cast<int>(kind), coarseBase + lastKept + 1, coarseBase + count);
                const auto bytes = single(m_bytesBetween);
                if (!bytes)
                    return bytes.error();
                isKept = *bytes >= m_totals.integer(1) / 2;
            }
            if (isKept)
                lastKept = count;
            else
                gone.emplace_back(kind, tick);
        }
    }
    RowWriter rows;
    for (const auto &[kind, tick] : gone)
        rows.row(m_dropTotal, static_cast<int>(kind), tick);
    return rows.take();
}

Result<void> Retention::moveLosses(std::size_t level, std::int64_t fromNs, std::int64_t toNs)
{
    if (auto done = m_moveLosses.run(level, fromNs, toNs, kBucketNs[level + 1]); !done)
        return done;
    return m_dropLosses.run(level, fromNs, toNs);
}

Result<void> Retention::remove(std::size_t level)
{
    Level &next = m_next[level];
    if (next.keptFromNs == 0)
        return {};
    BucketIds gone{next.removedTo + 1, next.removedTo};
    if (level == 0) {
        m_firstTicks.bindAll(next.keptFromNs);
        const auto last = single(m_firstTicks);
        if (!last)
            return last.error();
        gone.last = std::max(*last, gone.last);
    } else {
        const std::int64_t target = bucketId(level, {next.keptFromNs}) - 1;
        // Twice what came since the last step, and some of what is behind.
        const std::int64_t passed = (m_stepNs - m_lastStepNs) / kBucketNs[level];
        gone.last = std::min(target, next.removedTo + 6 + 2 * passed + (target - next.removedTo) / 16);
    }
    if (gone.last < gone.first)
        return {};
    next.removedTo = gone.last;
    return level == 0 ? removeTicks(gone) : removeBuckets(level, gone);
}

Result<void> Retention::removeTicks(BucketIds ticks)
{
    RowWriter rows;
    for (Statement &fold : m_fold)
        rows.row(fold, ticks.first, ticks.last);
    for (std::vector<Statement> *tables : {&m_dropTicks, &m_dropBuckets})
        for (Statement &table : *tables)
            rows.row(table, ticks.first, ticks.last);
    rows.row(m_dropMetrics, ticks.first, ticks.last);
    rows.row(m_dropTickRows, ticks.first, ticks.last);
    return rows.take();
}

Result<void> Retention::removeBuckets(std::size_t level, BucketIds buckets)
{
    RowWriter rows;
    for (Statement &table : m_dropBuckets)
        rows.row(table, buckets.first, buckets.last);
    for (const PackedKind kind : kPackedKinds)
        rows.row(m_dropPacked, static_cast<int>(kind), buckets.first, buckets.last);
    const auto dropSeries = [&](BucketIds gone) {
        rows.row(m_dropMetrics, gone.first, gone.last);
        rows.row(m_dropTickRows, gone.first, gone.last);
    };
    if (level != 2) // medians of minutes stay as long as ten minutes do
        dropSeries(buckets);
    if (level == kTotalLevel)
        dropSeries({partsOf(level, buckets.first, 2).first, partsOf(level, buckets.last, 2).last});
    return rows.take();
}

Result<std::int64_t> Retention::single(Statement &statement)
{
    const auto row = statement.step();
    if (!row)
        return row.error();
    const std::int64_t value = *row ? statement.integer(0) : 0;
    statement.reset();
    return value;
}

/// Whether rows are still there of a time that a level is no longer kept for.
bool Retention::isRemoving() const
{
    for (std::size_t level = 1; level < m_state.size(); ++level)
        if (const std::int64_t from = m_state[level].keptFromNs;
            from > 0 && bucketId(level, {from}) - 1 > m_state[level].removedTo)
            return true;
    return false;
}

/// How large the file will be at the end of the budget's period if it goes on like this: a level grows until it is cut, the rest for ever.
Result<Retention::Projection> Retention::project(Database &database, model::Timestamp now)
{
    const auto pages = database.integer("PRAGMA page_count"), unused = database.integer("PRAGMA freelist_count"),
               pageBytes = database.integer("PRAGMA page_size"), totalBytes = single(m_totalBytes);
    if (!pages || !unused || !pageBytes || !totalBytes)
        return model::Error("Cannot find out how large the session is");
    Projection projection{(*pages - *unused) * *pageBytes, 0, {}};
    std::array<std::int64_t, kLevelCount> bytes{};
    for (;;) {
        const auto row = m_packedBytes.step();
        if (!row)
            return row.error();
        if (!*row)
            break;
        if (const auto level = static_cast<std::size_t>(m_packedBytes.integer(0)); level > 0 && level < kLevelCount)
            bytes[level] = m_packedBytes.integer(1);
    }
    bytes[kTotalLevel] += *totalBytes; // they get fewer with it
    bytes[0] = std::max<std::int64_t>(projection.usedBytes - std::accumulate(bytes.begin() + 1, bytes.end(), 0LL), 0);
    const std::int64_t end = std::max(now.ns, m_budget->period.ns);
    const auto grown = [now](std::int64_t size, std::int64_t untilNs) {
        return static_cast<double>(size) * std::max(1.0, static_cast<double>(untilNs) / static_cast<double>(now.ns));
    };
    double sum = grown(bytes.back(), end);
    for (std::size_t level = 0; level < m_next.size(); ++level) {
        const std::int64_t keepNs = m_next[level].keepNs;
        projection.levelBytes[level]
            = static_cast<std::int64_t>(grown(bytes[level], std::min(end, keepNs + slackOf(keepNs))));
        sum += static_cast<double>(projection.levelBytes[level]);
    }
    projection.endBytes = static_cast<std::int64_t>(sum);
    return projection;
}

/// Keeps the level that takes the most room half as long, where the budget would be exceeded; the next step looks again.
Result<void> Retention::shorten(Database &database, model::Timestamp now)
{
    // What is still being removed would count as used.
    if (now.ns < m_nextLookNs || isRemoving())
        return {};
    m_nextLookNs = now.ns + kMinuteNs;
    const auto projection = project(database, now);
    if (!projection)
        return projection.error();
    const double periods = static_cast<double>(now.ns) / static_cast<double>(m_budget->period.ns);
    const auto allowed = static_cast<std::int64_t>(static_cast<double>(m_budget->bytes) * std::max(1.0, periods));
    const bool isKnown = now.ns >= 20 * kMinuteNs; // what begins is not yet what goes on
    if (projection->usedBytes <= allowed / 10 * 9 && (!isKnown || projection->endBytes <= allowed))
        return {};
    std::size_t largest = kLevelCount, round = 0;
    for (; round < kLeastKeepNs.size() && largest == kLevelCount; ++round)
        for (std::size_t level = 0; level < m_next.size(); ++level)
            if (m_next[level].keepNs > kLeastKeepNs[round][level]
                && (largest == kLevelCount || projection->levelBytes[level] > projection->levelBytes[largest]))
                largest = level;
    if (largest == kLevelCount)
        return {};
    const std::int64_t keptNs = std::min(m_next[largest].keepNs, std::max(now.ns, m_budget->period.ns));
    m_next[largest].keepNs = std::max(keptNs / 2, kLeastKeepNs[round - 1][largest]);
    // A finer level is never kept longer than a coarser one.
    for (std::size_t level = largest; level-- > 0;)
        m_next[level].keepNs = std::min(m_next[level].keepNs, m_next[level + 1].keepNs);
    return {};
}

} // namespace storage

// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/level_writer.h"

namespace storage {

namespace {

using model::Result;

constexpr std::int64_t kBucketsPerTotal = 6; ///< at most, while buckets expire; they are kept for longer than that

// ?1 the bucket, ?2 and ?3 the first and last of the ticks or buckets below that it consists of.
constexpr std::array kSums = {
    "INSERT INTO tick (id, level, begin_ns, end_ns, recorder_cpu_ns, recorder_rss_bytes)"
    " SELECT ?1, ?1 >> 40, min(begin_ns), max(end_ns), sum(recorder_cpu_ns),"
    " (SELECT recorder_rss_bytes FROM tick WHERE id BETWEEN ?2 AND ?3 ORDER BY id DESC LIMIT 1)"
    " FROM tick WHERE id BETWEEN ?2 AND ?3 HAVING count(*) > 0",
    "INSERT INTO heap_tick (tick, image, live_bytes, live_blocks, least_live_bytes, most_live_bytes, allocations,"
    " allocated_bytes, frees, freed_bytes, temporaries, unknown_frees)"
    " SELECT ?1, s.image, l.live_bytes, l.live_blocks, s.least, s.most, s.allocations, s.allocated_bytes, s.frees,"
    " s.freed_bytes, s.temporaries, s.unknown_frees FROM"
    " (SELECT image, max(tick) AS last, min(least_live_bytes) AS least, max(most_live_bytes) AS most,"
    " sum(allocations) AS allocations, sum(allocated_bytes) AS allocated_bytes, sum(frees) AS frees,"
    " sum(freed_bytes) AS freed_bytes, sum(temporaries) AS temporaries, sum(unknown_frees) AS unknown_frees"
    " FROM heap_tick WHERE tick BETWEEN ?2 AND ?3 GROUP BY image) s"
    " JOIN heap_tick l ON l.tick = s.last AND l.image = s.image",
    "INSERT INTO heap_size (tick, image, bin, allocations, bytes) SELECT ?1, image, bin, sum(allocations), sum(bytes)"
    " FROM heap_size WHERE tick BETWEEN ?2 AND ?3 GROUP BY image, bin",
    "INSERT INTO heap_lifetime (tick, image, bin, frees, bytes) SELECT ?1, image, bin, sum(frees), sum(bytes)"
    " FROM heap_lifetime WHERE tick BETWEEN ?2 AND ?3 GROUP BY image, bin",
    "INSERT INTO cpu_tick (tick, thread, samples, time_ns) SELECT ?1, thread, sum(samples), sum(time_ns)"
    " FROM cpu_tick WHERE tick BETWEEN ?2 AND ?3 GROUP BY thread",
    "INSERT INTO area_tick (tick, image, kind, name, live_bytes, live_blocks, most_live_bytes)"
    " SELECT ?1, s.image, s.kind, s.name, l.live_bytes, l.live_blocks, s.most FROM"
    " (SELECT image, kind, name, max(tick) AS last, max(most_live_bytes) AS most FROM area_tick"
    " WHERE tick BETWEEN ?2 AND ?3 GROUP BY image, kind, name) s"
    " JOIN area_tick l ON l.tick = s.last AND l.image = s.image AND l.kind = s.kind AND l.name = s.name",
    "INSERT INTO memory_part (tick, process, heap_bytes, mapping_bytes, stack_bytes, file_bytes, shared_bytes,"
    " tracer_bytes, unknown_bytes, is_measured)"
    " SELECT ?1, l.process, l.heap_bytes, l.mapping_bytes, l.stack_bytes, l.file_bytes, l.shared_bytes,"
    " l.tracer_bytes, l.unknown_bytes, l.is_measured FROM"
    " (SELECT process, max(tick) AS last FROM memory_part WHERE tick BETWEEN ?2 AND ?3 GROUP BY process) s"
    " JOIN memory_part l ON l.tick = s.last AND l.process = s.process",
};

// By kind: group, stack, numbers.
constexpr std::array kTickCosts = {
    "SELECT image, period_bytes, 0, stack, allocations, allocated_bytes, frees, freed_bytes, temporaries,"
    " temporary_bytes FROM heap WHERE tick BETWEEN ?1 AND ?2",
    "SELECT image, period_bytes, 0, stack, samples, allocation_variance, allocated_variance, free_variance,"
    " freed_variance FROM heap_sampling WHERE tick BETWEEN ?1 AND ?2",
    "SELECT thread, image, period_ns, stack, samples FROM cpu WHERE tick BETWEEN ?1 AND ?2",
    "SELECT image, kind, name, stack, allocations, allocated_bytes, frees, freed_bytes FROM area"
    " WHERE tick BETWEEN ?1 AND ?2",
    "SELECT thread, image, activity, stack, count, time_ns, errors, bytes, own_stacks, estimated FROM activity"
    " WHERE tick BETWEEN ?1 AND ?2",
};
static_assert(kTickCosts.size() == kPackedKinds.size());

} // namespace

Result<LevelWriter> LevelWriter::prepare(Database &database, bool hasBudget)
{
    LevelWriter writer;
    writer.m_hasBudget = hasBudget;
    for (const char *sql : kSums) {
        auto statement = database.prepare(sql);
        if (!statement)
            return statement.error();
        writer.m_sums.push_back(std::move(*statement));
    }
    for (std::size_t kind = 0; kind < kTickCosts.size(); ++kind)
        if (auto done = prepareAll(database, {{&writer.m_tickCosts[kind], kTickCosts[kind]}}); !done)
            return done.error();
    const auto done = prepareAll(database,
        {{&writer.m_packed, "SELECT data FROM packed_cost WHERE kind = ? AND tick BETWEEN ? AND ? ORDER BY tick, part"},
            {&writer.m_total,
                "SELECT data FROM packed_total WHERE kind = ? AND tick BETWEEN ? AND ? ORDER BY tick, part"},
            {&writer.m_insertPacked, "INSERT INTO packed_cost (kind, tick, part, data) VALUES (?, ?, ?, ?)"},
            {&writer.m_insertTotal, "INSERT INTO packed_total (kind, tick, part, data) VALUES (?, ?, ?, ?)"},
            {&writer.m_lastTotal, "SELECT max(tick) FROM packed_total WHERE kind = ?"},
            {&writer.m_packedBytes,
                "SELECT sum(length(data)) FROM packed_cost WHERE kind = ? AND tick BETWEEN ? AND ?"},
            {&writer.m_totalBytes, "SELECT sum(length(data)) FROM packed_total WHERE kind = ? AND tick = ?"}});
    if (!done)
        return done.error();
    auto medians = MetricMedians::prepare(database);
    if (!medians)
        return medians.error();
    writer.m_medians = std::move(*medians);
    return writer;
}

bool LevelWriter::closesBefore(model::Timestamp begin) const
{
    return m_open[1].id != 0 && bucketId(1, begin) > m_open[1].id;
}

Result<void> LevelWriter::closeBefore(model::Timestamp begin, std::int64_t lastTick)
{
    for (std::size_t level = 1; level < kLevelCount; ++level)
        if (m_open[level].id != 0 && bucketId(level, begin) > m_open[level].id)
            if (auto done = close(level, lastTick); !done)
                return done;
    return {};
}

void LevelWriter::committed(model::Timestamp begin, std::int64_t tick)
{
    for (std::size_t level = 1; level < kLevelCount; ++level)
        if (const std::int64_t id = bucketId(level, begin); id > m_open[level].id)
            m_open[level] = {id, tick};
}

Result<void> LevelWriter::close(std::size_t level, std::int64_t lastTick)
{
    const Open &open = m_open[level];
    const BucketIds ticks{open.firstTick, lastTick};
    const BucketIds children = level == 1 ? ticks : childrenOf(level, open.id);
    RowWriter rows;
    for (Statement &sums : m_sums)
        rows.row(sums, open.id, children.first, children.last);
    if (auto done = rows.take(); !done)
        return done;
    if (auto done = m_medians.write(open.id, level < kTotalLevel ? ticks : partsOf(level, open.id, 2)); !done)
        return done;
    for (const PackedKind kind : kPackedKinds)
        if (auto done = packCosts(kind, level, children); !done)
            return done;
    return level == kTotalLevel ? writeTotals(open.id) : Result<void>();
}

Result<void> LevelWriter::packCosts(PackedKind kind, std::size_t level, BucketIds children)
{
    PackedCosts costs(kind);
    if (auto done = level == 1 ? addTickRows(kind, children, costs) : addPacked(m_packed, kind, children, costs); !done)
        return done;
    const auto stored = store(m_insertPacked, kind, m_open[level].id, costs);
    return stored ? Result<void>() : Result<void>(stored.error());
}

Result<void> LevelWriter::addTickRows(PackedKind kind, BucketIds ticks, PackedCosts &costs)
{
    Statement &select = m_tickCosts[static_cast<std::size_t>(kind)];
    select.bindAll(ticks.first, ticks.last);
    PackedRow row;
    for (;;) {
        const auto found = select.step();
        if (!found)
            return found.error();
        if (!*found)
            return {};
        row.group = {select.integer(0), select.integer(1), select.integer(2)};
        row.stack = static_cast<std::uint32_t>(select.integer(3));
        for (std::size_t i = 0; i < numbersOf(kind); ++i) {
            const int column = static_cast<int>(i) + 4;
            const bool isReal = kind == PackedKind::Sampling && i > 0;
            row.numbers[i] = isReal ? std::bit_cast<std::int64_t>(select.real(column)) : select.integer(column);
        }
        costs.add(row);
    }
}

Result<void> LevelWriter::addPacked(Statement &select, PackedKind kind, BucketIds buckets, PackedCosts &costs)
{
    select.bindAll(static_cast<int>(kind), buckets.first, buckets.last);
    for (;;) {
        const auto found = select.step();
        if (!found)
            return found.error();
        if (!*found)
            return {};
        PackedReader reader(kind, select.blob(0));
        for (PackedRow row; reader.next(row);)
            costs.add(row);
    }
}

/// Returns how many bytes it stored.
Result<std::int64_t> LevelWriter::store(Statement &insert, PackedKind kind, std::int64_t id, PackedCosts &costs)
{
    std::int64_t part = 0, bytes = 0;
    for (const std::string &data : costs.pack()) {
        insert.bindInteger(0, static_cast<int>(kind));
        insert.bindInteger(1, id);
        insert.bindInteger(2, part++);
        insert.bindBlob(3, data);
        if (const auto done = insert.step(); !done)
            return done.error();
        insert.reset();
        bytes += static_cast<std::int64_t>(data.size());
    }
    return bytes;
}

Result<void> LevelWriter::writeTotals(std::int64_t id)
{
    for (const PackedKind kind : kPackedKinds)
        if (auto done = writeTotal(kind, id); !done)
            return done;
    return {};
}

/// A total is written when what came since the last one takes half as much room as it does: so totals take at most twice the room of the
/// costs, and what lies between two of them is less work than one. With a budget there is one an hour at least, as buckets expire.
Result<void> LevelWriter::writeTotal(PackedKind kind, std::int64_t id)
{
    const auto single = [](Statement &statement, const auto &...values) -> Result<std::int64_t> {
        statement.bindAll(values...);
        const auto row = statement.step();
        if (!row)
            return row.error();
        const std::int64_t value = *row ? statement.integer(0) : 0;
        statement.reset();
        return value;
    };
    const auto last = single(m_lastTotal, static_cast<int>(kind));
    if (!last)
        return last.error();
    const BucketIds since{*last > 0 ? *last + 1 : std::int64_t{kTotalLevel} * kTicksPerLevel, id};
    const bool isDue = m_hasBudget && id - *last >= kBucketsPerTotal;
    const auto sinceBytes = single(m_packedBytes, static_cast<int>(kind), since.first, since.last);
    const auto totalBytes = single(m_totalBytes, static_cast<int>(kind), *last);
    if (!sinceBytes || !totalBytes)
        return sinceBytes ? totalBytes.error() : sinceBytes.error();
    if (*sinceBytes == 0 || (*sinceBytes < *totalBytes / 2 && !isDue))
        return {};
    PackedCosts costs(kind);
    if (auto done = addPacked(m_total, kind, {*last, *last}, costs); !done)
        return done;
    if (auto done = addPacked(m_packed, kind, since, costs); !done)
        return done;
    const auto stored = store(m_insertTotal, kind, id, costs);
    return stored ? Result<void>() : Result<void>(stored.error());
}

} // namespace storage

// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/series_loader.h"

#include "model/heap/size_bins.h"
#include "storage/metric_medians.h"

#include <algorithm>
#include <string>

namespace storage {

namespace {

using model::Result;

constexpr std::int64_t kLongestNs = std::int64_t{1} << 60;

class SeriesLoader
{
public:
    SeriesLoader(LoadContext &context, LoadedSession &session)
        : m_context(context)
        , m_session(session)
    {
    }

    Result<void> load()
    {
        using Step = Result<void> (SeriesLoader::*)();
        for (const Step step : {&SeriesLoader::ticks, &SeriesLoader::metrics, &SeriesLoader::heapTicks,
                 &SeriesLoader::heapSizes, &SeriesLoader::cpuTicks, &SeriesLoader::peaks, &SeriesLoader::losses,
                 &SeriesLoader::marks, &SeriesLoader::gaps})
            if (auto done = (this->*step)(); !done)
                return done;
        return {};
    }

private:
    Result<void> ticks();
    Result<void> bucketRows(std::size_t level);
    void addTick(const Statement &row);
    Result<void> metrics();
    void addMetrics(const Statement &row, model::Timestamp when);
    Result<void> cpuTicks();
    Result<void> heapTicks();
    Result<void> heapSizes();
    Result<void> peaks();
    Result<void> peakRows(std::uint32_t image);
    Result<void> losses();
    void addLoss(const Statement &row);
    Result<void> marks();
    Result<void> gaps();

    Result<void> scanTable(std::string_view table, const std::string &sql, std::int64_t after,
        const std::function<void(const Statement &)> &row)
    {
        return scan(m_context.database, m_context.damage, table, sql, after, row);
    }

    /// The position of the tick in column 0 if the row's id in column 1 lies below `end` too.
    std::optional<std::size_t> tickOf(std::string_view table, const Statement &row, std::size_t end)
    {
        const auto tick = m_session.ticks.find(row.integer(0));
        const std::int64_t id = row.integer(1);
        if (tick && id >= 0 && static_cast<std::uint64_t>(id) < end)
            return tick;
        m_context.damage.badRow(table);
        return std::nullopt;
    }

    static model::Timestamp time(const Statement &row, int column)
    {
        return {std::clamp<std::int64_t>(row.integer(column), 0, kLongestNs)};
    }

    static std::int64_t count(const Statement &row, int column)
    {
        return std::max<std::int64_t>(row.integer(column), 0);
    }

    /// The new rows of a table that is kept by tick: `select` up to its WHERE, and its order behind the tick.
    Result<void> scanNew(std::string_view table, const std::string &select, const std::string &order,
        const std::function<void(const Statement &)> &row)
    {
        return scanByTick(m_context, table, select, order, row);
    }

    LoadContext &m_context;
    LoadedSession &m_session;
};

void SeriesLoader::addTick(const Statement &row)
{
    const model::TimeRange span{time(row, 1), time(row, 2)};
    const TickIndex &ticks = m_session.ticks;
    const bool isInOrder = ticks.isEmpty()
        || (span.end >= ticks.at(ticks.size() - 1).span.end && span.begin >= ticks.at(ticks.size() - 1).span.begin);
    if (row.integer(0) < 1 || span.end < span.begin || !isInOrder)
        return m_context.damage.badRow("tick");
    m_session.ticks.add({row.integer(0), span});
    m_session.recorderCpuNs = saturatedSum(m_session.recorderCpuNs, count(row, 3));
    m_session.recorderRssBytes = count(row, 4);
}

/// What a level holds beyond what is loaded; of it what no finer level has belongs to the list.
Result<void> SeriesLoader::bucketRows(std::size_t level)
{
    const std::int64_t base = static_cast<std::int64_t>(level) * kTicksPerLevel;
    const std::int64_t from = m_session.levels[level].keptFromNs, to = m_session.levels[level - 1].keptFromNs;
    const std::int64_t known = std::max(m_session.ticks.lastBucket(level), base);
    // Medians of minutes outlast their costs.
    return scanTable("tick",
        "SELECT id, begin_ns, end_ns, recorder_cpu_ns, recorder_rss_bytes FROM tick WHERE id > ? AND id < "
            + std::to_string(base + kTicksPerLevel) + " ORDER BY id",
        level == 2 ? known : std::max(known, bucketId(level, {from}) - 1), [&](const Statement &row) {
            const model::TimeRange span{time(row, 1), time(row, 2)};
            if (span.end < span.begin || bucketId(level, span.begin) != row.integer(0))
                return m_context.damage.badRow("tick");
            m_session.ticks.addBucket(level, {row.integer(0), span});
            if (span.begin.ns >= from && span.begin.ns < to && !m_context.isMore)
                addTick(row);
        });
}

Result<void> SeriesLoader::ticks()
{
    m_context.isMore = !m_session.ticks.isEmpty();
    m_context.newTicks.clear();
    for (std::size_t level = kLevelCount - 1; level > 0 && hasLevels(m_session); --level) {
        const std::size_t before = m_session.ticks.size();
        if (auto done = bucketRows(level); !done)
            return done;
        if (m_session.ticks.size() > before)
            m_context.newTicks.push_back(
                {m_session.ticks.at(before).id, m_session.ticks.at(m_session.ticks.size() - 1).id});
    }
    const std::int64_t from = m_session.levels[0].keptFromNs, lastId = m_session.ticks.lastId();
    auto done = scanTable("tick",
        "SELECT id, begin_ns, end_ns, recorder_cpu_ns, recorder_rss_bytes FROM tick WHERE id > ? AND id < "
            + std::to_string(kTicksPerLevel) + " ORDER BY id",
        lastId, [&](const Statement &row) {
            if (row.integer(1) >= from)
                addTick(row);
        });
    const std::int64_t newLast = m_session.ticks.lastId();
    if (newLast > lastId) {
        const std::int64_t first = lastId > 0 ? lastId + 1 : m_session.ticks.at(m_session.ticks.firstOfLevel(0)).id;
        m_context.newTicks.push_back({first, newLast});
    }
    return done;
}

void SeriesLoader::addMetrics(const Statement &row, model::Timestamp when)
{
    if (row.integer(1) < 0 || static_cast<std::uint64_t>(row.integer(1)) >= m_session.tables->processes.size())
        return m_context.damage.badRow("metric");
    const model::ProcessId process(static_cast<std::uint32_t>(row.integer(1)));
    auto series = std::find_if(m_session.metrics.begin(), m_session.metrics.end(),
        [process](const model::MetricSeries &known) { return known.process == process; });
    if (series == m_session.metrics.end())
        series = m_session.metrics.insert(series, {process, {}, {}});
    model::MetricValues values;
    for (std::size_t i = 0; i < model::kMetricCount; ++i)
        if (const int column = static_cast<int>(i) + 2; !row.isNull(column))
            values.set(static_cast<model::Metric>(i), row.integer(column));
    series->times.push_back(when);
    series->values.push_back(values);
}

/// Metrics are kept by the minute where costs are kept by ten.
Result<void> SeriesLoader::metrics()
{
    const std::string select = "SELECT " + metricColumns(m_session.format) + " FROM metric";
    for (TickRange range : m_context.newTicks) {
        const bool areMinutes = levelOf(range.first) == kTotalLevel;
        if (areMinutes)
            range = {childrenOf(kTotalLevel, range.first).first, childrenOf(kTotalLevel, range.last).last};
        const auto done = scanTable("metric",
            select + " WHERE tick > ? AND tick <= " + std::to_string(range.last) + " ORDER BY tick, process",
            range.first - 1, [this, areMinutes](const Statement &row) {
                const TickRow *minute = areMinutes ? m_session.ticks.findBucket(2, row.integer(0)) : nullptr;
                const auto tick = m_session.ticks.find(row.integer(0));
                if (!minute && !tick)
                    return m_context.damage.badRow("metric");
                addMetrics(row, minute ? minute->span.end : m_session.ticks.at(*tick).span.end);
            });
        if (!done)
            return done;
    }
    return {};
}

Result<void> SeriesLoader::cpuTicks()
{
    if (!hasLevels(m_session))
        return {}; // loadCosts adds them up
    return scanNew(
        "cpu_tick", "SELECT tick, thread, samples, time_ns FROM cpu_tick", "thread", [this](const Statement &row) {
            const auto tick = tickOf("cpu_tick", row, m_session.tables->threads.size());
            if (!tick)
                return;
            ThreadSamples &thread = m_session.threadSamples[static_cast<std::uint32_t>(row.integer(1))];
            thread.ticks.push_back(*tick);
            thread.sums.push_back({count(row, 2), count(row, 3)});
        });
}

Result<void> SeriesLoader::heapTicks()
{
    return scanNew("heap_tick",
        "SELECT tick, image, live_bytes, live_blocks, least_live_bytes, most_live_bytes, allocations, allocated_bytes,"
        " frees, freed_bytes, temporaries, unknown_frees FROM heap_tick",
        "image", [this](const Statement &row) {
            const auto tick = tickOf("heap_tick", row, m_session.tables->images.size());
            if (!tick)
                return;
            const auto image = static_cast<std::uint32_t>(row.integer(1));
            model::HeapSeries &series = m_session.heapSeries[image];
            series.image = model::ImageId(image);
            series.spans.push_back(m_session.ticks.at(*tick).span);
            series.ticks.push_back({series.image, row.integer(2), row.integer(3), row.integer(4), row.integer(5),
                count(row, 6), count(row, 7), count(row, 8), count(row, 9), count(row, 10), count(row, 11)});
        });
}

Result<void> SeriesLoader::heapSizes()
{
    return scanNew("heap_size", "SELECT tick, image, bin, allocations, bytes FROM heap_size", "image, bin",
        [this](const Statement &row) {
            const auto tick = tickOf("heap_size", row, m_session.tables->images.size());
            if (!tick)
                return;
            if (row.integer(2) < 0 || row.integer(2) >= model::kSizeBinCount)
                return m_context.damage.badRow("heap_size");
            m_session.heapSizes.push_back({*tick,
                {model::ImageId(static_cast<std::uint32_t>(row.integer(1))), static_cast<std::uint16_t>(row.integer(2)),
                    count(row, 3), count(row, 4)}});
        });
}

Result<void> SeriesLoader::peaks()
{
    // Not by revision through an index: there is one row an image.
    std::vector<std::uint32_t> changed;
    auto done = scanTable("heap_peak",
        "SELECT image, revision, when_ns, bytes, blocks FROM heap_peak WHERE image > ? ORDER BY image", -1,
        [&](const Statement &row) {
            if (row.integer(1) <= m_context.sinceRevision)
                return;
            if (static_cast<std::uint64_t>(row.integer(0)) >= m_session.tables->images.size())
                return m_context.damage.badRow("heap_peak");
            const auto image = static_cast<std::uint32_t>(row.integer(0));
            changed.push_back(image);
            m_session.peaks[image].peak = {model::ImageId(image), time(row, 2), count(row, 3), count(row, 4)};
        });
    for (const std::uint32_t image : changed)
        if (done)
            done = peakRows(image);
    return done;
}

Result<void> SeriesLoader::peakRows(std::uint32_t image)
{
    PeakRow &peak = m_session.peaks[image];
    peak.rows.clear();
    return scanTable("heap_peak_stack",
        "SELECT stack, bytes, blocks FROM heap_peak_stack WHERE stack > ? AND image = " + std::to_string(image)
            + " ORDER BY stack",
        -1, [this, &peak, image](const Statement &row) {
            if (static_cast<std::uint64_t>(row.integer(0)) >= m_session.tables->stacks.size())
                return m_context.damage.badRow("heap_peak_stack");
            peak.rows.push_back({model::ImageId(image), model::StackId(static_cast<std::uint32_t>(row.integer(0))),
                count(row, 1), count(row, 2)});
        });
}

void SeriesLoader::addLoss(const Statement &row)
{
    m_session.lastLoss = row.integer(0);
    const auto tick = m_session.ticks.find(row.integer(1));
    const std::int64_t kind = row.integer(2);
    if (!tick || kind < 0 || kind >= static_cast<std::int64_t>(model::kLossKindCount))
        return m_context.damage.badRow("loss");
    model::ImageId image;
    if (!row.isNull(3) && static_cast<std::uint64_t>(row.integer(3)) < m_session.tables->images.size())
        image = model::ImageId(static_cast<std::uint32_t>(row.integer(3)));
    const model::TimeRange span = m_session.ticks.at(*tick).span;
    std::string detail(row.text(5));
    const auto [it, isNew] = m_session.losses.try_emplace({static_cast<int>(kind), image.value, detail});
    model::LossTotal &total = it->second;
    if (isNew)
        total = {static_cast<model::LossKind>(kind), image, 0, std::move(detail), span};
    total.count = saturatedSum(total.count, count(row, 4));
    total.span.end = std::max(total.span.end, span.end);
    if (total.kind == model::LossKind::SamplesLost)
        m_session.lostSamples.push_back({*tick, count(row, 4)});
}

Result<void> SeriesLoader::losses()
{
    return scanTable("loss", "SELECT id, tick, kind, image, count, detail FROM loss WHERE id > ? ORDER BY id",
        m_session.lastLoss, [this](const Statement &row) { addLoss(row); });
}

Result<void> SeriesLoader::marks()
{
    return scanTable("mark", "SELECT id, when_ns, kind, text FROM mark WHERE id > ? ORDER BY id", m_session.lastMark,
        [this](const Statement &row) {
            m_session.lastMark = row.integer(0);
            const std::int64_t kind = row.integer(2);
            if (kind < 0 || kind > static_cast<std::int64_t>(model::MarkKind::Program))
                return m_context.damage.badRow("mark");
            m_session.marks.push_back({time(row, 1), static_cast<model::MarkKind>(kind), std::string(row.text(3))});
        });
}

Result<void> SeriesLoader::gaps()
{
    return scanTable("gap", "SELECT id, begin_ns, end_ns, kind FROM gap WHERE id > ? ORDER BY id", m_session.lastGap,
        [this](const Statement &row) {
            m_session.lastGap = row.integer(0);
            const std::int64_t kind = row.integer(3);
            const model::TimeRange span{time(row, 1), time(row, 2)};
            if (kind < 0 || kind > static_cast<std::int64_t>(model::GapKind::RecorderStopped) || span.end < span.begin)
                return m_context.damage.badRow("gap");
            m_session.gaps.push_back({span, static_cast<model::GapKind>(kind)});
        });
}

} // namespace

Result<void> loadLevels(Database &database, Damage &damage, std::int64_t format, LevelRows &levels)
{
    levels = {};
    if (format < kFirstFormatWithLevels)
        return {};
    return scan(database, damage, "level",
        "SELECT level, kept_from_ns, keep_ns, usual_keep_ns FROM level WHERE level > ? ORDER BY level", -1,
        [&](const Statement &row) {
            const std::int64_t level = row.integer(0);
            if (level < 0 || level + 1 >= static_cast<std::int64_t>(kLevelCount))
                return;
            const auto number
                = [&row](int column) { return std::clamp<std::int64_t>(row.integer(column), 0, kLongestNs); };
            levels[static_cast<std::size_t>(level)] = {number(1), number(2), number(3)};
        });
}

Result<void> scanByTick(LoadContext &context, std::string_view table, const std::string &select,
    const std::string &order, const std::function<void(const Statement &)> &row)
{
    for (const TickRange &range : context.newTicks) {
        const auto done = scan(context.database, context.damage, table,
            select + " WHERE tick > ? AND tick <= " + std::to_string(range.last) + " ORDER BY tick, " + order,
            range.first - 1, row);
        if (!done)
            return done;
    }
    return {};
}

Result<std::size_t> loadSeries(LoadContext &context, LoadedSession &session)
{
    const std::size_t firstNew = session.ticks.size();
    if (auto done = SeriesLoader(context, session).load(); !done)
        return done.error();
    return firstNew;
}

} // namespace storage

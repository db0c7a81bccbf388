// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/metric_medians.h"

#include "model/metric_meaning.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace storage {

namespace {

using model::Result;

/// What a process had and did in the ticks of a bucket.
struct Readings
{
    std::array<std::vector<std::int64_t>, model::kMetricCount> values;
    std::array<double, model::kMetricCount> sums{}; ///< values × nanoseconds
    std::int64_t ticks = 0;
};

std::int64_t median(std::vector<std::int64_t> &values)
{
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// Rounds numbers so that their sum is right: what one loses is given to the next.
class Rounding
{
public:
    std::int64_t operator()(double value)
    {
        m_rest += value;
        const double rounded = std::round(m_rest);
        m_rest -= rounded;
        return static_cast<std::int64_t>(rounded);
    }

private:
    double m_rest = 0;
};

constexpr std::int64_t kFirstFormatWithLimits = 9;
constexpr std::int64_t kFirstFormatWithCalls = 13;
constexpr std::int64_t kFirstFormatWithPeaks = 15;

/// Every column that a row is written with.
std::string allColumns() { return metricColumns(kFirstFormatWithPeaks); }

} // namespace

std::string metricColumns(std::int64_t format)
{
    std::string columns = "tick, process";
    for (const model::MetricInfo &metric : model::kMetrics) {
        const bool isLater = (metric.metric >= model::Metric::AddressLimit && format < kFirstFormatWithLimits)
            || (metric.metric >= model::Metric::ReadCalls && format < kFirstFormatWithCalls)
            || (metric.metric >= model::Metric::RssPeak && format < kFirstFormatWithPeaks);
        columns += ", " + (isLater ? std::string("NULL") : std::string(metric.key));
    }
    return columns;
}

std::string metricInsertSql()
{
    std::string values = "?, ?";
    for (std::size_t i = 0; i < model::kMetricCount; ++i)
        values += ", ?";
    return "INSERT OR REPLACE INTO metric (" + allColumns() + ") VALUES (" + values + ")";
}

Result<MetricMedians> MetricMedians::prepare(Database &database)
{
    MetricMedians medians;
    std::string columns;
    for (const model::MetricInfo &metric : model::kMetrics)
        columns += ", m." + std::string(metric.key);
    const std::string select = "SELECT m.process, t.end_ns - t.begin_ns" + columns
        + " FROM metric m JOIN tick t ON t.id = m.tick WHERE m.tick BETWEEN ? AND ?";
    const std::string insert = metricInsertSql();
    const auto done = prepareAll(database,
        {{&medians.m_select, select.c_str()}, {&medians.m_insert, insert.c_str()},
            {&medians.m_span, "SELECT count(*), sum(end_ns - begin_ns) FROM tick WHERE id BETWEEN ? AND ?"}});
    if (!done)
        return done.error();
    return medians;
}

Result<void> MetricMedians::write(std::int64_t id, BucketIds ticks)
{
    m_span.bindAll(ticks.first, ticks.last);
    if (const auto row = m_span.step(); !row || !*row)
        return row ? Result<void>() : Result<void>(row.error());
    const std::int64_t tickCount = m_span.integer(0);
    const double lengthNs = std::max(m_span.real(1), 1.0);
    m_span.reset();
    std::map<std::int64_t, Readings> processes;
    m_select.bindAll(ticks.first, ticks.last);
    for (;;) {
        const auto row = m_select.step();
        if (!row)
            return row.error();
        if (!*row)
            break;
        Readings &readings = processes[m_select.integer(0)];
        ++readings.ticks;
        for (std::size_t i = 0; i < model::kMetricCount; ++i)
            if (const int column = static_cast<int>(i) + 2; !m_select.isNull(column)) {
                readings.values[i].push_back(m_select.integer(column));
                readings.sums[i] += m_select.real(column) * m_select.real(1);
            }
    }
    RowWriter rows;
    std::array<Rounding, model::kMetricCount> rounding;
    for (auto &[process, readings] : processes) {
        m_insert.bindInteger(0, id);
        m_insert.bindInteger(1, process);
        for (std::size_t i = 0; i < model::kMetricCount; ++i) {
            const int position = static_cast<int>(i) + 2;
            if (readings.values[i].empty())
                m_insert.bindNull(position);
            else if (model::isRate(static_cast<model::Metric>(i)) && readings.ticks < tickCount)
                m_insert.bindInteger(position, rounding[i](readings.sums[i] / lengthNs));
            else if (static_cast<model::Metric>(i) == model::Metric::RssPeak)
                m_insert.bindInteger(position, *std::max_element(readings.values[i].begin(), readings.values[i].end()));
            else
                m_insert.bindInteger(position, median(readings.values[i]));
        }
        rows.row(m_insert);
    }
    return rows.take();
}

} // namespace storage

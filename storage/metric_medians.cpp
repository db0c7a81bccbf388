// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/metric_medians.h"

#include <algorithm>
#include <map>
#include <vector>

namespace storage {

namespace {

using model::Result;
using Readings = std::array<std::vector<std::int64_t>, model::kMetricCount>;

constexpr std::int64_t kFirstFormatWithLimits = 8;

/// Every column that a row is written with.
std::string allColumns() { return metricColumns(kFirstFormatWithLimits); }

} // namespace

std::string metricColumns(std::int64_t format)
{
    std::string columns = "tick, process";
    for (const model::MetricInfo &metric : model::kMetrics) {
        const bool isLater = metric.metric >= model::Metric::AddressLimit && format < kFirstFormatWithLimits;
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
    const std::string select = "SELECT " + allColumns() + " FROM metric WHERE tick BETWEEN ? AND ?";
    const std::string insert = metricInsertSql();
    const auto done = prepareAll(database, {{&medians.m_select, select.c_str()}, {&medians.m_insert, insert.c_str()}});
    if (!done)
        return done.error();
    return medians;
}

Result<void> MetricMedians::write(std::int64_t id, BucketIds ticks)
{
    std::map<std::int64_t, Readings> processes;
    m_select.bindAll(ticks.first, ticks.last);
    for (;;) {
        const auto row = m_select.step();
        if (!row)
            return row.error();
        if (!*row)
            break;
        Readings &readings = processes[m_select.integer(1)];
        for (std::size_t i = 0; i < readings.size(); ++i)
            if (const int column = static_cast<int>(i) + 2; !m_select.isNull(column))
                readings[i].push_back(m_select.integer(column));
    }
    RowWriter rows;
    for (auto &[process, readings] : processes) {
        m_insert.bindInteger(0, id);
        m_insert.bindInteger(1, process);
        for (std::size_t i = 0; i < readings.size(); ++i) {
            const int position = static_cast<int>(i) + 2;
            std::vector<std::int64_t> &values = readings[i];
            const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
            std::nth_element(values.begin(), middle, values.end());
            values.empty() ? m_insert.bindNull(position) : m_insert.bindInteger(position, *middle);
        }
        rows.row(m_insert);
    }
    return rows.take();
}

} // namespace storage

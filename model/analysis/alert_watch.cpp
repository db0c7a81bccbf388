// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/alert_watch.h"

#include "model/analysis/forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace model {

namespace {

// Wide enough steps that noise of 2 % from second to second does not make growth of 5 % within an hour flap for days.
constexpr std::size_t kWindowSteps = 12;
constexpr Duration kForecastStep = Duration::fromMs(60'000);
constexpr std::size_t kForecastSteps = 2880;
constexpr Duration kTellEach = Duration::fromMs(10'000);
constexpr Duration kForecastEach = Duration::fromMs(5 * 60'000);

double medianOf(std::vector<double> values)
{
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

bool isGrowth(AlertTest test) { return test == AlertTest::GrowsPercent || test == AlertTest::GrowsBy; }

/// Whether `value` is beyond `threshold` on the bad side.
bool isBeyond(AlertTest test, double value, double threshold)
{
    return isBadWhenHigh(test) ? value > threshold : value < threshold;
}

} // namespace

MedianHistory::MedianHistory(Duration step, std::size_t steps)
    : m_step(std::max(step, Duration{1}))
    , m_steps(steps)
{
}

void MedianHistory::add(Timestamp when, double value)
{
    if (!m_hasValues)
        m_first = when;
    m_hasValues = true;
    while (!m_recent.empty() && m_recent.front().when <= when - m_step)
        m_recent.pop_front();
    m_recent.push_back({when, value});
    const std::int64_t index = when.ns / m_step.ns;
    if (index != m_index && !m_filling.empty()) {
        m_history.push_back({m_index, medianOf(std::move(m_filling))});
        m_filling.clear();
    }
    m_index = index;
    m_filling.push_back(value);
    while (!m_history.empty() && m_history.front().index < index - static_cast<std::int64_t>(m_steps))
        m_history.pop_front();
}

double MedianHistory::current() const
{
    std::vector<double> values;
    values.reserve(m_recent.size());
    for (const SeriesPoint &point : m_recent)
        values.push_back(point.value);
    return medianOf(std::move(values));
}

std::optional<double> MedianHistory::oldest() const
{
    const auto whole = static_cast<std::int64_t>(m_steps) * m_step.ns;
    if (m_history.empty() || m_recent.back().when.ns - m_first.ns < whole
        || m_history.front().index > m_index - static_cast<std::int64_t>(m_steps) + 1)
        return std::nullopt; // too young, or nothing was read at that time
    return m_history.front().median;
}

std::vector<SeriesPoint> MedianHistory::points() const
{
    std::vector<SeriesPoint> points;
    for (const Step &step : m_history)
        points.push_back({{(step.index + 1) * m_step.ns}, step.median});
    return points;
}

AlertWatch::AlertWatch(std::vector<AlertRule> rules, int cores)
    : m_cores(std::max(cores, 1))
{
    for (AlertRule &rule : rules) {
        Watched watched{.rule = std::move(rule)};
        if (isGrowth(watched.rule.test))
            watched.history.emplace(
                Duration{watched.rule.window.ns / static_cast<std::int64_t>(kWindowSteps)}, kWindowSteps);
        else if (watched.rule.test == AlertTest::ReachesWithin)
            watched.history.emplace(kForecastStep, kForecastSteps);
        m_watched.push_back(std::move(watched));
    }
}

const AlertRule *AlertWatch::ruleOf(const AlertEvent &event) const
{
    for (const Watched &watched : m_watched)
        if (watched.rule.name == event.rule)
            return &watched.rule;
    return nullptr;
}

std::vector<AlertEvent> AlertWatch::evaluate(const EventBatch &batch, const ProgramTables &tables)
{
    m_inputs.add(batch, tables);
    // What is known of live memory jumps by a sampling error: growth is not told across that.
    const bool hasHeapStep = std::any_of(batch.heapModes.begin(), batch.heapModes.end(),
        [](const HeapModeChange &change) { return change.cause != HeapModeCause::Begin; });
    for (Watched &watched : m_watched)
        if (hasHeapStep && watched.history && isHeapLevel(watched.rule.source))
            watched.history->restart();
    std::vector<AlertEvent> told;
    for (Watched &watched : m_watched)
        judge(watched, compared(watched, batch.span.end), batch.span.end, told);
    return told;
}

std::optional<double> AlertWatch::compared(Watched &watched, Timestamp now) const
{
    const AlertRule &rule = watched.rule;
    if (rule.test == AlertTest::NewlyLost) {
        const auto &loss = m_inputs.newLoss();
        return loss ? std::optional(static_cast<double>(loss->bytes)) : std::nullopt;
    }
    const bool needsLimit = rule.test == AlertTest::AboveOfLimit || rule.test == AlertTest::ReachesWithin;
    const auto limited = needsLimit ? m_inputs.limited(rule.source) : std::nullopt;
    const std::optional<double> value = limited ? std::optional(limited->value) : m_inputs.value(rule.source);
    if (!value)
        return std::nullopt;
    if (watched.history)
        watched.history->add(now, *value);
    switch (rule.test) {
    case AlertTest::AboveOfLimit:
        return limited ? std::optional(100 * limited->value / limited->limit) : std::nullopt;
    case AlertTest::AboveOfCores:
        return *value / m_cores;
    case AlertTest::GrowsPercent:
    case AlertTest::GrowsBy: {
        const std::optional<double> before = watched.history->oldest();
        if (!before || (rule.test == AlertTest::GrowsPercent && *before <= 0))
            return std::nullopt;
        const double growth = watched.history->current() - *before;
        return rule.test == AlertTest::GrowsBy ? growth : 100 * growth / *before;
    }
    case AlertTest::ReachesWithin:
        return forecastNs(watched, now, limited ? std::optional(limited->limit) : std::nullopt);
    case AlertTest::Above:
    case AlertTest::Below:
    case AlertTest::NewlyLost:
        break;
    }
    return value;
}

std::optional<double> AlertWatch::forecastNs(Watched &watched, Timestamp now, std::optional<double> limit)
{
    if (!limit || now < watched.nextForecast)
        return limit ? watched.forecastValue : std::nullopt;
    watched.nextForecast = now + kForecastEach;
    watched.forecastValue.reset();
    TimeSeries series{watched.rule.source, {watched.history->points()}};
    if (series.segments.front().empty())
        return std::nullopt;
    ForecastOptions options;
    options.limit = ForecastLimit{*limit, "limit"};
    const auto result = forecast(series, options);
    if (!result || result->state != ForecastState::Forecast || !result->timeToLimit)
        return std::nullopt;
    const auto &median = result->timeToLimit->median;
    watched.forecastValue = median ? static_cast<double>(median->ns) : std::numeric_limits<double>::infinity();
    return watched.forecastValue;
}

/// The condition in words; of a scan what it found.
std::string AlertWatch::conditionNow(const AlertRule &rule) const
{
    const auto &loss = m_inputs.newLoss();
    if (rule.test != AlertTest::NewlyLost || !loss)
        return conditionText(rule);
    return fmt::format("scan {} found memory lost at {} {} that had lost none before", loss->scan, loss->stacks,
        loss->stacks == 1 ? "stack" : "stacks");
}

void AlertWatch::judge(Watched &watched, std::optional<double> value, Timestamp now, std::vector<AlertEvent> &told)
{
    const AlertRule &rule = watched.rule;
    if (!value) {
        // Nothing is known: what fired stays as it is, and a condition has to begin anew.
        watched.since.reset();
        watched.overSince.reset();
        return;
    }
    if (watched.active && rule.test == AlertTest::NewlyLost) {
        // Each scan is a finding of its own.
        watched.active->ended = now;
        tell(watched, now, told);
        watched.active.reset();
    }
    if (watched.active) {
        AlertEvent &alert = *watched.active;
        if (isBeyond(rule.test, *value, alert.worst))
            alert.worst = *value;
        if (isBeyond(rule.test, *value, clearThreshold(rule))) {
            watched.overSince.reset();
            const bool isMuchWorse = std::abs(alert.worst - watched.toldWorst) > 0.1 * std::abs(rule.threshold);
            if (isMuchWorse || (alert.worst != watched.toldWorst && now - watched.toldAt >= kTellEach))
                tell(watched, now, told);
            return;
        }
        if (!watched.overSince)
            watched.overSince = now;
        if (now - *watched.overSince < rule.holds)
            return;
        alert.ended = now;
        tell(watched, now, told);
        watched.active.reset();
        watched.since.reset();
        return;
    }
    if (!isBeyond(rule.test, *value, rule.threshold)) {
        watched.since.reset();
        return;
    }
    if (!watched.since)
        watched.since = now;
    if (now - *watched.since < rule.holds)
        return;
    watched.overSince.reset();
    watched.active = AlertEvent{.id = ++m_lastId,
        .rule = rule.name,
        .source = std::string(watchedKey(rule)),
        .condition = conditionNow(rule),
        .began = *watched.since,
        .fired = now,
        .ended = {},
        .value = *value,
        .worst = *value,
        .threshold = rule.threshold,
        .unit = valueUnit(rule)};
    tell(watched, now, told);
}

void AlertWatch::tell(Watched &watched, Timestamp now, std::vector<AlertEvent> &told)
{
    watched.toldAt = now;
    watched.toldWorst = watched.active->worst;
    told.push_back(*watched.active);
}

} // namespace model

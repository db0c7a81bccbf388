// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/soak_watch.h"

#include "model/base/format_units.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace model {

namespace {

/// Of sampled live bytes; more noise than that decides too late (see SOAK.md).
constexpr double kMostSamplingError = 0.005;
/// Until then a heap may be too small for its sampling.
constexpr std::int64_t kSettledPart = kSoakParts / 48;

std::size_t index(SoakQuantity quantity) { return static_cast<std::size_t>(quantity); }

double median(std::vector<double> &values)
{
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1)
        return *middle;
    return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// Resident memory less the anonymous one in the newest part of a segment that has both.
std::optional<double> restAtEnd(const std::vector<SoakPoint> &points, std::uint32_t segment)
{
    const SoakPoint *rss = nullptr, *anonymous = nullptr;
    for (const SoakPoint &point : points) {
        if (point.segment != segment || point.quantity == SoakQuantity::LiveHeap)
            continue;
        const SoakPoint *&newest = point.quantity == SoakQuantity::Rss ? rss : anonymous;
        if (!newest || point.part > newest->part)
            newest = &point;
    }
    if (!rss || !anonymous || rss->part != anonymous->part)
        return std::nullopt;
    return rss->value - anonymous->value;
}

} // namespace

SoakWatch::SoakWatch(SoakRecord record, SoakLeg leg, const CaptureConfig &config)
    : m_earlier(std::move(record))
    , m_leg(std::move(leg))
    , m_config(config)
    , m_trial(m_earlier)
{
    std::int64_t last = -1;
    const SoakLeg *first = firstLegOf(m_earlier.legs, m_leg.segment);
    m_goesOn = first != nullptr;
    m_restBefore = restAtEnd(m_earlier.points, m_leg.segment);
    for (const SoakPoint &point : m_earlier.points)
        if (point.segment == m_leg.segment)
            last = std::max(last, point.part);
    // A wall clock that was set back must not undo what was seen.
    m_offsetNs = std::max(first ? timeBetween(*first, m_leg).ns : 0, (last + 1) * partLength().ns);
    m_inSegment = {m_offsetNs};
    m_nextCheckNs = (m_offsetNs / std::max<std::int64_t>(plan().checkpoint.ns, 1) + 1) * plan().checkpoint.ns;
    for (const SoakExclusion &exclusion : m_earlier.exclusions)
        if (exclusion.segment == m_leg.segment)
            m_isExcluded[index(exclusion.quantity)] = true;
}

SoakRecord SoakWatch::firstRows() const
{
    SoakRecord rows = m_earlier;
    rows.end.reset();
    rows.legs.push_back(m_leg);
    return rows;
}

Duration SoakWatch::elapsed() const { return m_trial.elapsedBefore(m_leg.segment) + m_inSegment; }

void SoakWatch::exclude(SoakQuantity quantity, const std::string &reason, SoakRecord &rows)
{
    if (std::exchange(m_isExcluded[index(quantity)], true))
        return;
    rows.exclusions.push_back({m_leg.segment, quantity, reason});
    m_trial.exclude(rows.exclusions.back());
}

void SoakWatch::take(const EventBatch &batch)
{
    std::map<std::uint32_t, std::int64_t> tracer;
    for (const MetricsRow &row : batch.metrics)
        if (const auto known = m_tracerBytes.find(row.process.value); known != m_tracerBytes.end())
            tracer.insert(*known);
    for (const MemoryPartsRow &row : batch.memoryParts)
        tracer[row.process.value] = row.tracer;
    m_tracerBytes = std::move(tracer);
    double own = 0;
    for (const auto &[process, bytes] : m_tracerBytes)
        own += static_cast<double>(bytes);
    if (!batch.memoryParts.empty()) {
        double unknown = 0;
        for (const MemoryPartsRow &row : batch.memoryParts)
            unknown += static_cast<double>(row.unknown);
        m_mostUntold = own > 0 ? unknown : 0;
    }
    const auto keep = [this](SoakQuantity quantity, std::optional<double> value) {
        if (value)
            m_values[index(quantity)].push_back(*value);
    };
    const auto rss = m_inputs.value(Metric::Rss);
    keep(SoakQuantity::Rss, rss ? std::optional(std::max(*rss - own, 0.0)) : rss);
    keep(SoakQuantity::Anonymous, m_inputs.value(Metric::Anonymous));
    if (!m_isExcluded[index(SoakQuantity::LiveHeap)])
        keep(SoakQuantity::LiveHeap, m_inputs.value(HeapQuantity::LiveBytes));
}

/// No verdict on a heap that is not known whole, or not in the same way all the time.
void SoakWatch::lookAtHeap(const EventBatch &batch, const ProgramTables &tables, SoakRecord &rows)
{
    if (m_isExcluded[index(SoakQuantity::LiveHeap)])
        return;
    if (m_config.heap == HeapMode::Off)
        return exclude(SoakQuantity::LiveHeap,
            m_goesOn ? "it is not known whole since the recorder was started again." : "it is not recorded.", rows);
    if (m_config.attachPid)
        return exclude(SoakQuantity::LiveHeap, "blocks from before the recorder was attached are not known.", rows);
    for (const Loss &loss : batch.losses)
        if (loss.kind == LossKind::EventsDropped && loss.count > 0)
            return exclude(SoakQuantity::LiveHeap,
                fmt::format("events were lost after {}; blocks whose end was lost look like a leak.",
                    formatDuration(elapsed())),
                rows);
    for (const HeapTick &tick : batch.heapTicks)
        if (tick.image.index() < tables.images.size()) {
            const Image &image = tables.images[tick.image.index()];
            m_heapStates.emplace(tick.image.value, image.heap);
            const bool isUntraced = image.heap == HeapState::NotTraced || image.heap == HeapState::Dormant;
            m_wasTraced = m_wasTraced || tick.allocations > 0 || image.heap == HeapState::Full
                || image.heap == HeapState::Inherited || image.heap == HeapState::Attached;
            if (isUntraced)
                m_whyUntraced = tables.text(image.heapNote);
        }
    for (auto it = m_heapStates.begin(); it != m_heapStates.end();) {
        const Image &image = tables.images[it->first];
        if (image.end) {
            it = m_heapStates.erase(it);
            continue;
        }
        if (image.heap != it->second)
            return exclude(SoakQuantity::LiveHeap,
                fmt::format("the way in which it is recorded changed after {}.", formatDuration(elapsed())), rows);
        ++it;
    }
}

bool SoakWatch::evaluate(EventBatch &batch, const ProgramTables &tables)
{
    if (m_isOver || batch.span.isEmpty())
        return false;
    m_inputs.add(batch, tables);
    const std::int64_t end = m_offsetNs + batch.span.end.ns;
    const std::int64_t part = std::max<std::int64_t>(end - 1, 0) / std::max<std::int64_t>(partLength().ns, 1);
    bool hasLooked = false;
    if (m_part >= 0 && part != m_part)
        hasLooked = endPart(batch.soak);
    m_part = part;
    m_inSegment = {end};
    lookAtHeap(batch, tables, batch.soak);
    take(batch);
    // A part that ends with this tick is over now, not with the next one.
    if (end >= (part + 1) * partLength().ns)
        hasLooked = endPart(batch.soak) || hasLooked;
    m_isOver = elapsed() >= plan().length;
    if (end >= m_nextCheckNs || hasLooked)
        addChecks(batch.soak);
    while (m_nextCheckNs <= end)
        m_nextCheckNs += std::max<std::int64_t>(plan().checkpoint.ns, partLength().ns + 1);
    return hasLooked || m_isOver;
}

/// A tracer that outlived its recorder keeps anonymous pages that nobody tells from the program's any more: they are found by the step that they make
/// in what is neither anonymous memory nor theirs, so that both legs are measured alike. Anonymous memory, and so a leak, has no part in it.
void SoakWatch::seekSeam()
{
    std::vector<double> rss = m_values[index(SoakQuantity::Rss)];
    std::vector<double> anonymous = m_values[index(SoakQuantity::Anonymous)];
    if (!m_restBefore || !m_mostUntold || rss.empty() || anonymous.empty())
        return;
    m_untoldBytes = std::clamp(median(rss) - median(anonymous) - *m_restBefore, 0.0, *m_mostUntold);
    m_restBefore.reset();
}

bool SoakWatch::endPart(SoakRecord &rows)
{
    seekSeam();
    bool hasLooked = false;
    for (std::size_t i = 0; i < kSoakQuantityCount; ++i) {
        if (m_values[i].empty())
            continue;
        SoakPoint point{m_leg.segment, static_cast<SoakQuantity>(i), m_part, median(m_values[i]), 0};
        m_values[i].clear();
        if (point.quantity == SoakQuantity::Rss)
            point.value = std::max(point.value - m_untoldBytes, 0.0);
        point.stackGrowth = point.value > 0 ? m_stackBytes / point.value : 0;
        if (point.quantity == SoakQuantity::LiveHeap && !m_wasTraced && m_part >= kSettledPart)
            exclude(point.quantity,
                m_whyUntraced.empty() ? "it could not be traced." : "it could not be traced: " + m_whyUntraced, rows);
        if (point.quantity == SoakQuantity::LiveHeap && m_config.heap == HeapMode::Sampled && m_part >= kSettledPart) {
            const double error = std::sqrt(static_cast<double>(m_config.heapPeriodBytes) / std::max(point.value, 1.0));
            if (error > kMostSamplingError)
                exclude(point.quantity,
                    fmt::format("sampled bytes err by {:.1f} % with {} live; more than {:g} % is not judged.",
                        error * 100, formatBytes(point.value), kMostSamplingError * 100),
                    rows);
        }
        if (!m_trial.takes(point))
            continue;
        hasLooked = m_trial.add(point) || hasLooked;
        rows.points.push_back(point);
    }
    return hasLooked;
}

void SoakWatch::addChecks(SoakRecord &rows) const
{
    const SoakAnswer answer = m_trial.answer();
    if (answer.segments.empty() || answer.segments.back().id != m_leg.segment)
        return;
    for (const SoakJudgement &judgement : answer.segments.back().judgements) {
        const StabilityVerdict &verdict = judgement.verdict;
        if (judgement.isJudged && verdict.blocks > 0)
            rows.checks.push_back(
                {m_leg.segment, judgement.quantity, m_part, static_cast<std::uint8_t>(verdict.state), verdict.growth,
                    verdict.growthInterval.low, verdict.growthInterval.high, verdict.evidence, verdict.threshold});
    }
}

bool SoakWatch::isDecided() const
{
    const SoakOutcome outcome = m_trial.answer().outcome;
    const StopEarly stop = plan().stopEarly;
    return (outcome == SoakOutcome::Leaking && (stop == StopEarly::Fail || stop == StopEarly::Both))
        || (outcome == SoakOutcome::Stable && (stop == StopEarly::Pass || stop == StopEarly::Both));
}

SoakRecord SoakWatch::finish(
    const std::string &targetProblem, const std::string &loadProblem, const std::string &reason)
{
    SoakRecord rows;
    endPart(rows);
    if (m_isOver)
        m_trial.finish();
    addChecks(rows);
    SoakOutcome outcome = m_trial.answer().outcome;
    SoakEnd end{outcome, m_isOver, reason};
    // A program that a leak killed has leaked.
    if (outcome != SoakOutcome::Leaking && !targetProblem.empty())
        end.outcome = SoakOutcome::TargetFailed;
    else if (outcome != SoakOutcome::Leaking && !loadProblem.empty())
        end.outcome = SoakOutcome::LoadFailed;
    else if (outcome == SoakOutcome::Running || (outcome == SoakOutcome::Stable && !m_isOver && !isDecided()))
        end.outcome = SoakOutcome::Undecided;
    if (!targetProblem.empty() || !loadProblem.empty())
        end.reason = targetProblem + (targetProblem.empty() || loadProblem.empty() ? "" : " ") + loadProblem;
    rows.end = end;
    return rows;
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/soak_trial.h"

#include "model/base/format_units.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace model {

namespace {

constexpr double kPartsPerHour = 60;
constexpr double kHours = 48;
constexpr double kLeastGain = 4096; ///< bytes: a page
constexpr Duration kDay = Duration::fromMs(86'400'000);

std::size_t index(SoakQuantity quantity) { return static_cast<std::size_t>(quantity); }

bool passes(StabilityState state) { return state == StabilityState::Pass || state == StabilityState::ProvisionalPass; }

} // namespace

SoakTrial::SoakTrial(const SoakPlan &plan)
    : m_plan(plan)
{
}

SoakTrial::SoakTrial(const SoakRecord &record)
    : m_plan(record.plan.value_or(SoakPlan{}))
{
    // An exclusion says nothing of when it came: what is excluded is not judged, whatever came before.
    for (const SoakPoint &point : record.points)
        add(point);
    for (const SoakExclusion &exclusion : record.exclusions)
        exclude(exclusion);
    if (record.end && record.end->isWhole)
        finish();
}

SoakTrial::Segment &SoakTrial::segmentOf(std::uint32_t id)
{
    // Points come segment by segment; exclusions of a record all together, after them.
    const auto at = std::lower_bound(m_segments.begin(), m_segments.end(), id,
        [](const Segment &segment, std::uint32_t wanted) { return segment.id < wanted; });
    if (at != m_segments.end() && at->id == id)
        return *at;
    Segment segment;
    segment.id = id;
    return *m_segments.insert(at, std::move(segment));
}

Duration SoakTrial::elapsedBefore(std::uint32_t segment) const
{
    std::int64_t parts = 0;
    for (const Segment &one : m_segments)
        parts += one.id == segment ? 0 : one.lastPart + 1;
    return {m_plan.length.ns / kSoakParts * parts};
}

bool SoakTrial::takes(const SoakPoint &point) const
{
    if (point.part < 0 || point.part > kSoakParts * 4)
        return false;
    if (m_segments.empty() || point.segment > m_segments.back().id)
        return true;
    return point.segment == m_segments.back().id && point.part > m_segments.back().parts[index(point.quantity)];
}

bool SoakTrial::add(const SoakPoint &point)
{
    if (!takes(point))
        return false;
    Segment &segment = segmentOf(point.segment);
    const std::size_t which = index(point.quantity);
    std::optional<StabilityTest> &test = segment.tests[which];
    if (!test) {
        StabilityOptions options;
        options.horizonHours = kHours;
        options.mostGrowth = m_plan.mostGrowth;
        options.leastGain = kLeastGain;
        options.secondsPerHour = m_plan.length.seconds() / kHours;
        if (m_plan.period.ns > 0)
            options.periodHours = m_plan.period.seconds() / options.secondsPerHour;
        const double gone = elapsedBefore(point.segment).seconds() / options.secondsPerHour;
        if (gone > 0)
            options.lastHours = std::max(kHours - gone, 0.0);
        test.emplace(options);
    }
    if (point.part > segment.lastPart) {
        // Ticks may be longer than parts, and some may come late.
        const std::int64_t usual = soakTick(m_plan.length).ns / std::max<std::int64_t>(partLength().ns, 1) + 1;
        const std::int64_t distance = point.part - segment.lastPart;
        segment.unseenParts += distance > 3 * usual ? distance - usual : 0;
        segment.lastPart = point.part;
    }
    segment.parts[which] = point.part;
    segment.levels[which] = point.value;
    return test->add({static_cast<double>(point.part) / kPartsPerHour, point.value, point.stackGrowth});
}

void SoakTrial::exclude(const SoakExclusion &exclusion)
{
    Segment &segment = segmentOf(exclusion.segment);
    std::string &reason = segment.exclusions[index(exclusion.quantity)];
    if (reason.empty())
        reason = exclusion.reason;
}

void SoakTrial::finish()
{
    if (m_segments.empty())
        return;
    for (std::optional<StabilityTest> &test : m_segments.back().tests)
        if (test)
            test->finish();
}

SoakAnswer SoakTrial::answer() const
{
    SoakAnswer answer;
    for (const Segment &segment : m_segments) {
        const bool isMeasured = segment.lastPart >= 0;
        if (!isMeasured && &segment != &m_segments.back())
            continue; // its recorder was killed before it had seen anything
        SoakSegment said;
        said.id = segment.id;
        said.length = {partLength().ns * (segment.lastPart + 1)};
        said.unseen = {partLength().ns * segment.unseenParts};
        answer.elapsed = answer.elapsed + said.length;
        for (std::size_t i = 0; i < kSoakQuantityCount; ++i) {
            SoakJudgement &judgement = said.judgements[i];
            judgement.quantity = static_cast<SoakQuantity>(i);
            judgement.exclusion = segment.exclusions[i];
            judgement.level = segment.levels[i];
            if (segment.tests[i])
                judgement.verdict = segment.tests[i]->verdict();
            // What was proved before it was excluded stays proved.
            judgement.isJudged = segment.tests[i].has_value()
                && (judgement.exclusion.empty() || judgement.verdict.state == StabilityState::Fail);
        }
        answer.segments.push_back(std::move(said));
    }
    sayWhole(answer);
    addNotes(answer);
    return answer;
}

/// The outcome and its sentence: the fastest that fails, else the slowest to pass, else what is still open.
void SoakTrial::sayWhole(SoakAnswer &answer) const
{
    const SoakJudgement *failed = nullptr, *open = nullptr, *passed = nullptr;
    for (const SoakSegment &segment : answer.segments)
        for (const SoakJudgement &judgement : segment.judgements) {
            const StabilityState state = judgement.verdict.state;
            if (judgement.isJudged && state == StabilityState::Fail
                && (!failed || judgement.verdict.growth > failed->verdict.growth))
                failed = &judgement;
        }
    if (answer.segments.empty()) {
        answer.sentence = "Nothing is known yet.";
        return;
    }
    double expectedHours = 0;
    bool isExpected = true;
    for (const SoakJudgement &judgement : answer.segments.back().judgements) {
        const StabilityVerdict &verdict = judgement.verdict;
        if (!judgement.isJudged)
            continue;
        if (passes(verdict.state)) {
            answer.isProvisional = answer.isProvisional || verdict.state == StabilityState::ProvisionalPass;
            if (!passed || verdict.growthInterval.high > passed->verdict.growthInterval.high)
                passed = &judgement;
        } else if (verdict.state != StabilityState::Fail) {
            isExpected = isExpected && verdict.expectedHours.has_value();
            expectedHours = std::max(expectedHours, verdict.expectedHours.value_or(0));
            if (!open || verdict.growthInterval.high > open->verdict.growthInterval.high)
                open = &judgement;
        }
    }
    const SoakJudgement *most = failed ? failed : open ? open : passed;
    if (!most) {
        answer.sentence = "Nothing can be judged.";
        return;
    }
    if (failed)
        answer.outcome = SoakOutcome::Leaking;
    else if (!open)
        answer.outcome = SoakOutcome::Stable;
    if (!failed && open && isExpected)
        answer.expected = elapsedBefore(m_segments.back().id)
            + Duration{static_cast<std::int64_t>(expectedHours * 60) * partLength().ns};
    answer.sentence = fmt::format("{}: {}", soakQuantityLabel(most->quantity),
        most->verdict.sentence.empty() ? "Undecided, too early to say anything." : most->verdict.sentence);
}

void SoakTrial::addNotes(SoakAnswer &answer) const
{
    if (answer.segments.empty())
        return;
    const SoakSegment &last = answer.segments.back();
    const auto &[rss, anonymous, heap] = last.judgements;
    const bool memoryFails = (rss.isJudged && rss.verdict.state == StabilityState::Fail)
        || (anonymous.isJudged && anonymous.verdict.state == StabilityState::Fail);
    if (memoryFails && heap.isJudged && passes(heap.verdict.state))
        answer.notes.push_back(
            "The live heap does not grow: what grows is fragmentation, memory that the allocator keeps, "
            "files, or memory that the program maps itself.");
    for (const SoakSegment &segment : answer.segments) {
        if (segment.unseen.ns > 0)
            answer.notes.push_back(fmt::format("{} of segment {} were not recorded; the program ran on meanwhile.",
                formatDuration(segment.unseen), segment.id + 1));
        for (const SoakJudgement &judgement : segment.judgements)
            if (!judgement.exclusion.empty())
                answer.notes.push_back(fmt::format("{} is not judged{}: {}", soakQuantityLabel(judgement.quantity),
                    answer.segments.size() > 1 ? fmt::format(" in segment {}", segment.id + 1) : "",
                    judgement.exclusion));
    }
    if (answer.segments.size() > 1)
        answer.notes.push_back(fmt::format("The target was restarted {}: each of the {} segments is judged by itself.",
            answer.segments.size() == 2 ? "once" : fmt::format("{} times", answer.segments.size() - 1),
            answer.segments.size()));
    if (m_plan.length < kDay)
        answer.notes.push_back(fmt::format(
            "This test speaks of growth above {:g} % in {}. A leak of {:g} % in 48 h is {:.0f} times slower than that.",
            m_plan.mostGrowth * 100, formatDuration(m_plan.length), m_plan.mostGrowth * 100,
            48 * 3600 / m_plan.length.seconds()));
}

namespace {

/// Whether the points, judged now, give another answer than was given when the test ended: a version before this one may have had other rules.
bool isJudgedAnew(const SoakAnswer &answer, const SoakEnd &end)
{
    switch (end.outcome) {
    case SoakOutcome::Stable:
    case SoakOutcome::Leaking:
        return answer.outcome != end.outcome;
    case SoakOutcome::Undecided: // where it was stopped, a pass was not one yet
        return answer.outcome == SoakOutcome::Leaking || (answer.outcome == SoakOutcome::Stable && end.isWhole);
    default:
        return false;
    }
}

} // namespace

SoakAnswer soakAnswerAtEnd(SoakAnswer answer, const SoakEnd &end)
{
    // The outcome is that of the end, and so is its reason.
    if (isJudgedAnew(answer, end) && !end.sentence.empty() && !answer.segments.empty())
        answer.sentence = fmt::format("This was the reason when it ended: {} Judged anew from what is stored, it would "
                                      "be {}: {}",
            end.sentence,
            soakOutcomeKey(answer.outcome == SoakOutcome::Running ? SoakOutcome::Undecided : answer.outcome),
            answer.sentence);
    answer.outcome = end.outcome;
    if (!end.reason.empty()) {
        const bool isWhy = answer.outcome == SoakOutcome::TargetFailed || answer.outcome == SoakOutcome::LoadFailed
            || answer.outcome == SoakOutcome::Undecided;
        if (isWhy)
            answer.sentence = end.reason + " By then: " + answer.sentence;
        else
            answer.notes.insert(answer.notes.begin(), end.reason);
    }
    return answer;
}

SoakAnswer soakAnswer(const SoakRecord &record)
{
    SoakAnswer answer = SoakTrial(record).answer();
    return record.end ? soakAnswerAtEnd(std::move(answer), *record.end) : answer;
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/stability_verdict.h"
#include "model/soak_record.h"

#include <array>
#include <deque>

namespace model {

/// What a test says of one quantity in one segment.
struct SoakJudgement
{
    SoakQuantity quantity = SoakQuantity::Rss;
    bool isJudged = false; ///< it has points and was not excluded
    StabilityVerdict verdict;
    double level = 0;      ///< bytes of the newest part
    std::string exclusion; ///< why it is not judged; a sentence
};

/// A span without a restart of the target.
struct SoakSegment
{
    std::uint32_t id = 0;
    Duration length; ///< up to its newest part
    Duration unseen; ///< of it, while no recorder ran or none of the parts could be read
    std::array<SoakJudgement, kSoakQuantityCount> judgements; ///< by SoakQuantity
};

/// What a test says as a whole.
struct SoakAnswer
{
    SoakOutcome outcome = SoakOutcome::Running; ///< that the points alone give: Running while nothing is sure
    bool isProvisional = false;                 ///< stable, but before its time
    std::string sentence;                       ///< for a status line or a card
    std::vector<std::string> notes;             ///< what limits it, each a sentence
    std::vector<SoakSegment> segments;          ///< never empty once there is a point
    Duration elapsed;                           ///< of all segments
    std::optional<Duration>
        expected; ///< `elapsed` at which it will be decided if all goes on like this; none: not before the end
};

/// A stability test point by point: one StabilityTest per quantity and segment, and what they say together. Leaking as soon as one of them fails;
/// stable when all that are judged pass. A function of the points: resumed from a checkpoint it says the same. One thread.
class SoakTrial
{
public:
    explicit SoakTrial(const SoakPlan &plan);
    /// Takes a whole record in.
    explicit SoakTrial(const SoakRecord &record);

    /// Takes the next point; its segment is the newest, or a new one. Returns whether the tests looked. Points that do not ascend are left out.
    bool add(const SoakPoint &point);
    /// Whether the trial would take such a point.
    bool takes(const SoakPoint &point) const;
    void exclude(const SoakExclusion &exclusion);
    /// The whole time has passed.
    void finish();

    SoakAnswer answer() const;
    const SoakPlan &plan() const { return m_plan; }
    /// Of all segments but `segment`.
    Duration elapsedBefore(std::uint32_t segment) const;

private:
    struct Segment
    {
        std::uint32_t id = 0;
        std::int64_t lastPart = -1;
        std::int64_t unseenParts = 0;
        std::array<std::optional<StabilityTest>, kSoakQuantityCount> tests;
        std::array<std::int64_t, kSoakQuantityCount> parts{-1, -1, -1}; ///< newest of each
        std::array<double, kSoakQuantityCount> levels{};
        std::array<std::string, kSoakQuantityCount> exclusions;
    };

    Segment &segmentOf(std::uint32_t id);
    Duration partLength() const { return {m_plan.length.ns / kSoakParts}; }
    void sayWhole(SoakAnswer &answer) const;
    void addNotes(SoakAnswer &answer) const;

    SoakPlan m_plan;
    std::deque<Segment> m_segments;
};

/// The answer of a test with what is known at its end: the outcome of that, and why it ended.
SoakAnswer soakAnswerAtEnd(SoakAnswer answer, const SoakEnd &end);
/// What a record says; its outcome is the one that was written at the end, if there is one.
SoakAnswer soakAnswer(const SoakRecord &record);

} // namespace model

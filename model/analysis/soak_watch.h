// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/alert_inputs.h"
#include "model/analysis/soak_trial.h"
#include "model/capture_config.h"
#include "model/event_batch.h"

#include <array>
#include <map>
#include <vector>

namespace model {

/// Carries a stability test through a leg of a recording: makes points from its ticks, feeds the trial, and adds what is to be stored to the ticks.
/// Without a clock of its own: the ticks' times count. One thread.
class SoakWatch
{
public:
    /// `record`: the plan, and what earlier legs left; `leg` is the one that begins, with Timestamp 0 at its beganWallNs; `config` says how the
    /// heap is recorded.
    SoakWatch(SoakRecord record, SoakLeg leg, const CaptureConfig &config);

    /// What has to stand in the session before the first tick: the plan, what earlier legs left, and this leg.
    SoakRecord firstRows() const;

    /// Takes a tick in, and adds to its `soak` what is new. Returns whether the tests looked.
    bool evaluate(EventBatch &batch, const ProgramTables &tables);

    /// The greatest growth over the whole length that a single leaking stack projects, in bytes (upper bound); 0: none.
    void setStackGrowth(double bytes) { m_stackBytes = bytes; }

    /// Whether the whole time has passed.
    bool isOver() const { return m_isOver; }
    /// Whether the plan lets it end before that, because the answer is sure.
    bool isDecided() const;
    /// Ends the leg: the part that goes on, and how the test ended. `targetProblem`, `loadProblem`: sentences; empty: none. `reason`: why it ended
    /// before its time.
    SoakRecord finish(const std::string &targetProblem, const std::string &loadProblem, const std::string &reason);

    SoakAnswer answer() const { return m_trial.answer(); }
    /// Of the whole test by the last tick.
    Duration elapsed() const;
    const SoakPlan &plan() const { return m_trial.plan(); }
    const SoakLeg &leg() const { return m_leg; }

private:
    void take(const EventBatch &batch);
    void lookAtHeap(const EventBatch &batch, const ProgramTables &tables, SoakRecord &rows);
    void exclude(SoakQuantity quantity, const std::string &reason, SoakRecord &rows);
    bool endPart(SoakRecord &rows);
    void seekSeam();
    void addChecks(SoakRecord &rows) const;
    Duration partLength() const { return {plan().length.ns / kSoakParts}; }

    SoakRecord m_earlier;
    SoakLeg m_leg;
    CaptureConfig m_config;
    SoakTrial m_trial;
    AlertInputs m_inputs;
    bool m_goesOn = false;       ///< an earlier leg saw this process
    std::int64_t m_offsetNs = 0; ///< of Timestamp 0 within the segment
    std::int64_t m_part = -1;    ///< that goes on; -1: none yet
    std::int64_t m_nextCheckNs = 0;
    Duration m_inSegment;                                         ///< by the last tick
    std::array<std::vector<double>, kSoakQuantityCount> m_values; ///< of the part
    std::array<bool, kSoakQuantityCount> m_isExcluded{};
    std::map<std::uint32_t, std::int64_t> m_tracerBytes; ///< by process
    // Across a gap in the recording, see seekSeam(); bytes.
    std::optional<double> m_restBefore; ///< where the earlier leg ended; until it was compared
    std::optional<double> m_mostUntold; ///< that could be the tracer's by the last tick; none: not known yet
    double m_untoldBytes = 0;           ///< that are the tracer's, beside m_tracerBytes
    std::map<std::uint32_t, HeapState> m_heapStates; ///< of images that live
    bool m_wasTraced = false;                        ///< the heap of any image
    std::string m_whyUntraced;                       ///< of one that was not; a sentence
    double m_stackBytes = 0;
    bool m_isOver = false;
};

} // namespace model

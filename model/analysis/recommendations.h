// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/analysis/robust_trend.h"
#include "model/snapshot.h"

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// What kind of thing is gained.
enum class GainKind : std::uint8_t {
    CpuShare, ///< share of the CPU time
    Bytes,    ///< bytes no longer held
    BytesPerHour,
    AllocationShare, ///< share of the allocations
    TimeShare,       ///< share of the time of the threads that it is about, by the clock on the wall
};

/// A number that speaks for a recommendation.
struct Evidence
{
    std::string what; ///< "growth"
    double value = 0;
    std::optional<Interval> interval;
    Unit unit = Unit::Count;
    std::string text; ///< the value as it is shown: "4.1 MiB/h (3.7–4.6)"
};

/// Names the evidence of what grew in a program that ended within the selected time.
inline constexpr std::string_view kLeftAtEnd = "left when it ended";

/// Something worth changing, and why.
struct Recommendation
{
    std::string_view rule;        ///< its key, lasting: "growing_stack"; see rules/
    std::string_view label;       ///< for people: "Growing stack"
    std::string title;            ///< one sentence: "Session::attachBuffer keeps 4.1 MiB/h (3.7–4.6)"
    std::string place;            ///< function of the place, shortened; or the process
    std::string where;            ///< "session.cpp:214"; empty if unknown
    std::string module;           ///< file name of the module; empty if it is about the process
    StackId stack;                ///< invalid if it is about a function or the process
    ImageId image;                ///< invalid if it is about all
    std::optional<CostKind> cost; ///< what to sort a page by to see the evidence
    std::vector<Evidence> evidence;
    GainKind gainKind = GainKind::CpuShare;
    Interval gain;         ///< expected, 90 %: shares 0–1, bytes, bytes per hour
    double confidence = 0; ///< 0 to 1
    int effort = 1;        ///< 1 a line, 2 a local rewrite, 4 a data structure, 8 the architecture
    double score = 0; ///< lower end of the relative gain × confidence ÷ effort; the list is in descending order of it
    /// 0: says why something is done; 1: temporary blocks; 2: what kind of work it is. Deeper ones are left out where a cause is known at
    /// the place.
    int depth = 0;
    std::string advice;  ///< what to change
    std::string check;   ///< how to see that it helped
    std::string caution; ///< what could make this wrong; may be empty
    /// Of growth: so long lived what grew, and ended by itself; the memory went with it. Empty: it goes on, or was ended.
    std::optional<Duration> endedAfter;
};

/// What a recommendation is recognised by in another recording: "rule|module|place".
std::string recommendationId(const Recommendation &item);

/// How far a search for growth could see: where it finds nothing, that is all that is known.
struct GrowthLook
{
    std::int64_t tested = 0; ///< stacks that could be given an answer
    std::int64_t stacks = 0; ///< of so many
    std::string least;       ///< what grows by less is not told of: "256 KiB in 41 min"
    std::string limit;       ///< why finding nothing is no good answer yet; a clause, empty if it is one
};

/// What was found; nothing is an ordinary result.
struct Recommendations
{
    std::optional<GrowthLook> growth; ///< none: growth was not looked for
    std::vector<Recommendation> items;
    std::int64_t stacksSeen = 0; ///< heap stacks and CPU stacks that were looked at
    Duration timeSeen;
    std::vector<std::string>
        notLookedAt;      ///< rules that lacked data, as sentences: "Growth: needs 5 s of heap recording …"
    std::string sentence; ///< "3 things worth changing; looked at 5,214 stacks for 41 min."
};

/// Applies all rules to the selection. Items with less than 1 % expected gain are left out. Pure. Returns nothing when `stop` was requested.
std::optional<Recommendations> recommendations(const Snapshot &snapshot, std::stop_token stop = {});

} // namespace model

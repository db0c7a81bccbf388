// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/time_range.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// What a stability test judges; all of the recorded processes together. The numbers stand in sessions.
enum class SoakQuantity : std::uint8_t {
    Rss = 0,       ///< resident memory without the tracer's own
    Anonymous = 1, ///< memory that no file stands behind
    LiveHeap = 2,  ///< allocated and not freed, as far as every event was recorded
};
inline constexpr std::size_t kSoakQuantityCount = 3;
/// "rss", "anonymous", "live_heap".
std::string_view soakQuantityKey(SoakQuantity quantity);
/// "Resident memory", "Anonymous memory", "Live heap".
std::string_view soakQuantityLabel(SoakQuantity quantity);

/// Which sure answers end a test before its time.
enum class StopEarly : std::uint8_t { Never = 0, Pass = 1, Fail = 2, Both = 3 };

/// What was asked for.
struct SoakPlan
{
    Duration length = Duration::fromMs(48 * 3'600'000ll);
    double mostGrowth = 0.05; ///< share of the level after the warm-up that may be gained over `length`
    StopEarly stopEarly = StopEarly::Both;
    Duration checkpoint = Duration::fromMs(600'000); ///< how often what is known by then is stored as a SoakCheck
    std::int64_t beganWallNs = 0;
    Duration period; ///< of a cycle of the load; 0: none was declared
};

/// How often a test of this length is measured: its 288 blocks have two measurements each, as far as these can be 40 ms to 1 s apart.
Duration soakTick(Duration length);

/// A test is kept in 2,880 equal parts of its length: the minutes of 48 hours.
inline constexpr std::int64_t kSoakParts = 2880;

/// One run of the recorder. A later leg goes on with the segment of the one before if the same process still ran; else it begins a new one.
struct SoakLeg
{
    std::uint32_t id = 0; ///< from 0
    std::uint32_t segment = 0;
    std::int64_t beganWallNs = 0;
    std::int32_t pid = 0;         ///< of the target
    std::int64_t startTicks = 0;  ///< when it started, after boot: with `boot` and `pid` it names a process for good
    std::string boot;             ///< boot_id of the kernel
    std::string file;             ///< name of the session that holds all else of this leg; empty: this one
    std::int64_t beganBootNs = 0; ///< CLOCK_BOOTTIME then, which nobody sets and which counts sleep; 0: not known
};

/// From the begin of one leg to that of a later one: by the clock since boot, where both saw the same boot; else by the wall clock, which may have been set.
Duration timeBetween(const SoakLeg &first, const SoakLeg &later);
/// The first leg of a segment; null where there is none.
const SoakLeg *firstLegOf(const std::vector<SoakLeg> &legs, std::uint32_t segment);

/// A command that was kept running beside the target.
struct SoakLoad
{
    std::uint32_t id = 0;
    std::string command;       ///< for a shell
    std::int64_t starts = 0;   ///< over all legs
    std::int64_t failures = 0; ///< times it ended with another status than 0
    std::string trouble;       ///< how it failed last
};

/// The median of a part of the time.
struct SoakPoint
{
    std::uint32_t segment = 0;
    SoakQuantity quantity = SoakQuantity::Rss;
    std::int64_t part = 0;  ///< since the segment began; one part is SoakPlan::length / kSoakParts
    double value = 0;       ///< bytes
    double stackGrowth = 0; ///< see StabilityPoint
};

/// A quantity is not judged any more, or never was.
struct SoakExclusion
{
    std::uint32_t segment = 0;
    SoakQuantity quantity = SoakQuantity::Rss;
    std::string reason; ///< a sentence
};

/// What was known at a checkpoint. The numbers of StabilityVerdict.
struct SoakCheck
{
    std::uint32_t segment = 0;
    SoakQuantity quantity = SoakQuantity::Rss;
    std::int64_t part = 0;
    std::uint8_t state = 0; ///< StabilityState
    double growth = 0;
    double low = 0;
    double high = 0;
    double evidence = 0;
    double threshold = 0;
};

/// How a test ended.
enum class SoakOutcome : std::uint8_t {
    Running = 0, ///< or broken off without a word: it can be resumed
    Stable = 1,
    Leaking = 2,
    Undecided = 3,
    TargetFailed = 4,
    LoadFailed = 5,
};
/// "running", "stable", "leaking", "undecided", "target_failed", "load_failed".
std::string_view soakOutcomeKey(SoakOutcome outcome);

struct SoakEnd
{
    SoakOutcome outcome = SoakOutcome::Running;
    bool isWhole = false; ///< the whole time had passed
    std::string reason;   ///< why it ended before its time, as a sentence; or empty
    std::string sentence; ///< what was said, for those who read the file without this program
};

/// A stability test as a session keeps it: everything that was said is made from this (soakAnswer). In an EventBatch: what is new or changed.
struct SoakRecord
{
    std::optional<SoakPlan> plan;
    std::vector<SoakLeg> legs;     ///< ascending ids
    std::vector<SoakLoad> loads;   ///< ascending ids
    std::vector<SoakPoint> points; ///< ascending in segment and part
    std::vector<SoakExclusion> exclusions;
    std::vector<SoakCheck> checks; ///< as the points
    std::optional<SoakEnd> end;

    bool isEmpty() const
    {
        return !plan && legs.empty() && loads.empty() && points.empty() && exclusions.empty() && checks.empty() && !end;
    }
    /// Adds what came later: rows of an id that is there replace it.
    void merge(SoakRecord next);
};

} // namespace model

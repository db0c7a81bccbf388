// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/stack_text.h"
#include "model/analysis/leak_test.h"
#include "model/snapshot.h"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// How sure a finding is; the order of the report.
enum class LeakTier : std::uint8_t {
    Lost,         ///< a scan found no pointer to blocks of it any more
    Growing,      ///< cohort after cohort leaves blocks that are hardly freed any more, and the live bytes rise
    CouldBeCache, ///< the same, but a cache that fills or very long sessions would look like this too
    Idle,         ///< kept for long, but not growing
};
/// "lost", "growing", "could_be_cache", "idle".
std::string_view leakTierKey(LeakTier tier);
/// "Lost", "Growing", "Growing, could be a cache", "Kept, not growing".
std::string_view leakTierLabel(LeakTier tier);

/// A stack of a finding.
struct LeakStack
{
    StackId stack;
    LeakTest test;
    std::int64_t liveBytes = 0; ///< at the end of the last bucket
    std::int64_t liveBlocks = 0;
    double bytesPerHour = 0;
    Interval bytesPerHour95;
    Timestamp followedFrom;          ///< begin of the history
    const StackAges *ages = nullptr; ///< of Snapshot::heapAges; null: it has no history, and is known from a scan alone
    BlockSum lost;      ///< of the last scan of its image: no pointer leads to them, nor to what points to them
    BlockSum lostTwice; ///< of those, lost in an earlier scan too
    BlockSum held;      ///< `lost`, and what of other stacks only that led to
    const LeakClaim *withdrawn = nullptr; ///< of Snapshot::leakClaims: it was accused before, and that proved wrong
};

/// What the rule says of a history. `clock`: of its image.
LeakStack judgedStack(const StackAges &ages, const AgeClock &clock);

/// Suspicious stacks that would hold less than this in 24 hours are not worth a word; `liveHeapBytes`: of all that is looked at.
std::int64_t leakFloor(std::int64_t liveHeapBytes);
/// Whether a stack of which LeakTest::leaks() holds would hold that much.
bool isWorthTelling(const LeakStack &stack, std::int64_t floorBytes);

/// Others that allocate at the place of a finding.
struct LeakNeighbour
{
    StackId stack;
    std::int64_t allocations = 0;
    std::int64_t frees = 0;
    std::int64_t liveBytes = 0;
};

/// One cause: all suspicious stacks of one image that share their innermost function of the program's own code, and of which the same is
/// known: those that could be a cache are an item beside those that are sure, and none of its figures is in the other.
struct LeakItem
{
    LeakTier tier = LeakTier::Growing;
    bool isConfirmed
        = false; ///< from 72 buckets on; before that more than one healthy stack in a hundred is accused. Lost: in two scans
    std::string title;    ///< one sentence: "attachBuffer keeps 4.1 MiB/h (3.7–4.6)"
    std::string place;    ///< the function, shortened
    std::string function; ///< whole
    std::string where;    ///< "session.cpp:214"; empty if unknown
    std::string module;
    ImageId image;
    std::vector<LeakStack> stacks; ///< those with a history first, fastest first; never empty
    BlockSum lost;                 ///< of all of them
    BlockSum lostTwice;
    BlockSum held;
    std::shared_ptr<const MemoryScan> scan; ///< that found them lost; null: none did
    double bytesPerHour = 0;
    Interval bytesPerHour95;
    std::int64_t liveBytes = 0;
    std::int64_t liveBlocks = 0;
    double leakShare = 0; ///< of the blocks of mature cohorts
    Interval leakShare95;
    std::vector<std::string> evidence;     ///< sentences that can be checked, each with its numbers
    std::string caution;                   ///< what could make this wrong; may be empty
    std::vector<LeakNeighbour> neighbours; ///< other stacks through the function, most live bytes first; at most 5
    std::int64_t neighbourCount = 0;       ///< all of them
};

/// What was found; "not enough data" and nothing are ordinary results.
struct LeakReport
{
    enum class State : std::uint8_t {
        NoData,    ///< the heap was not recorded, or by a version that kept no ages
        NotEnough, ///< no history is long enough yet
        Done,
    };
    State state = State::NoData;
    std::vector<LeakItem> items;        ///< by tier, then by the lower end of the rate
    std::int64_t followed = 0;          ///< stacks with a history, of the selected processes
    std::int64_t tested = 0;            ///< of those, long and old enough for an answer
    std::int64_t tooMany = 0;           ///< stacks that were due for a history and found no room
    std::int64_t folded = 0;            ///< suspicious stacks that would not hold foldedBelow in 24 hours
    std::int64_t foldedBelow = 0;       ///< bytes
    std::int64_t claims = 0;            ///< accusations that the recorder made so far, of the selected processes
    std::vector<std::string> withdrawn; ///< places of those that it took back, since the blocks were freed later
    double expectedFalse = 0; ///< of `items` that accuse: how many are to be expected if no stack leaks at all
    std::size_t buckets = 0;  ///< of the longest history
    Duration bucket;
    std::string sentence;           ///< "2 places keep growing; 412 stacks were looked at for 41 min."
    std::vector<std::string> notes; ///< what limits the answer: sampling, losses, a short recording
};

/// Finds what leaks, from Snapshot::heapAges: of the whole recording, whatever time is selected; the selected process counts. Not for
/// growth in less time
/// than 36 buckets take. What the last scan of a process found lost is told whether it grows or not. Pure. Returns nothing when `stop` was requested.
std::optional<LeakReport> findLeaks(const Snapshot &snapshot, std::stop_token stop = {});

/// The same, found once however many answers are made from a snapshot: advice, overview, forecasts, reports and pages all take it from here. Points
/// into the snapshot. Any thread. Null when `stop` was requested.
std::shared_ptr<const LeakReport> leaksOf(const Snapshot &snapshot, const std::stop_token &stop = {});

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/recommendations.h"
#include "model/base/result.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace model {

/// Whether a gain was as large as expected.
enum class GainVerdict : std::uint8_t {
    Inside, ///< what was measured, or its interval, reaches what was expected
    Less,   ///< it lies below
    More,   ///< it lies above
};

/// What following an advice brought, by a later recording.
struct MeasuredGain
{
    double gain = 0;     ///< as Recommendation::gain
    Interval interval95; ///< both ends the gain itself where it was counted
    GainVerdict verdict = GainVerdict::Inside;
    std::string later; ///< file name of the later session

    friend bool operator==(const MeasuredGain &a, const MeasuredGain &b)
    {
        return a.gain == b.gain && a.interval95.low == b.interval95.low && a.interval95.high == b.interval95.high
            && a.verdict == b.verdict && a.later == b.later;
    }
};

/// An advice that somebody followed. Kept with the session that it was given for.
struct DoneAdvice
{
    std::string id; ///< recommendationId()
    std::int64_t doneWallNs = 0;
    std::optional<MeasuredGain> measured;

    friend bool operator==(const DoneAdvice &, const DoneAdvice &) = default;
};

/// Measures what `item`, given for `before`, brought in `later`: at its place, in the unit of its gain; of the process where it has no place. Both
/// are taken to have done the same work. CPU time, without the tracer's, and allocations as a share of all before; growth and bytes as they are. Interval: of the ratio
/// of the place's cost (model/compare). Fails where the place has no such cost before, or one of the two did not record it. Pure.
Result<MeasuredGain> measuredGain(const Recommendation &item, std::shared_ptr<const Snapshot> before,
    std::shared_ptr<const Snapshot> later, std::stop_token stop = {});

} // namespace model

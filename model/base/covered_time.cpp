// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/base/covered_time.h"

#include <algorithm>
#include <limits>

namespace model {

Duration coveredTime(std::vector<TimeRange> spans)
{
    std::sort(spans.begin(), spans.end(),
        [](const TimeRange &left, const TimeRange &right) { return left.begin < right.begin; });
    Duration covered;
    Timestamp counted{std::numeric_limits<std::int64_t>::min()}; // up to there
    for (const TimeRange &span : spans) {
        const TimeRange rest{std::max(span.begin, counted), span.end};
        if (rest.isEmpty())
            continue;
        covered = covered + rest.length();
        counted = rest.end;
    }
    return covered;
}

} // namespace model

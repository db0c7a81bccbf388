// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/most_at_once.h"

#include <algorithm>
#include <tuple>
#include <vector>

namespace model {

namespace {

struct Change
{
    std::int64_t whenNs = 0;
    bool isBegin = false; ///< at the same moment ends come first
    double value = 0;
};

} // namespace

std::optional<std::int64_t> mostAtOnce(std::span<const Stay> stays)
{
    std::vector<Change> changes;
    changes.reserve(2 * stays.size());
    for (const Stay &stay : stays)
        if (stay.beginNs < stay.endNs) {
            changes.push_back({stay.beginNs, true, stay.value});
            changes.push_back({stay.endNs, false, -stay.value});
        }
    std::sort(changes.begin(), changes.end(),
        [](const Change &a, const Change &b) { return std::tie(a.whenNs, a.isBegin) < std::tie(b.whenNs, b.isBegin); });
    std::optional<std::int64_t> moment;
    double sum = 0, greatest = 0;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        sum += changes[i].value;
        const bool isWhole = i + 1 == changes.size() || changes[i + 1].whenNs != changes[i].whenNs;
        if (changes[i].isBegin && isWhole && (!moment || sum > greatest)) {
            moment = changes[i].whenNs;
            greatest = sum;
        }
    }
    return moment;
}

} // namespace model

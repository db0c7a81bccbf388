// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/growth_stacks.h"

#include <algorithm>
#include <cmath>

namespace model {

namespace {

constexpr double kLeastCorrelation = 0.7;
constexpr double kLeastShare = 0.01;

/// The series at each moment: its last point by then.
std::vector<double> valuesAt(const TimeSeries &series, const std::vector<Timestamp> &moments)
{
    std::vector<double> values;
    double value = NAN;
    std::size_t moment = 0;
    for (const std::vector<SeriesPoint> &segment : series.segments)
        for (const SeriesPoint &point : segment) {
            for (; moment < moments.size() && moments[moment] < point.when; ++moment)
                values.push_back(std::isnan(value) ? point.value : value);
            value = point.value;
        }
    if (!std::isnan(value))
        values.resize(moments.size(), value);
    return values;
}

double correlationOf(const std::vector<double> &a, const std::vector<std::int64_t> &b)
{
    const auto n = static_cast<double>(a.size());
    double meanA = 0, meanB = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        meanA += a[i] / n;
        meanB += static_cast<double>(b[i]) / n;
    }
    double aa = 0, bb = 0, ab = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double x = a[i] - meanA, y = static_cast<double>(b[i]) - meanB;
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0;
}

} // namespace

std::vector<GrowthStack> growthStacks(const Snapshot &snapshot, const TimeSeries &series, std::size_t most)
{
    const std::vector<double> values = valuesAt(series, snapshot.growthTimes);
    std::vector<GrowthStack> found;
    if (values.size() < 8 || seriesInfo(series.source).unit != Unit::Bytes || values.back() <= values.front())
        return found;
    for (const HeapGrowth &row : snapshot.heapGrowth) {
        if (row.liveBytes.size() != values.size())
            continue;
        const std::int64_t grown = row.liveBytes.back() - row.liveBytes.front();
        const double share = static_cast<double>(grown) / (values.back() - values.front());
        const double correlation = correlationOf(values, row.liveBytes);
        if (share >= kLeastShare && correlation >= kLeastCorrelation)
            found.push_back({row.image, row.stack, grown, share, correlation});
    }
    std::stable_sort(found.begin(), found.end(),
        [](const GrowthStack &a, const GrowthStack &b) { return a.grownBytes > b.grownBytes; });
    found.resize(std::min(found.size(), most));
    return found;
}

} // namespace model

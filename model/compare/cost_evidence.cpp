// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/compare/cost_evidence.h"

#include "model/aggregate/sampling_error.h"
#include "model/compare/rate_test.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace model {

namespace {

constexpr double kZ95 = 1.959963984540054;
constexpr Interval kAnyRatio{-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};

CostEvidence evidenceOf(const HeapCost &row, CostKind kind)
{
    // Not its samples: what is recorded by bytes varies by its variance, and what was recorded in full does not at all.
    CostEvidence evidence{.cost = costOf(row, kind)};
    if (kind == CostKind::Live || kind == CostKind::Growth)
        evidence.variance = row.liveVariance;
    else if (kind == CostKind::LiveBlocks)
        evidence.variance = row.liveBlockVariance;
    else if (kind == CostKind::Allocated)
        evidence.variance = row.allocatedVariance;
    else if (kind == CostKind::Allocations)
        evidence.variance = row.allocationVariance;
    evidence.isOfTwoHeaps = kind == CostKind::Growth && row.liveBytesAtBegin != 0;
    return evidence;
}

CostEvidence evidenceOf(const CpuCost &row, CostKind kind)
{
    return {.cost = costOf(row, kind), .samples = row.samples};
}

CostEvidence evidenceOf(const ActivityCost &row, CostKind kind) { return {.cost = costOf(row, kind)}; }

template <typename Row> StackEvidence addUp(const std::vector<Row> &rows, CostKind kind)
{
    std::vector<std::uint32_t> order(rows.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(),
        [&rows](std::uint32_t a, std::uint32_t b) { return rows[a].stack < rows[b].stack; });
    StackEvidence result;
    for (std::size_t i = 0; i < order.size();) {
        const StackId stack = rows[order[i]].stack;
        CostEvidence sum;
        for (; i < order.size() && rows[order[i]].stack == stack; ++i)
            sum += evidenceOf(rows[order[i]], kind);
        if (sum.cost == 0)
            continue;
        result.stacks.push_back(stack);
        result.costs.push_back(sum);
    }
    return result;
}

void judgeAsExact(Difference &difference)
{
    difference.pValue = difference.a == difference.b ? 1 : 0;
    difference.isSignificant = difference.a != difference.b;
}

/// Of estimates with a variance: normal, ratio by the delta method on logarithms.
void judgeByVariance(
    Difference &difference, const CostEvidence &a, const CostEvidence &b, const std::array<double, 2> &works)
{
    const double varianceA = a.variance / (works[0] * works[0]);
    const double varianceB = b.variance / (works[1] * works[1]);
    const double spread = std::sqrt(varianceA + varianceB);
    difference.pValue = spread > 0     ? std::erfc(std::abs(difference.change()) / spread / std::sqrt(2.0))
        : difference.a == difference.b ? 1
                                       : 0;
    if (difference.a < 0 || difference.b < 0)
        difference.ratio95 = kAnyRatio;
    if (difference.a <= 0 || difference.b <= 0)
        return;
    const double relative
        = std::sqrt(varianceA / (difference.a * difference.a) + varianceB / (difference.b * difference.b));
    const double ratio = difference.b / difference.a;
    difference.ratio95 = {ratio * std::exp(-kZ95 * relative), ratio * std::exp(kZ95 * relative)};
}

} // namespace

CostEvidence &CostEvidence::operator+=(const CostEvidence &other)
{
    cost += other.cost;
    samples += other.samples;
    variance += other.variance;
    isOfTwoHeaps = isOfTwoHeaps || other.isOfTwoHeaps;
    return *this;
}

StackEvidence stackEvidence(const Snapshot &snapshot, CostKind kind)
{
    switch (costInfo(kind).source) {
    case CostSource::Heap:
        return addUp(snapshot.heap, kind);
    case CostSource::Cpu:
        return addUp(snapshot.cpu, kind);
    case CostSource::SystemCall:
    case CostSource::Wait:
        break;
    }
    return addUp(snapshot.activities, kind);
}

Certainty certaintyOf(const Snapshot &a, const Snapshot &b, CostKind kind)
{
    if (costInfo(kind).source == CostSource::Cpu)
        return Certainty::Estimated;
    if (costInfo(kind).source == CostSource::SystemCall || costInfo(kind).source == CostSource::Wait) {
        // Calls are what a program does; nobody knows how much times and waits vary from run to run.
        const auto isEstimated = [](const ActivityCost &row) { return row.estimated > 0; };
        const bool isExact = std::none_of(a.activities.begin(), a.activities.end(), isEstimated)
            && std::none_of(b.activities.begin(), b.activities.end(), isEstimated);
        return costInfo(kind).source == CostSource::SystemCall && kind != CostKind::SystemCallTime && isExact
            ? Certainty::Exact
            : Certainty::Unknown;
    }
    if (!isHeapSampled(a) && !isHeapSampled(b))
        return Certainty::Exact;
    const bool hasError = kind == CostKind::Growth
        || std::find(std::begin(kCostsWithError), std::end(kCostsWithError), kind) != std::end(kCostsWithError);
    return hasError ? Certainty::Estimated : Certainty::Unknown;
}

std::array<double, 2> costsPerSample(const std::array<StackEvidence, 2> &evidence, const Snapshot &a, const Snapshot &b)
{
    constexpr double kSecondNs = 1e9;
    std::array<double, 2> perSample{1, 1};
    for (const auto &[side, snapshot] : {std::pair{std::size_t{0}, &a}, {std::size_t{1}, &b}}) {
        CostEvidence sum;
        for (const CostEvidence &cost : evidence[side].costs)
            sum += cost;
        if (sum.samples > 0 && sum.cost > 0)
            perSample[side] = static_cast<double>(sum.cost) / static_cast<double>(sum.samples);
        else if (snapshot->info.config.cpuHz > 0)
            perSample[side] = kSecondNs / snapshot->info.config.cpuHz;
    }
    return perSample;
}

Difference differenceOf(const CostEvidence &a, const CostEvidence &b, const ComparedUnits &units, Certainty certainty)
{
    const std::array<double, 2> &works = units.works;
    Difference difference{.a = static_cast<double>(a.cost) / works[0],
        .b = static_cast<double>(b.cost) / works[1],
        .countA = a.cost,
        .countB = b.cost};
    const double ratio = difference.a == difference.b ? 1
        : difference.a == 0                           ? std::numeric_limits<double>::infinity()
                                                      : difference.b / difference.a;
    difference.ratio95 = {ratio, ratio};
    if (certainty == Certainty::Exact) {
        judgeAsExact(difference);
    } else if (certainty == Certainty::Estimated && a.variance + b.variance > 0) {
        judgeByVariance(difference, a, b, works);
    } else if (certainty == Certainty::Estimated && a.samples + b.samples > 0) {
        // Recordings may sample at different rates: what is compared is time, of which each sample stands for so much.
        const auto perSample = [](const CostEvidence &row, double usual) {
            return row.samples > 0 && row.cost > 0 ? static_cast<double>(row.cost) / static_cast<double>(row.samples)
                                                   : usual;
        };
        const double scale = perSample(b, units.perSample[1]) / perSample(a, units.perSample[0]);
        const RateTest test = rateTest(a.samples, works[0] * scale, b.samples, works[1]);
        difference.pValue = test.pValue;
        difference.ratio95 = test.ratio95;
    } else if (certainty == Certainty::Estimated && (a.isOfTwoHeaps || b.isOfTwoHeaps)) {
        difference.ratio95
            = kAnyRatio; // what was live at the begin may be there still, without a sample that stands for it
    } else if (certainty == Certainty::Estimated && a.cost != 0 && b.cost != 0) {
        judgeAsExact(
            difference); // of heaps that were sampled for a part of the time: all of this was recorded before or after
    }
    return difference;
}

} // namespace model

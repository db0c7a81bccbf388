// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/heap_budget.h"

#include "model/heap_mode.h"

#include <algorithm>

namespace capture {

namespace {

// What recording an event costs the target, in ns, until it has measured that: a guess on the high side. With every event most of a stack is
// known from the event before; a sample's stack is walked anew, through caches that the program has used since.
constexpr double kFullEventNs = 100;
constexpr double kSampleNs = 1000;
constexpr double kMostEventNs = 50'000;
constexpr std::uint64_t kLeastTimed = 20; ///< fewer say little

/// The debt that is too much, as a span over which the budget would pay for it.
constexpr std::int64_t kDebtSpanNs = 10'000'000'000;

/// Waits a second from which on they are no accident of a busy machine.
constexpr std::uint64_t kMostWaitsPerSecond = 100;

} // namespace

HeapBudget::HeapBudget(std::int64_t milliPercent)
    : m_milliPercent(milliPercent)
    , m_eventNs{kFullEventNs, kSampleNs}
{
}

std::int64_t HeapBudget::costNs(const HeapLoad &load)
{
    double &eventNs = m_eventNs[load.periodBytes == 0 ? 0 : 1];
    if (load.timedEvents >= kLeastTimed)
        if (const double mean = load.timedNs / static_cast<double>(load.timedEvents); mean >= 0 && mean < kMostEventNs)
            eventNs = mean;
    const auto events = static_cast<double>(std::min<std::uint64_t>(load.events, std::uint64_t{1} << 40));
    return static_cast<std::int64_t>(events * eventNs) + load.recorderNs;
}

HeapBudget::Verdict HeapBudget::judge(const HeapLoad &load)
{
    if (load.spanNs <= 0)
        return Verdict::Keep;
    const bool targetWaits = load.lost > 0
        || static_cast<double>(load.waits) * 1e9
            > static_cast<double>(kMostWaitsPerSecond) * static_cast<double>(std::max(load.spanNs, kDebtSpanNs / 10));
    const auto budgetOver = [this](std::int64_t spanNs) { return spanNs / 100'000 * m_milliPercent; };
    m_debtNs = std::max<std::int64_t>(m_debtNs + costNs(load) - budgetOver(load.spanNs), 0);
    const bool isTooExpensive = m_debtNs > budgetOver(kDebtSpanNs);
    if (!targetWaits && !isTooExpensive)
        return Verdict::Keep;
    m_debtNs = 0;
    return isTooExpensive ? Verdict::TooExpensive : Verdict::TargetWaits;
}

std::optional<std::uint64_t> nextAutoPeriod(std::uint64_t periodBytes)
{
    for (const std::int64_t period : model::kAutoPeriods)
        if (static_cast<std::uint64_t>(period) > periodBytes)
            return static_cast<std::uint64_t>(period);
    return std::nullopt;
}

} // namespace capture

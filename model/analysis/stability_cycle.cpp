// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/stability_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace model {

/// How much higher some blocks are than those whole cycles before, whatever the shape of the cycle.
struct StabilityTest::Rise
{
    double mean = 0;
    double error = 0;
    double before = 0; ///< mean of the earlier ones
};

bool StabilityTest::isCycleSeen(double startHours) const
{
    return !m_options.periodHours || m_verdict.hours - startHours + 1e-9 >= kCyclesToSee * *m_options.periodHours;
}

/// Two harmonics in the columns from `column` on, where a cycle was declared; rows hold hours in column 1. Returns the next free column.
std::size_t StabilityTest::addCycle(std::span<FitRow> rows, std::size_t column) const
{
    if (!m_options.periodHours)
        return column;
    constexpr std::size_t kHarmonics = 2;
    for (FitRow &row : rows)
        for (std::size_t i = 0; i < kHarmonics; ++i) {
            const double angle = 2 * std::numbers::pi * static_cast<double>(i + 1) * row[1] / *m_options.periodHours;
            row[column + 2 * i] = std::sin(angle);
            row[column + 2 * i + 1] = std::cos(angle);
        }
    return column + 2 * kHarmonics;
}

/// Less than that cannot be told from a trend.
void StabilityTest::waitForCycle()
{
    const double start = startHours(), needed = start + kCyclesToSee * *m_options.periodHours;
    m_verdict.startHours = start;
    m_verdict.expectedHours.reset();
    const std::string why = fmt::format(
        "{:g} cycles of {} have to be seen after the warm-up", kCyclesToSee, span(*m_options.periodHours));
    m_isOver = m_isOver || m_verdict.hours + 1e-9 >= lastHours();
    if (!m_isOver && needed <= lastHours() + 1e-9) {
        m_verdict.expectedHours = needed;
        m_verdict.sentence
            = fmt::format("Undecided after {}: {}, which is at {}.", span(m_verdict.hours), why, span(needed));
        return;
    }
    m_verdict.sentence = fmt::format("Undecided after {}: {}, and it {} too short for that.", span(m_verdict.hours),
        why, m_isOver ? "was" : "will be");
}

/// Between the middles of two blocks.
std::optional<double> StabilityTest::valueAt(double hours) const
{
    const auto after = std::lower_bound(m_blocks.begin(), m_blocks.end(), hours - 1e-9,
        [](const Block &block, double when) { return block.hours < when; });
    if (after == m_blocks.end())
        return std::nullopt;
    if (after->hours - hours < 1e-9)
        return after->value;
    if (after == m_blocks.begin() || after->hours - (after - 1)->hours > 1.5 * kBlockHours)
        return std::nullopt;
    const Block &before = *(after - 1);
    return before.value + (after->value - before.value) * (hours - before.hours) / (after->hours - before.hours);
}

/// Of the blocks of the last hours. Nothing where fewer than kLeastBlocks of them have one whole cycles before, behind the warm-up.
std::optional<StabilityTest::Rise> StabilityTest::riseOverCycles(double lastHours, std::size_t cycles) const
{
    const double distance = static_cast<double>(cycles) * *m_options.periodHours;
    std::vector<double> rises;
    Rise rise;
    for (const Block &block : from(blockAt(std::max(m_verdict.hours - lastHours, startHours() + distance))))
        if (const auto before = valueAt(block.hours - distance)) {
            rises.push_back(block.value - *before);
            rise.before += *before;
        }
    const auto n = static_cast<double>(rises.size());
    if (rises.size() < kLeastBlocks)
        return std::nullopt;
    rise.before /= n;
    for (const double value : rises)
        rise.mean += value / n;
    double squares = 0, products = 0;
    for (std::size_t i = 0; i < rises.size(); ++i) {
        const double rest = rises[i] - rise.mean;
        squares += rest * rest;
        products += i > 0 ? rest * (rises[i - 1] - rise.mean) : 0;
    }
    const double lag = squares > 0 ? products / squares : 0;
    const double rho = std::clamp(lag + (1 + 4 * std::clamp(lag, 0.0, 1.0)) / n, 0.0, 0.95);
    rise.error = std::sqrt(squares / (n - 1) / n * (1 + rho) / (1 - rho));
    return rise;
}

/// The plain rule where a cycle was declared: the end against the same time of the first cycle after the warm-up.
void StabilityTest::compareCycles()
{
    m_verdict.raised = 0;
    m_verdict.raised95 = {};
    const double end = static_cast<double>(kEndBlocks) * kBlockHours;
    const double cycles = std::floor((m_verdict.hours - end - startHours() + 1e-9) / *m_options.periodHours);
    const auto rise = cycles >= 1 ? riseOverCycles(end + 1e-9, static_cast<std::size_t>(cycles)) : std::nullopt;
    if (!rise || rise->before == 0)
        return;
    const double level = measureOf(rise->before);
    m_verdict.raised = rise->mean / level;
    m_verdict.raised95 = {(rise->mean - 1.96 * rise->error) / level, (rise->mean + 1.96 * rise->error) / level};
}

/// Whether what was gained since the cycle before projects less than the limit.
bool StabilityTest::cycleStaysBelow(double level) const
{
    const auto rise = riseOverCycles(*m_options.periodHours, 1);
    const double left = m_options.horizonHours - startHours();
    return rise && rise->mean / *m_options.periodHours * left < allowedGain(level);
}

void StabilityTest::watchCycles()
{
    const auto rise = riseOverCycles(kWatchHours, 1);
    const double limit = allowedGain(m_verdict.level) / m_options.horizonHours;
    if (rise && (rise->mean - kWatchErrors * rise->error) / *m_options.periodHours > limit)
        withdraw();
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/stability_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace model {

namespace {

/// A share in percent, with a tenth of one.
std::string tenths(double share)
{
    const std::string text = fmt::format("{:.1f}", std::abs(share) * 100);
    return (share < 0 && text != "0.0" ? "−" : "") + text;
}

} // namespace

/// The plain rule: the last blocks against the first ones after the warm-up. Its interval takes the noise within both.
void StabilityTest::compareEnds()
{
    if (m_options.periodHours)
        return compareCycles();
    const std::span<const Block> blocks = from(blockAt(startHours()));
    m_verdict.raised = 0;
    m_verdict.raised95 = {};
    if (blocks.size() < 2 * kEndBlocks)
        return;
    std::array<double, 2> means{};
    double squares = 0, products = 0;
    for (std::size_t end = 0; end < 2; ++end) {
        const std::span<const Block> part = end == 0 ? blocks.first(kEndBlocks) : blocks.last(kEndBlocks);
        for (const Block &block : part)
            means[end] += block.value / kEndBlocks;
        for (std::size_t i = 0; i < part.size(); ++i) {
            const double rest = part[i].value - means[end];
            squares += rest * rest;
            products += i > 0 ? rest * (part[i - 1].value - means[end]) : 0;
        }
    }
    if (means[0] == 0)
        return;
    const double lag = squares > 0 ? products / squares : 0;
    const double rho = std::clamp(lag + (1 + 4 * std::clamp(lag, 0.0, 1.0)) / (2 * kEndBlocks), 0.0, 0.95);
    const double error = std::sqrt(2 * squares / (2 * kEndBlocks - 2) / kEndBlocks * (1 + rho) / (1 - rho));
    const double level = measureOf(means[0]);
    m_verdict.raised = (means[1] - means[0]) / level;
    const double radius = 1.96 * error / level;
    m_verdict.raised95 = {m_verdict.raised - radius, m_verdict.raised + radius};
}

/// The change of level that explains the blocks best, where it does so clearly better than the line alone.
std::optional<StabilityTest::Step> StabilityTest::findStep(const Slope &slope) const
{
    const double start = startHours();
    const std::span<const Block> blocks = from(blockAt(start));
    if (m_options.periodHours || blocks.size() < 4 * kEndBlocks)
        return std::nullopt;
    std::vector<FitRow> rows;
    std::vector<double> values;
    for (const Block &block : blocks) {
        rows.push_back({1, block.hours - start});
        values.push_back(block.value);
    }
    std::optional<LeastSquares> best;
    std::size_t at = 0;
    for (std::size_t i = kEndBlocks; i + kEndBlocks <= blocks.size(); ++i) {
        for (std::size_t k = 0; k < rows.size(); ++k)
            rows[k][2] = k < i ? 0 : 1;
        auto fit = leastSquares(rows, 3, values);
        if (fit && (!best || fit->squares < best->squares)) {
            best = std::move(fit);
            at = i;
        }
    }
    if (!best)
        return std::nullopt;
    const auto n = static_cast<double>(blocks.size());
    const double rho = std::clamp(best->lag1 + (1 + 4 * std::clamp(best->lag1, 0.0, 1.0)) / n, 0.0, 0.95);
    const double inflation = (1 + rho) / (1 - rho);
    // Its place was searched for among n, and its height fitted.
    if (n / inflation * std::log(slope.squares / std::max(best->squares, 1e-300)) < 4 * std::log(n))
        return std::nullopt;
    const double level = measureOf(best->coefficients[0]), left = m_options.horizonHours - start;
    const double error = std::sqrt(best->squares / (n - 3) * best->inverseDiagonal[1] * inflation);
    const double growth = best->coefficients[1] * left / level, radius = 1.96 * error * left / level;
    return Step{
        blocks[at].hours - kBlockHours / 2, best->coefficients[2] / level, growth, {growth - radius, growth + radius}};
}

std::string StabilityTest::stepText(const Step &step) const
{
    return fmt::format(" beside one step of {}{:.1f} % after {}", step.height < 0 ? "−" : "+",
        std::abs(step.height) * 100, span(step.hours));
}

/// At the horizon what was measured decides.
void StabilityTest::measure(const Slope &slope)
{
    const double start = startHours(), left = m_options.horizonHours - start, level = measureOf(slope.level);
    const double radius = 1.96 * slope.error;
    m_verdict.growth = std::max(slope.slope * left / level, kAllGone);
    m_verdict.growthInterval = {std::max((slope.slope - radius) * left / level, kAllGone),
        std::max((slope.slope + radius) * left / level, kAllGone)};
    const double most = allowedGain(slope.level) / level;
    const bool isAbove = m_verdict.growthInterval.low > most || m_verdict.raised95.low > most;
    bool isBelow = m_verdict.growthInterval.high < most && m_verdict.raised <= most;
    // A line through a change of level projects more than there was.
    const std::optional<Step> step = isAbove || isBelow ? std::nullopt : findStep(slope);
    if (step && step->growth95.high < most && m_verdict.raised95.high < most) {
        isBelow = true;
        m_verdict.stepHours = step->hours;
        m_verdict.stepHeight = step->height;
        m_verdict.growth = step->growth;
        m_verdict.growthInterval = step->growth95;
    }
    m_verdict.state = isAbove ? StabilityState::Fail : isBelow ? StabilityState::Pass : StabilityState::AtTheLimit;
    m_verdict.decidedHours = m_verdict.hours;
    const std::string growth = tenths(m_verdict.growth);
    const bool shrinks = growth.starts_with("−");
    m_verdict.sentence = fmt::format("{} after {}: it {} by {} % in {} ({}{} to {}){}, and ended {:.1f} % "
                                     "{} where it was {}; {} are allowed.",
        isAbove       ? "FAIL"
            : isBelow ? "PASS"
                      : "At the limit",
        span(lastHours()), shrinks ? "shrinks" : "grows", tenths(std::abs(m_verdict.growth)),
        span(m_options.horizonHours), shrinks ? "growth of " : "", tenths(m_verdict.growthInterval.low),
        tenths(m_verdict.growthInterval.high), isBelow && step ? stepText(*step) : std::string(),
        std::abs(m_verdict.raised) * 100, m_verdict.raised < 0 ? "below" : "above",
        m_options.periodHours ? "at the same time of its first cycle" : "after its warm-up", allowedText(slope.level));
}

} // namespace model

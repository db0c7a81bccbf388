// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/stability_verdict.h"

#include "model/analysis/stability_parts.h"
#include "model/base/format_units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace model {

namespace {

constexpr double kLookHours = 0.5;
constexpr double kFirstLookHours = 2;
constexpr std::array kStarts{0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0}; ///< hours
constexpr std::array kTaus{0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0};    ///< hours, of a warm-up
constexpr double kLeastPassShare = 0.1;                                     ///< of the horizon
constexpr double kFastGrowth = 1;    ///< projected, as a share: such a leak is found later just as well
constexpr double kTold = 10;         ///< growth that is still told as a share
constexpr double kQuickGrowth = 0.2; ///< the same of a leak that may be found a little later
constexpr double kClearlyWorse
    = 12; ///< twice the log likelihood by which a filling line has to explain less than a straight one

constexpr std::array<std::string_view, 5> kStateKeys{"undecided", "provisional_pass", "pass", "fail", "at_the_limit"};

/// Evidence of an anytime-valid linear model against a slope (Lindon, Ham, Tingley, Bojinov 2022): φ is the prior's scale.
double logEvidence(double t, double nu, double phi, double sxx)
{
    const double r = phi / (phi + sxx);
    return 0.5 * std::log(r) + 0.5 * (nu + 1) * (std::log1p(t * t / nu) - std::log1p(r * t * t / nu));
}

/// Scale of the prior that is best after `hours`.
double priorScale(double hours, double alpha)
{
    const double n = hours / kBlockHours;
    const double sxx = kBlockHours * kBlockHours * n * (n * n - 1) / 12;
    return sxx / (2 * std::log(1 / alpha) + std::log(1 + 2 * std::log(1 / alpha)));
}

} // namespace

std::string_view stabilityKey(StabilityState state) { return kStateKeys.at(static_cast<std::size_t>(state)); }

StabilityTest::StabilityTest(const StabilityOptions &options)
    : m_options(options)
    , m_nextLook(kFirstLookHours)
{
    m_verdict.threshold = 1 / options.alpha;
}

bool StabilityTest::add(const StabilityPoint &point)
{
    if (m_isOver || point.hours <= m_lastHours || !std::isfinite(point.value) || !std::isfinite(point.hours)
        || point.hours > 1e5)
        return false;
    m_lastHours = point.hours;
    m_stackGrowth = point.stackGrowth;
    m_stackBytes = point.stackGrowth * point.value;
    ++m_points;
    const auto number = static_cast<std::int64_t>(point.hours / kBlockHours + 1e-9);
    if (number != m_blockNumber)
        endBlock();
    m_blockNumber = number;
    m_sum += point.value;
    ++m_inBlock;
    const double end = point.hours + 1.0 / 60;
    m_verdict.hours = end;
    if (end + 1e-9 < std::min(m_nextLook, std::max(lastHours(), kFirstLookHours)))
        return false;
    while (m_nextLook <= end + 1e-9)
        m_nextLook += kLookHours;
    // A block that is over counts at this look.
    if (end + 1e-9 >= static_cast<double>(m_blockNumber + 1) * kBlockHours)
        endBlock();
    look();
    return true;
}

/// What growth is a share of: the level, but no less than what is no growth; a page where there is nothing at all, as in a heap that is never used.
double StabilityTest::measureOf(double level) const
{
    constexpr double kPage = 4096;
    return level == 0 ? kPage : std::max(std::abs(level), m_options.leastGain);
}

/// What may be gained by the horizon.
double StabilityTest::allowedGain(double level) const
{
    return std::max(m_options.mostGrowth * measureOf(level), m_options.leastGain);
}

std::string StabilityTest::allowedText(double level) const
{
    return m_options.leastGain > m_options.mostGrowth * measureOf(level)
        ? formatBytes(m_options.leastGain)
        : fmt::format("{:g} %", m_options.mostGrowth * 100);
}

void StabilityTest::endBlock()
{
    if (m_inBlock > 0)
        m_blocks.push_back(
            {(static_cast<double>(m_blockNumber) + 0.5) * kBlockHours, m_sum / static_cast<double>(m_inBlock)});
    m_sum = 0;
    m_inBlock = 0;
}

std::size_t StabilityTest::blockAt(double hours) const
{
    const auto it
        = std::find_if(m_blocks.begin(), m_blocks.end(), [hours](const Block &block) { return block.hours >= hours; });
    return static_cast<std::size_t>(it - m_blocks.begin());
}

std::span<const StabilityTest::Block> StabilityTest::from(std::size_t first) const
{
    return std::span<const Block>(m_blocks).subspan(std::min(first, m_blocks.size()));
}

/// One candidate later than the first that shows no warm-up, unless there was none at all.
double StabilityTest::startHours() const
{
    return m_candidate == 0 ? 0 : kStarts[std::min(m_candidate + 1, kStarts.size() - 1)];
}

void StabilityTest::look()
{
    moveStart();
    if (!isCycleSeen(startHours()))
        return waitForCycle();
    const std::size_t first = blockAt(startHours());
    const std::optional<Slope> slope = slopeFrom(first);
    if (!slope)
        return;
    if (m_verdict.state == StabilityState::Undecided)
        weigh(*slope);
    else if (m_verdict.state == StabilityState::ProvisionalPass) {
        project(*slope); // the figures go on, whatever was decided
        watch();
    }
    compareEnds();
    expect(*slope);
    if (m_isOver || m_verdict.hours + 1e-9 >= lastHours()) {
        m_isOver = true;
        if (m_verdict.state != StabilityState::Fail)
            measure(*slope);
    }
}

void StabilityTest::finish()
{
    if (m_isOver)
        return;
    m_isOver = true;
    endBlock();
    look();
    if (m_verdict.state == StabilityState::Undecided && m_verdict.blocks == 0 && isCycleSeen(startHours()))
        m_verdict.sentence
            = fmt::format("Undecided: {} of growth are too few to judge.", span(std::max(m_verdict.hours, 0.0)));
}

/// A length of time in words, at the test's pace.
std::string StabilityTest::span(double hours) const
{
    if (m_options.secondsPerHour == 3600)
        return fmt::format("{:.3g} h", hours);
    return formatDuration(Duration::fromSeconds(hours * m_options.secondsPerHour));
}

/// When the evidence will be enough if slope and noise stay: it grows with the power 3/2 of the time.
void StabilityTest::expect(const Slope &slope)
{
    m_verdict.expectedHours.reset();
    if (m_verdict.state != StabilityState::Undecided)
        return;
    const double start = startHours(), seen = m_verdict.hours - start, left = m_options.horizonHours - start;
    const double limit = allowedGain(slope.level) / left;
    const double t = (slope.slope - limit) / slope.error;
    const double least = std::max({t > 0 ? kFirstLookHours : kLeastPassShare * m_options.horizonHours, start,
        kCyclesToSee * m_options.periodHours.value_or(0)});
    for (double hours = m_nextLook; hours <= lastHours() + 1e-9; hours += kLookHours) {
        const double factor = (hours - start) / seen;
        double evidence = 0;
        for (const double prior : {4.0, 16.0})
            evidence += std::exp(std::min(logEvidence(t * std::pow(factor, 1.5), slope.nu * factor,
                                              priorScale(prior, m_options.alpha), slope.sxx * std::pow(factor, 3)),
                            50.0))
                / 2;
        if (evidence < m_verdict.threshold || hours - start < least)
            continue;
        m_verdict.expectedHours = hours;
        return;
    }
}

/// The start moves forward while a line with a filling exponential explains the blocks clearly better than a line.
void StabilityTest::moveStart()
{
    if (m_verdict.state != StabilityState::Undecided || m_candidate + 1 >= kStarts.size())
        return;
    const std::span<const Block> blocks = from(blockAt(kStarts[m_candidate]));
    if (blocks.size() < kLeastBlocks || !isCycleSeen(kStarts[m_candidate]))
        return;
    std::vector<FitRow> rows(blocks.size());
    std::vector<double> values;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        rows[i] = {1, blocks[i].hours - blocks[0].hours};
        values.push_back(blocks[i].value);
    }
    const std::size_t columns = addCycle(rows, 2);
    const auto line = leastSquares(rows, columns, values);
    if (!line)
        return;
    double best = line->squares;
    for (const double tau : kTaus) {
        if (tau > rows.back()[1])
            continue;
        for (FitRow &row : rows)
            row[columns] = std::exp(-row[1] / tau);
        const auto bent = leastSquares(rows, columns + 1, values);
        if (bent && bent->coefficients[columns] < 0)
            best = std::min(best, bent->squares);
    }
    const double rho = std::clamp(line->lag1, 0.0, 0.5);
    const auto n = static_cast<double>(blocks.size());
    const double effective = n * (1 - rho) / (1 + rho);
    if (effective * std::log(line->squares / std::max(best, 1e-300)) >= 1.5 * std::log(n))
        ++m_candidate;
}

std::optional<StabilityTest::Slope> StabilityTest::slopeFrom(std::size_t first) const
{
    const std::span<const Block> blocks = from(first);
    if (blocks.size() < kLeastBlocks)
        return std::nullopt;
    const std::size_t columns = m_options.periodHours ? 6 : 2;
    const double start = startHours();
    Slope found;
    for (const std::size_t together : {1u, 2u, 4u}) {
        const std::size_t count = blocks.size() / together;
        if (count < std::max<std::size_t>(8, columns + 3))
            continue;
        std::vector<FitRow> rows(count);
        std::vector<double> values(count);
        for (std::size_t i = 0; i < count * together; ++i) {
            const double x = blocks[i].hours - start;
            FitRow &row = rows[i / together];
            row[0] = 1;
            row[1] += x / static_cast<double>(together);
            values[i / together] += blocks[i].value / static_cast<double>(together);
        }
        addCycle(rows, 2);
        const auto fit = leastSquares(rows, columns, values);
        if (!fit)
            continue;
        const auto n = static_cast<double>(count), k = static_cast<double>(columns);
        const double rho = std::clamp(fit->lag1 + (1 + 4 * std::clamp(fit->lag1, 0.0, 1.0)) / n, 0.0, 0.95);
        const double inflation = (1 + rho) / (1 - rho);
        found.error = std::max(found.error, std::sqrt(fit->squares / (n - k) * fit->inverseDiagonal[1] * inflation));
        if (together == 1) {
            found.slope = fit->coefficients[1];
            found.level = fit->coefficients[0];
            found.sxx = 1 / fit->inverseDiagonal[1];
            found.nu = std::max(std::min(n - k, n / inflation - k), 2.0);
            found.blocks = count;
            found.squares = fit->squares;
            found.lag1 = fit->lag1;
        }
    }
    const bool isNothing
        = std::all_of(blocks.begin(), blocks.end(), [](const Block &block) { return block.value == 0; });
    if (isNothing)
        found.level = 0; // a fit of nothing is nothing but rounding
    if (found.blocks == 0 || (found.level == 0 && !isNothing))
        return std::nullopt;
    found.error = std::max(found.error, 1e-12 * measureOf(found.level));
    return found;
}

double StabilityTest::project(const Slope &slope)
{
    const double left = m_options.horizonHours - startHours(), level = measureOf(slope.level);
    const double t = (slope.slope - allowedGain(slope.level) / left) / slope.error;
    double widest = 0;
    m_verdict.evidence = 0;
    for (const double hours : {4.0, 16.0}) {
        const double phi = priorScale(hours, m_options.alpha);
        m_verdict.evidence += std::exp(std::min(logEvidence(t, slope.nu, phi, slope.sxx), 50.0)) / 2;
        // The radius of one prior with half of alpha each: a valid interval, a little wide.
        const double r = phi / (phi + slope.sxx);
        const double kappa = std::pow(r * std::pow(m_options.alpha / 2, 2), 1 / (slope.nu + 1));
        const double radius = kappa > r ? slope.error * std::sqrt(slope.nu * (1 - kappa) / (kappa - r)) : INFINITY;
        widest = widest == 0 ? radius : std::min(widest, radius);
    }
    m_verdict.growth = std::max(slope.slope * left / level, kAllGone);
    m_verdict.growthInterval = {std::max((slope.slope - widest) * left / level, kAllGone),
        std::max((slope.slope + widest) * left / level, kAllGone)};
    return t;
}

void StabilityTest::weigh(const Slope &slope)
{
    const double start = startHours(), seen = m_verdict.hours - start, level = measureOf(slope.level);
    const double t = project(slope);
    m_verdict.startHours = start;
    // One of several starts is chosen by looking at the data; a warm-up that is not seen yet looks like growth, never like its absence.
    const bool isSimple = m_candidate == 0 && t < 0;
    m_verdict.threshold = (isSimple ? 1 : std::sqrt(static_cast<double>(kStarts.size()))) / m_options.alpha;
    m_verdict.level = slope.level;
    m_verdict.blocks = slope.blocks;
    m_verdict.sentence = fmt::format("Undecided after {}.", span(m_verdict.hours));
    const bool isDecided = m_verdict.evidence >= m_verdict.threshold;
    // The level itself may be beyond the limit already, whatever the slope.
    const double gained = slope.slope * seen - kWatchErrors * slope.error * seen;
    const bool isAbove = (isDecided && t > 0) || gained > allowedGain(slope.level);
    if (isAbove && seen >= std::max(kFirstLookHours, start) && !couldBeWarmup(slope)) {
        m_verdict.state = StabilityState::Fail;
        m_verdict.decidedHours = m_verdict.hours;
        // Many times a small level says less than the bytes do; and what fills up straight for so long cannot be told from a leak.
        const std::string growth = m_verdict.growth < kTold
            ? fmt::format("{:.1f} %", m_verdict.growth * 100)
            : formatBytes(m_verdict.growth * level) + " from " + formatBytes(level);
        m_verdict.sentence = fmt::format(
            "FAIL after {}: it grows by {} in {}, more than the {:g} % that are allowed.{}", span(m_verdict.hours),
            growth, span(m_options.horizonHours), m_options.mostGrowth * 100,
            m_verdict.growth < kTold ? ""
                                     : fmt::format(" If it was still filling a cache, test it for longer: filling may "
                                                   "take {} at most.",
                                         span(kLeastPassShare * m_options.horizonHours)));
    } else if (isDecided && t < 0 && seen >= std::max(kLeastPassShare * m_options.horizonHours, start)
        && halfStaysBelow(blockAt(start), slope.level)
        && (m_stackGrowth <= m_options.mostGrowth || m_stackBytes <= m_options.leastGain)) {
        m_verdict.state = StabilityState::ProvisionalPass;
        m_verdict.decidedHours = m_verdict.hours;
        m_verdict.unseenSteps = m_options.horizonHours * 3 / seen * 0.01;
        m_verdict.sentence = fmt::format("Provisional PASS after {}: steady growth above {} in {} is "
                                         "excluded at an error of {:g} %. Steps of 1 % "
                                         "that did not happen yet could still add up to {:.0f} %; a leak that starts "
                                         "later would only be seen {} or so after it starts.",
            span(m_verdict.hours), allowedText(slope.level), span(m_options.horizonHours), m_options.alpha * 50,
            m_verdict.unseenSteps * 100, span(5));
    }
}

/// Whether what grows could be a warm-up still: it is as well a line that fills up, without any growth behind it, or it grows so fast that waiting
/// costs nothing.
bool StabilityTest::couldBeWarmup(const Slope &slope) const
{
    const double start = startHours(), seen = m_verdict.hours - start;
    if (m_verdict.growth > kFastGrowth && seen < kLeastPassShare * m_options.horizonHours)
        return true;
    // Where there was a warm-up there may be more of it.
    if (m_verdict.growth <= kQuickGrowth && m_candidate == 0)
        return false;
    const std::span<const Block> blocks = from(blockAt(start));
    std::vector<FitRow> rows(blocks.size());
    std::vector<double> values;
    for (const Block &block : blocks)
        values.push_back(block.value);
    double best = INFINITY;
    for (const double tau : kTaus) {
        if (tau > seen)
            break;
        for (std::size_t i = 0; i < blocks.size(); ++i)
            rows[i] = {1, blocks[i].hours - start};
        const std::size_t columns = addCycle(rows, 2);
        for (FitRow &row : rows)
            row[1] = std::exp(-row[1] / tau);
        const auto filling = leastSquares(rows, columns, values);
        if (filling && filling->coefficients[1] < 0)
            best = std::min(best, filling->squares);
    }
    const double rho = std::clamp(slope.lag1, 0.0, 0.5);
    const double effective = static_cast<double>(slope.blocks) * (1 - rho) / (1 + rho);
    return effective * std::log(best / std::max(slope.squares, 1e-300)) < kClearlyWorse;
}

/// Whether the last half alone projects less than the limit.
bool StabilityTest::halfStaysBelow(std::size_t first, double level) const
{
    if (m_options.periodHours)
        return cycleStaysBelow(level);
    const std::span<const Block> blocks = from(first + (m_blocks.size() - first) / 2);
    std::vector<FitRow> rows;
    std::vector<double> values;
    for (const Block &block : blocks) {
        rows.push_back({1, block.hours - blocks[0].hours});
        values.push_back(block.value);
    }
    const auto fit = leastSquares(rows, 2, values);
    return fit && fit->coefficients[1] * (m_options.horizonHours - startHours()) < allowedGain(level);
}

/// After a provisional pass: the last eight hours by themselves.
void StabilityTest::watch()
{
    if (m_options.periodHours)
        return watchCycles();
    const std::span<const Block> blocks = from(blockAt(m_verdict.hours - kWatchHours));
    std::vector<FitRow> rows;
    std::vector<double> values;
    for (const Block &block : blocks) {
        rows.push_back({1, block.hours - blocks[0].hours});
        values.push_back(block.value);
    }
    const auto fit = blocks.size() >= kLeastBlocks ? leastSquares(rows, 2, values) : std::nullopt;
    if (!fit || m_verdict.hours < kWatchHours)
        return;
    const auto n = static_cast<double>(blocks.size());
    const double rho = std::clamp(fit->lag1 + 2 / n, 0.0, 0.9);
    const double error = std::sqrt(fit->squares / (n - 2) * fit->inverseDiagonal[1] * (1 + rho) / (1 - rho));
    const double limit = allowedGain(m_verdict.level) / m_options.horizonHours;
    if (fit->coefficients[1] - kWatchErrors * error > limit)
        withdraw();
}

void StabilityTest::withdraw()
{
    m_verdict.state = StabilityState::Fail;
    m_verdict.revokedHours = m_verdict.decidedHours = m_verdict.hours;
    m_verdict.sentence = fmt::format("FAIL after {}: the provisional pass is withdrawn, because it has grown by "
                                     "more than {} in {} for the last {}.",
        span(m_verdict.hours), allowedText(m_verdict.level), span(m_options.horizonHours), span(kWatchHours));
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/least_squares.h"
#include "model/analysis/robust_trend.h"
#include "model/base/units.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// What a stability test is asked. Its hours are a 48th of a test of usual length each: a test of another length is the same one at another pace.
struct StabilityOptions
{
    double horizonHours = 48;
    std::optional<double> lastHours; ///< it ends here and not at the horizon, which its growth is still projected to
    double secondsPerHour = 3600;    ///< pace; only what is said depends on it
    double mostGrowth = 0.05;        ///< share of the level after warm-up that may be gained by the horizon
    double leastGain = 0; ///< less than that, in the unit of the metric, is no growth, however small the level; 0: none
    double alpha = 0.05;  ///< of the two-sided test: a wrong answer to one side has half of it
    std::optional<double>
        periodHours; ///< a cycle of the load; nothing is decided before 1.5 of them were seen after the start
};

/// A minute of the metric: all that a checkpoint has to keep.
struct StabilityPoint
{
    double hours = 0; ///< since the test began; ascending; minutes without data are left out
    double value = 0; ///< median of the minute
    /// Greatest growth that a single leaking stack alone projects to the horizon, as a share of the level (upper bound); 0: none, or unknown.
    double stackGrowth = 0;
};

enum class StabilityState : std::uint8_t {
    Undecided,       ///< goes on
    ProvisionalPass, ///< more than the allowed growth is excluded, as long as the program goes on like this
    Pass,            ///< at the horizon: the growth's interval lies below the limit
    Fail,            ///< it grows by more than is allowed
    AtTheLimit,      ///< at the horizon: the interval holds the limit
};
/// "undecided", "provisional_pass", "pass", "fail", "at_the_limit".
std::string_view stabilityKey(StabilityState state);

/// What the last look said.
struct StabilityVerdict
{
    StabilityState state = StabilityState::Undecided;
    double hours = 0;      ///< of the newest minute
    double startHours = 0; ///< where the warm-up was taken to end
    double level = 0;      ///< there, on the line
    double growth
        = 0; ///< projected from there to the horizon, as a share of the level; at least −1, as there is no less than nothing
    Interval growthInterval; ///< anytime-valid: it holds the truth at all looks at once with 1 − alpha
    double raised = 0; ///< the last two hours against the two after the warm-up, as a share; once there are as many
    Interval raised95;
    std::optional<double> stepHours; ///< at the end: one change of level, beside which `growth` is
    double stepHeight = 0;           ///< of it, as a share
    double evidence = 0;             ///< E; the test decides from `threshold` on
    double threshold = 0;
    std::size_t blocks = 0;              ///< of ten minutes, that the line was fitted to
    std::optional<double> decidedHours;  ///< when the state was first reached that still holds
    std::optional<double> revokedHours;  ///< when a provisional pass was withdrawn
    std::optional<double> expectedHours; ///< when it will be decided if all goes on like this; none: not before the end
    double unseenSteps
        = 0; ///< share by which steps of 1 % that were not seen could still add up to (rule of three); after a pass
    std::string sentence;
};

/// The 48-hour test (ANALYSIS 8.4): block means of ten minutes, an end of warm-up that only moves forward, and an anytime-valid test of the
/// slope, looked at each half hour. A function of the points alone: fed the same ones again, in one go or after a restart, it is the same
/// to the last bit. Not for a series of another unit after a change of mode, nor across a restart of the target: begin a new one. One thread.
class StabilityTest
{
public:
    explicit StabilityTest(const StabilityOptions &options = {});

    /// Takes the next minute; returns whether that was a look. Points that do not ascend are left out.
    bool add(const StabilityPoint &point);

    /// The time is over, whenever the last minute was: what was measured decides. Later minutes count for nothing.
    void finish();

    const StabilityVerdict &verdict() const { return m_verdict; }
    std::size_t pointCount() const { return m_points; }

private:
    struct Block
    {
        double hours = 0;
        double value = 0;
    };
    struct Slope;
    struct Step;

    double measureOf(double level) const;
    double allowedGain(double level) const;
    std::string allowedText(double level) const;
    void endBlock();
    void look();
    void moveStart();
    std::optional<Slope> slopeFrom(std::size_t first) const;
    double project(const Slope &slope);
    void weigh(const Slope &slope);
    bool couldBeWarmup(const Slope &slope) const;
    void watch();
    void withdraw();
    void measure(const Slope &slope);
    std::optional<Step> findStep(const Slope &slope) const;
    std::string stepText(const Step &step) const;
    void compareEnds();
    // Where a cycle was declared (stability_cycle.cpp).
    bool isCycleSeen(double startHours) const;
    std::size_t addCycle(std::span<FitRow> rows, std::size_t column) const;
    void waitForCycle();
    std::optional<double> valueAt(double hours) const;
    struct Rise;
    std::optional<Rise> riseOverCycles(double lastHours, std::size_t cycles) const;
    void compareCycles();
    bool cycleStaysBelow(double level) const;
    void watchCycles();
    void expect(const Slope &slope);
    double lastHours() const { return m_options.lastHours.value_or(m_options.horizonHours); }
    std::string span(double hours) const;
    bool halfStaysBelow(std::size_t first, double level) const;
    double startHours() const;
    std::size_t blockAt(double hours) const;
    std::span<const Block> from(std::size_t first) const;

    StabilityOptions m_options;
    StabilityVerdict m_verdict;
    std::vector<Block> m_blocks;
    std::size_t m_points = 0;
    std::size_t m_candidate = 0; ///< index of the first start that showed no warm-up
    double m_sum = 0;            ///< of the block that goes on
    std::size_t m_inBlock = 0;
    std::int64_t m_blockNumber = 0;
    double m_lastHours = -1;
    double m_nextLook = 0;
    double m_stackGrowth = 0;
    double m_stackBytes = 0; ///< the same, not as a share
    bool m_isOver = false;
};

} // namespace model

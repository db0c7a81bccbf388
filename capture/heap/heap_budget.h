// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace capture {

/// What recording one image's heap cost over a span of time.
struct HeapLoad
{
    std::int64_t spanNs = 0;
    std::uint64_t events = 0;      ///< records that the target wrote
    std::int64_t recorderNs = 0;   ///< CPU time of the recorder that went into reading them
    std::uint64_t periodBytes = 0; ///< they were recorded with; 0: every event
    std::uint64_t waits = 0;       ///< times at which a thread of the target waited for room
    std::uint64_t lost = 0;        ///< events that found none
    std::uint64_t timedEvents = 0; ///< events of which the target measured what recording them cost it
    double timedNs = 0;            ///< and what, together; not to be believed if it is absurd
};

/// Decides when an image's heap is recorded less closely, so that recording costs no more than a share of one core. A function of what it is
/// told: no clock. It only ever steps down; and as a program's first second is not what it does all day, a moment above the budget is no
/// reason, but what was spent beyond it over time is: the debt. A debt of ten seconds' budget steps down: at twice the budget after ten
/// seconds, at twenty times after half a second. A span below the budget pays off what it leaves.
///
/// Not counted is what a call costs that is not recorded (a few ns: a countdown, a look-up): no step makes that less.
class HeapBudget
{
public:
    /// `milliPercent`: thousandths of a percent of one core.
    explicit HeapBudget(std::int64_t milliPercent);

    enum class Verdict : std::uint8_t {
        Keep,
        TooExpensive,
        TargetWaits, ///< its threads were held up by full rings, or events were lost
    };
    /// Takes note of a span, the next one in time. After a verdict other than Keep it begins anew, whether it was followed or not.
    Verdict judge(const HeapLoad &load);

    /// CPU time of target and recorder that `load` stands for, in ns: what an event costs is what was measured last of events of its kind.
    std::int64_t costNs(const HeapLoad &load);

private:
    std::int64_t m_milliPercent;
    std::array<double, 2> m_eventNs; ///< of every event; of samples
    std::int64_t m_debtNs = 0;
};

/// The period of the next step down from `periodBytes` (0: every event); empty at the last one.
std::optional<std::uint64_t> nextAutoPeriod(std::uint64_t periodBytes);

} // namespace capture

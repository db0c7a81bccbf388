// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <chrono>

namespace capture {

/// How long the recorder rests between two looks at rings that are being written: as long as it takes to fill the fullest of them by a third.
/// Each look takes a processor from who has it, and empties its caches; a ring that is half full before its look makes the program call.
/// One owning thread.
class DrainPace
{
public:
    using Rest = std::chrono::microseconds;

    static constexpr Rest kLeast{200};
    static constexpr Rest kMost{1000};
    static constexpr double kAim = 1. / 3; ///< of a ring

    /// The next rest, after a look that found `fullest` of a ring filled, at most, in [0, 1]. It gets half as long or half as long again
    /// at most: what is written comes in bursts.
    Rest after(double fullest)
    {
        const double wanted = m_restUs * std::clamp(kAim / std::max(fullest, kAim / 2), 0.5, 1.5);
        m_restUs = std::clamp(wanted, double(kLeast.count()), double(kMost.count()));
        return Rest(static_cast<Rest::rep>(m_restUs));
    }

private:
    double m_restUs = double(kLeast.count());
};

} // namespace capture

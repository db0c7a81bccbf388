// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/event_batch.h"

#include <map>
#include <tuple>

namespace model {

/// Blocks of the buckets of a history that end by `end` that are alive. `origin`: of its clock. A bucket that was merged since counts where its
/// middle is.
std::int64_t aliveBefore(const StackAges &ages, Timestamp origin, Timestamp end);

/// Accuses stacks of leaking while they are recorded, and withdraws what proves wrong: more than half of the blocks that a stack was accused of
/// keeping were freed later. So a session knows how often its own answers were false. Judges each history when it is told of, by testLeak()
/// and the cut of findLeaks() by size; keeps no history, only its accusations. Capture thread.
class LeakWatch
{
public:
    /// Looks at the histories of a tick, and adds to it what they lead to.
    void see(EventBatch &batch);

private:
    struct Accusation
    {
        LeakClaim claim;
        Timestamp oldEnd; ///< blocks born before it were old when it was made
    };
    struct ImageState
    {
        AgeClock clock;
        std::int64_t liveBytes = 0; ///< of its heap
    };

    void judge(const ImageState &image, const StackAges &ages, EventBatch &batch);
    static void follow(Accusation &accusation, const ImageState &image, const StackAges &ages, EventBatch &batch);

    std::map<std::uint32_t, ImageState> m_images;
    std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, Accusation> m_accused; ///< by image, stack, part
};

} // namespace model

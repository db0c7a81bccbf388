// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/perf_ring.h"
#include "model/base/result.h"

#include <cstddef>
#include <functional>
#include <vector>

namespace capture {

/// The rings that sampling events write to, one per CPU: mapped from the first event of the CPU, and joined by all later ones. The events are the
/// caller's, and live as long. Capture thread.
class SampleRings
{
public:
    /// Reads what is in the rings by now, before they go.
    using Empty = std::function<void()>;

    /// The smallest that samples are taken with.
    static constexpr std::size_t kLeastBytes = std::size_t{64} << 10;

    SampleRings() = default;
    SampleRings(std::vector<int> cpus, std::size_t ringBytes);

    /// Gives an event on the CPU of this index its ring. What may be locked is shared by all: where one finds no room, all become smaller.
    model::Result<void> attach(std::size_t cpuIndex, int fd, const Empty &empty);
    /// All rings anew, of `ringBytes` (a power of two of pages), for all events that had one; errno, 0 if all found room.
    int mapAgain(std::size_t ringBytes, const Empty &empty);

    bool hasOwner(std::size_t cpuIndex) const { return m_owners[cpuIndex] >= 0; }
    std::size_t ringBytes() const { return m_ringBytes; }
    std::vector<PerfRing> &rings() { return m_rings; }

private:
    struct Joined
    {
        std::size_t cpuIndex;
        int fd;
    };
    int join(const Joined &event) const;

    std::vector<int> m_cpus;
    std::size_t m_ringBytes = 0;
    std::vector<PerfRing> m_rings; ///< parallel to m_cpus
    std::vector<int> m_owners;     ///< the event each ring was mapped from, -1 while there is none
    std::vector<Joined> m_joined;  ///< all others
};

} // namespace capture

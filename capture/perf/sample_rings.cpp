// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/sample_rings.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <utility>

namespace capture {

SampleRings::SampleRings(std::vector<int> cpus, std::size_t ringBytes)
    : m_cpus(std::move(cpus))
    , m_ringBytes(ringBytes)
    , m_rings(m_cpus.size())
    , m_owners(m_cpus.size(), -1)
{
}

int SampleRings::join(const Joined &event) const
{
    return ioctl(event.fd, PERF_EVENT_IOC_SET_OUTPUT, m_owners[event.cpuIndex]) == 0 ? 0 : errno;
}

model::Result<void> SampleRings::attach(std::size_t cpuIndex, int fd, const Empty &empty)
{
    if (hasOwner(cpuIndex)) {
        if (const int error = join({cpuIndex, fd}); error != 0)
            return model::systemError(fmt::format("Joining the sample ring of CPU {}", m_cpus[cpuIndex]), error);
        m_joined.push_back({cpuIndex, fd});
        return {};
    }
    m_owners[cpuIndex] = fd;
    int error = 0;
    m_rings[cpuIndex] = PerfRing::map(fd, m_ringBytes, error);
    // More than ulimit -l and kernel.perf_event_mlock_kb grant: smaller rings lose samples sooner, and then say so.
    while ((error == EPERM || error == ENOMEM) && m_ringBytes > kLeastBytes)
        error = mapAgain(m_ringBytes / 2, empty);
    if (error != 0)
        return model::systemError(
            fmt::format("Mapping sample rings of {} KiB for {} CPUs", m_ringBytes >> 10, m_cpus.size()), error,
            "allow more with ulimit -l, or: sudo sysctl kernel.perf_event_mlock_kb=1028");
    return {};
}

int SampleRings::mapAgain(std::size_t ringBytes, const Empty &empty)
{
    empty();
    m_ringBytes = ringBytes;
    for (PerfRing &ring : m_rings)
        ring = PerfRing(); // all make room before the first is mapped
    for (std::size_t i = 0; i < m_rings.size(); ++i) {
        int error = 0;
        if (hasOwner(i))
            m_rings[i] = PerfRing::map(m_owners[i], m_ringBytes, error);
        if (error != 0)
            return error;
    }
    // With its last mapping a ring loses all that had joined it (perf_mmap_close): without another ring they would sample nothing.
    for (const Joined &event : m_joined)
        if (const int error = join(event); error != 0)
            return error;
    return 0;
}

} // namespace capture

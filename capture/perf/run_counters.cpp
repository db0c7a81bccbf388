// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/run_counters.h"

#include "capture/perf/tracepoint.h"
#include "model/base/result.h"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace capture {

RunCounters::Counter RunCounters::openCounter(
    std::int32_t pid, std::uint32_t type, std::uint64_t config, const char *what)
{
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = type;
    attributes.config = config;
    attributes.disabled = 1;
    attributes.enable_on_exec = 1;
    attributes.inherit = 1;
    attributes.exclude_kernel = type == PERF_TYPE_HARDWARE ? 1 : 0;
    attributes.exclude_hv = 1;
    const long fd = ::syscall(SYS_perf_event_open, &attributes, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
    Counter counter{PerfDescriptor(static_cast<int>(fd)), {}};
    if (fd < 0)
        counter.absent = errno == ENOENT || errno == EOPNOTSUPP
            ? fmt::format("This host does not count {}.", what)
            : fmt::format("Counting {} is not allowed here: {}.", what, model::errnoText(errno));
    return counter;
}

RunCounters::RunCounters(std::int32_t pid)
    : m_instructions(openCounter(pid, PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, "instructions"))
{
    if (const auto id = tracepointId("raw_syscalls/sys_enter"))
        m_systemCalls = openCounter(pid, PERF_TYPE_TRACEPOINT, *id, "system calls");
    else
        m_systemCalls.absent = "Counting system calls needs tracefs, which cannot be read here.";
}

RunCount RunCounters::Counter::read() const
{
    std::int64_t value = 0;
    if (descriptor.get() < 0)
        return {std::nullopt, absent};
    if (::read(descriptor.get(), &value, sizeof value) != static_cast<ssize_t>(sizeof value))
        return {std::nullopt, "The kernel's counter could not be read: " + model::errnoText(errno) + "."};
    return {value, {}};
}

} // namespace capture

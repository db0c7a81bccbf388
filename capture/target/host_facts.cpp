// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/host_facts.h"

#include "capture/file_descriptor.h"
#include "capture/perf/cpu_events.h"
#include "capture/perf/trace_events.h"
#include "capture/pidfd.h"
#include "capture/proc/cgroup.h"
#include "capture/proc/proc_reader.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>

namespace capture {

namespace {

std::optional<std::int64_t> readNumber(const std::string &path)
{
    const auto text = readProcFile(path);
    return text ? parseNumber(*text) : std::nullopt;
}

/// errno of opening a sampling event on the calling thread; 0 if it opened.
int tryEvent(std::uint32_t type, std::uint64_t config, bool withKernel)
{
    perf_event_attr attr{};
    attr.size = sizeof attr;
    attr.type = type;
    attr.config = config;
    attr.freq = 1;
    attr.sample_freq = 99;
    attr.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID;
    attr.disabled = 1;
    attr.exclude_kernel = withKernel ? 0 : 1;
    attr.exclude_hv = 1;
    const FileDescriptor event(
        static_cast<int>(::syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC)));
    return event.isOpen() ? 0 : errno;
}

void readOwnStatus(const std::string &procRoot, HostFacts &facts)
{
    const auto status = readProcFile(procRoot + "/self/status");
    if (!status)
        return;
    forEachField(*status, [&](std::string_view name, std::string_view rest) {
        if (name == "CapEff") {
            const std::size_t begin = std::min(rest.find_first_not_of(" \t"), rest.size());
            std::from_chars(rest.data() + begin, rest.data() + rest.size(), facts.effectiveCapabilities, 16);
        } else if (name == "Seccomp") {
            facts.hasSeccompFilter = parseNumber(rest).value_or(0) == 2;
        }
    });
}

/// Whether the first line of kallsyms has an address that is not all zeros.
bool showsKernelAddresses(const std::string &procRoot)
{
    const auto head = readProcFile(procRoot + "/kallsyms", 64);
    if (!head)
        return false;
    const std::string_view address = std::string_view(*head).substr(0, head->find(' '));
    return !address.empty() && address.find_first_not_of('0') != std::string_view::npos;
}

std::int64_t limitValue(rlim_t limit) { return limit == RLIM_INFINITY ? -1 : static_cast<std::int64_t>(limit); }

} // namespace

HostFacts readHostFacts(const std::string &procRoot, const std::string &cgroupRoot)
{
    HostFacts facts;
    utsname names{};
    if (::uname(&names) == 0)
        facts.kernelRelease = names.release;
    const std::string kernel = procRoot + "/sys/kernel/";
    facts.perfParanoid = readNumber(kernel + "perf_event_paranoid");
    facts.kptrRestrict = readNumber(kernel + "kptr_restrict");
    facts.perfMlockKb = readNumber(kernel + "perf_event_mlock_kb");
    facts.ptraceScope = readNumber(kernel + "yama/ptrace_scope");
    rlimit limit{};
    if (::getrlimit(RLIMIT_MEMLOCK, &limit) == 0)
        facts.lockedMemoryBytes = limitValue(limit.rlim_cur);
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
        facts.openFiles = limitValue(limit.rlim_max);
    readOwnStatus(procRoot, facts);
    facts.cpuClockErrno = tryEvent(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, false);
    facts.cyclesErrno = tryEvent(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, false);
    facts.kernelSamplesErrno = tryEvent(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, true);
    if (facts.cpuClockErrno == 0)
        facts.sampleRingBytes = static_cast<std::int64_t>(grantedRingBytes({}));
    const TraceRights rights = probeTraceRights();
    facts.callsRefused = rights.calls;
    facts.switchPlacesRefused = rights.switchPlaces;
    facts.waitsRefused = rights.waits;
    facts.kernelSymbolsReadable = showsKernelAddresses(procRoot);
    const CgroupFinder finder(procRoot, cgroupRoot);
    facts.cgroupDirectory = finder.directoryOf(::getpid());
    const auto old = finder.oldMemoryDirectoryOf(::getpid());
    facts.oldCgroupHasMemory = old && readProcFile(*old + "/memory.usage_in_bytes").has_value();
    if (facts.cgroupDirectory) {
        facts.cgroupHasMemory = readProcFile(*facts.cgroupDirectory + "/memory.current").has_value();
        facts.memoryPressureReadable = readProcFile(*facts.cgroupDirectory + "/memory.pressure").has_value();
    }
    const FileDescriptor self(openPidfd(::getpid()));
    facts.canWatchProcesses = self.isOpen();
    return facts;
}

} // namespace capture

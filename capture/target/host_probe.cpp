// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/host_probe.h"

#include "model/base/result.h"

#include <errno.h>
#include <fmt/format.h>
#include <linux/capability.h>

namespace capture {

namespace {

using model::Capability;
using model::CapabilityLevel;

constexpr const char *kAllowOwnProcesses = "sudo sysctl kernel.perf_event_paranoid=2";
constexpr const char *kAllowKernelFrames = "sudo sysctl kernel.perf_event_paranoid=1";
constexpr const char *kShowKernelSymbols = "sudo sysctl kernel.kptr_restrict=0";
constexpr const char *kAllowAttach = "sudo sysctl kernel.yama.ptrace_scope=0";
constexpr std::int64_t kMostUnprivilegedParanoid = 2; // above, Debian and Android deny unprivileged users everything
constexpr std::int64_t kWantedBufferKb = 516;         // the kernel's own default

bool has(const HostFacts &facts, unsigned capability) { return (facts.effectiveCapabilities >> capability & 1u) != 0; }

bool mayUsePerf(const HostFacts &facts) { return has(facts, CAP_PERFMON) || has(facts, CAP_SYS_ADMIN); }

Capability cpuSampling(const HostFacts &facts)
{
    Capability item{
        "cpu_sampling", "CPU sampling", CapabilityLevel::Ok, "CPU samples with user stacks can be taken.", ""};
    if (facts.cpuClockErrno == 0)
        return item;
    item.level = CapabilityLevel::Denied;
    const std::string why = model::errnoText(facts.cpuClockErrno);
    if (facts.cpuClockErrno == ENOSYS) {
        item.sentence = "This kernel has no perf events, so CPU sampling is not possible.";
        item.remedy = "boot a kernel built with CONFIG_PERF_EVENTS";
    } else if (facts.perfParanoid.value_or(0) > kMostUnprivilegedParanoid && !mayUsePerf(facts)) {
        item.sentence = fmt::format(
            "kernel.perf_event_paranoid is {}, which forbids CPU sampling to users.", *facts.perfParanoid);
        item.remedy = kAllowOwnProcesses;
    } else if (facts.hasSeccompFilter) {
        item.sentence = fmt::format("perf_event_open is refused ({}), probably by a container's seccomp filter.", why);
        item.remedy = "start the container with --cap-add PERFMON or --security-opt seccomp=unconfined";
    } else {
        item.sentence = fmt::format("perf_event_open is refused: {}.", why);
    }
    return item;
}

Capability cpuHardware(const HostFacts &facts)
{
    Capability item{"cpu_hardware", "Hardware counters", CapabilityLevel::Ok,
        "The processor's cycle counter drives CPU sampling.", ""};
    if (facts.cyclesErrno == 0)
        return item;
    if (facts.cpuClockErrno != 0) {
        item.level = CapabilityLevel::Denied;
        item.sentence = "Hardware counters cannot be used, as CPU sampling is not allowed.";
        return item;
    }
    item.level = CapabilityLevel::Limited;
    item.sentence
        = "No hardware counters here (most virtual machines have none): samples follow the kernel's CPU clock.";
    return item;
}

Capability kernelFrames(const HostFacts &facts)
{
    Capability item{
        "kernel_frames", "Kernel frames", CapabilityLevel::Ok, "Stacks go on into the kernel, with names.", ""};
    if (facts.kernelSamplesErrno != 0) {
        item.level = CapabilityLevel::Denied;
        item.sentence = facts.perfParanoid && facts.cpuClockErrno == 0
            ? fmt::format(
                "kernel.perf_event_paranoid is {}: stacks end where the kernel is entered.", *facts.perfParanoid)
            : "The kernel's part of stacks cannot be sampled.";
        item.remedy = kAllowKernelFrames;
    } else if (!facts.kernelSymbolsReadable) {
        item.level = CapabilityLevel::Limited;
        item.sentence
            = fmt::format("Kernel addresses are hidden (kernel.kptr_restrict is {}): kernel frames have no names.",
                facts.kptrRestrict ? std::to_string(*facts.kptrRestrict) : "not readable");
        item.remedy = kShowKernelSymbols;
    }
    return item;
}

/// A reason without the way out, which stands beside it.
std::string withoutRemedy(const std::string &reason)
{
    const std::size_t remedy = reason.rfind("; ");
    return remedy == std::string::npos ? reason : reason.substr(0, remedy) + '.';
}

Capability systemCalls(const HostFacts &facts)
{
    Capability item{"system_calls", "System calls", CapabilityLevel::Ok,
        "System calls can be recorded with their stacks (--syscalls).", ""};
    if (!facts.callsRefused.empty()) {
        item.level = CapabilityLevel::Denied;
        item.sentence = withoutRemedy(facts.callsRefused);
        item.remedy
            = "sudo genprof record --syscalls … -- COMMAND, or give genprof CAP_PERFMON and CAP_DAC_READ_SEARCH";
    }
    return item;
}

Capability waits(const HostFacts &facts)
{
    Capability item{
        "waits", "Waits", CapabilityLevel::Ok, "Waits can be recorded with stacks and reasons (--waits).", ""};
    if (!facts.waitsRefused.empty()) {
        item.level = CapabilityLevel::Denied;
        item.sentence = withoutRemedy(facts.waitsRefused);
        item.remedy = kAllowOwnProcesses;
    } else if (!facts.switchPlacesRefused.empty()) {
        item.level = CapabilityLevel::Limited;
        item.sentence = withoutRemedy(facts.switchPlacesRefused);
        item.remedy = kAllowKernelFrames;
    } else if (!facts.kernelSymbolsReadable) {
        item.level = CapabilityLevel::Limited;
        item.sentence = "The kernel hides its functions: what waits are for is known where --syscalls is recorded too.";
        item.remedy = kShowKernelSymbols;
    }
    return item;
}

Capability sampleBuffer(const HostFacts &facts)
{
    Capability item{"sample_buffer", "Sample buffers", CapabilityLevel::Ok, "", ""};
    if (has(facts, CAP_IPC_LOCK) || facts.perfParanoid.value_or(2) < 0) {
        item.sentence = "Buffers for CPU samples can be of any size.";
        return item;
    }
    const std::int64_t perCpuKb = facts.perfMlockKb.value_or(kWantedBufferKb);
    const std::int64_t lockedKb = facts.lockedMemoryBytes.value_or(0) / 1024;
    if (facts.lockedMemoryBytes == -1) {
        item.sentence = "Buffers for CPU samples can be of any size.";
    } else {
        item.sentence
            = fmt::format("Buffers for CPU samples can take {} KiB a CPU and {} KiB more in all.", perCpuKb, lockedKb);
        if (facts.sampleRingBytes == 0) {
            item.level = CapabilityLevel::Denied;
            item.sentence += " There is no room for them now: what else this user records has it.";
            item.remedy = fmt::format("raise ulimit -l, or sudo sysctl kernel.perf_event_mlock_kb={}", kWantedBufferKb);
            return item;
        }
        if (perCpuKb < kWantedBufferKb && lockedKb < kWantedBufferKb) {
            item.level = CapabilityLevel::Limited;
            item.sentence += " High sampling rates may lose samples; losses are counted.";
            item.remedy = fmt::format("sudo sysctl kernel.perf_event_mlock_kb={}", kWantedBufferKb);
        }
    }
    return item;
}

Capability heapTracing(const HostFacts &facts)
{
    Capability item{"heap_tracing", "Heap tracing", CapabilityLevel::Ok,
        "The heap of launched programs can be traced, if they are dynamically linked with glibc.", ""};
#if !defined(__x86_64__)
    item.level = CapabilityLevel::Denied;
    item.sentence = "Heap tracing needs an x86-64 processor.";
#endif
    static_cast<void>(facts);
    return item;
}

Capability attach(const HostFacts &facts)
{
    Capability item{"attach", "Attach", CapabilityLevel::Ok, "All your processes can be attached to.", ""};
    if (has(facts, CAP_SYS_PTRACE)) {
        item.sentence = "All processes can be attached to.";
        return item;
    }
    const std::int64_t scope = facts.ptraceScope.value_or(0);
    if (scope <= 0)
        return item;
    item.level = CapabilityLevel::Limited;
    item.sentence = fmt::format("kernel.yama.ptrace_scope is {}: CPU and metrics of running processes can be recorded, "
                                "their heap cannot.",
        scope);
    item.remedy = scope < 3 ? kAllowAttach : "restart with another kernel.yama.ptrace_scope: 3 cannot be changed back";
    return item;
}

Capability cgroupMetrics(const HostFacts &facts)
{
    Capability item{"cgroup_metrics", "Control group", CapabilityLevel::Ok,
        "Memory, its limit and its pressure are read from the control group (version 2).", ""};
    if (facts.cgroupDirectory && facts.cgroupHasMemory && facts.memoryPressureReadable)
        return item;
    item.level = CapabilityLevel::Limited;
    if (!facts.cgroupHasMemory && facts.oldCgroupHasMemory) {
        item.sentence = facts.memoryPressureReadable
            ? "Memory and its limit are read from the control group of version 1, its pressure from that of version 2."
            : "Memory and its limit are read from the control group of version 1, which tells no pressure.";
        item.remedy = "boot with systemd.unified_cgroup_hierarchy=1";
    } else if (!facts.cgroupDirectory) {
        item.sentence
            = "Control groups of version 2 are not mounted: limits come from RLIMIT_AS, pressure is not known.";
        item.remedy = "boot with systemd.unified_cgroup_hierarchy=1";
    } else if (!facts.cgroupHasMemory) {
        item.sentence
            = "The control group has no memory controller: limits come from RLIMIT_AS, pressure is not known.";
        item.remedy = "systemd-run --user --scope -p MemoryAccounting=yes COMMAND";
    } else {
        item.sentence = "The kernel does not account for memory pressure.";
        item.remedy = "boot with psi=1";
    }
    return item;
}

Capability processWatch(const HostFacts &facts)
{
    Capability item{"process_watch", "Process end", CapabilityLevel::Ok, "The end of a process is seen at once.", ""};
    if (!facts.canWatchProcesses) {
        item.level = CapabilityLevel::Denied;
        item.sentence
            = fmt::format("pidfd_open does not work here (Linux {}); nothing can be recorded.", facts.kernelRelease);
        item.remedy = "use Linux 5.3 or later, and a container whose seccomp filter allows pidfd_open";
    }
    return item;
}

} // namespace

model::Capabilities judgeHost(const HostFacts &facts)
{
    return {{processWatch(facts), heapTracing(facts), cpuSampling(facts), cpuHardware(facts), kernelFrames(facts),
        systemCalls(facts), waits(facts), sampleBuffer(facts), attach(facts), cgroupMetrics(facts)}};
}

model::Capabilities probeHost() { return judgeHost(readHostFacts()); }

} // namespace capture

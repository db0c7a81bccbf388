// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/perf_event.h"

#include "model/kernel_samples.h"

#include <asm/perf_regs.h>
#include <fmt/format.h>
#include <linux/version.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <optional>

namespace capture {

namespace {

constexpr const char *kParanoidPath = "/proc/sys/kernel/perf_event_paranoid";
constexpr const char *kMaxRatePath = "/proc/sys/kernel/perf_event_max_sample_rate";
constexpr const char *kMaxStackPath = "/proc/sys/kernel/perf_event_max_stack";

// perf_event_open's read_format bit of Linux 6.0; older headers do not have it.
constexpr std::uint64_t kFormatLost = 1U << 4;

static_assert(kCpuRegisters
    == ((1ULL << PERF_REG_X86_AX) | (1ULL << PERF_REG_X86_BX) | (1ULL << PERF_REG_X86_CX) | (1ULL << PERF_REG_X86_DX)
        | (1ULL << PERF_REG_X86_SI) | (1ULL << PERF_REG_X86_DI) | (1ULL << PERF_REG_X86_BP) | (1ULL << PERF_REG_X86_SP)
        | (1ULL << PERF_REG_X86_IP) | (0xffULL << PERF_REG_X86_R8)));

/// Some virtual machines accept a cycles event that never counts: count a bit of our own work.
bool cyclesReallyCount()
{
    perf_event_attr attributes = {};
    attributes.size = sizeof(attributes);
    attributes.type = PERF_TYPE_HARDWARE;
    attributes.config = PERF_COUNT_HW_CPU_CYCLES;
    attributes.exclude_kernel = 1;
    attributes.exclude_hv = 1;
    int error = 0;
    const PerfDescriptor event = openPerfEvent(attributes, 0, -1, error);
    if (event.get() < 0)
        return false;
    volatile unsigned work = 0;
    for (unsigned i = 0; i < 20000; ++i)
        work = work + i;
    std::uint64_t count = 0;
    return read(event.get(), &count, sizeof(count)) == static_cast<ssize_t>(sizeof(count)) && count > 1000;
}

/// The real user of a thread. Not the owner of its folder in /proc, which is root's where it must not be dumped.
std::optional<uid_t> userOf(pid_t thread)
{
    std::ifstream status(fmt::format("/proc/{}/status", thread));
    for (std::string word; status >> word;)
        if (uid_t user = 0; word == "Uid:" && status >> user)
            return user;
    return std::nullopt;
}

std::vector<int> cpusOfFile(const std::string &path)
{
    std::ifstream file(path);
    return cpusOfList(std::string((std::istreambuf_iterator<char>(file)), {}));
}

} // namespace

PerfDescriptor::~PerfDescriptor()
{
    if (m_fd >= 0)
        close(m_fd);
}

std::uint32_t stackBytesFor(std::uint32_t hz)
{
    constexpr std::uint32_t kLeast = 8192;
    constexpr std::uint32_t kMost = 32768;
    constexpr std::uint32_t kMostPerSecond = std::uint32_t{8} << 20;
    return std::clamp(kMostPerSecond / std::max(hz, 1U) / kLeast * kLeast, kLeast, kMost);
}

perf_event_attr cpuEventAttributes(const CpuEventOptions &options, const CpuEventSetup &setup, std::size_t ringBytes)
{
    perf_event_attr attributes = {};
    attributes.size = sizeof(attributes);
    const bool isClock = setup.event == CpuEvent::CpuClock;
    attributes.type = isClock ? PERF_TYPE_SOFTWARE : PERF_TYPE_HARDWARE;
    attributes.config = isClock ? std::uint64_t{PERF_COUNT_SW_CPU_CLOCK} : std::uint64_t{PERF_COUNT_HW_CPU_CYCLES};
    attributes.freq = 1;
    attributes.sample_freq = options.hz;
    if (setup.event == CpuEvent::None) {
        attributes.type = PERF_TYPE_SOFTWARE;
        attributes.config = PERF_COUNT_SW_DUMMY;
        attributes.freq = 0;
    }
    attributes.sample_type = kCpuSampleType;
    attributes.read_format = setup.hasLostCount ? kFormatLost : 0;
    attributes.sample_regs_user = kCpuRegisters;
    attributes.sample_stack_user = options.stackBytes;
    // Of the kernel's part; the user's is unwound from the copied stack.
    attributes.sample_max_stack = static_cast<std::uint16_t>(std::clamp(readKernelNumber(kMaxStackPath, 127), 1L, 64L));
    attributes.exclude_callchain_user = 1;
    attributes.exclude_kernel = setup.hasKernel ? 0 : 1;
    attributes.exclude_hv = 1;
    attributes.disabled = options.startsOnExec ? 1 : 0;
    attributes.enable_on_exec = options.startsOnExec ? 1 : 0;
    attributes.inherit = 1;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 13, 0)
    attributes.inherit_thread = !options.followsChildren && setup.hasInheritThread ? 1 : 0;
#endif
    attributes.mmap = 1;
    attributes.mmap2 = 1;
    attributes.comm = 1;
    attributes.comm_exec = 1;
    attributes.task = 1;
    attributes.sample_id_all = 1;
    attributes.use_clockid = 1;
    attributes.clockid = CLOCK_MONOTONIC;
    attributes.watermark = 1;
    attributes.wakeup_watermark = static_cast<std::uint32_t>(ringBytes / 4);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 12, 0)
    attributes.build_id = setup.hasBuildIds ? 1 : 0;
#endif
    return attributes;
}

PerfDescriptor openPerfEvent(const perf_event_attr &attributes, pid_t thread, int cpu, int &error)
{
    const long fd = syscall(SYS_perf_event_open, &attributes, thread, cpu, -1, PERF_FLAG_FD_CLOEXEC);
    error = fd < 0 ? errno : 0;
    return PerfDescriptor(static_cast<int>(fd));
}

bool weakenCpuEventSetup(CpuEventSetup &setup, int error)
{
    const bool isForbidden = error == EACCES || error == EPERM;
    if (isForbidden && setup.hasKernel) {
        setup.hasKernel = false;
        return true;
    }
    // EINVAL and E2BIG: the kernel is older than a feature; give up the newest first.
    const bool isUnknown = error == EINVAL || error == E2BIG;
    if (isUnknown && setup.hasLostCount) {
        setup.hasLostCount = false;
        return true;
    }
    if (isUnknown && setup.hasInheritThread) {
        setup.hasInheritThread = false;
        return true;
    }
    if (isUnknown && setup.hasBuildIds) {
        setup.hasBuildIds = false;
        return true;
    }
    if (!isForbidden && error != ESRCH && error != EMFILE && setup.event == CpuEvent::Cycles) {
        setup = CpuEventSetup{.event = CpuEvent::CpuClock, .hasKernel = setup.hasKernel};
        return true;
    }
    return false;
}

model::Result<CpuEventSetup> findCpuEventSetup(const CpuEventOptions &options, pid_t thread, int cpu)
{
    const long mostHz = readKernelNumber(kMaxRatePath, 100000);
    if (static_cast<long>(options.hz) > mostHz)
        return model::Error(fmt::format("CPU sampling at {} Hz: this kernel allows 1 to {} Hz; choose a lower rate, or "
                                        "raise it with: sudo sysctl kernel.perf_event_max_sample_rate={}",
            options.hz, mostHz, options.hz));
    CpuEventSetup setup;
    if (options.hz == 0)
        setup.event = CpuEvent::None;
    else if (!cyclesReallyCount())
        setup.event = CpuEvent::CpuClock;
    for (;;) {
        int error = 0;
        const PerfDescriptor event = openPerfEvent(cpuEventAttributes(options, setup, 65536), thread, cpu, error);
        if (event.get() >= 0)
            return setup;
        if (!weakenCpuEventSetup(setup, error))
            return perfOpenError(error, thread);
    }
}

const char *cpuEventName(CpuEvent event)
{
    return event == CpuEvent::Cycles ? "cycles" : event == CpuEvent::CpuClock ? "cpu-clock" : "";
}

std::string cpuEventNote(const CpuEventSetup &setup)
{
    std::string note;
    if (setup.event == CpuEvent::None)
        return note;
    if (setup.event == CpuEvent::CpuClock)
        note = "No hardware cycle counter (usual in a virtual machine), so the kernel's timer drives the samples.";
    if (!setup.hasKernel)
        note += fmt::format("{}{} (kernel.perf_event_paranoid is {}; 1 allows it).", note.empty() ? "" : " ",
            model::kKernelNotSampled, readKernelNumber(kParanoidPath, 2));
    return note;
}

model::Error perfOpenError(int error, pid_t thread)
{
    const std::string what = fmt::format("Sampling the CPU of thread {}", thread);
    switch (error) {
    case EACCES:
    case EPERM:
        if (const auto user = userOf(thread); user && *user != ::geteuid() && ::geteuid() != 0)
            return model::systemError(what, error,
                fmt::format(
                    "it belongs to another user (id {}); record as that user or as root, or with --cpu off", *user));
        return model::systemError(what, error,
            fmt::format("kernel.perf_event_paranoid is {}; allow it with: sudo sysctl kernel.perf_event_paranoid=1 "
                        "(in a container also CAP_PERFMON), or record with --cpu off",
                readKernelNumber(kParanoidPath, 2)));
    case EMFILE:
    case ENFILE:
        return model::systemError(what, error, "raise the limit of open files (ulimit -n), or attach to fewer threads");
    case ENOSYS:
        return model::systemError(what, error, "this kernel is built without perf events; record with --cpu off");
    case ESRCH:
        return model::systemError(what, error, "the thread ended");
    default:
        return model::systemError(what, error, "record with --cpu off");
    }
}

long readKernelNumber(const char *path, long fallback)
{
    std::ifstream file(path);
    long value = fallback;
    return file >> value ? value : fallback;
}

std::vector<int> cpusOfList(std::string_view list)
{
    constexpr int kMost = 1 << 16;
    std::vector<int> cpus;
    const char *at = list.data();
    const char *const end = at + list.size();
    while (at < end) {
        int first = 0;
        auto parsed = std::from_chars(at, end, first);
        if (parsed.ec != std::errc())
            break;
        int last = first;
        if (parsed.ptr < end && *parsed.ptr == '-')
            parsed = std::from_chars(parsed.ptr + 1, end, last);
        for (int cpu = first; cpu <= std::min(last, kMost); ++cpu)
            cpus.push_back(cpu);
        at = parsed.ptr + 1;
    }
    return cpus;
}

std::vector<int> onlineCpus(const std::string &folder)
{
    std::vector<int> cpus = cpusOfFile(folder + "/online");
    if (cpus.empty()) {
        for (int cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); ++cpu)
            cpus.push_back(cpu);
    }
    return cpus;
}

std::vector<int> presentCpus(const std::string &folder)
{
    const std::vector<int> online = onlineCpus(folder), present = cpusOfFile(folder + "/present");
    std::vector<int> cpus;
    std::set_union(online.begin(), online.end(), present.begin(), present.end(), std::back_inserter(cpus));
    return cpus;
}

} // namespace capture

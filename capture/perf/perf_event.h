// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"

#include <linux/perf_event.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace capture {

/// A file descriptor that closes itself. Moves, never copies.
class PerfDescriptor
{
public:
    PerfDescriptor() = default;
    explicit PerfDescriptor(int fd)
        : m_fd(fd)
    {
    }
    PerfDescriptor(PerfDescriptor &&other) noexcept
        : m_fd(std::exchange(other.m_fd, -1))
    {
    }
    PerfDescriptor &operator=(PerfDescriptor &&other) noexcept
    {
        std::swap(m_fd, other.m_fd);
        return *this;
    }
    ~PerfDescriptor();
    int get() const { return m_fd; }

private:
    int m_fd = -1;
};

/// What drives the samples.
enum class CpuEvent : std::uint8_t {
    Cycles,   ///< hardware cycles; missing in most virtual machines
    CpuClock, ///< the kernel's high-resolution timer
    None,     ///< no samples: only what starts, ends and is mapped is told
};

/// The samples that are asked for; how much of it the machine grants is found out by opening.
struct CpuEventOptions
{
    std::uint32_t hz = 199; ///< samples per second and CPU; 0: none
    std::uint32_t stackBytes
        = 8192;                  ///< user stack copied per sample: a multiple of 8 up to 65,528; see stackBytesFor()
    bool startsOnExec = false;   ///< enabled by the target's exec rather than at once
    bool followsChildren = true; ///< else only threads inherit (Linux 5.13; before, children are sampled and left out)
};

/// As much of the stack as 8 MiB per second and CPU allow, within 8 and 32 KiB. Measured at 199 Hz: 8 KiB cut all stacks of sqlite3's
/// shell and 6.2 % of g++ -O2's, 32 KiB none and 0.7 %, at the same cost; the rings grow with it, to 2 MiB per CPU.
std::uint32_t stackBytesFor(std::uint32_t hz);

/// What the samples are taken with.
struct CpuEventSetup
{
    CpuEvent event = CpuEvent::Cycles;
    bool hasKernel = true;        ///< samples in the kernel are delivered, with its call chain
    bool hasBuildIds = true;      ///< mappings carry the file's build-id (Linux 5.12)
    bool hasLostCount = true;     ///< reading an event gives what it lost (Linux 6.0)
    bool hasInheritThread = true; ///< events can be inherited by threads alone (Linux 5.13)
};

/// The attributes of a sampling event. Records of it are laid out as `kCpuSampleType` and `kCpuRegisters` say, with
/// CLOCK_MONOTONIC times and `sample_id_all`.
perf_event_attr cpuEventAttributes(const CpuEventOptions &options, const CpuEventSetup &setup, std::size_t ringBytes);

inline constexpr std::uint64_t kCpuSampleType = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU
    | PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
/// All general registers and the pc, by the kernel's numbers (asm/perf_regs.h).
inline constexpr std::uint64_t kCpuRegisters = 0xff01ff;

/// perf_event_open for one thread on one CPU. `error` gets errno.
PerfDescriptor openPerfEvent(const perf_event_attr &attributes, pid_t thread, int cpu, int &error);

/// The best setup that this machine grants for `thread` on `cpu`, found by opening and closing: cycles before the
/// clock, with the kernel before without. The error says which setting forbids it and the command that would allow it.
model::Result<CpuEventSetup> findCpuEventSetup(const CpuEventOptions &options, pid_t thread, int cpu);
/// The next lesser setup after `setup` failed with `error` on some CPU; false where there is none.
bool weakenCpuEventSetup(CpuEventSetup &setup, int error);

/// "cycles", "cpu-clock", or empty for none.
const char *cpuEventName(CpuEvent event);
/// What `setup` does without, as a sentence; empty where nothing is missing.
std::string cpuEventNote(const CpuEventSetup &setup);
/// Why perf_event_open failed with `error`, with the way out.
model::Error perfOpenError(int error, pid_t thread);

/// An integer of /proc or /sys; `fallback` where it cannot be read.
long readKernelNumber(const char *path, long fallback);
/// The CPUs of a list as the kernel writes it ("0-3,8"), ascending.
std::vector<int> cpusOfList(std::string_view list);
/// The CPUs that are online, ascending. `folder`: as the kernel's of this name.
std::vector<int> onlineCpus(const std::string &folder = "/sys/devices/system/cpu");
/// Those and the ones that are there and may go online, ascending: a thread's events are opened for them too.
std::vector<int> presentCpus(const std::string &folder = "/sys/devices/system/cpu");

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace capture {

/// What was found out about this machine and this process, before any judgement. An absent value could not be read.
struct HostFacts
{
    std::string kernelRelease;
    std::optional<std::int64_t> perfParanoid;      ///< kernel.perf_event_paranoid
    std::optional<std::int64_t> kptrRestrict;      ///< kernel.kptr_restrict
    std::optional<std::int64_t> ptraceScope;       ///< kernel.yama.ptrace_scope; absent without Yama
    std::optional<std::int64_t> perfMlockKb;       ///< kernel.perf_event_mlock_kb, per CPU and user
    std::optional<std::int64_t> sampleRingBytes;   ///< what the sample rings of all CPUs can have now; 0 none
    std::optional<std::int64_t> lockedMemoryBytes; ///< RLIMIT_MEMLOCK; −1 without limit
    std::optional<std::int64_t> openFiles;         ///< hard RLIMIT_NOFILE
    std::uint64_t effectiveCapabilities = 0;       ///< bits of capabilities(7)
    bool hasSeccompFilter = false;
    int cpuClockErrno = 0;                      ///< of opening a cpu-clock event on ourselves; 0: opened
    int cyclesErrno = 0;                        ///< the same for the hardware's cycle counter
    int kernelSamplesErrno = 0;                 ///< the same for cpu-clock with the kernel's own frames
    std::string callsRefused;                   ///< why system calls cannot be recorded; empty: they can
    std::string switchPlacesRefused;            ///< why waits have no stacks
    std::string waitsRefused;                   ///< why waits cannot be recorded at all
    bool kernelSymbolsReadable = false;         ///< /proc/kallsyms shows addresses
    std::optional<std::string> cgroupDirectory; ///< of our own group in cgroup v2; absent: not mounted
    bool oldCgroupHasMemory = false;            ///< our group of version 1 accounts for memory
    bool cgroupHasMemory = false;               ///< that group has memory.current
    bool memoryPressureReadable = false;
    bool canWatchProcesses = false; ///< pidfd_open works
};

/// Finds out. Opens and closes a few perf events on the calling thread; everything else is read from below `procRoot` and
/// `cgroupRoot`.
HostFacts readHostFacts(const std::string &procRoot = "/proc", const std::string &cgroupRoot = "/sys/fs/cgroup");

} // namespace capture

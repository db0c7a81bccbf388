// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/proc/process_sampler.h"
#include "capture/proc/resident_parts.h"
#include "model/event_batch.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace capture {

/// Counters of a process that only grow; rates are made of their differences.
struct ProcessTotals
{
    std::int64_t userTicks = 0;
    std::int64_t systemTicks = 0;
    std::int64_t minorFaults = 0;
    std::int64_t majorFaults = 0;
    std::int64_t voluntarySwitches = 0; ///< summed over threads, those that ended since included as last seen
    std::int64_t involuntarySwitches = 0;
    std::int64_t readBytes = 0;
    std::int64_t writtenBytes = 0;
    std::int64_t readCalls = 0;
    std::int64_t writeCalls = 0;
};

/// What tells a program image from the one before an exec: the addresses it got, and that an exec has been.
struct ImageMark
{
    bool isFork = false; ///< no exec since the fork
    std::int64_t startCode = 0;
    std::int64_t startStack = 0;
    friend bool operator==(ImageMark, ImageMark) = default;

    /// Whether the kernel showed the addresses at all.
    bool isKnown() const { return startStack > 1; }
    /// False in the middle of an exec, when the addresses are being set: 0 stands for none, 1 for hidden ones.
    bool isComplete() const { return startCode != 0; }
};

inline ImageMark imageMark(const ProcStat &stat) { return {stat.isFork, stat.startCode, stat.startStack}; }

/// What the ProcInstrument keeps about one process.
struct TrackedProcess
{
    ProcessSampler sampler;
    FileDescriptor pidfd; ///< not open when there are too many processes
    model::ProcessId id;
    std::int64_t startTicks = 0;
    ImageMark image;
    ProcessTotals totals;            ///< as last read
    ProcessTotals atTick;            ///< as they were at the last tick
    model::MetricValues levels;      ///< as last read within this tick
    std::int64_t mostResident = 0;   ///< ever, as last read; what it had before the recording was in no tick
    std::int64_t endedVoluntary = 0; ///< switches of threads that ended
    std::int64_t endedInvoluntary = 0;
    std::int64_t foundNs = 0; ///< of the clock
    bool isNew = true;        ///< for as long as a tick since it was found: it may end before one does
    bool hasIo = false;
    bool hasSwitches = false;
    bool hasReportedIo = false; ///< that it cannot be read
    int unspokenReads = 0;      ///< so many times by now the first thread had ended, and no other told of the memory
    bool hasReportedMemory = false;
    model::MemoryPartsRow parts;  ///< what the resident memory is for
    ResidentLevels partsLevels;   ///< of the moment when that was said
    std::int64_t nextPartsNs = 0; ///< when all mappings may be read again
    bool hasMeasured = false;     ///< they have been read
    bool hasParts = false;        ///< `parts` is of the last reading
    std::int64_t nextPssNs = 0;   ///< when smaps_rollup may be read again
    std::string cgroupDirectory;
    std::string oldMemoryDirectory; ///< of version 1; empty: there is none
    ProcessLimits limits;
    std::optional<std::int64_t> groupThreadsLeft; ///< of the control group
    std::uint64_t nextSlowRead = 0;               ///< tick in which limits and the group are read again

    std::string title; ///< command line as last read; of a fork what its parent's was
    std::uint64_t nextTitleRead = 0;
    unsigned titleReads = 0;   ///< of this image
    unsigned titleChanges = 0; ///< of this image

    /// Reads counters and levels from stat, status, io, descriptors and threads. False once it is gone or a zombie; what a zombie
    /// still tells is taken in.
    bool read(std::size_t mostThreads);
    /// Whether it has the memory yet that it had at the last read(): it has neither ended nor executed another program.
    bool hasItsMemory();
    /// What `told` (may be empty) knows of its memory, and where its threads' stacks are.
    KnownMemory knownMemory(const std::function<KnownMemory(std::int32_t pid)> &told);
    /// Carries the parts on to what was read last, where that is newer: at its end, when its mappings are gone.
    void carryPartsOn();
    /// The same, and what was until now is of no tick.
    void startFromHere(std::size_t mostThreads);
    /// Reads what memory it has, and nothing else.
    void readMemory();
    /// What could not be read, as sentences; each once.
    std::vector<std::string> takeUnreadable();

private:
    void readMemory(const StatusReading &status);
    void readMostMemory(const StatusReading &status);
    void sumSwitches();
};

/// Looks between ticks at what new processes have, unless there are many of them; how many it looked at.
std::size_t lookAtNew(std::map<std::int32_t, TrackedProcess> &tracked);

} // namespace capture

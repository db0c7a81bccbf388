// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <cstdint>
#include <optional>
#include <string>

namespace model {

/// CPU time that the kernel accounts to the selected processes in the selected time, without pauses and what else was not recorded. Of a
/// process that ended before it was read, and of what one did after it was read last, it tells nothing. Empty where a thread is selected: it is known of processes only.
std::optional<Duration> kernelCpuTime(const Snapshot &snapshot);

/// The same of all threads of the processes, whichever is selected.
Duration kernelCpuTimeOfProcesses(const Snapshot &snapshot);

/// CPU samples that were due and not taken, as their threads ran and ended between two. 0 where something is selected: it is known of the
/// whole recording only.
std::int64_t missedSamples(const Snapshot &snapshot);

/// The CPU time that they stand for.
Duration missedCpuTime(const Snapshot &snapshot);

/// What is known of CPU samples that shares are made of.
struct SampleBase
{
    std::int64_t taken = 0;  ///< 0: the cost is exact
    std::int64_t missed = 0; ///< due, and not taken: nobody knows of what
    /// Whether so many are missing that a share says little.
    bool isThin() const { return missed * 5 > taken; }
};
SampleBase sampleBase(const Snapshot &snapshot);

/// A sentence about those that are missing; empty if none are.
std::string missedSamplesText(const Snapshot &snapshot);

/// "10 lost"; of samples of a selected process or thread "10 lost by all processes": which process would have had one is not known.
std::string lostSamplesText(const Snapshot &snapshot);
/// The same where what stands before it is no sample: "10 CPU samples lost".
std::string lostSamplesWords(const Snapshot &snapshot);

} // namespace model

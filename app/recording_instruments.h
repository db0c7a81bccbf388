// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/instrument.h"
#include "capture/proc/proc_instrument.h"
#include "capture/target/target_process.h"
#include "model/session_info.h"
#include "model/tables/process_table.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace capture {
class HeapInstrument;
class ScanSource;
struct TreeInjection;
} // namespace capture

namespace app {

/// Makes the instruments that a recording is asked for. What this machine or program does not allow is left out and becomes a
/// sentence in `notes`; the recording goes on with the rest. Capture thread.
class RecordingInstruments
{
public:
    /// `processes` outlives the instruments. `originNs`: CLOCK_MONOTONIC at Timestamp 0.
    RecordingInstruments(const model::CaptureConfig &config, model::ProcessTable &processes, std::int64_t originNs);

    /// Where sockets of this recorder are put; empty: nowhere. Before the launch, or open().
    void setSocketFolder(std::string folder) { m_socketFolder = std::move(folder); }

    /// Looks through programs for lost memory when they end. Before the launch, or open().
    void scanAtExit() { m_scansAtExit = true; }

    /// Before the launch: the heap tracer. Returns the variables that the command is to be started with.
    std::vector<std::pair<std::string, std::string>> prepareLaunch();

    /// Opens what needs the target's pid; a launched target still waits before its exec. Sets what `info` says about CPU sampling.
    void open(const capture::TargetProcess &target, model::SessionInfo &info);

    /// Takes a first look at a target that runs now: the base of all rates. The instruments may have been taken, but must live.
    void targetStarted(model::Timestamp now);

    /// Hands the instruments over, in the order in which they are to be read.
    std::vector<std::unique_ptr<capture::Instrument>> take() { return std::move(m_instruments); }

    /// The one of them that scans for lost memory; null if the heap is not recorded.
    capture::ScanSource *scans() const;

    /// Whether the heap was to be recorded of a process that runs, and cannot be.
    bool heapIsMissing() const { return m_heapIsMissing; }

    /// What cannot be recorded, as sentences for the user.
    const std::vector<std::string> &notes() const { return m_notes; }

private:
    model::Result<std::unique_ptr<capture::HeapInstrument>> makeHeap();
    void attachHeap(std::int32_t pid);
    void sayWhatAttachMet(const capture::TreeInjection &tree);
    void announce(const capture::TargetProcess &target);
    void openCpu(const capture::TargetProcess &target, model::SessionInfo &info);
    void sayActivity(model::SessionInfo &info, const std::string &note);
    void openProc(const capture::TargetProcess &target);

    const model::CaptureConfig &m_config;
    model::ProcessTable &m_processes;
    std::int64_t m_originNs;
    std::vector<std::unique_ptr<capture::Instrument>> m_instruments;
    capture::HeapInstrument *m_heap = nullptr; ///< one of m_instruments, or null
    capture::ProcInstrument *m_proc = nullptr; ///< one of m_instruments
    std::string m_socketFolder;
    bool m_scansAtExit = false;
    bool m_heapIsMissing = false;
    std::vector<std::string> m_notes;
};

} // namespace app

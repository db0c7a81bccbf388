// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/address_space.h"
#include "capture/perf/code_files.h"
#include "capture/perf/perf_record.h"
#include "model/tables/process_table.h"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace capture {

/// The processes that the kernel's records tell of: their mapped code, their threads, their execs. Passes on to the
/// recorder's ProcessTable who starts, is named and ends. Capture thread only.
class TargetProcesses
{
public:
    /// `originNs` is CLOCK_MONOTONIC at Timestamp 0.
    TargetProcesses(model::ProcessTable &table, CodeFiles &files, std::int64_t originNs)
        : m_table(table)
        , m_files(files)
        , m_originNs(originNs)
    {
    }

    /// A process that ran before its records began: reads its mappings and threads from /proc.
    void adopt(std::int32_t pid, model::Timestamp when);

    /// Takes in a mapping, name, fork or exit record; other kinds do nothing. Records come in order of time.
    void apply(const PerfRecord &record);

    /// The mapped code of `pid` at a sample of it; read from /proc when nothing is known.
    const AddressSpace &spaceOf(std::int32_t pid, model::Timestamp when);

    /// Programs since the last call that run with more rights than the recorder's: the kernel samples nothing of them.
    std::vector<model::ImageId> takeUnsampled() { return std::exchange(m_unsampled, {}); }

    /// Threads that run now.
    std::size_t threadCount() const;

    model::Timestamp timestamp(const PerfRecord &record) const
    {
        return {static_cast<std::int64_t>(record.timeNs) - m_originNs};
    }

private:
    struct Process
    {
        AddressSpace space;
        std::unordered_set<std::int32_t> threads;
        /// An exec whose executable is not known until its first mapping.
        std::optional<model::Timestamp> exec;
        std::string execName;
    };

    void map(Process &process, std::int32_t pid, const PerfMapping &mapping);
    void name(const PerfRecord &record, const PerfName &content);
    void fork(const PerfRecord &record, const PerfFork &content);
    void exit(const PerfRecord &record);
    void announceExec(Process &process, std::int32_t pid, const std::string &executable);

    model::ProcessTable &m_table;
    CodeFiles &m_files;
    std::int64_t m_originNs;
    std::unordered_map<std::int32_t, Process> m_processes;
    std::vector<model::ImageId> m_unsampled;
};

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/event_batch.h"
#include "model/session_info.h"
#include "model/tables/program_tables.h"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

namespace capture {

/// How a recording stands, for the status line, `genprof ctl … status` and the window. A value.
struct RecordingStatus
{
    model::SessionState state = model::SessionState::Recording;
    std::int64_t durationNs = 0;
    std::int64_t ticks = 0;
    std::int32_t targetPid = 0;
    std::int64_t processes = 0;                  ///< that run now
    std::optional<std::int64_t> rssBytes;        ///< of all processes that run; empty before the first reading
    std::optional<std::int64_t> cpuMilliPercent; ///< user and system of all processes in the last tick
    bool heapTraced = false;                     ///< at least one image's heap was seen
    bool heapSampled = false;                    ///< some of it, at some time: what is counted of it are estimates
    std::int64_t liveBytes = 0;                  ///< of the images that run now
    std::int64_t liveBytesChange = 0;            ///< of liveBytes within the last tick
    std::int64_t allocations = 0;
    std::int64_t frees = 0;
    std::int64_t cpuSamples = 0;
    std::int64_t eventsDropped = 0;
    std::int64_t samplesLost = 0;
    std::int64_t fileBytes = 0;
    std::int64_t recorderCpuNs = 0;
    std::int64_t recorderRssBytes = 0;
    std::string trouble; ///< why the last tick could not be written; empty when it was
};

/// Adds up what a status says from the batches of a recording. Capture thread.
class StatusKeeper
{
public:
    /// Takes a tick's batch, before it is handed on.
    void add(const model::EventBatch &batch, const model::ProgramTables &tables);

    RecordingStatus &status() { return m_status; }
    const RecordingStatus &status() const { return m_status; }

private:
    void addMetrics(const model::EventBatch &batch, const model::ProgramTables &tables);
    void addHeap(const model::EventBatch &batch, const model::ProgramTables &tables);

    RecordingStatus m_status;
    std::unordered_map<model::ImageId, std::int64_t> m_liveBytes;
};

} // namespace capture

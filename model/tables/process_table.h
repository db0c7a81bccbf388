// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/tables/table_builder.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace model {

/// Which of the recorder's sources reports something about a process. Several report the same exec; see `execSeen`.
enum class ProcessSource : std::uint8_t { Launcher, Tracer, Perf, Proc };

/// Keeps who is who while recording: maps the kernel's pids and tids, which are reused, to the session's processes, images and threads.
/// Lives in the capture thread, writes into its TableBuilder. Reports may come in any order; times decide.
class ProcessTable
{
public:
    explicit ProcessTable(TableBuilder &tables);

    /// The live process with this pid, added (with image epoch 0) when unknown. `parentPid` 0: unknown.
    ProcessId processSeen(std::int32_t pid, std::int32_t parentPid, Timestamp when);

    /// An exec of `pid` reported by `source`. Each source reports each exec at most once, so a report that matches an image which
    /// another source announced (and this one did not yet) names the same image: no new epoch. Executable and
    /// command line fill what is not known yet.
    ImageId execSeen(std::int32_t pid, Timestamp when, ProcessSource source, std::string_view executable,
        std::string_view commandLine);

    /// The image `pid` ran at time `when`; invalid if the pid is unknown.
    ImageId imageAt(std::int32_t pid, Timestamp when) const;
    ImageId currentImage(std::int32_t pid) const;

    /// The live thread with this tid, added when unknown (its process too).
    ThreadId threadSeen(std::int32_t pid, std::int32_t tid, Timestamp when);
    void threadNamed(std::int32_t pid, std::int32_t tid, std::string_view name, Timestamp when);
    void threadEnded(std::int32_t pid, std::int32_t tid, Timestamp when);

    /// The process ended; its image and threads end with it. `waitStatus` as waitpid gives it, where known.
    void processEnded(std::int32_t pid, Timestamp when, std::optional<int> waitStatus);

    /// The live process with this pid; invalid if there is none.
    ProcessId liveProcess(std::int32_t pid) const;
    std::vector<std::int32_t> livePids() const;

    TableBuilder &tables() { return m_tables; }

private:
    struct LiveImage
    {
        ImageId id;
        unsigned announcedBy = 0; ///< bit set of ProcessSource
        StringId executable; ///< as the kernel names it; the launcher's own spelling does not count
    };
    struct LiveProcess
    {
        ProcessId id;
        std::vector<LiveImage> images;
        std::unordered_map<std::int32_t, ThreadId> threads;
    };

    LiveProcess &live(std::int32_t pid, std::int32_t parentPid, Timestamp when);

    /// Index of the image that a report of `source` names, or the number of images where it is a new one.
    std::size_t matchingImage(
        const LiveProcess &process, Timestamp when, ProcessSource source, StringId executable) const;
    std::size_t insertImage(LiveProcess &process, Timestamp when);
    Timestamp startOf(const LiveImage &image) const;

    TableBuilder &m_tables;
    std::unordered_map<std::int32_t, LiveProcess> m_live;
    std::unordered_map<std::int32_t, LiveProcess> m_ended; ///< last process of each pid: late reports still find it
};

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/time_range.h"
#include "model/tables/table_builder.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
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

    /// Every command line is stored as `filter` gives it back: this is where secrets are masked. Set before the first report.
    void setCommandLineFilter(std::function<std::string(std::string_view)> filter) { m_filter = std::move(filter); }

    /// The command line, filtered, as a string of the tables.
    StringId commandLine(std::string_view text);

    /// The process with this pid at `when`: the live one, or one that ended later than that. Added (with image epoch 0) when
    /// there is none. `parentPid` 0: unknown. An earlier time than what is known moves the start back. Until somebody
    /// reports an exec, it runs what its parent ran at its start.
    ProcessId processSeen(std::int32_t pid, std::int32_t parentPid, Timestamp when);

    /// An exec of `pid` reported by `source`. Each source reports each exec at most once, so a report that matches an image which
    /// another source announced (and this one did not yet) names the same image: no new epoch. The times of Perf are exact and may come
    /// late; those of Tracer and Proc are when they saw the new image; Launcher names
    /// the first image of a launched process, also when it is said twice.
    /// Executable and command line fill what is not known yet, and replace what the Launcher believed.
    /// What others than Perf report shortly after the end of a process was seen before that.
    ImageId execSeen(std::int32_t pid, Timestamp when, ProcessSource source, std::string_view executable,
        std::string_view commandLine);

    /// What a process that has executed nothing since its fork was seen to run: its parent's program, which may be known to have been executed only
    /// from a later moment on. Holds against what the parent is told to have run then; nothing if an exec of `pid` was told.
    void forkSeen(std::int32_t pid, std::string_view executable, std::string_view commandLine);

    /// The image `pid` ran at time `when`; invalid if the pid is unknown.
    ImageId imageAt(std::int32_t pid, Timestamp when) const;
    ImageId currentImage(std::int32_t pid) const;

    /// The thread with this tid at `when`, added when unknown (its process too).
    ThreadId threadSeen(std::int32_t pid, std::int32_t tid, Timestamp when);
    /// Names a thread; of several names the latest holds.
    void threadNamed(std::int32_t pid, std::int32_t tid, std::string_view name, Timestamp when);
    /// The same of one that the system lists at `when`. It lists a thread for a moment after the end that Perf tells, of a busy machine a longer
    /// one: one that ended less than a second before is that thread, and no later one of the same tid.
    void threadListed(std::int32_t pid, std::int32_t tid, std::string_view name, Timestamp when);
    /// A thread that was there, with this name, at some moment from `within.begin` to `within.end`; nobody knows which. One that ended in that
    /// time is that thread, and no later one of the same tid.
    void threadFound(std::int32_t pid, std::int32_t tid, std::string_view name, TimeRange within);
    /// Named by the program itself, for the recording alone: holds against what the system calls the thread.
    void threadNamedByProgram(std::int32_t pid, std::int32_t tid, std::string_view name, Timestamp when);
    void threadEnded(std::int32_t pid, std::int32_t tid, Timestamp when);

    /// The process ended; its image and threads end with it. `waitStatus` as waitpid gives it, where known. Of several reports
    /// the earliest time holds.
    void processEnded(std::int32_t pid, Timestamp when, std::optional<int> waitStatus);

    /// The live process with this pid; invalid if there is none.
    ProcessId liveProcess(std::int32_t pid) const;
    /// The live one, else the last that ended; invalid if there was none.
    ProcessId lastProcess(std::int32_t pid) const;
    /// All that live, ascending.
    std::vector<std::int32_t> livePids() const;

    /// The recorder's own doing, and no part of the session: a process that was forked off a recorded one to be read. Whoever tells of
    /// processes asks first; nothing is kept of it. Before `from` its pid was another one's, and it is again once it has ended.
    void hide(std::int32_t pid, Timestamp from) { m_hidden[pid] = {from, Timestamp{INT64_MAX}}; }
    void hiddenEnded(std::int32_t pid, Timestamp when);
    /// Whether one lives now.
    bool isAnyHidden() const
    {
        return std::any_of(
            m_hidden.begin(), m_hidden.end(), [](const auto &one) { return one.second.to.ns == INT64_MAX; });
    }
    bool isHidden(std::int32_t pid, Timestamp when) const
    {
        const auto hidden = m_hidden.empty() ? m_hidden.end() : m_hidden.find(pid);
        return hidden != m_hidden.end() && hidden->second.from <= when && when <= hidden->second.to;
    }

    TableBuilder &tables() { return m_tables; }

private:
    struct LiveImage
    {
        ImageId id;
        unsigned announcedBy = 0;  ///< bit set of ProcessSource
        bool isSeen = false;       ///< of a fork: its names are what it was seen to run
        Timestamp foundByProc{-1}; ///< when Proc saw it
    };
    struct LiveThread
    {
        ThreadId id;
        Timestamp named{-1};           ///< time of the name it has
        bool isNamedByProgram = false; ///< names that the system gives do not count any more
    };
    struct LiveProcess
    {
        ProcessId id;
        std::vector<LiveImage> images;                        ///< ascending by start
        std::unordered_map<std::int32_t, LiveThread> threads; ///< the last of each tid, ended ones too
        std::vector<ProcessId> children;

        /// What it ran at `when`, the first image if that is before its start.
        const LiveImage &at(Timestamp when, const ProgramTables &tables) const;
    };

    LiveProcess &processAt(std::int32_t pid, std::int32_t parentPid, Timestamp when);
    LiveProcess *known(std::int32_t pid, Timestamp when);
    const LiveProcess *known(std::int32_t pid, Timestamp when) const;
    /// The process that ended shortly before `when`, if no other has its pid now: a late report is about that one.
    LiveProcess *endedLately(std::int32_t pid, Timestamp when);
    LiveProcess &addProcess(std::int32_t pid, std::int32_t parentPid, Timestamp when);
    LiveProcess *find(ProcessId id);
    /// Names what the process runs from its fork on, unless somebody told: what its parent ran then. Its children's, too.
    void inheritImage(LiveProcess &process);
    void inheritImages(const LiveProcess &parent);
    void moveStart(LiveProcess &process, Timestamp when);
    void fillParent(LiveProcess &process, std::int32_t parentPid, Timestamp when);

    LiveImage *matchingImage(LiveProcess &process, Timestamp when, ProcessSource source, std::string_view executable);
    /// Of an image that the Launcher believed in and Proc found to run another program, where the Tracer tells what ran before Proc looked:
    /// that, in the time until then. Null if it is no such image.
    LiveImage *splitBefore(LiveProcess &process, LiveImage &image, Timestamp when);
    LiveImage *exactMatch(LiveProcess &process, Timestamp when, std::string_view executable);
    bool isCompatible(const LiveImage &image, std::string_view executable) const;
    LiveImage &insertImage(LiveProcess &process, Timestamp when);
    void announce(LiveProcess &process, LiveImage &image, Timestamp when, ProcessSource source,
        std::string_view executable, std::string_view commandLine);
    void endThreadsBefore(LiveProcess &process, std::int32_t pid, Timestamp when);

    Timestamp lastWithin(std::int32_t pid, std::int32_t tid, TimeRange within) const;
    LiveThread &threadAt(std::int32_t pid, std::int32_t tid, Timestamp when);
    void rename(LiveThread &thread, std::string_view name, Timestamp when);

    const Image &row(const LiveImage &image) const { return m_tables.tables().images[image.id.index()]; }
    const Process &row(const LiveProcess &process) const { return m_tables.tables().processes[process.id.index()]; }

    struct Hidden
    {
        Timestamp from, to;
    };

    TableBuilder &m_tables;
    std::unordered_map<std::int32_t, Hidden> m_hidden;
    std::function<std::string(std::string_view)> m_filter;
    std::unordered_map<std::int32_t, LiveProcess> m_live;
    std::unordered_map<std::int32_t, LiveProcess> m_ended; ///< last process of each pid: late reports still find it
};

} // namespace model

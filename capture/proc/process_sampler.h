// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"
#include "capture/proc/proc_reader.h"
#include "capture/proc/process_reading.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace capture {

/// Reads one process's files below /proc, time and again. Holds the process's directory open, so what it reads is never that of a
/// later process with the same pid: after its end reads fail. Where the first thread has ended before the others, the kernel shows no memory and
/// no files in the process's own directory: then those of another thread are read, which are the same. Capture thread only.
class ProcessSampler
{
public:
    /// A thread as last read.
    struct Thread
    {
        std::string name;
        std::int64_t voluntarySwitches = 0;
        std::int64_t involuntarySwitches = 0;
        std::uint64_t stackPointer = 0; ///< as stackPointers() last read it; 0: not known
        std::uint64_t seenAt = 0;       ///< number of the reading it was last seen in
    };

    /// Empty if there is no such process. `keepsFilesOpen` costs three descriptors, and saves their opening each time.
    static std::optional<ProcessSampler> open(const std::string &procRoot, std::int32_t pid, bool keepsFilesOpen);

    std::int32_t pid() const { return m_pid; }
    /// The thread whose directory tells of the memory: the first one, unless that has ended.
    std::int32_t speaker() const { return m_speakerTid; }

    /// /proc/PID/stat; empty once the process is gone. The addresses and sizes are those that another thread has, if the first has ended.
    std::optional<ProcStat> stat();

    /// /proc/PID/status into `reading`, which points into this object until the next call.
    bool status(StatusReading &reading);

    /// Storage traffic; empty if that may not be read.
    std::optional<IoReading> io();

    /// Proportional share of memory from smaps_rollup. The kernel walks all page tables for it: look at the time it takes.
    std::optional<std::int64_t> pssBytes();

    /// The use of each mapping (/proc/PID/smaps); empty if that may not be read. The kernel walks all page tables for it.
    std::optional<std::string> smaps();

    /// How many descriptors are open; empty if that may not be read.
    std::optional<std::int64_t> openFiles() const;

    /// Soft limits; of root's processes without what does not bind root.
    ProcessLimits limits();

    /// Paths that are open for writing, of the first `most` descriptors; as the process's own root shows them.
    std::vector<std::string> writtenFiles(std::size_t most) const;

    /// Path of the running executable, without the kernel's " (deleted)"; empty if it may not be read or there is none.
    std::string executable() const;
    /// Arguments, quoted for a shell.
    std::string commandLine();

    /// Reads which threads there are, with their names and switches. `most`: of more threads than that, names and switches
    /// of known ones are not read again. Returns whether all were read.
    bool readThreads(std::size_t most);
    /// Threads by tid, as of the last `readThreads`; those that were not seen in it have ended (an older `seenAt`).
    const std::unordered_map<std::int32_t, Thread> &threads() const { return m_threads; }
    std::uint64_t threadReading() const { return m_threadReading; }
    /// Forgets a thread that has ended.
    void forgetThread(std::int32_t tid) { m_threads.erase(tid); }

    /// The stack pointers of its threads, but of those that run just now; those then as they were told before.
    std::vector<std::uint64_t> stackPointers();

    /// Pids of the children that any of its threads made, as the kernel lists them. Empty without CONFIG_PROC_CHILDREN.
    std::vector<std::int32_t> children();

private:
    ProcessSampler(std::int32_t pid, FileDescriptor directory, bool keepsFilesOpen);

    bool read(const char *name, std::string &text, FileDescriptor *kept);
    bool readAt(int directory, const char *name, std::string &text, FileDescriptor *kept);
    bool readSpoken(const char *name, std::string &text, FileDescriptor *kept = nullptr);
    int spoken() const { return m_speaker.isOpen() ? m_speaker.get() : m_directory.get(); }
    bool findSpeaker();
    void forgetSpeaker();
    std::optional<ProcStat> speakersStat();
    void readThread(std::int32_t tid, Thread &thread);
    std::vector<std::int32_t> taskIds() const;

    std::int32_t m_pid;
    bool m_keepsFilesOpen;
    FileDescriptor m_directory;
    FileDescriptor m_speaker; ///< directory of the thread that speaks for the first; not open while that speaks itself
    std::int32_t m_speakerTid;
    FileDescriptor m_stat;
    FileDescriptor m_status; ///< the speaker's
    FileDescriptor m_io;
    std::string m_text; ///< of the last file read; kept so that its memory is
    std::string m_statusText;
    std::unordered_map<std::int32_t, Thread> m_threads;
    std::uint64_t m_threadReading = 0;
};

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"
#include "capture/wire/snapshot.h"
#include "model/base/result.h"

#include <cstdint>

namespace capture {

/// A copy of a process that was made by fork: its memory as it was then, shared with it until it writes. No child of the process:
/// the nearest subreaper above it, or init, adopts the copy and reaps it. It ends with this object, and by itself when the recorder ends or takes too long. May go to another thread.
class ProcessSnapshot
{
public:
    /// Takes over the copy that `answer` names, which has been made of `original` since `beginNs` (CLOCK_MONOTONIC). What the target says is checked: it must
    /// be no older than that, of the same user, and let itself be read.
    static model::Result<ProcessSnapshot> take(
        std::int32_t original, const wire::SnapshotCommand &answer, std::int64_t beginNs);

    ProcessSnapshot(ProcessSnapshot &&other) noexcept;
    ProcessSnapshot &operator=(ProcessSnapshot &&other) noexcept;
    ~ProcessSnapshot() { end(); }

    std::int32_t pid() const { return m_pid; }
    /// Whether it has ended before its time, so that what was read of it last may not be its memory.
    bool isGone() const;
    /// How much of its memory the original has written to, or given back, since: what had to be copied. Walks its page tables.
    std::int64_t copiedBytes() const;
    /// CLOCK_MONOTONIC.
    std::int64_t beginNs() const { return m_beginNs; }

    /// Ends it, and waits for that, at most two seconds. Returns when it was gone (CLOCK_MONOTONIC).
    std::int64_t end();

private:
    ProcessSnapshot(std::int32_t pid, FileDescriptor descriptor, std::int64_t beginNs)
        : m_pid(pid)
        , m_descriptor(std::move(descriptor))
        , m_beginNs(beginNs)
    {
    }

    std::int32_t m_pid;
    FileDescriptor m_descriptor; ///< pidfd; not open: nothing to end
    std::int64_t m_beginNs;
    std::int64_t m_endNs = 0;
};

} // namespace capture

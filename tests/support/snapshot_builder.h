// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"
#include "model/tables/table_builder.h"

#include <map>
#include <string>
#include <string_view>

namespace tests {

/// Makes snapshots from text. A stack is its functions, root first: `main;parse;malloc`. A function may name its module
/// before it (`libc.so.6!malloc`; else "app"), its place behind it (`parse@parse.cpp:12`), and what is inlined into it
/// (`parse|trim|isSpace`, outermost first). `+0x40` is code without a symbol. A first element like `[stack cut off]` is the end of the stack.
class SnapshotBuilder
{
public:
    /// One process "app" (pid 100) with one image and one thread; a recording of 10 ticks of a second.
    SnapshotBuilder();

    /// Adds heap events, one a line: `main;f 64` an allocation of 64 bytes, `main;f -64` a free of one, `main;f 64 temporary` both at
    /// once. Sums at the end of the selection; the peak is the live set after the last line unless `peak()` says otherwise.
    SnapshotBuilder &heap(std::string_view lines);
    /// Adds CPU samples, one stack a line: `main;f 12`, each sample worth 5 ms.
    SnapshotBuilder &cpu(std::string_view lines);
    /// The live bytes of a stack at equally spaced moments, as Snapshot::heapGrowth has it; its row in Snapshot::heap gets them too.
    SnapshotBuilder &growth(std::string_view stack, const std::vector<std::int64_t> &liveBytes);
    /// Values of a metric at the end of each tick, from the first one on.
    SnapshotBuilder &metric(model::Metric metric, const std::vector<std::int64_t> &values);
    /// Sets the number and length of the ticks.
    SnapshotBuilder &ticks(std::size_t count, model::Duration length);

    model::StackId stack(std::string_view text);
    model::TableBuilder &tables() { return m_tables; }
    model::ImageId image() const { return m_image; }
    model::ProcessId process() const { return m_process; }
    model::ThreadId thread() const { return m_thread; }

    /// For what the text has no words for; the sums follow from the rows in build().
    model::Snapshot &raw() { return m_snapshot; }

    /// The snapshot, its totals added up from the rows.
    model::Snapshot build();

private:
    model::FrameId frame(std::string_view text);
    model::HeapCost &heapRow(model::StackId stack);

    model::TableBuilder m_tables;
    model::ProcessId m_process;
    model::ImageId m_image;
    model::ThreadId m_thread;
    model::Snapshot m_snapshot;
    std::map<std::string, model::FrameId, std::less<>> m_frames;
};

} // namespace tests

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/tables/program_tables.h"

#include <string_view>
#include <unordered_map>

namespace model {

/// Builds ProgramTables by interning: equal things get equal ids. The recorder's capture thread owns the only one; the
/// session writer reads `tables()` between ticks and appends what is new.
class TableBuilder
{
public:
    const ProgramTables &tables() const { return m_tables; }

    StringId string(std::string_view text);

    /// Two modules are the same when path, build-id and kind are.
    ModuleId module(std::string_view path, std::string_view buildId, ModuleKind kind);

    FrameId frame(ModuleId module, std::uint64_t address, FrameKind kind);

    /// The node for `frame` called by `parent`; start from `root(end)` and go towards the leaf.
    StackId stack(StackId parent, FrameId frame);

    static StackId root(StackEnd end) { return StackId(static_cast<std::uint32_t>(end)); }

    /// Sets what a frame resolved to, innermost first. Later calls for the same frame are ignored unless it was Pending.
    void setSymbols(FrameId frame, FrameSymbols::State state, const std::vector<SourceLine> &innermostFirst);

    /// Frames whose symbols were set since the last call, in that order; clears the list.
    std::vector<FrameId> takeNewSymbols();

    ProcessId addProcess(const Process &process);
    ImageId addImage(const Image &image);
    ThreadId addThread(const Thread &thread);

    /// Rows that change in place; each call marks the row as changed for the writer.
    Process &changeProcess(ProcessId id);
    Image &changeImage(ImageId id);
    Thread &changeThread(ThreadId id);

    /// Rows that are new or changed since the last call, ascending, without repeats; clears the lists.
    struct Changes
    {
        std::vector<ProcessId> processes;
        std::vector<ImageId> images;
        std::vector<ThreadId> threads;
    };
    Changes takeChanges();

private:
    struct PairHash
    {
        std::size_t operator()(const std::pair<std::uint64_t, std::uint64_t> &key) const noexcept;
    };
    template <typename IdType>
    using Index = std::unordered_map<std::pair<std::uint64_t, std::uint64_t>, IdType, PairHash>;

    ProgramTables m_tables;
    std::unordered_map<std::string, StringId> m_strings{{std::string(), StringId(0u)}};
    Index<ModuleId> m_modules;
    Index<FrameId> m_frames;
    Index<StackId> m_stacks;
    std::vector<FrameId> m_newSymbols;
    Changes m_changes;
};

} // namespace model

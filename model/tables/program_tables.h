// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/ids.h"
#include "model/base/units.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// What kind of thing a module is.
enum class ModuleKind : std::uint8_t {
    File = 0,      ///< an ELF file mapped from a path
    Vdso = 1,      ///< the kernel's vdso
    Kernel = 2,    ///< the kernel itself; path "[kernel]"
    Jit = 3,       ///< code generated at run time, named by /tmp/perf-PID.map; path "[jit]"
    Anonymous = 4, ///< code in memory that no file backs; path "[anon]"
    Unknown = 5,   ///< the address lay in no known mapping; path "[unknown]"
};

/// A mapped file that code was run from.
struct Module
{
    StringId path;    ///< as the process saw it
    StringId buildId; ///< lower-case hex, or the empty text where the file has none
    ModuleKind kind = ModuleKind::File;
};

/// How a frame's address was come by; decides which instruction a symbolizer looks at.
enum class FrameKind : std::uint8_t {
    Exact = 0,         ///< the instruction itself (leaf of a CPU sample, frame above a signal frame)
    ReturnAddress = 1, ///< the instruction after the call: look up address − 1
};

/// A place in a module. `address` is relative to the module as its ELF file has it (p_vaddr space); the raw address
/// for Anonymous, Unknown, Kernel and Jit modules.
struct Frame
{
    ModuleId module;
    std::uint64_t address = 0;
    FrameKind kind = FrameKind::ReturnAddress;
};

/// One function at a frame; inlined functions give a frame several.
struct SourceLine
{
    StringId function;      ///< demangled, whole
    StringId file;          ///< empty text if unknown
    std::uint32_t line = 0; ///< 0 if unknown
};

/// What a frame resolved to: `lines[first, first + count)`, innermost inlined function first, the real function last.
/// count 0: not resolved (yet); see `state`.
struct FrameSymbols
{
    enum class State : std::uint8_t { Pending = 0, Resolved = 1, NoSymbol = 2, NoFile = 3, FileChanged = 4 };
    std::uint32_t first = 0;
    std::uint16_t count = 0;
    State state = State::Pending;
};

/// A node of the stack tree: a frame and, by its parent, everything that called it. Parents precede children.
struct StackNode
{
    StackId parent; ///< invalid for the roots only
    FrameId frame;  ///< invalid for the roots only
};

/// How walking a stack ended. Each state is a root of the stack tree, with the enumerator as its StackId, so that a stack's node
/// carries the state of the stack: walk up to the root to read it.
enum class StackEnd : std::uint32_t {
    ReachedStart = 0, ///< the thread's first function: the stack is whole
    Truncated = 1,    ///< deeper than what was copied or the frame limit; the callers are missing
    NoUnwindInfo = 2, ///< a frame's code has no call-frame information
    BadRule = 3,      ///< its call-frame information cannot be right
    Unreadable = 4,   ///< a slot lay outside the thread's stack
    TableFull = 5,    ///< the stack table's cap was reached: the node is the deepest known ancestor
};
inline constexpr std::uint32_t kStackEndCount = 6;

/// A process of the session.
struct Process
{
    std::int32_t pid = 0;          ///< the kernel's number at the time
    ProcessId parent;              ///< invalid: not a process of this session
    Timestamp start;               ///< first seen
    std::optional<Timestamp> end;  ///< last seen; empty while it runs
    std::optional<int> waitStatus; ///< as waitpid gives it, where known
};

/// What became of heap tracing in an image.
enum class HeapState : std::uint8_t {
    Off = 0,       ///< not asked for
    Waiting = 1,   ///< asked for; the tracer has not connected yet
    Full = 2,      ///< every allocation is seen from the image's start
    Dormant = 3,   ///< the tracer connected and then gave up; see the note
    NotTraced = 4, ///< cannot be traced (static program, another loader, …); see the note
    Inherited = 5, ///< traced from a fork on: blocks of the parent are not known
    Attached = 6,  ///< traced from an attach on: blocks from before are not known; the note says when
};

/// A program image of a process: begins at the process's start and at each exec.
struct Image
{
    ProcessId process;
    std::uint32_t epoch = 0; ///< 0 for the first image of the process, then counting execs
    StringId executable;     ///< path
    StringId commandLine;    ///< arguments joined by spaces, quoted for a shell
    Timestamp start;
    std::optional<Timestamp> end;
    HeapState heap = HeapState::Off;
    StringId heapNote; ///< why the heap is not (fully) traced, as a sentence; empty text if it is
};

/// A thread of the session.
struct Thread
{
    ProcessId process;
    std::int32_t tid = 0;
    StringId name;
    Timestamp start;
    std::optional<Timestamp> end;
};

/// Everything that ids refer to. Append-only but for Process, Image and Thread rows, which change in place, and frame symbols, which arrive late.
/// A value: viewers share it as `std::shared_ptr<const ProgramTables>`, the recorder owns one inside TableBuilder.
struct ProgramTables
{
    std::vector<std::string> strings; ///< [0] is the empty text
    std::vector<Module> modules;
    std::vector<Frame> frames;
    std::vector<FrameSymbols> symbols; ///< parallel to frames
    std::vector<SourceLine> lines;
    std::vector<StackNode> stacks; ///< the first kStackEndCount are the roots
    std::vector<Process> processes;
    std::vector<Image> images;
    std::vector<Thread> threads;

    /// Tables with nothing in them but the empty text and the roots.
    ProgramTables();

    /// The text of an id; the empty text for one that was never set.
    const std::string &text(StringId id) const { return id.isValid() ? strings.at(id.index()) : strings.front(); }

    /// What people call the program of an image: the name that it was started by, which a link may give to a file of another name; else its
    /// file's. Empty if neither is known.
    std::string_view programName(const Image &image) const;

    /// How the walk of the stack that ends in `node` ended. O(depth).
    StackEnd endOf(StackId node) const;

    /// Lines of a frame, innermost inlined function first; empty while unresolved.
    struct LineSpan
    {
        const SourceLine *first;
        const SourceLine *last;
        const SourceLine *begin() const { return first; }
        const SourceLine *end() const { return last; }
        std::size_t size() const { return static_cast<std::size_t>(last - first); }
    };
    LineSpan linesOf(FrameId frame) const;
};

/// Whether `node` is one of the roots that stand for a StackEnd.
inline bool isRoot(StackId node) { return node.value < kStackEndCount; }

/// How an end state reads to a person; empty for ReachedStart. E.g. "[stack cut off]".
std::string_view stackEndText(StackEnd end);

} // namespace model

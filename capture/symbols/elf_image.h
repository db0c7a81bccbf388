// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/symbols/debug_info.h"
#include "capture/symbols/elf_file.h"
#include "capture/symbols/source_frame.h"
#include "capture/symbols/symbol_table.h"
#include "capture/unwind/eh_frame.h"
#include "model/tables/program_tables.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace capture {

/// Where the files of a module are looked for.
struct ImageQuery
{
    std::string
        path; ///< as the process saw it; marked as deleted and without a build-id: no file of this name is the module
    std::string buildId; ///< lower-case hex; empty: the file has none, or nobody knows
    model::ModuleKind kind = model::ModuleKind::File;
    std::vector<std::string>
        roots; ///< put before `path`, in this order: "" is our own root, "/proc/PID/root" a container's
    std::string debugRoot = "/usr/lib/debug";
    std::vector<std::int32_t> pids; ///< processes that may have the file mapped yet though another one has its name
};

/// All that is known about the code of one module: its own symbols, and those of its separate debug file. Symbolizer thread only.
class ElfImage
{
public:
    using State = model::FrameSymbols::State;

    /// Opens what can be found. `state` of the result says why nothing can, if so. A file whose build-id differs is not used;
    /// the debug file of the right build-id is, where there is one.
    static std::unique_ptr<ElfImage> open(const ImageQuery &query);

    /// What stands at `address` (p_vaddr space) into `frames`, innermost first. Without a symbol it is the function's begin as the call-frame
    /// information has it, "libz.so.1.2.13+0x2c40", so that all places of a function are one function; `NoSymbol` all the same.
    State find(std::uint64_t address, std::vector<SourceFrame> &frames);

    /// The same for the caller that `address` is a return address of. Nothing is called in the byte before a function: one that is returned to
    /// all the same (from a signal, to a context's start) is that function.
    State findCaller(std::uint64_t address, std::vector<SourceFrame> &frames);

private:
    bool openFile(const ImageQuery &query);
    bool useFile(const std::string &place, const std::string &path, const std::string &buildId);
    void openVdso();
    void readSymbols();
    void readFrameTables();
    const char *symbolAt(std::uint64_t address) const;
    std::string nameByBegin(std::uint64_t address) const;

    State m_unresolved = State::NoFile; ///< the answer while there is nothing to look into
    std::optional<ElfFile> m_file;
    std::optional<ElfFile> m_debugFile;
    ElfHandle m_vdso;
    SymbolTable m_symbols;
    unwind::EhFrameTables m_frameTables;    ///< of m_file
    std::string m_name;                     ///< of the file, without folders
    std::unique_ptr<DebugInfo> m_debugInfo; ///< of m_debugFile or m_file: ends before them
};

} // namespace capture

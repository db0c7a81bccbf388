// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"
#include "capture/perf/elf_tables.h"
#include "capture/perf/perf_record.h"
#include "model/tables/table_builder.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace capture {

/// A file that code is mapped from, or what takes its place.
struct CodeFile
{
    PerfMapping identity; ///< of the mapping it was first seen by
    std::int32_t firstPid = 0;
    model::ModuleKind kind = model::ModuleKind::Unknown;
    bool wasOpened = false;
    ElfTables *tables = nullptr; ///< null: nothing to unwind by
    model::ModuleId module;      ///< invalid until moduleOf()
    FileDescriptor code;         ///< open once followsCall() has asked for its bytes
    bool wasCodeOpened = false;
    std::unordered_map<std::uint64_t, bool> calls; ///< what followsCall() found, by offset
};

/// The files of all processes of a recording, each read once, when the first sample falls into it. Capture thread only.
class CodeFiles
{
public:
    explicit CodeFiles(model::TableBuilder &tables)
        : m_builder(tables)
    {
    }

    /// The file of a mapping that `pid` made. The reference stays valid.
    CodeFile &fileOf(const PerfMapping &mapping, std::int32_t pid);

    /// Opens the file if nobody did. Through /proc/PID/root while `pid` lives, so that a container's own file is taken.
    ElfTables *tablesOf(CodeFile &file, std::int32_t pid);

    /// Whether the byte at `offset` of the file follows a call, as what is returned to does; empty where its code cannot be read. Each place is
    /// read once.
    std::optional<bool> followsCall(CodeFile &file, std::uint64_t offset, std::int32_t pid);

    /// The module that frames in the file belong to.
    model::ModuleId moduleOf(CodeFile &file, std::int32_t pid);

    model::ModuleId unknownModule();
    model::ModuleId kernelModule();

private:
    struct OpenFile
    {
        FileDescriptor descriptor;
        std::unique_ptr<ElfTables> tables; ///< null: there is no such file
    };
    static OpenFile open(const CodeFile &file, std::int32_t pid);

    model::TableBuilder &m_builder;
    std::deque<CodeFile> m_files;
    std::deque<std::unique_ptr<ElfTables>> m_tables;
    std::unordered_map<std::string, CodeFile *> m_byKey;
};

} // namespace capture

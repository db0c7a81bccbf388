// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/elf_tables.h"
#include "capture/perf/perf_record.h"
#include "model/tables/table_builder.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
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
    bool isReplaced = false;     ///< another file has its name, and no build-id says which one it was
    ElfTables *tables = nullptr; ///< null: nothing to unwind by
    model::ModuleId module;      ///< invalid until moduleOf()
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

    /// The module that frames in the file belong to.
    model::ModuleId moduleOf(CodeFile &file, std::int32_t pid);

    model::ModuleId unknownModule();
    model::ModuleId kernelModule();

private:
    std::unique_ptr<ElfTables> open(CodeFile &file, std::int32_t pid) const;

    model::TableBuilder &m_builder;
    std::deque<CodeFile> m_files;
    std::deque<std::unique_ptr<ElfTables>> m_tables;
    std::unordered_map<std::string, CodeFile *> m_byKey;
};

} // namespace capture

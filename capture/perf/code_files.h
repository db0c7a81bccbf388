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

/// The call-frame tables of one build, shared by all files that are this build.
struct BuildTables
{
    std::unique_ptr<ElfTables> tables; ///< null: let go of, to be read again
    std::uint64_t lastUse = 0;
};

/// What the code before a place says of it.
struct CodeSurroundings
{
    bool followsCall = false;       ///< as what is returned to does
    bool followsSystemCall = false; ///< as what a thread is at that is in the kernel does
    bool isBornHere = false;        ///< ... by clone() or clone3(), which a new thread begins behind
};

/// A file that code is mapped from, or what takes its place.
struct CodeFile
{
    PerfMapping identity; ///< of the mapping it was first seen by
    std::int32_t firstPid = 0;
    model::ModuleKind kind = model::ModuleKind::Unknown;
    bool wasOpened = false;
    bool isReplaced = false;      ///< another file has its name, and no build-id says which one it was
    BuildTables *build = nullptr; ///< null: nothing to unwind by

    /// Null unless CodeFiles::tablesOf() was asked for them just now.
    ElfTables *tables() const { return build ? build->tables.get() : nullptr; }

    model::ModuleId module; ///< invalid until moduleOf()
    FileDescriptor code;    ///< open once surroundings() has asked for its bytes
    bool wasCodeOpened = false;
    std::unordered_map<std::uint64_t, CodeSurroundings> surroundings; ///< as found, by offset
};

/// The files of all processes of a recording, each build read once, when the first sample falls into it. The tables that were not used for longest are
/// let go of when all together become too large, and read again when they are needed. Capture thread only.
class CodeFiles
{
public:
    /// More than the code has that any one program runs at a time: a large browser's is some 40 MB.
    static constexpr std::size_t kMostTableBytes = std::size_t{128} << 20;

    explicit CodeFiles(model::TableBuilder &tables, std::size_t mostTableBytes = kMostTableBytes)
        : m_builder(tables)
        , m_mostTableBytes(mostTableBytes)
    {
    }

    /// The file of a mapping that `pid` made. The reference stays valid.
    CodeFile &fileOf(const PerfMapping &mapping, std::int32_t pid);

    /// Opens the file if no file of this build is open. Valid until the next call. Through /proc/PID/root while `pid` lives, so that a container's own file is taken.
    ElfTables *tablesOf(CodeFile &file, std::int32_t pid);

    /// What stands around the byte at `offset` of the file; empty where its code cannot be read. Each place is read once.
    std::optional<CodeSurroundings> surroundings(CodeFile &file, std::uint64_t offset, std::int32_t pid);

    /// The module that frames in the file belong to.
    model::ModuleId moduleOf(CodeFile &file, std::int32_t pid);

    /// In memory now.
    std::size_t tableBytes() const { return m_tableBytes; }

    model::ModuleId unknownModule();
    model::ModuleId kernelModule();

private:
    struct OpenFile
    {
        FileDescriptor descriptor;
        std::unique_ptr<ElfTables> tables; ///< null: there is no such file
    };
    void read(CodeFile &file, std::int32_t pid);
    void letGoOfOthers(const BuildTables &needed);
    static OpenFile open(CodeFile &file, std::int32_t pid);

    model::TableBuilder &m_builder;
    std::deque<CodeFile> m_files;
    std::deque<BuildTables> m_builds;
    std::unordered_map<std::string, BuildTables *> m_byBuildId;
    std::size_t m_mostTableBytes;
    std::size_t m_tableBytes = 0;
    std::uint64_t m_uses = 0;
    std::unordered_map<std::string, CodeFile *> m_byKey;
};

} // namespace capture

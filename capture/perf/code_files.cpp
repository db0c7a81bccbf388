// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/code_files.h"

#include "capture/perf/perf_event.h"
#include "capture/symbols/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace capture {

namespace {

model::ModuleKind kindOf(const std::string &path)
{
    if (path == "[vdso]")
        return model::ModuleKind::Vdso;
    for (const std::string_view prefix : {"//anon", "/memfd:", "/dev/zero", "/SYSV", "/anon_hugepage"}) {
        if (path.starts_with(prefix))
            return model::ModuleKind::Anonymous;
    }
    return path.starts_with('/') ? model::ModuleKind::File : model::ModuleKind::Anonymous;
}

std::string keyOf(const PerfMapping &mapping)
{
    return mapping.buildId.empty()
        ? fmt::format("{}:{}:{}:{}", mapping.major, mapping.minor, mapping.inode, mapping.path)
        : mapping.buildId + ':' + mapping.path;
}

/// What the file is known by where no build-id says it; with one the place of the file does not matter.
FileNumbers numbersOf(const PerfMapping &mapping)
{
    return mapping.buildId.empty() ? FileNumbers{mapping.major, mapping.minor, mapping.inode} : FileNumbers{};
}

} // namespace

CodeFile &CodeFiles::fileOf(const PerfMapping &mapping, std::int32_t pid)
{
    const auto [it, isNew] = m_byKey.try_emplace(keyOf(mapping), nullptr);
    if (isNew) {
        CodeFile file;
        file.identity = mapping;
        file.firstPid = pid;
        file.kind = kindOf(mapping.path);
        m_files.push_back(std::move(file));
        it->second = &m_files.back();
    }
    return *it->second;
}

std::unique_ptr<ElfTables> CodeFiles::open(CodeFile &file, std::int32_t pid) const
{
    if (file.kind == model::ModuleKind::Vdso)
        return ElfTables::fromOwnVdso();
    const PerfMapping &mapping = file.identity;
    const std::string paths[] = {
        fmt::format("/proc/{}/root{}", pid, mapping.path),
        fmt::format("/proc/{}/map_files/{:x}-{:x}", file.firstPid, mapping.begin, mapping.begin + mapping.bytes),
        fmt::format("/proc/{}/exe", pid),
        mapping.path,
    };
    bool hasOther = false;
    for (const std::string &path : paths) {
        // A path of the target's may name a device or a pipe by now; opening must neither block nor act.
        const PerfDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
        if (fd.get() < 0)
            continue;
        if (!isMappedFile(fd.get(), numbersOf(mapping))) {
            hasOther = true;
            continue;
        }
        auto tables = ElfTables::fromFile(fd.get());
        if (!tables || (!mapping.buildId.empty() && (*tables)->buildId() != mapping.buildId))
            continue;
        // Then its names, too, would be looked for in the other file.
        file.isReplaced = hasOther && (*tables)->buildId().empty();
        return std::move(*tables);
    }
    file.isReplaced = hasOther && mapping.buildId.empty();
    return nullptr;
}

ElfTables *CodeFiles::tablesOf(CodeFile &file, std::int32_t pid)
{
    if (file.wasOpened)
        return file.tables;
    file.wasOpened = true;
    if (file.kind != model::ModuleKind::File && file.kind != model::ModuleKind::Vdso)
        return nullptr;
    if (std::unique_ptr<ElfTables> tables = open(file, pid)) {
        file.tables = tables.get();
        m_tables.push_back(std::move(tables));
    }
    return file.tables;
}

model::ModuleId CodeFiles::moduleOf(CodeFile &file, std::int32_t pid)
{
    if (file.module.isValid())
        return file.module;
    const ElfTables *tables = tablesOf(file, pid);
    const std::string &buildId = file.identity.buildId.empty() && tables ? tables->buildId() : file.identity.buildId;
    const bool isAnonymous = file.kind == model::ModuleKind::Anonymous;
    const std::string &path = file.identity.path;
    file.module = m_builder.module(isAnonymous ? "[anon]"
            : file.isReplaced                  ? withDeletedMark(path)
                                               : path,
        buildId, file.kind);
    return file.module;
}

model::ModuleId CodeFiles::unknownModule() { return m_builder.module("[unknown]", "", model::ModuleKind::Unknown); }

model::ModuleId CodeFiles::kernelModule() { return m_builder.module("[kernel]", "", model::ModuleKind::Kernel); }

} // namespace capture

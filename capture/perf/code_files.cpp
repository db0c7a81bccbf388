// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/code_files.h"

#include "capture/symbols/mapped_file.h"
#include "capture/unwind/call_bytes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
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

/// All that is no file is told apart by its address alone: a JIT compiler's memory may have a new inode for each page.
std::string keyOf(const PerfMapping &mapping)
{
    if (kindOf(mapping.path) == model::ModuleKind::Anonymous)
        return {};
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

CodeFiles::OpenFile CodeFiles::open(CodeFile &file, std::int32_t pid)
{
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
        FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
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
        return {std::move(fd), std::move(*tables)};
    }
    file.isReplaced = hasOther && mapping.buildId.empty();
    return {};
}

ElfTables *CodeFiles::tablesOf(CodeFile &file, std::int32_t pid)
{
    if (!file.wasOpened) {
        file.wasOpened = true;
        if (file.kind != model::ModuleKind::File && file.kind != model::ModuleKind::Vdso)
            return nullptr;
        if (const auto known = m_byBuildId.find(file.identity.buildId); known != m_byBuildId.end())
            file.build = known->second;
        if (!file.tables())
            read(file, pid);
    } else if (file.build && !file.build->tables) {
        read(file, pid);
    }
    if (file.build)
        file.build->lastUse = ++m_uses;
    return file.tables();
}

void CodeFiles::read(CodeFile &file, std::int32_t pid)
{
    const bool isVdso = file.kind == model::ModuleKind::Vdso;
    std::unique_ptr<ElfTables> tables = isVdso ? ElfTables::fromOwnVdso() : open(file, pid).tables;
    if (!tables) {
        file.build = nullptr; // for good: it would be tried at each sample
        return;
    }
    // Without a build-id nobody else is known to be the same.
    BuildTables *own = file.build;
    BuildTables *&build = tables->buildId().empty() ? own : m_byBuildId[tables->buildId()];
    if (!build)
        build = &m_builds.emplace_back();
    file.build = build;
    if (build->tables)
        return;
    m_tableBytes += tables->bytes();
    build->tables = std::move(tables);
    letGoOfOthers(*build);
}

void CodeFiles::letGoOfOthers(const BuildTables &needed)
{
    while (m_tableBytes > m_mostTableBytes) {
        BuildTables *oldest = nullptr;
        for (BuildTables &build : m_builds) {
            if (build.tables && &build != &needed && (!oldest || build.lastUse < oldest->lastUse))
                oldest = &build;
        }
        if (!oldest)
            return;
        m_tableBytes -= oldest->tables->bytes();
        oldest->tables.reset();
    }
}

std::optional<CodeSurroundings> CodeFiles::surroundings(CodeFile &file, std::uint64_t offset, std::int32_t pid)
{
    std::uint8_t code[8];
    if (file.kind != model::ModuleKind::File || offset < sizeof(code))
        return std::nullopt;
    if (const auto known = file.surroundings.find(offset); known != file.surroundings.end())
        return known->second;
    // Few files are asked for: those whose tables leave code out, and what it is called by.
    if (!std::exchange(file.wasCodeOpened, true))
        file.code = open(file, pid).descriptor;
    if (pread(file.code.get(), code, sizeof(code), static_cast<off_t>(offset - sizeof(code))) != ssize_t{sizeof(code)})
        return std::nullopt;
    const bool isSystemCall = code[sizeof(code) - 2] == 0x0f && code[sizeof(code) - 1] == 0x05;
    std::uint32_t number = 0;
    std::memcpy(&number, code + 2, sizeof(number));
    // mov $number, %eax; syscall
    const bool makesThread = isSystemCall && code[1] == 0xb8 && (number == SYS_clone || number == SYS_clone3);
    return file.surroundings.emplace(offset, CodeSurroundings{unwind::endsWithCall(code), isSystemCall, makesThread})
        .first->second;
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

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/module_names.h"

#include "capture/proc/maps_path.h"
#include "capture/symbols/elf_file.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace capture {

namespace {

/// The build-id of the file that is open, if it is the mapped one.
enum class Kept { Same, Other, Missing };

Kept lookAt(const std::string &path, const FileNumbers &mapped, std::string &buildId)
{
    const auto file = ElfFile::open(path);
    if (!file)
        return Kept::Missing;
    if (!isMappedFile(file->fd.get(), mapped))
        return Kept::Other;
    buildId = buildIdOf(file->elf.get());
    return Kept::Same;
}

} // namespace

ModuleNames::ModuleNames(std::int32_t pid)
    : m_pid(pid)
{
    std::error_code error;
    m_executable
        = withoutDeletedMark(std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", error).string());
    readMaps();
}

void ModuleNames::readMaps()
{
    // "begin-end perms offset major:minor inode   path": the path is the rest of the line and may hold anything but a newline.
    const std::string process = "/proc/" + std::to_string(m_pid);
    std::ifstream maps(process + "/maps");
    for (std::string line; std::getline(maps, line);) {
        const std::size_t slash = line.find('/');
        unsigned long begin = 0, inode = 0;
        FileNumbers file;
        if (slash == std::string::npos
            || std::sscanf(line.c_str(), "%lx-%*x %*s %*x %x:%x %lu", &begin, &file.major, &file.minor, &inode) != 4)
            continue;
        file.inode = inode;
        m_mapped[begin] = {withoutDeletedMark(mappedPath(line.substr(slash), file, process + "/root")), file};
    }
}

const ModuleNames::Mapped *ModuleNames::mappedAt(std::uint64_t begin, const std::string &loaderPath)
{
    const auto fileName = [](const std::string &path) { return path.substr(path.rfind('/') + 1); };
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto it = m_mapped.find(begin);
        // Another file may have been at this place before.
        if (it != m_mapped.end() && (loaderPath.empty() || fileName(it->second.path) == fileName(loaderPath)))
            return &it->second;
        if (attempt == 0)
            readMaps();
    }
    return nullptr;
}

ModuleNames::Name ModuleNames::nameOf(
    std::uint64_t begin, const std::string &loaderPath, const std::string &loadedBuildId)
{
    if (!loaderPath.empty() && loaderPath.front() == '[')
        return {loaderPath, {}};
    const Mapped *mapped = mappedAt(begin, loaderPath);
    std::string path = mapped ? mapped->path : loaderPath.empty() ? m_executable : loaderPath;
    if (!mapped && !loaderPath.empty()) {
        std::error_code error;
        const auto canonical = std::filesystem::canonical(loaderPath, error);
        path = error ? loaderPath : canonical.string();
    }
    if (!loadedBuildId.empty() || !path.starts_with('/'))
        return {path, loadedBuildId};
    return withoutBuildId(path, mapped ? mapped->file : FileNumbers{});
}

ModuleNames::Name ModuleNames::withoutBuildId(const std::string &path, const FileNumbers &file) const
{
    Name name{path, {}};
    bool hasOther = false;
    for (const std::string &root : {"/proc/" + std::to_string(m_pid) + "/root", std::string()}) {
        const Kept kept = lookAt(root + path, file, name.buildId);
        if (kept == Kept::Same)
            return name;
        hasOther = hasOther || kept == Kept::Other;
    }
    if (hasOther)
        name.path = withDeletedMark(path);
    return name;
}

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/module_names.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <libelf.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace capture {

namespace {

constexpr char kDeleted[] = " (deleted)";

std::string withoutDeleted(std::string path)
{
    const std::size_t suffix = sizeof kDeleted - 1;
    if (path.size() > suffix && path.compare(path.size() - suffix, suffix, kDeleted) == 0)
        path.resize(path.size() - suffix);
    return path;
}

std::string readBuildId(const std::string &path)
{
    ::elf_version(EV_CURRENT);
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return {};
    std::string text;
    if (Elf *elf = ::elf_begin(descriptor, ELF_C_READ_MMAP, nullptr)) {
        const void *bytes = nullptr;
        const ssize_t count = ::dwelf_elf_gnu_build_id(elf, &bytes);
        static constexpr char kDigits[] = "0123456789abcdef";
        for (ssize_t i = 0; i < count; ++i) {
            const unsigned byte = static_cast<const unsigned char *>(bytes)[i];
            text += kDigits[byte >> 4];
            text += kDigits[byte & 15];
        }
        ::elf_end(elf);
    }
    ::close(descriptor);
    return text;
}

} // namespace

ModuleNames::ModuleNames(std::int32_t pid)
    : m_pid(pid)
{
    std::error_code error;
    m_executable
        = withoutDeleted(std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", error).string());
    readMaps();
}

void ModuleNames::readMaps()
{
    // "begin-end perms offset dev inode   path": the path is the rest of the line and may hold anything but a newline.
    std::ifstream maps("/proc/" + std::to_string(m_pid) + "/maps");
    for (std::string line; std::getline(maps, line);) {
        const std::size_t slash = line.find('/');
        if (slash == std::string::npos)
            continue;
        m_mapped[std::strtoull(line.c_str(), nullptr, 16)] = withoutDeleted(line.substr(slash));
    }
}

std::string ModuleNames::pathOf(std::uint64_t begin, const std::string &loaderPath)
{
    if (!loaderPath.empty() && loaderPath.front() == '[')
        return loaderPath;
    const auto fileName = [](const std::string &path) { return path.substr(path.rfind('/') + 1); };
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto it = m_mapped.find(begin);
        // Another file may have been at this place before.
        if (it != m_mapped.end() && (loaderPath.empty() || fileName(it->second) == fileName(loaderPath)))
            return it->second;
        if (attempt == 0)
            readMaps();
    }
    if (loaderPath.empty())
        return m_executable;
    std::error_code error;
    const auto canonical = std::filesystem::canonical(loaderPath, error);
    return error ? loaderPath : canonical.string();
}

const std::string &ModuleNames::buildIdOf(const std::string &path)
{
    const auto [it, isNew] = m_buildIds.try_emplace(path);
    if (isNew && !path.empty() && path.front() == '/')
        it->second = readBuildId(path);
    return it->second;
}

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/remote_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>

namespace capture {

bool isLibcName(std::string_view name)
{
    return name == "libc.so.6" || (name.starts_with("libc-2.") && name.ends_with(".so"));
}

bool isLoaderName(std::string_view name)
{
    return name.starts_with("ld-linux") || (name.starts_with("ld-2.") && name.ends_with(".so"));
}

bool isAllocatorName(std::string_view name)
{
    return name.starts_with("libjemalloc") || name.starts_with("libtcmalloc") || name.starts_with("libmimalloc")
        || name.starts_with("libtbbmalloc") || name.starts_with("libhoard") || name.starts_with("libsnmalloc")
        || name.starts_with("librpmalloc");
}

RemoteProcess::RemoteProcess(std::int32_t pid)
    : m_pid(pid)
    , m_memory(::open(fmt::format("/proc/{}/mem", pid).c_str(), O_RDWR | O_CLOEXEC))
{
    const int error = errno;
    refresh();
    errno = error;
}

void RemoteProcess::refresh() { m_mappings = readMaps(m_pid); }

bool RemoteProcess::read(std::uint64_t address, void *bytes, std::size_t count) const
{
    return ::pread(m_memory.get(), bytes, count, static_cast<off_t>(address)) == static_cast<ssize_t>(count);
}

bool RemoteProcess::write(std::uint64_t address, const void *bytes, std::size_t count) const
{
    return ::pwrite(m_memory.get(), bytes, count, static_cast<off_t>(address)) == static_cast<ssize_t>(count);
}

std::string RemoteProcess::readText(std::uint64_t address, std::size_t most) const
{
    std::string text(most, '\0');
    const ssize_t got = ::pread(m_memory.get(), text.data(), most, static_cast<off_t>(address));
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text.substr(0, text.find('\0'));
}

const MemoryMapping *RemoteProcess::mappingAt(std::uint64_t address) const
{
    const auto next = std::upper_bound(m_mappings.begin(), m_mappings.end(), address,
        [](std::uint64_t wanted, const MemoryMapping &mapping) { return wanted < mapping.begin; });
    return next != m_mappings.begin() && address < std::prev(next)->end ? &*std::prev(next) : nullptr;
}

FileDescriptor RemoteProcess::openFile(const MemoryMapping &mapping) const
{
    // By name in the process's own root first. Another file may stand there now (an update): then through the mapping, which takes
    // a right that root has.
    FileDescriptor file(
        ::open(fmt::format("/proc/{}/root{}", m_pid, mapping.path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status = {};
    if (file.isOpen() && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) && status.st_ino == mapping.inode)
        return file;
    file.reset(::open(fmt::format("/proc/{}/map_files/{:x}-{:x}", m_pid, mapping.begin, mapping.end).c_str(),
        O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    return file;
}

std::optional<RemoteLibrary> RemoteProcess::openLibrary(const MemoryMapping &first) const
{
    const FileDescriptor file = openFile(first);
    if (!file.isOpen())
        return std::nullopt;
    auto functions = ElfFunctions::fromFile(file.get());
    if (!functions)
        return std::nullopt;
    RemoteLibrary library{first.path, {first.begin, first.end}, 0, std::move(*functions)};
    library.bias = first.begin - library.functions.baseAddress();
    for (const MemoryMapping &mapping : m_mappings)
        if (mapping.path == first.path && mapping.inode == first.inode)
            library.addresses.end = std::max(library.addresses.end, mapping.end);
    return library;
}

bool RemoteProcess::exports(const MemoryMapping &mapping, std::string_view name) const
{
    const FileDescriptor file = openFile(mapping);
    return file.isOpen() && ElfFunctions::exports(file.get(), name);
}

std::string RemoteProcess::programPath() const
{
    std::string path(4096, '\0');
    const ssize_t bytes = ::readlink(fmt::format("/proc/{}/exe", m_pid).c_str(), path.data(), path.size());
    path.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
    constexpr std::string_view kDeleted = " (deleted)";
    if (path.ends_with(kDeleted))
        path.resize(path.size() - kDeleted.size());
    return path;
}

std::optional<RemoteLibrary> RemoteProcess::program() const
{
    const std::string path = programPath();
    for (const MemoryMapping &mapping : m_mappings)
        if (mapping.path == path && mapping.fileOffset == 0)
            return openLibrary(mapping);
    return std::nullopt;
}

} // namespace capture

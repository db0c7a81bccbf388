// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"
#include "capture/proc/memory_maps.h"
#include "capture/target/elf_functions.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace capture {

/// A library as a process has it mapped.
struct RemoteLibrary
{
    std::string path;       ///< as the process names it
    AddressRange addresses; ///< from its first mapping to the end of its last
    std::uint64_t bias = 0; ///< address in memory minus address in the file
    ElfFunctions functions;

    /// Where a function lies in the process; 0 if it is not exported.
    std::uint64_t find(std::string_view name) const
    {
        const std::uint64_t address = functions.find(name);
        return address != 0 ? address + bias : 0;
    }
    AddressRange shifted(AddressRange range) const { return {range.begin + bias, range.end + bias}; }
};

/// Memory and libraries of another process, seen from outside. Needs the right to trace it (ptrace(2), "access mode checking").
class RemoteProcess
{
public:
    explicit RemoteProcess(std::int32_t pid);

    std::int32_t pid() const { return m_pid; }
    /// False, with `errno`, if its memory may not be accessed.
    bool isOpen() const { return m_memory.isOpen(); }

    bool read(std::uint64_t address, void *bytes, std::size_t count) const;
    /// Also where the process itself must not write (a page of code).
    bool write(std::uint64_t address, const void *bytes, std::size_t count) const;
    /// A zero-terminated text, at most `most` bytes of it.
    std::string readText(std::uint64_t address, std::size_t most = 512) const;

    /// Reads the mappings anew.
    void refresh();
    const std::vector<MemoryMapping> &mappings() const { return m_mappings; }
    /// The mapping that holds an address; null if none does.
    const MemoryMapping *mappingAt(std::uint64_t address) const;
    /// The first mapped file whose name (without folders) satisfies `isWanted`, with its functions.
    template <typename Predicate> std::optional<RemoteLibrary> findLibrary(Predicate isWanted) const
    {
        for (const MemoryMapping &mapping : m_mappings)
            if (mapping.isFile() && mapping.fileOffset == 0
                && isWanted(std::string_view(mapping.path).substr(mapping.path.rfind('/') + 1)))
                if (auto library = openLibrary(mapping))
                    return library;
        return std::nullopt;
    }
    /// Whether the file of a mapping exports a function of that name.
    bool exports(const MemoryMapping &mapping, std::string_view name) const;
    /// The program's own file as mappings name it, and with its functions.
    std::string programPath() const;
    std::optional<RemoteLibrary> program() const;

private:
    std::optional<RemoteLibrary> openLibrary(const MemoryMapping &first) const;
    FileDescriptor openFile(const MemoryMapping &mapping) const;

    std::int32_t m_pid;
    FileDescriptor m_memory; ///< /proc/PID/mem
    std::vector<MemoryMapping> m_mappings;
};

/// Whether a file name is that of glibc's libc, of its loader, or of one of the allocators that programs link instead.
bool isLibcName(std::string_view name);
bool isLoaderName(std::string_view name);
bool isAllocatorName(std::string_view name);

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace capture {

/// Sees from outside when a process loads or unloads a module, by the loader's list for debuggers (r_debug, link.h). Reads memory of
/// the process, which is never stopped for that. One thread.
class LinkMapWatch
{
public:
    explicit LinkMapWatch(std::int32_t pid);

    std::size_t count() const { return m_modules.size(); }

    /// Whether the list is another one than at the last call that said so, or at the construction. Looks at the list's end only, which is
    /// one read, and at all of it now and then.
    bool hasChanged();

private:
    struct Module
    {
        std::uint64_t entry = 0;
        std::uint64_t bias = 0;
        bool operator==(const Module &) const = default;
    };

    std::uint64_t findList() const;
    std::vector<Module> readList() const;
    bool read(std::uint64_t address, void *bytes, std::size_t count) const;

    std::int32_t m_pid;
    FileDescriptor m_memory;
    std::uint64_t m_debug = 0; ///< address of r_debug; 0: there is none
    std::vector<Module> m_modules;
    unsigned m_looks = 0;
};

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/symbols/symbol_table.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace capture {

/// What the variables of modules are called, by the symbols of their files or of their separate debug files. One owning thread.
class VariableNames
{
public:
    /// The variable that lies `offset` bytes behind the place where the file at `path` has its first byte mapped: "Cache::entries", "table +0x40" for
    /// a place inside. Empty if there is no such file, another one than that with this inode number, or no symbol.
    std::string of(const std::string &path, std::uint64_t inode, std::uint64_t offset);

private:
    struct File
    {
        SymbolTable variables;
        std::uint64_t base = 0; ///< p_vaddr of its first byte
    };
    static std::optional<File> read(const std::string &path, std::uint64_t inode);

    std::map<std::string, std::optional<File>> m_files;
};

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

namespace storage {

/// What a text is, which decides what stands for it.
enum class TextKind : std::uint8_t {
    Public, ///< stays
    Note,   ///< a sentence of the recorder's; stays unless a hidden text is in it
    Program,
    Module,
    BuildId,
    SourceFile,
    Folder,
    Function,
    Thread,
    Argument,
    CommandLine,
    Host,
    Pool,
    Phase,
    Mark,
    Detail,
    Other,
};

/// Numbers texts in the order in which they are met: the first thread is "thread-1", wherever it is named.
class StandIns
{
public:
    /// What stands for `text`. Empty texts stay empty.
    std::string of(TextKind kind, std::string_view text);

    /// A source file by its folder's stand-in and its own last part.
    std::string ofFolder(std::string_view path);

    /// Different texts replaced so far.
    std::int64_t count() const { return m_count; }

    /// Whether one of the replaced texts of at least four characters stands in `text`, as words of their own.
    bool isIn(std::string_view text) const;

private:
    struct Known
    {
        std::unordered_map<std::string, std::string> texts;
    };
    std::map<TextKind, Known> m_kinds;
    std::int64_t m_count = 0;
};

/// Whether the library at `path` is one of those that every system has, whose name tells nothing.
bool isPublicLibrary(std::string_view path);

} // namespace storage

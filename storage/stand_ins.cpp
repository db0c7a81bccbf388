// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/stand_ins.h"

#include "model/tables/unseen_libraries.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace storage {

namespace {

constexpr std::array kPublicLibraries = std::to_array<std::string_view>(
    {"ld-linux", "libc.so", "libc-2.", "libm.so", "libm-2.", "libpthread", "libdl.so", "librt.so", "libresolv.so",
        "libnss_", "libstdc++.so", "libgcc_s.so", "libc++.so", "libc++abi.so", "libz.so", "linux-vdso"});
constexpr std::array kSourceEndings = std::to_array<std::string_view>({".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp",
    ".hxx", ".rs", ".go", ".S", ".s", ".inc", ".ipp", ".tcc", ".d", ".f90", ".java", ".py", ".js"});

const char *wordOf(TextKind kind)
{
    switch (kind) {
    case TextKind::Program:
        return "program";
    case TextKind::Module:
        return "module";
    case TextKind::SourceFile:
        return "file";
    case TextKind::Folder:
        return "folder";
    case TextKind::Function:
        return "function";
    case TextKind::Thread:
        return "thread";
    case TextKind::Argument:
        return "argument";
    case TextKind::CommandLine:
        return "command";
    case TextKind::Host:
        return "host";
    case TextKind::Pool:
        return "pool";
    case TextKind::Phase:
        return "phase";
    case TextKind::Mark:
        return "mark";
    case TextKind::Detail:
        return "detail";
    default:
        return "text";
    }
}

std::string_view lastPart(std::string_view path)
{
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// The ending of a source file's name, where it is a usual one.
std::string_view endingOf(std::string_view path)
{
    const std::string_view name = lastPart(path);
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos)
        return {};
    const std::string_view ending = name.substr(dot);
    return std::find(kSourceEndings.begin(), kSourceEndings.end(), ending) != kSourceEndings.end() ? ending
                                                                                                   : std::string_view();
}

bool isWordChar(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
        || static_cast<unsigned char>(c) >= 0x80;
}

bool standsIn(std::string_view text, std::string_view word)
{
    for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        const bool begins = at == 0 || !isWordChar(text[at - 1]) || !isWordChar(word.front());
        const bool ends = end == text.size() || !isWordChar(text[end]) || !isWordChar(word.back());
        if (begins && ends)
            return true;
    }
    return false;
}

/// Whether one of its words is the name of a library that is not everybody's: a note names some that are in no table. What a program opened
/// may be called anything.
bool namesALibrary(std::string_view text)
{
    for (const std::string_view opened : {model::kOpenedInNamespace, model::kOpenedDeepBinding})
        if (text.find(opened) != std::string_view::npos)
            return true;
    constexpr std::string_view kBetween = " ,;:()'\"";
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find_first_of(kBetween, begin), text.size());
        const std::string_view word = text.substr(begin, end - begin);
        const bool isLibrary = word.ends_with(".so") || word.find(".so.") != std::string_view::npos;
        if (isLibrary && !isPublicLibrary(word))
            return true;
        begin = end + 1;
    }
    return false;
}

} // namespace

std::string StandIns::of(TextKind kind, std::string_view text)
{
    if (kind == TextKind::Public || text.empty())
        return std::string(text);
    if (kind == TextKind::Note)
        return isIn(text) || namesALibrary(text) ? "(hidden)" : std::string(text);
    auto &texts = m_kinds[kind].texts;
    const auto [entry, isNew] = texts.try_emplace(std::string(text));
    if (!isNew)
        return entry->second;
    ++m_count;
    const std::size_t number = texts.size();
    if (kind == TextKind::BuildId)
        entry->second = fmt::format("{:040x}", number);
    else if (kind == TextKind::Program || kind == TextKind::Module)
        entry->second = fmt::format("/hidden/{}-{}", wordOf(kind), number);
    else if (kind == TextKind::SourceFile)
        entry->second = fmt::format("{}-{}{}", wordOf(kind), number, endingOf(text));
    else
        entry->second = fmt::format("{}-{}", wordOf(kind), number);
    return entry->second;
}

std::string StandIns::ofFolder(std::string_view path)
{
    const std::string_view name = lastPart(path);
    if (name.size() == path.size())
        return std::string(path);
    return of(TextKind::Folder, path.substr(0, path.size() - name.size() - 1)) + "/" + std::string(name);
}

bool StandIns::isIn(std::string_view text) const
{
    constexpr std::size_t kShortest = 4;
    for (const auto &[kind, known] : m_kinds)
        for (const auto &[hidden, standIn] : known.texts)
            if (hidden.size() >= kShortest && standsIn(text, hidden))
                return true;
    return false;
}

bool isPublicLibrary(std::string_view path)
{
    constexpr std::array folders
        = std::to_array<std::string_view>({"/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "["});
    const bool isSystem = std::any_of(
        folders.begin(), folders.end(), [path](std::string_view folder) { return path.starts_with(folder); });
    const std::string_view name = lastPart(path);
    return (isSystem || name.size() == path.size())
        && std::any_of(kPublicLibraries.begin(), kPublicLibraries.end(),
            [name](std::string_view known) { return name.starts_with(known); });
}

} // namespace storage

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/include_rules.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace tests {

namespace {

using enum HeaderOrigin;

const std::array kFreestanding{
    std::to_array<std::string_view>({"algorithm", "array", "atomic", "bit", "cerrno", "cinttypes", "climits", "compare",
        "concepts", "cstdarg", "cstddef", "cstdint", "cstdlib", "cstring", "initializer_list", "iterator", "limits",
        "new", "numeric", "optional", "span", "string_view", "tuple", "type_traits", "utility", "version"})};

const std::array kPosix{std::to_array<std::string_view>({"alloca.h", "assert.h", "byteswap.h", "cpuid.h", "ctype.h",
    "dirent.h", "dlfcn.h", "elf.h", "endian.h", "errno.h", "execinfo.h", "fcntl.h", "features.h", "ftw.h", "getopt.h",
    "glob.h", "grp.h", "immintrin.h", "inttypes.h", "limits.h", "link.h", "locale.h", "malloc.h", "math.h", "netdb.h",
    "poll.h", "pthread.h", "pwd.h", "sched.h", "semaphore.h", "setjmp.h", "signal.h", "spawn.h", "stdarg.h",
    "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "strings.h", "syscall.h",
    "termios.h", "time.h", "ucontext.h", "unistd.h", "wchar.h", "x86intrin.h"})};

const std::array kPosixFolders{
    std::to_array<std::string_view>({"arpa/", "asm/", "bits/", "gnu/", "linux/", "net/", "netinet/", "sys/"})};

const std::array kSymbols{std::to_array<std::string_view>(
    {"cxxabi.h", "dwarf.h", "elfutils/", "gelf.h", "libelf.h", "libunwind-", "libunwind.h"})};

/// The table of the layout: first the folders that are bound, then those that may use everything.
const std::vector<FolderRule> &folderRules()
{
    static const std::vector<FolderRule> rules{
        {"model/", {"model/"}, {}, {Freestanding, Standard, Fmt, BoostMath}},
        {"model/report/", {"model/"}, {}, {Freestanding, Standard, Fmt, BoostMath, Library}},
        {"storage/", {"storage/", "model/"}, {}, {Freestanding, Standard, Posix, Fmt, Sqlite}},
        {"storage/seal/", {"storage/", "model/"}, {}, {Freestanding, Standard, Posix, Fmt, Sqlite, Sodium}},
        {"capture/", {"capture/", "model/"}, {"capture/tracer/"},
            {Freestanding, Standard, Posix, Fmt, Symbols, Library}},
        {"capture/wire/", {"capture/wire/"}, {}, {Freestanding, Posix}},
        {"capture/unwind/", {"capture/unwind/"}, {}, {Freestanding, Posix}},
        {"capture/tracer/", {"capture/tracer/", "capture/wire/", "capture/unwind/"}, {}, {Freestanding, Posix}},
        {"ui/", {"ui/", "model/"}, {}, {Freestanding, Standard, Fmt, BoostMath, Qt}},
        {"app/", {"app/", "ui/", "model/", "storage/", "capture/"}, {"capture/tracer/"}, {Unknown}},
        {"app/cli/", {"app/", "model/", "storage/", "capture/"}, {"capture/tracer/"},
            {Freestanding, Standard, Posix, Fmt, Library}},
        // What commands use does not know the commands.
        {"app/serve/", {"app/", "model/", "storage/", "capture/"}, {"capture/tracer/", "app/cli/"}, {Unknown}},
        {"app/gate/", {"app/", "model/", "storage/", "capture/"}, {"capture/tracer/", "app/cli/"}, {Unknown}},
        {"tests/", {"tests/", "app/", "ui/", "model/", "storage/", "capture/"}, {}, {Unknown}},
        {"tests/targets/", {"tests/targets/"}, {}, {Unknown}},
        {"installer/demo/", {}, {}, {Freestanding, Standard, Posix}},
        {"resources/include/", {}, {},
            {Freestanding, Standard, Unknown}}, // on top of genesis_profiler.h as it is installed
    };
    return rules;
}

template <typename Names> bool contains(const Names &names, std::string_view name)
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

template <typename Names> bool anyBegins(const Names &beginnings, std::string_view name)
{
    return std::any_of(
        beginnings.begin(), beginnings.end(), [name](std::string_view b) { return name.starts_with(b); });
}

} // namespace

HeaderOrigin originOf(std::string_view header)
{
    if (contains(kFreestanding, header))
        return Freestanding;
    if (contains(kPosix, header) || anyBegins(kPosixFolders, header))
        return Posix;
    if (anyBegins(kSymbols, header))
        return Symbols;
    if (header.starts_with("fmt/"))
        return Fmt;
    if (header.starts_with("boost/math/"))
        return BoostMath;
    if (header == "sqlite3.h")
        return Sqlite;
    if (header == "sodium.h")
        return Sodium;
    if (header.starts_with("CLI/") || header.starts_with("nlohmann/"))
        return Library;
    if (header.size() > 1 && header.front() == 'Q' && std::isupper(static_cast<unsigned char>(header[1])) != 0)
        return Qt;
    if (header.starts_with("Qt"))
        return Qt;
    if (header.find_first_of("./") == std::string_view::npos)
        return Standard;
    return Unknown;
}

std::string_view nameOf(HeaderOrigin origin)
{
    switch (origin) {
    case Freestanding:
    case Standard:
        return "the C++ standard library";
    case Posix:
        return "POSIX";
    case Fmt:
        return "fmt";
    case BoostMath:
        return "Boost.Math";
    case Qt:
        return "Qt";
    case Sqlite:
        return "SQLite";
    case Sodium:
        return "libsodium";
    case Symbols:
        return "libunwind or elfutils";
    case Library:
        return "a library for commands and JSON";
    case Unknown:
        break;
    }
    return "an unknown library (if it is POSIX, name it in tests/include_rules.cpp)";
}

const FolderRule *ruleFor(std::string_view path)
{
    const FolderRule *best = nullptr;
    for (const FolderRule &rule : folderRules())
        if (path.starts_with(rule.folder) && (best == nullptr || rule.folder.size() > best->folder.size()))
            best = &rule;
    return best;
}

} // namespace tests

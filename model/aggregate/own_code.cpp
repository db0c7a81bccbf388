// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/own_code.h"

#include <algorithm>
#include <array>
#include <optional>

namespace model {

namespace {

constexpr std::array kSystemFolders{std::to_array<std::string_view>(
    {"/lib/", "/lib64/", "/lib32/", "/usr/lib/", "/usr/lib64/", "/usr/lib32/", "/usr/libexec/"})};

constexpr std::array kLibraryNames{std::to_array<std::string_view>({"std::", "__gnu_cxx::", "__cxxabiv1::", "boost::",
    "__gthread_", "operator new", "operator delete", "void std::", "bool std::"})};
/// The same behind a return type, as templates' names have one.
constexpr std::array kLibraryScopes{std::to_array<std::string_view>({" std::", " __gnu_cxx::", " boost::"})};

/// Beginnings of names within allocators, the common ones of libc, jemalloc and tcmalloc.
constexpr std::array kAllocatorBeginnings{
    std::to_array<std::string_view>({"operator new", "operator delete", "__libc_malloc", "__libc_free", "__libc_calloc",
        "__libc_realloc", "_int_malloc", "_int_free", "_int_realloc", "_int_memalign", "__GI___libc_malloc",
        "__GI___libc_free", "malloc_consolidate", "unlink_chunk", "sysmalloc", "systrim", "tcache_", "ptmalloc_",
        "alloc_perturb", "free_perturb", "je_", "tc_", "tcmalloc", "do_malloc", "do_free", "mi_", "arena_get",
        "arena_for_chunk", "checked_request2size", "mem2chunk", "__libc_memalign", "_mid_memalign"})};

constexpr std::array kAllocatorNames{
    std::to_array<std::string_view>({"malloc", "free", "calloc", "realloc", "reallocarray", "memalign", "aligned_alloc",
        "posix_memalign", "valloc", "pvalloc", "cfree", "free_sized", "free_aligned_sized"})};

template <typename Names> bool anyBegins(const Names &beginnings, std::string_view text)
{
    return std::any_of(
        beginnings.begin(), beginnings.end(), [text](std::string_view b) { return text.starts_with(b); });
}

/// "/usr/lib/libreoffice/program/" of a file in it; empty where the folder is nobody's own: libraries of all programs lie in /usr/lib and
/// /usr/lib/x86_64-linux-gnu.
std::string_view ownFolder(std::string_view path)
{
    const std::string_view folder = path.substr(0, path.rfind('/') + 1);
    const auto system = std::find_if(kSystemFolders.begin(), kSystemFolders.end(),
        [folder](std::string_view known) { return folder.starts_with(known); });
    if (system == kSystemFolders.end())
        return {};
    const std::string_view below = folder.substr(system->size());
    const bool isShared = below.empty() || (below.find('/') == below.size() - 1 && below.find("-linux-") != below.npos);
    return isShared ? std::string_view() : folder;
}

/// Whether a library lies in the own folder of a program of the session, or below it.
bool isInProgramFolder(const ProgramTables &tables, std::string_view library)
{
    // Most libraries lie in no such folder: the programs are looked through for few.
    return !ownFolder(library).empty()
        && std::any_of(tables.images.begin(), tables.images.end(), [&](const Image &image) {
               const std::string_view folder = ownFolder(tables.text(image.executable));
               return !folder.empty() && library.starts_with(folder);
           });
}

/// Whether one of the next two callers is what starts main(): the second where the C library's part in between has no name.
bool isCalledByStart(const std::vector<StackLine> &lines, std::size_t at)
{
    for (std::size_t caller = at + 1; caller < std::min(at + 3, lines.size()); ++caller)
        if (lines[caller].name.starts_with("__libc_start"))
            return true;
    return false;
}

} // namespace

bool isSystemLibrary(std::string_view path)
{
    const std::string_view name = path.substr(path.rfind('/') + 1);
    return anyBegins(kSystemFolders, path) && name.find(".so") != std::string_view::npos;
}

bool isOwnCode(const FunctionIndex &index, FunctionId function)
{
    if (FunctionIndex::isEnd(function))
        return false;
    const Function &found = index.function(function);
    const ModuleKind kind = index.tables()->modules.at(found.module.index()).kind;
    if (kind == ModuleKind::Kernel || kind == ModuleKind::Vdso || kind == ModuleKind::Unknown)
        return false;
    const std::string &name = index.tables()->text(found.name);
    const std::string_view path = index.modulePath(function);
    if ((isSystemLibrary(path) && !isInProgramFolder(*index.tables(), path)) || anyBegins(kLibraryNames, name))
        return false;
    // "unsigned long* std::__fill_n<…>(…)", "decltype (…) std::construct_at<…>(…)": the library's, behind a return type.
    const bool mayBe = std::any_of(kLibraryScopes.begin(), kLibraryScopes.end(),
        [&name](std::string_view scope) { return name.find(scope) != std::string::npos; });
    return !mayBe || !anyBegins(kLibraryNames, shortFunctionName(name));
}

bool isKernelCode(const FunctionIndex &index, FunctionId function)
{
    return !FunctionIndex::isEnd(function)
        && index.tables()->modules.at(index.function(function).module.index()).kind == ModuleKind::Kernel;
}

bool isTracerCode(const FunctionIndex &index, FunctionId function)
{
    // The kernel's perf_… functions run for those who look at a program: system calls, waits and samples are told by them.
    return index.moduleName(function) == "libgenesis_heaptracer.so"
        || (isKernelCode(index, function) && index.name(function).starts_with("perf_"));
}

bool isAllocator(std::string_view functionName)
{
    return std::find(kAllocatorNames.begin(), kAllocatorNames.end(), functionName) != kAllocatorNames.end()
        || anyBegins(kAllocatorBeginnings, functionName);
}

bool isAllocatorWrapper(std::string_view functionName)
{
    constexpr std::string_view kPart = "alloc";
    const std::string name = shortFunctionName(functionName);
    const auto isSame
        = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; };
    return std::search(name.begin(), name.end(), kPart.begin(), kPart.end(), isSame) != name.end();
}

bool isSpecialMember(std::string_view shortName)
{
    if (shortName == "operator()")
        return true; // a lambda's, which has no name of its own
    const std::size_t last = shortName.rfind("::");
    if (last == std::string_view::npos)
        return false;
    const std::string_view member = shortName.substr(last + 2);
    const std::string_view scope = shortName.substr(0, last);
    const std::size_t before = scope.rfind("::");
    const std::string_view type = before == std::string_view::npos ? scope : scope.substr(before + 2);
    return member == type || member.starts_with('~') || member == "operator=";
}

std::size_t ownPosition(const FunctionIndex &functions, const std::vector<StackLine> &lines)
{
    const auto own = std::find_if(lines.begin(), lines.end(),
        [&functions](const StackLine &line) { return isOwnCode(functions, line.function) && !isAllocator(line.name); });
    const auto found = own != lines.end()
        ? own
        : std::find_if(lines.begin(), lines.end(), [](const StackLine &line) { return !isAllocator(line.name); });
    if (found == lines.end() || FunctionIndex::isEnd(found->function))
        return 0;
    return static_cast<std::size_t>(found - lines.begin());
}

std::size_t callerPosition(const FunctionIndex &functions, const std::vector<StackLine> &lines)
{
    return callerPosition(lines.size(), [&](std::size_t at) {
        const CallerKind kind = callerKind(functions, lines[at].function);
        const bool isUnnamed = kind == CallerKind::Caller
            && functions.tables()->text(functions.function(lines[at].function).name).empty();
        return isUnnamed && isCalledByStart(lines, at) ? CallerKind::Stub : kind;
    });
}

std::size_t namedPosition(const FunctionIndex &functions, const std::vector<StackLine> &lines)
{
    const std::size_t caller = callerPosition(functions, lines);
    if (lines.empty() || !lines[caller].file.empty())
        return caller;
    const auto found = std::find_if(lines.begin(), lines.end(), [&functions](const StackLine &line) {
        return !line.file.empty() && isOwnCode(functions, line.function) && !isAllocator(line.name);
    });
    return found == lines.end() ? caller : static_cast<std::size_t>(found - lines.begin());
}

StackLine ownLine(FunctionIndex &index, StackId stack)
{
    std::vector<StackLine> lines = stackLines(index, stack);
    return lines.empty() ? StackLine() : std::move(lines[ownPosition(index, lines)]);
}

StackLine callerLine(FunctionIndex &functions, StackId stack)
{
    std::vector<StackLine> lines = stackLines(functions, stack);
    return lines.empty() ? StackLine() : std::move(lines[callerPosition(functions, lines)]);
}

CallerKind callerKind(const FunctionIndex &index, FunctionId function)
{
    if (FunctionIndex::isEnd(function))
        return CallerKind::End;
    const std::string name = index.name(function);
    if (isAllocator(name))
        return CallerKind::Allocator;
    if (!isOwnCode(index, function))
        return CallerKind::Library;
    if (isSpecialMember(shortFunctionName(name)))
        return CallerKind::Special;
    return isAllocatorWrapper(name) ? CallerKind::Wrapper : name == "main" ? CallerKind::Main : CallerKind::Caller;
}

std::size_t callerPosition(std::size_t count, const std::function<CallerKind(std::size_t)> &kindAt)
{
    std::optional<std::size_t> wrapper;
    std::optional<std::size_t> own;   // innermost
    std::optional<std::size_t> user;  // innermost that is no allocator
    std::optional<std::size_t> outer; // outermost so far that is no allocator
    bool isUserEnd = false;
    for (std::size_t at = 0; at < count; ++at) {
        const CallerKind kind = kindAt(at);
        if (kind == CallerKind::Caller)
            return at;
        if (kind == CallerKind::Main)
            return wrapper.value_or(at);
        if (kind == CallerKind::Stub)
            return wrapper.value_or(outer.value_or(at));
        if (kind != CallerKind::Allocator && kind != CallerKind::End)
            outer = at;
        if (kind == CallerKind::Wrapper)
            wrapper = at;
        if (!own && (kind == CallerKind::Wrapper || kind == CallerKind::Special))
            own = at;
        if (!user && kind != CallerKind::Allocator) {
            user = at;
            isUserEnd = kind == CallerKind::End;
        }
    }
    return own ? *own : user && !isUserEnd ? *user : 0;
}

} // namespace model

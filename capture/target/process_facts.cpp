// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/process_facts.h"

#include "capture/proc/proc_reader.h"
#include "capture/target/remote_process.h"
#include "capture/wire/layout.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

namespace capture {

namespace {

/// Functions by which a program gives away which allocator is linked into it.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kAllocatorMarks{{{"mallctl", "jemalloc"},
    {"je_mallctl", "jemalloc"}, {"_rjem_mallctl", "jemalloc"}, {"_rjem_malloc", "jemalloc"}, {"tc_malloc", "tcmalloc"},
    {"TCMallocInternalMalloc", "tcmalloc"}, {"mi_malloc", "mimalloc"}, {"rpmalloc", "rpmalloc"}}};

bool isOtherNamespace(std::int32_t pid, const char *kind)
{
    struct stat ours = {}, theirs = {};
    return ::stat(fmt::format("/proc/self/ns/{}", kind).c_str(), &ours) == 0
        && ::stat(fmt::format("/proc/{}/ns/{}", pid, kind).c_str(), &theirs) == 0 && ours.st_ino != theirs.st_ino;
}

/// How many seccomp filters a thread runs under (0 or 1 where the kernel does not count them, before 5.9); many in the strict mode.
std::int64_t filterCount(const std::string &statusPath)
{
    constexpr std::int64_t kStrict = 1000;
    std::int64_t mode = 0, count = -1;
    const auto status = readProcFile(statusPath);
    forEachField(status.value_or(std::string()), [&](std::string_view name, std::string_view rest) {
        if (name == "Seccomp")
            mode = parseNumber(rest).value_or(0);
        else if (name == "Seccomp_filters")
            count = parseNumber(rest).value_or(-1);
    });
    return mode == 1 ? kStrict : count >= 0 ? count : mode == 2 ? 1 : 0;
}

std::string_view nameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

void readStatus(ProcessFacts &facts)
{
    const auto status = readProcFile(fmt::format("/proc/{}/status", facts.pid));
    facts.exists = status.has_value();
    bool hasMemory = false;
    forEachField(status.value_or(std::string()), [&](std::string_view name, std::string_view rest) {
        const std::size_t begin = std::min(rest.find_first_not_of(" \t"), rest.size());
        const std::string_view value = rest.substr(begin);
        if (name == "State" && !value.empty())
            facts.state = value.front();
        else if (name == "TracerPid")
            facts.tracerPid = static_cast<std::int32_t>(parseNumber(rest).value_or(0));
        else if (name == "Uid") // real, effective, saved, file system
            facts.user = static_cast<std::uint32_t>(
                parseNumber(value.substr(std::min(value.find('\t'), value.size()))).value_or(0));
        else if (name == "Seccomp")
            facts.seccompMode = static_cast<int>(parseNumber(rest).value_or(0));
        else if (name == "x86_Thread_features")
            facts.hasShadowStack = value.find("shstk") != std::string_view::npos;
        else if (name == "VmSize")
            hasMemory = true;
    });
    facts.isKernelThread = facts.exists && !hasMemory && facts.state != 'Z' && facts.state != 'X';
    if (facts.tracerPid != 0) {
        facts.tracerName = readProcFile(fmt::format("/proc/{}/comm", facts.tracerPid)).value_or(std::string());
        facts.tracerName.erase(std::min(facts.tracerName.find('\n'), facts.tracerName.size()));
    }
}

void readModules(const RemoteProcess &process, const std::string &tracerName, ProcessFacts &facts)
{
    for (const MemoryMapping &mapping : process.mappings()) {
        if (!mapping.isFile())
            continue;
        const std::string_view name = nameOf(mapping.path);
        facts.usesGlibc = facts.usesGlibc || isLibcName(name);
        facts.hasTracer = facts.hasTracer || name == tracerName;
        facts.hasSanitizer = facts.hasSanitizer || name.starts_with("libasan.so") || name.starts_with("libtsan.so")
            || name.starts_with("libclang_rt.asan") || name.starts_with("liblsan.so")
            || name.starts_with("libhwasan.so");
        if (isAllocatorName(name)
            && std::find(facts.allocators.begin(), facts.allocators.end(), name) == facts.allocators.end())
            facts.allocators.emplace_back(name);
        // The shared memory is a file of ours without a name. A forked child has inherited a part of its parent's, to read.
        facts.isBeingTraced
            = facts.isBeingTraced || (mapping.isWritable && mapping.path.starts_with(wire::kMemoryPath));
    }
}

void readProgram(const RemoteProcess &process, ProcessFacts &facts)
{
    facts.program = programKind(fmt::format("/proc/{}/exe", facts.pid));
    facts.hasSanitizer = facts.hasSanitizer || facts.program.hasAddressSanitizer;
    const auto program = process.program();
    if (!program)
        return;
    facts.definesMalloc = program->functions.defines("malloc");
    for (const auto &[function, allocator] : kAllocatorMarks)
        if (facts.insideAllocator.empty()
            && (program->functions.defines(function) || program->functions.hasSymbol(function)))
            facts.insideAllocator = allocator;
}

} // namespace

bool hasOwnFilter(std::int32_t pid)
{
    const std::int64_t ours = filterCount("/proc/self/status");
    const std::string tasks = fmt::format("/proc/{}/task", pid);
    std::error_code error;
    for (std::filesystem::directory_iterator at(tasks, error), end; !error && at != end; at.increment(error))
        if (filterCount(at->path().string() + "/status") > ours)
            return true;
    return false;
}

ProcessFacts readProcessFacts(std::int32_t pid, const std::string &tracerPath)
{
    ProcessFacts facts;
    facts.pid = pid;
    facts.isOurselves = pid == ::getpid();
    facts.ownUser = ::geteuid();
    readStatus(facts);
    if (!facts.exists || facts.isKernelThread || facts.state == 'Z')
        return facts;
    facts.hasOwnFilter = hasOwnFilter(pid);
    facts.hasOtherMounts = isOtherNamespace(pid, "mnt");
    facts.hasOtherPids = isOtherNamespace(pid, "pid");
    facts.hasOtherNetwork = isOtherNamespace(pid, "net");
    facts.hasOtherUsers = isOtherNamespace(pid, "user");
    errno = 0;
    const RemoteProcess process(pid);
    facts.memoryErrno = process.isOpen() ? 0 : errno;
    if (!process.isOpen())
        return facts;
    readModules(process, std::string(nameOf(tracerPath)), facts);
    readProgram(process, facts);
    facts.seesTracer = facts.hasTracer || ::access(fmt::format("/proc/{}/root{}", pid, tracerPath).c_str(), R_OK) == 0;
    return facts;
}

} // namespace capture

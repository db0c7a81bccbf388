// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/safe_point.h"

#include "capture/target/restartable_sequence.h"
#include "capture/target/signal_frame.h"
#include "capture/target/stack_room.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace capture {

namespace {

constexpr std::size_t kMostStackBytes = 64 * 1024;

/// The exported functions of glibc's malloc.c. The unexported ones stand among them.
constexpr std::array<std::string_view, 16> kAllocatorFunctions{"malloc", "free", "calloc", "realloc", "memalign",
    "aligned_alloc", "posix_memalign", "valloc", "pvalloc", "malloc_trim", "malloc_usable_size", "mallinfo",
    "mallinfo2", "mallopt", "malloc_stats", "malloc_info"};

/// Functions that hold locks which loading a library takes too, or that the loader runs in.
constexpr std::array<std::string_view, 20> kLockingFunctions{"fork", "_Fork", "vfork", "posix_spawn", "posix_spawnp",
    "clone", "pthread_create", "pthread_join", "pthread_exit", "pthread_getattr_np", "dl_iterate_phdr", "dlopen",
    "dlmopen", "dlclose", "dlsym", "dlvsym", "dladdr", "dladdr1", "exit", "abort"};

} // namespace

SafePoint::SafePoint(const RemoteProcess &process, const RemoteLibrary &libc)
    : m_process(process)
    , m_libc(libc.addresses)
    , m_files(m_tables)
    , m_unwinder(m_files)
{
    // Files are read now, while no thread is stopped.
    for (const PerfMapping &mapping : readCodeMappings(process.pid())) {
        CodeFile &file = m_files.fileOf(mapping, process.pid());
        m_files.tablesOf(file, process.pid());
        m_space.add({mapping.begin, mapping.begin + mapping.bytes, mapping.fileOffset, &file});
    }
    forbidLibc(libc);
    forbidModules();
}

void SafePoint::forbidLibc(const RemoteLibrary &libc)
{
    m_forbidden.push_back({libc.shifted(libc.functions.neighbourhoodOf(kAllocatorFunctions)), "the allocator"});
    for (const std::string_view name : kLockingFunctions)
        if (libc.functions.defines(name))
            m_forbidden.push_back(
                {libc.shifted(libc.functions.rangeOf(name)), "a function that makes processes or threads, or loads"});
}

/// Reads files. A library that exports malloc is an allocator whatever its name is.
void SafePoint::forbidModules()
{
    const std::string program = m_process.programPath();
    for (const MemoryMapping &mapping : m_process.mappings()) {
        const std::string_view name = std::string_view(mapping.path).substr(mapping.path.rfind('/') + 1);
        if (!mapping.isFile() || !mapping.isExecutable)
            continue;
        const AddressRange range{mapping.begin, mapping.end};
        if (isLoaderName(name) || name.starts_with("libdl.so") || name.starts_with("libdl-2."))
            m_forbidden.push_back({range, "the loader"});
        else if (name.starts_with("libgenesis_heaptracer"))
            m_forbidden.push_back({range, "the tracer"}); // exports malloc too
        else if (mapping.path == program)
            forbidProgram(mapping);
        else if (isAllocatorName(name) || (!isLibcName(name) && m_process.exports(mapping, "malloc")))
            m_forbidden.push_back({range, "the allocator"});
    }
}

/// An allocator of the program's own file. All threads are in that file: only the functions of malloc's interface are forbidden.
void SafePoint::forbidProgram(const MemoryMapping &mapping)
{
    const auto program = m_process.exports(mapping, "malloc") ? m_process.program() : std::nullopt;
    for (const std::string_view name : kAllocatorFunctions)
        if (program && program->functions.defines(name))
            m_forbidden.push_back({program->shifted(program->functions.rangeOf(name)), "the allocator"});
}

const char *SafePoint::forbiddenAt(std::uint64_t address) const
{
    const auto at = std::find_if(m_forbidden.begin(), m_forbidden.end(),
        [=](const Forbidden &forbidden) { return forbidden.addresses.contains(address); });
    return at != m_forbidden.end() ? at->what : nullptr;
}

PerfSample SafePoint::sampleOf(const user_regs_struct &r) const
{
    PerfSample sample;
    sample.pc = r.rip;
    sample.hasRegisters = true;
    // By DWARF number.
    const std::array<std::uint64_t, 17> values{r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi, r.rbp, r.rsp, r.r8, r.r9,
        r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.rip};
    for (unsigned i = 0; i < values.size(); ++i)
        sample.registers.set(i, values[i]);
    const MemoryMapping *stack = m_process.mappingAt(r.rsp);
    const std::size_t bytes = stack ? std::min<std::size_t>(stack->end - r.rsp, kMostStackBytes) : 0;
    sample.isStackCut = bytes == kMostStackBytes;
    sample.stack.resize(bytes);
    if (!m_process.read(r.rsp, sample.stack.data(), bytes))
        sample.stack.clear();
    return sample;
}

const char *SafePoint::scan(const PerfSample &sample, std::uint64_t from) const
{
    const std::uint64_t begin = sample.registers.sp();
    for (std::size_t at = from > begin ? from - begin : 0; at + 8 <= sample.stack.size(); at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, sample.stack.data() + at, sizeof word);
        if (const char *what = forbiddenAt(word - 1))
            return what;
    }
    return nullptr;
}

std::string SafePoint::obstacle(const ThreadRegisters &stopped, std::int32_t tid)
{
    const user_regs_struct &registers = stopped.general;
    if (registers.cs != 0x33)
        return "32-bit code";
    const PerfSample sample = sampleOf(registers);
    if (sample.stack.empty())
        return "code without a stack";
    std::vector<SampleFrame> frames;
    const model::StackEnd end = m_unwinder.unwind(sample, m_space, m_process.pid(), frames);
    bool isProgramsOwn = false;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const bool isExact = frames[i].kind == model::FrameKind::Exact;
        if (i > 0 && isExact)
            return "a signal handler";
        const std::uint64_t at = frames[i].pc - (isExact ? 0 : 1);
        if (const char *what = forbiddenAt(at))
            return what;
        isProgramsOwn = isProgramsOwn || !m_libc.contains(at);
    }
    if (!isProgramsOwn)
        return "the C library's own code: it begins or ends";
    if (const char *what = end == model::StackEnd::ReachedStart ? nullptr : scan(sample, registers.rsp))
        return what;
    if (isInRestartableSequence(m_process.pid(), tid, registers.rip))
        return "a restartable sequence";
    const std::uint64_t bytes = registers.rsp - makeSignalFrame(stopped, 0).address;
    if (stackRoom(m_process.mappings(), registers.rsp, registers.fs_base, bytes) == StackRoom::None)
        return fmt::format("code whose stack may end less than {} bytes further down (that of a coroutine)", bytes);
    return {};
}

} // namespace capture

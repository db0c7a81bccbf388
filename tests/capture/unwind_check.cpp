// SPDX-License-Identifier: GPL-3.0-or-later
// Preloaded into any program: takes the stack of every malloc incrementally, as the tracer does, and compares it, at every
// UNWIND_CHECK_EVERY-th, with the plain walk by the same rules and with libunwind. Counts go to UNWIND_CHECK_OUT/PID, which the
// test reads; so do the first stacks that differ.
#define UNW_LOCAL_ONLY
#include "capture/tracer/incremental_stack.h"
#include "capture/tracer/leaf_table.h"
#include "capture/unwind/local_rules.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <libunwind.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" void *__libc_malloc(size_t size);

using namespace capture;
using namespace capture::unwind;

namespace {

constexpr std::size_t kMostFrames = tracer::IncrementalStack::kMostFrames;
constexpr std::uint32_t kRoots = 6;

struct Counts
{
    std::atomic<std::uint64_t> stacks;         ///< taken
    std::atomic<std::uint64_t> compared;       ///< with libunwind
    std::atomic<std::uint64_t> equal;          ///< frame by frame
    std::atomic<std::uint64_t> longerThere;    ///< ours ended where there is no information; libunwind guessed on
    std::atomic<std::uint64_t> shorterThere;   ///< libunwind gave up earlier
    std::atomic<std::uint64_t> different;      ///< neither
    std::atomic<std::uint64_t> plainDifferent; ///< the incremental walk differs from the plain one
    std::atomic<std::uint64_t> plainly;        ///< stacks that cannot be taken incrementally
    std::atomic<std::uint64_t> walkedFrames;
    std::atomic<std::uint64_t> wholeFrames;
};

/// Frames interned by the hash of their path, as the tracer's tree does.
class Nodes
{
public:
    template <typename IsIt> std::uint32_t find(std::uint64_t pathHash, IsIt isIt) const
    {
        for (std::uint64_t at = pathHash & kMask; m_nodes[at].pc != 0; at = (at + 1) & kMask)
            if (isIt(static_cast<std::uint32_t>(at) + kRoots))
                return static_cast<std::uint32_t>(at) + kRoots;
        return 0;
    }
    std::uint32_t add(std::uint32_t parent, std::uint64_t pc, std::uint64_t pathHash)
    {
        std::uint64_t at = pathHash & kMask;
        while (m_nodes[at].pc != 0)
            at = (at + 1) & kMask;
        m_nodes[at] = {pc, parent};
        return static_cast<std::uint32_t>(at) + kRoots;
    }
    std::uint64_t address(std::uint32_t node) const { return node < kRoots ? 0 : m_nodes[node - kRoots].pc; }
    std::uint32_t parent(std::uint32_t node) const { return node < kRoots ? 0 : m_nodes[node - kRoots].parent; }
    tracer::LeafTable leaves;
    tracer::LeafTable::Entry leafEntries[tracer::LeafTable::kBytes / sizeof(tracer::LeafTable::Entry)];

private:
    static constexpr std::uint64_t kMask = (1U << 23) - 1;
    struct Node
    {
        std::uint64_t pc;
        std::uint32_t parent;
    };
    Node m_nodes[kMask + 1];
};

/// The same as the incremental stack asks for them.
struct Interned
{
    Nodes &nodes;
    std::uint64_t generation;
    std::uint32_t leaf(std::uint64_t pathHash) const { return nodes.leaves.find(pathHash, generation); }
    void setLeaf(std::uint64_t pathHash, std::uint32_t node) const { nodes.leaves.set(pathHash, generation, node); }
    void prefetch(std::uint64_t) const { }
    template <typename IsIt> std::uint32_t find(std::uint64_t pathHash, IsIt isIt) const
    {
        return nodes.find(pathHash, isIt);
    }
    std::uint32_t add(std::uint32_t parent, std::uint64_t pc, std::uint64_t pathHash) const
    {
        return nodes.add(parent, pc, pathHash);
    }
    bool isOf(std::uint32_t node, std::uint64_t pc) const { return nodes.address(node) == pc; }
    std::uint32_t parent(std::uint32_t node) const { return nodes.parent(node); }
};

/// Rules likewise.
struct Steps
{
    LocalRules &rules;
    tracer::FrameStep step(std::uint64_t returnAddress, Lead) const
    {
        return tracer::FrameStep::of(rules.rule(lookupAddress(returnAddress, false)));
    }
    std::uint64_t fromRsp(std::uint64_t returnAddress) const { return step(returnAddress, Lead::Rule).fromRsp; }
    std::uint64_t packed(std::uint64_t returnAddress) const { return step(returnAddress, Lead::Rule).packed(); }
    FrameRule rule(std::uint64_t pc) const { return rules.rule(pc); }
};

/// What a thread has of its own.
struct Thread
{
    tracer::IncrementalStack last;
    OwnStack stack;
    std::uint64_t generation;
    std::uint64_t ours[kMostFrames], plain[kMostFrames], theirs[kMostFrames];
};

struct Memory
{
    Nodes nodes;
    RuleCache::Entry entries[std::size_t{1} << 14];
    Counts counts;
};

Memory *g_memory;
Counts *g_counts;
RuleCache g_cache;
std::atomic_flag g_busy; // guards Nodes, which is not the subject here
std::atomic<std::uint64_t> g_generation = 1;
int g_out = -1;
unsigned g_every = 50;
thread_local Thread *t_thread __attribute__((tls_model("initial-exec")));
thread_local bool t_inside __attribute__((tls_model("initial-exec")));

void *mapZeroed(std::size_t bytes)
{
    void *memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? nullptr : memory;
}

void openCounts()
{
    const char *folder = std::getenv("UNWIND_CHECK_OUT");
    char path[512];
    std::snprintf(path, sizeof path, "%s/%d", folder != nullptr ? folder : ".", ::getpid());
    const int file = ::open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0 || ::ftruncate(file, sizeof(Counts)) != 0)
        return;
    void *counts = ::mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (counts == MAP_FAILED)
        return;
    std::snprintf(path, sizeof path, "%s/%d.differences", folder != nullptr ? folder : ".", ::getpid());
    g_out = ::open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    g_counts = static_cast<Counts *>(counts);
}

[[gnu::constructor]] void start()
{
    t_inside = true;
    if (const char *every = std::getenv("UNWIND_CHECK_EVERY"))
        g_every = static_cast<unsigned>(std::max(1, std::atoi(every)));
    g_memory = static_cast<Memory *>(mapZeroed(sizeof(Memory)));
    if (g_memory != nullptr) {
        g_cache.assign(g_memory->entries, 14);
        g_memory->nodes.leaves.assign(g_memory->nodes.leafEntries);
        openCounts();
    }
    ::pthread_atfork(nullptr, nullptr, [] { g_counts = nullptr; }); // only what exec'd is looked at
    t_inside = false;
}

Thread *thisThread(std::uint64_t sp)
{
    if (t_thread != nullptr)
        return t_thread;
    auto *thread = static_cast<Thread *>(mapZeroed(sizeof(Thread)));
    pthread_attr_t attributes;
    void *low = nullptr;
    std::size_t bytes = 0;
    if (thread == nullptr || ::pthread_getattr_np(::pthread_self(), &attributes) != 0)
        return nullptr;
    ::pthread_attr_getstack(&attributes, &low, &bytes);
    ::pthread_attr_destroy(&attributes);
    thread->stack = {sp, reinterpret_cast<std::uint64_t>(low) + bytes};
    return t_thread = thread;
}

std::size_t libunwindWalk(std::uint64_t from, std::uint64_t *pcs)
{
    unw_context_t context;
    unw_cursor_t cursor;
    unw_getcontext(&context);
    unw_init_local(&cursor, &context);
    std::size_t count = 0;
    bool isAbove = false;
    do {
        unw_word_t pc = 0;
        unw_get_reg(&cursor, UNW_REG_IP, &pc);
        isAbove = isAbove || pc == from;
        if (isAbove && pc != 0)
            pcs[count++] = pc;
    } while (count < kMostFrames && unw_step(&cursor) > 0);
    return count;
}

void tell(const char *what, const std::uint64_t *ours, std::size_t ourCount, const std::uint64_t *theirs,
    std::size_t theirCount, std::uint64_t end)
{
    static std::atomic<int> left = 20;
    if (g_out < 0 || left.fetch_sub(1) <= 0)
        return;
    ::dprintf(g_out, "%s: ours ended with state %llu\n", what, static_cast<unsigned long long>(end));
    for (std::size_t i = 0; i < std::max(ourCount, theirCount); ++i) {
        Dl_info info{};
        const std::uint64_t pc = i < ourCount ? ours[i] : theirs[i];
        ::dladdr(reinterpret_cast<void *>(pc), &info);
        ::dprintf(g_out, "  %2zu %16llx %16llx %s %s+%llx\n", i,
            i < ourCount ? static_cast<unsigned long long>(ours[i]) : 0,
            i < theirCount ? static_cast<unsigned long long>(theirs[i]) : 0,
            info.dli_fname != nullptr ? info.dli_fname : "?", info.dli_sname != nullptr ? info.dli_sname : "",
            static_cast<unsigned long long>(pc - reinterpret_cast<std::uint64_t>(info.dli_fbase)));
    }
}

void compare(Thread &thread, std::uint64_t leaf, std::size_t count, std::uint32_t root)
{
    Counts &counts = *g_counts;
    LocalRules rules(g_cache, weakFindObject());
    // It begins in this function, below what the program uses.
    const OwnStack stack{reinterpret_cast<std::uint64_t>(__builtin_frame_address(0)) - 4096, thread.stack.high};
    const StackWalk walk = unwind::unwind(Registers::here(), rules, stack, thread.plain, kMostFrames);
    const std::uint64_t *plain = std::find(thread.plain, thread.plain + walk.count, leaf);
    const auto plainCount = static_cast<std::size_t>(thread.plain + walk.count - plain);
    if (!std::equal(thread.ours, thread.ours + count, plain, plain + plainCount)
        || root != static_cast<std::uint32_t>(walk.end)) {
        ++counts.plainDifferent;
        tell("plain walk", thread.ours, count, plain, plainCount, root);
    }
    const std::size_t theirCount = libunwindWalk(leaf, thread.theirs);
    const std::size_t common = static_cast<std::size_t>(
        std::mismatch(thread.ours, thread.ours + count, thread.theirs, thread.theirs + theirCount).first - thread.ours);
    ++counts.compared;
    if (common == count && common == theirCount)
        ++counts.equal;
    else if (common == count && root != 0)
        ++counts.longerThere;
    else if (common == theirCount && root == 0)
        ++counts.shorterThere;
    else
        ++counts.different;
    if (common != count || (common != theirCount && root == 0))
        tell("libunwind", thread.ours, count, thread.theirs, theirCount, root);
}

[[gnu::noinline]] void check(const NarrowFrame &caller)
{
    Thread *thread = thisThread(caller.sp);
    if (thread == nullptr)
        return;
    if (caller.sp < thread->stack.low && thread->stack.low - caller.sp < (64U << 20))
        thread->stack.low = (caller.sp - 8) & ~std::uint64_t{7};
    Counts &counts = *g_counts;
    const std::uint64_t number = ++counts.stacks;
    if (caller.sp - 8 - thread->stack.low >= thread->stack.high - thread->stack.low) {
        ++counts.plainly;
        return;
    }
    const std::uint64_t generation = g_generation.load();
    if (thread->generation != generation)
        thread->last.forget();
    thread->generation = generation;
    while (g_busy.test_and_set(std::memory_order_acquire)) { }
    LocalRules rules(g_cache, weakFindObject());
    const std::uint64_t walkedBefore = thread->last.walkedFrames();
    std::uint32_t node
        = thread->last.capture(caller, Steps{rules}, thread->stack, Interned{g_memory->nodes, generation});
    counts.walkedFrames += thread->last.walkedFrames() - walkedBefore;
    std::size_t count = 0;
    if (node == tracer::IncrementalStack::kNeedsPlainWalk) {
        ++counts.plainly;
        count = kMostFrames;
    }
    for (; count < kMostFrames && node >= kRoots; node = g_memory->nodes.parent(node))
        thread->ours[count++] = g_memory->nodes.address(node);
    g_busy.clear(std::memory_order_release);
    if (node < kRoots) {
        counts.wholeFrames += count;
        if (number % g_every == 0)
            compare(*thread, caller.pc, count, node);
    }
}

} // namespace

extern "C" __attribute__((visibility("default"))) void *malloc(size_t size)
{
    void *pointer = __libc_malloc(size);
    if (!t_inside && g_counts != nullptr) {
        t_inside = true;
        const auto *frame = static_cast<const std::uint64_t *>(__builtin_frame_address(0));
        check({frame[1], reinterpret_cast<std::uint64_t>(frame + 2), frame[0]});
        t_inside = false;
    }
    return pointer;
}

extern "C" __attribute__((visibility("default"))) int dlclose(void *handle)
{
    static const auto next = reinterpret_cast<int (*)(void *)>(::dlsym(RTLD_NEXT, "dlclose"));
    const bool wasInside = t_inside;
    const int result = next(handle);
    t_inside = true;
    g_cache.flush();
    ++g_generation;
    ::unw_flush_cache(unw_local_addr_space, 0, 0);
    t_inside = wasInside;
    return result;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#define UNW_LOCAL_ONLY
#include "capture/unwind/local_rules.h"
#include "capture/unwind/unwinder.h"

#include <QTest>

#include <alloca.h>
#include <libunwind.h>
#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

using namespace capture::unwind;

namespace {

constexpr std::size_t kMostFrames = 512;

/// Reads any word of this process; the sanitizers must not judge reads of the stack's red zones.
struct WholeMemory
{
    __attribute__((no_sanitize("address", "thread"), noinline)) bool read(
        std::uint64_t from, std::uint64_t &value) const
    {
        if (from < 4096 || from >= (std::uint64_t{1} << 47))
            return false;
        value = *reinterpret_cast<const volatile std::uint64_t *>(from);
        return true;
    }
};

struct Walked
{
    std::vector<std::uint64_t> ours, full, theirs;
    EndState end = EndState::BadRule;
};

RuleCache &sharedCache()
{
    static RuleCache::Entry entries[1024];
    static RuleCache cache(entries, 10);
    return cache;
}

/// libunwind's walk; frame 0 is this function, so it has to stay one.
__attribute__((noinline)) std::vector<std::uint64_t> referenceWalk()
{
    std::vector<std::uint64_t> pcs;
    unw_context_t context;
    unw_cursor_t cursor;
    unw_getcontext(&context);
    unw_init_local(&cursor, &context);
    do {
        unw_word_t pc = 0;
        unw_get_reg(&cursor, UNW_REG_IP, &pc);
        pcs.push_back(pc);
    } while (unw_step(&cursor) > 0 && pcs.size() < kMostFrames);
    return pcs;
}

/// Walks the caller's stack three ways. Frame 0 is this function itself, and differs.
__attribute__((noinline)) void walk(Walked &walked)
{
    LocalRules rules(sharedCache(), weakFindObject());
    const Registers registers = Registers::here();
    std::uint64_t pcs[kMostFrames];
    StackWalk result = unwind(registers, rules, WholeMemory{}, pcs, kMostFrames);
    walked.end = result.end;
    walked.ours.assign(pcs + 1, pcs + result.count);
    const WholeMemory memory;
    result = unwindFull(registers, rules, MemoryView::of(memory), pcs, kMostFrames);
    walked.full.assign(pcs + 1, pcs + result.count);
    walked.theirs = referenceWalk();
    walked.theirs.erase(walked.theirs.begin(), walked.theirs.begin() + 2); // referenceWalk and this
    asm volatile("" ::: "memory");
}

/// The frames must be equal up to where libunwind gives up.
void compare(const Walked &walked)
{
    QCOMPARE(walked.full.size(), walked.ours.size());
    QVERIFY(walked.full == walked.ours);
    QCOMPARE(walked.end, EndState::ReachedStart);
    QVERIFY2(walked.theirs.size() >= 2, "libunwind did not walk");
    const std::size_t common = std::min(walked.theirs.size(), walked.ours.size());
    for (std::size_t i = 0; i < common; ++i)
        QVERIFY2(walked.ours[i] == walked.theirs[i],
            qPrintable(
                QStringLiteral("frame %1: %2 and %3").arg(i).arg(walked.ours[i], 0, 16).arg(walked.theirs[i], 0, 16)));
    QVERIFY(walked.theirs.size() <= walked.ours.size() + 1);
}

__attribute__((noinline)) void recurse(int depth, Walked &walked)
{
    if (depth == 0)
        walk(walked);
    else
        recurse(depth - 1, walked);
    asm volatile("" ::: "memory");
}

/// A frame whose size is not known to the compiler, so its CFA is rbp + constant.
__attribute__((noinline)) void dynamicFrame(std::size_t bytes, int depth, Walked &walked)
{
    auto *room = static_cast<volatile char *>(alloca(bytes));
    room[0] = 1;
    if (depth == 0)
        walk(walked);
    else
        dynamicFrame(bytes + 40, depth - 1, walked);
    room[bytes - 1] = 2;
}

/// A frame that the compiler aligns to 64 bytes, with room of unknown size: its CFA is read from memory.
__attribute__((noinline)) void realignedFrame(std::size_t bytes, Walked &walked)
{
    alignas(64) char aligned[128];
    auto *room = static_cast<volatile char *>(alloca(bytes));
    room[0] = 1;
    asm volatile("" : : "r"(aligned) : "memory");
    walk(walked);
    asm volatile("" : : "r"(aligned) : "memory");
    room[bytes - 1] = 2;
}

Walked *signalWalk = nullptr;

void onSignal(int) { walk(*signalWalk); }

int compareAndWalk(const void *, const void *)
{
    if (signalWalk->ours.empty())
        walk(*signalWalk);
    return 0;
}

} // namespace

class UnwindWalkTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void initTestCase()
    {
        if (!weakFindObject())
            QSKIP("this libc has no _dl_find_object (glibc 2.35 and later)");
    }

    void agreesWithLibunwindOnARecursion()
    {
        Walked walked;
        recurse(100, walked);
        QVERIFY(walked.ours.size() > 100);
        compare(walked);
    }

    void agreesOnFramesOfUnknownSize()
    {
        Walked walked;
        dynamicFrame(100, 20, walked);
        compare(walked);
    }

    void agreesOnRealignedFrames()
    {
        Walked walked;
        realignedFrame(100, walked);
        compare(walked);
    }

    void agreesThroughALibrarysCallback()
    {
        Walked walked;
        signalWalk = &walked;
        int numbers[64] = {};
        std::qsort(numbers, std::size(numbers), sizeof(int), compareAndWalk);
        compare(walked);
    }

    void agreesThroughASignalHandler()
    {
        Walked walked;
        signalWalk = &walked;
        struct sigaction action = {}, old = {};
        action.sa_handler = onSignal;
        QCOMPARE(sigaction(SIGUSR1, &action, &old), 0);
        raise(SIGUSR1);
        sigaction(SIGUSR1, &old, nullptr);
        compare(walked);
    }

    void agreesThroughASignalOnAnotherStack()
    {
        Walked walked;
        signalWalk = &walked;
        const std::size_t bytes = std::size_t{1} << 18;
        void *room = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        QVERIFY(room != MAP_FAILED);
        stack_t other = {}, before = {};
        other.ss_sp = room;
        other.ss_size = bytes;
        QCOMPARE(sigaltstack(&other, &before), 0);
        struct sigaction action = {}, old = {};
        action.sa_handler = onSignal;
        action.sa_flags = SA_ONSTACK;
        QCOMPARE(sigaction(SIGUSR1, &action, &old), 0);
        raise(SIGUSR1);
        sigaction(SIGUSR1, &old, nullptr);
        sigaltstack(&before, nullptr);
        munmap(room, bytes);
        compare(walked);
    }

    void reachesTheStartOfAThread()
    {
        Walked walked;
        std::thread([&walked] { recurse(10, walked); }).join();
        compare(walked);
    }

    void saysWhenThereWasNoRoom()
    {
        LocalRules rules(sharedCache(), weakFindObject());
        std::uint64_t pcs[2];
        const StackWalk result = unwind(Registers::here(), rules, WholeMemory{}, pcs, 2);
        QCOMPARE(result.count, std::size_t{2});
        QCOMPARE(result.end, EndState::Truncated);
    }

    void saysWhenTheStackEndsBeforeItsStart()
    {
        LocalRules rules(sharedCache(), weakFindObject());
        const Registers registers = Registers::here();
        std::uint64_t pcs[kMostFrames];
        const OwnStack nothing{registers.sp(), registers.sp()};
        QCOMPARE(unwind(registers, rules, nothing, pcs, kMostFrames).end, EndState::Unreadable);
    }

    void saysWhenCodeHasNoInformation()
    {
        LocalRules rules(sharedCache(), weakFindObject());
        Registers registers = Registers::here();
        registers.set(reg::kReturnAddress, 0x1000);
        std::uint64_t pcs[kMostFrames];
        const StackWalk result = unwind(registers, rules, WholeMemory{}, pcs, kMostFrames);
        QCOMPARE(result.end, EndState::NoUnwindInfo);
        QCOMPARE(result.count, std::size_t{1});
    }

    void knowsTheFunctionsOfTheKernelsPage()
    {
        // clock_gettime of libc jumps into the vdso; take any entry of its tables.
        LocalModule module;
        const std::uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
        if (vdso == 0)
            QSKIP("this kernel gives no vdso");
        QVERIFY(findModule(weakFindObject(), vdso + 0x800, module) || findModule(nullptr, vdso + 0x800, module));
        QVERIFY(findModule(nullptr, vdso + 0x800, module));
        std::size_t offset = 0, entries = 0;
        FrameEntry entry;
        while (offset < module.tables.frames.size && entries == 0)
            entries += readEntry(module.tables.frames, offset, entry) == FindResult::Found;
        QCOMPARE(entries, std::size_t{1});
        QCOMPARE(ruleAt(module.tables, entry.begin).cfaOffset(), 8);
        LocalRules rules(sharedCache(), weakFindObject());
        QCOMPARE(rules.rule(entry.begin), ruleAt(module.tables, entry.begin));
    }
};

QTEST_APPLESS_MAIN(UnwindWalkTest)
#include "unwind_walk_test.moc"

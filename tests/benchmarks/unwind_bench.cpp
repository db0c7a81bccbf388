// SPDX-License-Identifier: GPL-3.0-or-later
// What a stack costs: the table unwinder, by depth, beside libunwind's cached unw_backtrace. Prints ns per walk.
#define UNW_LOCAL_ONLY
#include "capture/unwind/local_rules.h"
#include "capture/unwind/unwinder.h"

#include <QTest>

#include <libunwind.h>

#include <chrono>

using namespace capture::unwind;

namespace {

constexpr std::size_t kMostFrames = 256;
constexpr int kRounds = 20000;

struct Timing
{
    double oursNs = 0, theirsNs = 0;
    std::size_t ourFrames = 0, theirFrames = 0;
};

template <typename Walk> double nsPerWalk(Walk walk)
{
    walk(); // fills the caches
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kRounds; ++i)
        walk();
    const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - begin;
    return elapsed.count() / kRounds;
}

__attribute__((noinline)) void measure(Timing &timing)
{
    static RuleCache::Entry entries[4096];
    static RuleCache cache(entries, 12);
    std::uint64_t pcs[kMostFrames];
    void *addresses[kMostFrames];
    timing.oursNs = nsPerWalk([&] {
        const Registers registers = Registers::here();
        LocalRules rules(cache, weakFindObject());
        const OwnStack stack{registers.sp(), registers.sp() + 8 * 1024 * 1024 / 16};
        timing.ourFrames = unwind(registers, rules, stack, pcs, kMostFrames).count;
    });
    timing.theirsNs = nsPerWalk([&] {
        timing.theirFrames = static_cast<std::size_t>(unw_backtrace(addresses, static_cast<int>(kMostFrames)));
    });
}

__attribute__((noinline)) void recurse(int depth, Timing &timing)
{
    if (depth == 0)
        measure(timing);
    else
        recurse(depth - 1, timing);
    asm volatile("" ::: "memory");
}

} // namespace

class UnwindBench : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void walksOfOneThread_data()
    {
        QTest::addColumn<int>("depth");
        for (const int depth : {5, 25, 100})
            QTest::addRow("depth %d", depth) << depth;
    }
    void walksOfOneThread()
    {
        QFETCH(int, depth);
        if (!weakFindObject())
            QSKIP("this libc has no _dl_find_object (glibc 2.35 and later)");
        Timing timing;
        recurse(depth, timing);
        QVERIFY(timing.ourFrames >= static_cast<std::size_t>(depth));
        qInfo("tables: %.0f ns for %zu frames (%.2f ns a frame); libunwind: %.0f ns for %zu frames; ratio %.2f",
            timing.oursNs, timing.ourFrames, timing.oursNs / static_cast<double>(timing.ourFrames), timing.theirsNs,
            timing.theirFrames, timing.oursNs / timing.theirsNs);
    }
};

QTEST_APPLESS_MAIN(UnwindBench)
#include "unwind_bench.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/image_memory.h"

#include <QtTest>

#include <array>
#include <atomic>
#include <thread>

using namespace capture;

namespace {

std::unique_ptr<ImageMemory> newMemory()
{
    auto memory = ImageMemory::create(wire::Clock::Tsc, 0);
    if (!memory || !(*memory)->provideSampledBlocks(64 * 1024, 0))
        qFatal("no memory");
    return std::move(*memory);
}

} // namespace

class SampledBlocksTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatIsSampledIsTakenOutOnce()
    {
        const auto memory = newMemory();
        const wire::SampledBlocks &set = memory->sampledBlocks();
        QCOMPARE(set.remove(4096), 0u);
        QVERIFY(set.add(4096));
        QCOMPARE(set.remove(4096), wire::kFreedFollowed);
        QCOMPARE(set.remove(4096), 0u);
    }

    void targetTakesItsOwnEntryFirst()
    {
        const auto memory = newMemory();
        const wire::SampledBlocks &set = memory->sampledBlocks();
        QVERIFY(set.addKept(4096));
        QVERIFY(set.add(4096));
        QCOMPARE(set.remove(4096), wire::kFreedFollowed);
        QCOMPARE(set.remove(4096), wire::kFreedKept);
        QCOMPARE(set.remove(4096), 0u);
    }

    void recorderTakesOutItsOwnAlone()
    {
        const auto memory = newMemory();
        const wire::SampledBlocks &set = memory->sampledBlocks();
        QVERIFY(set.add(4096));
        QVERIFY(!set.removeKept(4096));
        QVERIFY(set.addKept(4096));
        QVERIFY(set.removeKept(4096));
        QCOMPARE(set.remove(4096), wire::kFreedFollowed);
    }

    void addressThatCannotBeMarkedIsRefused()
    {
        const auto memory = newMemory();
        QVERIFY(!memory->sampledBlocks().add(4097) && !memory->sampledBlocks().addKept(4097));
    }

    void fullSetRefuses()
    {
        const auto memory = newMemory();
        const wire::SampledBlocks &set = memory->sampledBlocks();
        std::uint64_t added = 0;
        for (std::uint64_t pointer = 16; pointer < 16 * 2 * set.capacity(); pointer += 16)
            added += set.add(pointer) ? 1 : 0;
        QVERIFY(added > set.capacity() / 2 && added <= set.capacity());
        std::uint64_t removed = 0;
        for (std::uint64_t pointer = 16; pointer < 16 * 2 * set.capacity(); pointer += 16)
            removed += set.remove(pointer) == wire::kFreedFollowed ? 1 : 0;
        QCOMPARE(removed, added);
    }

    /// Threads add and take out what is theirs, while the recorder enters and takes out at the same addresses: nobody loses an entry.
    void threadsAndTheRecorderDoNotTakeFromEachOther()
    {
        const auto memory = newMemory();
        const wire::SampledBlocks set = memory->sampledBlocks();
        constexpr std::uint64_t kAddresses = 64;
        std::atomic<bool> isOver = false;
        std::atomic<int> lost = 0, kept = 0;
        std::vector<std::thread> threads;
        for (std::uint64_t t = 0; t < 3; ++t)
            threads.emplace_back([&, t] {
                for (int i = 0; i < 20'000; ++i) {
                    const std::uint64_t pointer = 4096 + 16 * (3 * (static_cast<std::uint64_t>(i) % kAddresses) + t);
                    if (!set.add(pointer) || set.remove(pointer) != wire::kFreedFollowed)
                        ++lost;
                    kept -= set.remove(pointer) == wire::kFreedKept ? 1 : 0;
                }
                isOver = true;
            });
        // As the recorder does, one entry a block: however long the threads do not run, there is room.
        std::array<bool, 3 * kAddresses> isKept{};
        for (std::uint64_t i = 0; !isOver; ++i) {
            const std::uint64_t block = i * 7 % (3 * kAddresses);
            const std::uint64_t pointer = 4096 + 16 * block;
            if (isKept[block])
                kept -= set.removeKept(pointer) ? 1 : 0; // unless a thread has
            else
                kept += set.addKept(pointer) ? 1 : 0;
            isKept[block] = !isKept[block];
        }
        for (std::thread &thread : threads)
            thread.join();
        for (std::uint64_t i = 0; i < 3 * kAddresses; ++i)
            while (set.remove(4096 + 16 * i) == wire::kFreedKept)
                --kept;
        QCOMPARE(lost.load(), 0);
        QCOMPARE(kept.load(), 0);
    }
};

QTEST_GUILESS_MAIN(SampledBlocksTest)
#include "sampled_blocks_test.moc"

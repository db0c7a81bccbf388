// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/live_heap.h"

#include <QtTest>

#include <map>
#include <random>

class LiveHeapTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void keepsWhatABlockIs()
    {
        model::LiveHeap heap;
        const std::uint64_t size = (std::uint64_t{3} << 40) | 12345;
        QVERIFY(heap.insert(0x7f00'0000'1230, {size, (1u << 24) - 1, 1'000'000'000'000}));
        const auto block = heap.take(0x7f00'0000'1230);
        QVERIFY(block.has_value());
        QCOMPARE(block->size, size);
        QCOMPARE(block->node, (1u << 24) - 1);
        QCOMPARE(block->birthUs, 1'000'000'000'000);
    }

    void birthIsKeptForYears()
    {
        model::LiveHeap heap;
        constexpr std::int64_t kDayUs = 86'400'000'000;
        for (const std::int64_t birthUs : {13 * kDayUs, 200 * kDayUs, 3000 * kDayUs}) {
            QVERIFY(heap.insert(16, {model::kMostLiveBytes - 1, 7, birthUs, 15}));
            const auto block = heap.take(16);
            QCOMPARE(block->birthUs, birthUs);
            QCOMPARE(block->size, model::kMostLiveBytes - 1);
            QCOMPARE(block->period, std::uint8_t{15});
            QCOMPARE(block->node, 7U);
        }
    }

    void secondBlockAtAnAddressIsRefused()
    {
        model::LiveHeap heap;
        QVERIFY(heap.insert(16, {1, 2, 3}));
        QVERIFY(!heap.insert(16, {9, 9, 9}));
        QCOMPARE(heap.take(16)->size, std::uint64_t{1});
        QVERIFY(!heap.take(16).has_value());
    }

    void agreesWithAMapOverRandomUse()
    {
        // Addresses of one arena: near each other, and some reused at once.
        model::LiveHeap heap;
        std::map<std::uint64_t, std::uint64_t> truth;
        std::mt19937_64 random(1);
        for (int i = 0; i < 200000; ++i) {
            const std::uint64_t pointer = 0x5555'0000'0000 + (random() % 20000 + 1) * 16;
            if (random() % 2 == 0)
                QCOMPARE(heap.insert(pointer, {random() % 1000, 1, i}), truth.emplace(pointer, 0).second);
            else
                QCOMPARE(heap.take(pointer).has_value(), truth.erase(pointer) == 1);
        }
        QCOMPARE(heap.size(), truth.size());
        std::size_t visited = 0;
        heap.forEach([&](std::uint64_t pointer, const model::LiveBlock &) { visited += truth.count(pointer); });
        QCOMPARE(visited, truth.size());
    }
};

QTEST_GUILESS_MAIN(LiveHeapTest)
#include "live_heap_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/live_table.h"

#include <QtTest>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace {

/// Both tables keep the same promise; the LiveTable has a LiveHeap for what is unusual.
template <typename Table> void keepsWhatABlockIs()
{
    Table heap;
    const std::uint64_t size = (std::uint64_t{3} << 40) | 12345;
    QVERIFY(heap.insert(0x7f00'0000'1230, {size, (1u << 24) - 1, 1'000'000'000'000}));
    const auto block = heap.take(0x7f00'0000'1230);
    QVERIFY(block.has_value());
    QCOMPARE(block->size, size);
    QCOMPARE(block->node, (1u << 24) - 1);
    QCOMPARE(block->birthUs, 1'000'000'000'000);
}

template <typename Table> void keepsBirthsForYears()
{
    Table heap;
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

template <typename Table> void refusesASecondBlockAtAnAddress()
{
    Table heap;
    QVERIFY(heap.insert(16, {1, 2, 3}));
    QVERIFY(!heap.insert(16, {9, 9, 9}));
    QVERIFY(!heap.insert(16, {model::kMostLiveBytes - 1, 9, 9}));
    QCOMPARE(heap.take(16)->size, std::uint64_t{1});
    QVERIFY(!heap.take(16).has_value());
    QVERIFY(heap.insert(16, {model::kMostLiveBytes - 1, 2, 3}));
    QVERIFY(!heap.insert(16, {9, 9, 9}));
    QCOMPARE(heap.size(), std::size_t{1});
}

/// Takes out and puts in at random, at addresses that `addressOf` makes of numbers below `addresses`.
template <typename Table, typename AddressOf> void agreesWithAMap(std::uint64_t addresses, AddressOf addressOf)
{
    Table heap;
    std::map<std::uint64_t, std::uint64_t> truth;
    std::mt19937_64 random(1);
    for (std::int64_t i = 0; i < 100000; ++i) {
        const std::uint64_t pointer = addressOf(random() % addresses);
        if (random() % 2 == 0)
            QCOMPARE(heap.insert(pointer, {random() % 1000, 1, i}), truth.emplace(pointer, 0).second);
        else
            QCOMPARE(heap.take(pointer).has_value(), truth.erase(pointer) == 1);
    }
    QCOMPARE(heap.size(), truth.size());
    std::size_t visited = 0;
    heap.forEach([&](std::uint64_t pointer, const model::LiveBlock &) { visited += truth.count(pointer); });
    QCOMPARE(visited, truth.size());
    while (!truth.empty()) {
        QVERIFY(heap.take(truth.begin()->first).has_value());
        truth.erase(truth.begin());
    }
    QCOMPARE(heap.size(), std::size_t{0});
}

/// Addresses of one arena: near each other, and some reused at once.
std::uint64_t inArena(std::uint64_t number) { return 0x5555'0000'0000 + number * 16; }

/// Addresses that all belong to the last line of a small table, as somebody who knows the hash can choose them.
std::vector<std::uint64_t> chosenAddresses(std::size_t count)
{
    std::vector<std::uint64_t> chosen;
    for (std::uint64_t pointer = 16; chosen.size() < count; pointer += 16)
        if (model::LiveLines::hashOf(pointer) >> 56 == 255)
            chosen.push_back(pointer);
    return chosen;
}

} // namespace

class LiveTableTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void keepsWhatABlockIs()
    {
        ::keepsWhatABlockIs<model::LiveTable>();
        ::keepsWhatABlockIs<model::LiveHeap>();
    }

    void birthIsKeptForYears()
    {
        keepsBirthsForYears<model::LiveTable>();
        keepsBirthsForYears<model::LiveHeap>();
    }

    void secondBlockAtAnAddressIsRefused()
    {
        refusesASecondBlockAtAnAddress<model::LiveTable>();
        refusesASecondBlockAtAnAddress<model::LiveHeap>();
    }

    void agreesWithAMapOverRandomUse()
    {
        agreesWithAMap<model::LiveTable>(20000, inArena);
        agreesWithAMap<model::LiveHeap>(20000, inArena);
    }

    void chosenAddressesAreKeptAndFoundToo()
    {
        const std::vector<std::uint64_t> chosen = chosenAddresses(3000);
        agreesWithAMap<model::LiveTable>(300, [&](std::uint64_t number) { return chosen[number]; });
        agreesWithAMap<model::LiveTable>(2500, [&](std::uint64_t number) { return chosen[number]; });
    }

    void blocksOfAllKindsAreKeptAndFound()
    {
        // Blocks that fit into the small entries, and those that do not: large, old, sampled, at odd or very high addresses.
        model::LiveTable heap;
        std::map<std::uint64_t, model::LiveBlock> truth;
        std::mt19937_64 random(2);
        const std::uint64_t sizes[] = {0, 1, (1u << 20) - 2, (1u << 20) - 1, 1u << 20, model::kMostLiveBytes - 1};
        const std::int64_t births[] = {0, 1, (std::int64_t{1} << 40) - 1, std::int64_t{1} << 40};
        for (int i = 0; i < 100000; ++i) {
            const std::uint64_t base = random() % 8 == 0 ? 0x00ff'0000'0000'0000 : 0x7f00'0000'0000;
            const std::uint64_t pointer = base + (random() % 3000 + 1) * (random() % 4 == 0 ? 1 : 16);
            if (random() % 2 == 0) {
                const model::LiveBlock block{sizes[random() % 6], static_cast<std::uint32_t>(random() % (1u << 24)),
                    births[random() % 4], static_cast<std::uint8_t>(random() % 8 == 0 ? 3 : 0)};
                QCOMPARE(heap.insert(pointer, block), truth.emplace(pointer, block).second);
            } else {
                const auto found = truth.find(pointer);
                const auto seen = heap.at(pointer);
                const auto taken = heap.take(pointer);
                QCOMPARE(seen.has_value() && taken.has_value(), found != truth.end());
                if (found == truth.end())
                    continue;
                const model::LiveBlock &wanted = found->second;
                for (const model::LiveBlock &block : {*seen, *taken})
                    QVERIFY(block.size == wanted.size && block.node == wanted.node && block.birthUs == wanted.birthUs
                        && block.period == wanted.period);
                truth.erase(found);
            }
            QCOMPARE(heap.contains(pointer), truth.contains(pointer));
        }
        QCOMPARE(heap.size(), truth.size());
        // All of them again in small steps, whatever table they are in.
        std::size_t place = 0, visited = 0;
        for (std::size_t left = heap.places(); left > 0; left -= std::min<std::size_t>(left, 100))
            heap.forSome(
                place, std::min<std::size_t>(left, 100), [&](std::uint64_t pointer, const model::LiveBlock &block) {
                    visited += truth.at(pointer).size == block.size ? 1 : 0;
                });
        QCOMPARE(visited, truth.size());
    }
};

QTEST_GUILESS_MAIN(LiveTableTest)
#include "live_table_test.moc"

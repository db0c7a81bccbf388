// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/reach/dominators.h"
#include "tests/support/pointer_graphs.h"

#include <QtTest>

#include <algorithm>
#include <array>
#include <fstream>
#include <random>
#include <set>

using namespace model;
using test::GraphMemory;

namespace {

constexpr std::uint32_t kNobody = UINT32_MAX;

/// What can be reached, one pointer at a time, without the block `without`: the slow and plain way.
std::vector<bool> plainReach(const PointerGraph &graph, std::uint32_t without, bool isExactOnly)
{
    std::vector<bool> seen(graph.blockCount(), false);
    std::vector<std::uint32_t> todo;
    const auto visit = [&](BlockLink link) {
        if (link.block == without || seen[link.block] || (isExactOnly && !link.isExact))
            return;
        seen[link.block] = true;
        todo.push_back(link.block);
    };
    for (const PointerGraph::RootLink &root : graph.roots)
        visit(root.link);
    while (!todo.empty()) {
        const std::uint32_t block = todo.back();
        todo.pop_back();
        for (const BlockLink link : graph.linksOf(block))
            visit(link);
    }
    return seen;
}

GraphMemory randomMemory(std::mt19937 &random, std::size_t blocks, std::size_t links, std::size_t roots)
{
    GraphMemory memory(blocks);
    const auto any = [&] { return std::uniform_int_distribution<std::size_t>(0, blocks - 1)(random); };
    for (std::size_t i = 0; i < links; ++i) {
        const std::size_t from = any();
        memory.linkBlocks(from, any(), random() % 4 != 0);
    }
    for (std::size_t i = 0; i < roots; ++i)
        memory.linkRoot(any(), random() % 4 != 0);
    for (std::size_t i = 0; i < blocks; ++i) {
        memory.setNode(i, static_cast<std::uint32_t>(random() % 7));
        memory.setBirth(i, static_cast<std::int64_t>(random() % 1000));
    }
    return memory;
}

std::int64_t residentPages()
{
    std::ifstream file("/proc/self/statm");
    std::int64_t all = 0, resident = 0;
    file >> all >> resident;
    return resident;
}

} // namespace

class ReachabilityTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void findsTheBlockOfAnAddress()
    {
        std::mt19937_64 random(3);
        std::vector<ScanBlock> blocks;
        std::uint64_t at = 0x5555'0000'0000;
        for (int i = 0; i < 20000; ++i) {
            at += 16 + random() % 4000 * (random() % 50 == 0 ? 1000 : 1);
            ScanBlock block;
            block.address = at;
            block.size = random() % 3000 & 0xfff;
            block.node = 1;
            blocks.push_back(block);
            at += block.size;
            if (i == 10000)
                at = 0x7f12'3456'7000;
        }
        const std::vector<ScanBlock> sorted = blocks;
        std::shuffle(blocks.begin(), blocks.end(), random);
        const BlockIndex index(blocks);
        for (std::uint32_t i = 0; i < sorted.size(); ++i) {
            QCOMPARE(index.find(sorted[i].address), i);
            QCOMPARE(index.find(sorted[i].end() - 1), i);
            QVERIFY(index.find(sorted[i].end()) != i);
            QVERIFY(index.find(sorted[i].address - 1) != i);
        }
        QCOMPARE(index.find(0), BlockIndex::kNone);
        QCOMPARE(index.find(~std::uint64_t{0}), BlockIndex::kNone);
    }

    /// Within blocks small, large and of many segments, between them, and far from all.
    void manyAtOnceAreFoundAsOneByOne()
    {
        std::mt19937_64 random(5);
        std::vector<ScanBlock> blocks{{0x7000'0000'0010, std::uint64_t{5} << 30, 1, 0}};
        for (std::uint64_t at = 0x5600'0000'0000; blocks.size() < 6000; at += 16 + (random() % 64 == 0 ? 100'000 : 0)) {
            blocks.push_back({at, random() % 200 & 0xff, 1, 0});
            at += blocks.back().size;
        }
        const BlockIndex index(blocks);
        std::vector<std::uint64_t> addresses;
        for (int i = 0; i < 5000; ++i)
            addresses.push_back(random() % 8 == 0 ? random()
                                                  : blocks[random() % 6000].address + random() % 256
                        + (random() % 16 == 0 ? std::uint64_t{3} << 30 : 0));
        std::array<std::uint32_t, BlockIndex::kMostAtOnce> found;
        for (std::size_t at = 0; at < addresses.size(); at += 61) {
            const std::size_t count = std::min<std::size_t>(addresses.size() - at, 61);
            index.find({addresses.data() + at, count}, found.data());
            for (std::size_t i = 0; i < count; ++i)
                QCOMPARE(found[i], index.find(addresses[at + i]));
        }
    }

    void blockOfNoBytesHasAnAddress()
    {
        const BlockIndex index({ScanBlock{0x1000, 0, 1, 0}});
        QCOMPARE(index.find(0x1000), 0u);
        QCOMPARE(index.find(0x1001), BlockIndex::kNone);
    }

    void blockOfGigabytesIsFoundEverywhere()
    {
        const std::uint64_t size = std::uint64_t{5} << 30;
        const BlockIndex index({ScanBlock{0x7000'0000'0010, size, 1, 0}, ScanBlock{0x7000'0000'0010 + size, 8, 1, 0}});
        QCOMPARE(index.find(0x7000'0000'0010 + size / 2), 0u);
        QCOMPARE(index.find(0x7000'0000'0010 + size - 1), 0u);
        QCOMPARE(index.find(0x7000'0000'0010 + size), 1u);
    }

    /// A program can ask for far more than it will ever have.
    void blockOfATerabyteCostsNoMemory()
    {
        constexpr std::uint64_t kSize = (std::uint64_t{1} << 40) - 1;
        std::vector<ScanBlock> blocks;
        for (std::uint64_t i = 0; i < 100; ++i)
            blocks.push_back({0x1000'0000'0000 + (i << 40), kSize, 1, 0});
        const std::int64_t before = residentPages();
        const BlockIndex index(blocks);
        QVERIFY(residentPages() - before < 1000); // 100 TiB in pieces took 100 GiB
        for (std::uint32_t i = 0; i < 100; ++i) {
            QCOMPARE(index.find(blocks[i].address + kSize / 2), i);
            QCOMPARE(index.find(blocks[i].end() - 1), i);
        }
        QCOMPARE(index.find(blocks[99].end() + (1u << 24)), BlockIndex::kNone);
    }

    void wordsCountByWhereTheyLie()
    {
        GraphMemory memory(5);
        memory.link("root>0");
        memory.word(GraphMemory::addressOf(0) + GraphMemory::kBlockBytes, GraphMemory::addressOf(1)); // freed memory
        memory.word(GraphMemory::addressOf(0) + GraphMemory::kBlockBytes - 8, GraphMemory::addressOf(2)); // last word
        memory.word(0x9'0000, GraphMemory::addressOf(3));                                                 // no root
        memory.word(GraphMemory::addressOf(4), GraphMemory::addressOf(4));                                // itself
        const BlockIndex index = memory.index();
        const PointerGraph graph = memory.graph(index);
        QCOMPARE(graph.roots.size(), std::size_t{1});
        QCOMPARE(graph.links.size(), std::size_t{1});
        QCOMPARE(std::uint32_t(graph.linksOf(0)[0].block), 2u);
    }

    void pointerBehindABlockHoldsNothing()
    {
        GraphMemory memory(2);
        memory.word(GraphMemory::kRootBegin, GraphMemory::addressOf(0) + GraphMemory::kBlockBytes);
        const BlockIndex index = memory.index();
        QVERIFY(memory.graph(index).roots.empty());
    }

    void levelsFollowTheWeakestLink()
    {
        GraphMemory memory(8);
        memory.link("root>0 0>1 1~2 2>3 root~4 4>5 root>5 6>7");
        const BlockIndex index = memory.index();
        const Marks marks = markReachable(memory.graph(index));
        const std::vector<HoldLevel> expected{HoldLevel::Exact, HoldLevel::Exact, HoldLevel::Interior,
            HoldLevel::Interior, HoldLevel::Interior, HoldLevel::Exact, HoldLevel::None, HoldLevel::None};
        QVERIFY(marks.level == expected);
        QCOMPARE(marks.holder[3], 2u);
        QCOMPARE(marks.holder[0], Marks::kRootBit);
    }

    void marksAsThePlainWayDoes()
    {
        std::mt19937 random(5);
        for (int run = 0; run < 60; ++run) {
            const GraphMemory memory = randomMemory(random, 80, 90, 6);
            const BlockIndex index = memory.index();
            const PointerGraph graph = memory.graph(index);
            const Marks marks = markReachable(graph);
            const std::vector<bool> any = plainReach(graph, kNobody, false), exact = plainReach(graph, kNobody, true);
            for (std::uint32_t i = 0; i < graph.blockCount(); ++i) {
                const HoldLevel level = exact[i] ? HoldLevel::Exact : any[i] ? HoldLevel::Interior : HoldLevel::None;
                QCOMPARE(int(marks.level[i]), int(level));
            }
        }
    }

    void lostTreeHasOneHeadAndACycleToo()
    {
        GraphMemory memory(9);
        memory.link("root>0 1>2 1>3 3>4 5>6 6>7 7>5 7>8");
        memory.setBirth(6, -5); // the oldest of the cycle
        const BlockIndex index = memory.index();
        const PointerGraph graph = memory.graph(index);
        const LostBlocks lost = groupLost(graph, markReachable(graph), index);
        std::set<std::uint32_t> direct;
        for (std::size_t i = 0; i < lost.blocks.size(); ++i)
            if (lost.isDirect[i])
                direct.insert(lost.blocks[i]);
        QVERIFY((direct == std::set<std::uint32_t>{1, 6}));
        QCOMPARE(lost.blocks.size(), std::size_t{8});
        QCOMPARE(lost.head.back(), 6u);
    }

    void lostListOfAMillionNeedsNoRecursion()
    {
        GraphMemory memory(300000);
        for (std::size_t i = 0; i + 1 < 300000; ++i)
            memory.linkBlocks(i, i + 1, true);
        const BlockIndex index = memory.index();
        const PointerGraph graph = memory.graph(index);
        const LostBlocks lost = groupLost(graph, markReachable(graph), index);
        QCOMPARE(std::count(lost.isDirect.begin(), lost.isDirect.end(), true), std::ptrdiff_t{1});
        QCOMPARE(lost.head.back(), 0u);
    }

    void everyLostBlockIsReachedFromItsHead()
    {
        std::mt19937 random(7);
        for (int run = 0; run < 40; ++run) {
            const GraphMemory memory = randomMemory(random, 60, 50, 2);
            const BlockIndex index = memory.index();
            const PointerGraph graph = memory.graph(index);
            const LostBlocks lost = groupLost(graph, markReachable(graph), index);
            for (std::size_t i = 0; i < lost.blocks.size(); ++i) {
                // Held from its head alone, and a head by no block that it does not reach itself.
                PointerGraph fromHead = graph;
                fromHead.roots = {{{lost.head[i] & 0x7fffffffu, 1u}, 0, 0}};
                QVERIFY(plainReach(fromHead, kNobody, false)[lost.blocks[i]]);
                if (!lost.isDirect[i])
                    continue;
                QCOMPARE(lost.head[i], lost.blocks[i]);
                fromHead.roots = {{{lost.blocks[i] & 0x7fffffffu, 1u}, 0, 0}};
                const std::vector<bool> reached = plainReach(fromHead, kNobody, false);
                for (std::uint32_t from = 0; from < graph.blockCount(); ++from)
                    for (const BlockLink link : graph.linksOf(from))
                        QVERIFY(link.block != lost.blocks[i] || reached[from]);
            }
        }
    }

    void retainedIsWhatNobodyElseLeadsTo()
    {
        std::mt19937 random(11);
        for (int run = 0; run < 40; ++run) {
            const GraphMemory memory = randomMemory(random, 60, 110, 5);
            const BlockIndex index = memory.index();
            const PointerGraph graph = memory.graph(index);
            const Retained retained = retainedSizes(graph, markReachable(graph), index);
            const std::vector<bool> all = plainReach(graph, kNobody, false);
            std::vector<BlockSum> byBlock(graph.blockCount());
            for (std::size_t i = 0; i < retained.blocks.size(); ++i) {
                byBlock[retained.blocks[i]] += retained.sums[i];
                QCOMPARE(retained.nodes[i], static_cast<std::uint32_t>(index[retained.blocks[i]].node));
            }
            for (std::uint32_t i = 0; i < graph.blockCount(); ++i) {
                const std::vector<bool> rest = plainReach(graph, i, false);
                std::int64_t gone = 0;
                for (std::uint32_t other = 0; other < graph.blockCount(); ++other)
                    gone += all[other] && !rest[other] ? 1 : 0;
                QCOMPARE(byBlock[i].blocks, all[i] ? gone : 0);
                QCOMPARE(byBlock[i].bytes, byBlock[i].blocks * 256);
            }
        }
    }

    void retainedOfAStackCountsNestedBlocksOnce()
    {
        GraphMemory memory(4);
        memory.link("root>0 0>1 1>2 root>3");
        for (const std::size_t block : {0u, 2u, 3u})
            memory.setNode(block, 1);
        memory.setNode(1, 2);
        const BlockIndex index = memory.index();
        const PointerGraph graph = memory.graph(index);
        const Retained retained = retainedSizes(graph, markReachable(graph), index);
        QCOMPARE(retained.byNode.at(1).blocks, 4);
        QCOMPARE(retained.byNode.at(2).blocks, 2);
    }
};

QTEST_APPLESS_MAIN(ReachabilityTest)
#include "reachability_test.moc"

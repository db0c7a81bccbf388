// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/reach/interior_proof.h"
#include "model/reach/reach_summary.h"
#include "tests/support/pointer_graphs.h"

#include <QtTest>

#include <random>

using namespace model;
using test::GraphMemory;

namespace {

ReachSummary summarize(const GraphMemory &memory, const ReachParameters &parameters = {1'000'000, 0, 0, 20, {}})
{
    const BlockIndex index = memory.index();
    const PointerGraph graph = memory.graph(index);
    return summarizeReach(index, graph, markReachable(graph), parameters);
}

std::int64_t blocksOf(const ReachSummary &summary, ReachClass reach)
{
    return summary.sums[static_cast<std::size_t>(reach)].blocks;
}

const ScannedNode &node(const ReachSummary &summary, std::uint32_t wanted)
{
    for (const ScannedNode &one : summary.nodes)
        if (one.node == wanted)
            return one;
    qFatal("no such node");
}

} // namespace

class ReachSummaryTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void countsEachBlockInOneClass()
    {
        GraphMemory memory(7);
        memory.link("root>0 0>1 root~2 3>4 4>5");
        const ReachSummary summary = summarize(memory);
        QCOMPARE(blocksOf(summary, ReachClass::Reachable), 2);
        QCOMPARE(blocksOf(summary, ReachClass::Possibly), 1);
        QCOMPARE(blocksOf(summary, ReachClass::Directly), 2);
        QCOMPARE(blocksOf(summary, ReachClass::Indirectly), 2);
        QCOMPARE(blocksOf(summary, ReachClass::Unjudged), 0);
        QCOMPARE(node(summary, 3).held.blocks, 3);
        QCOMPARE(node(summary, 6).held.bytes, 256);
        QCOMPARE(summary.lost.size(), std::size_t{4});
    }

    void youngBlockIsNotJudgedAndWhatItHoldsIs()
    {
        GraphMemory memory(3);
        memory.link("0>1");
        memory.setBirth(0, 990'000);
        const ReachSummary summary = summarize(memory, {1'000'000, 60'000, 0, 20, {}});
        QCOMPARE(blocksOf(summary, ReachClass::Unjudged), 1);
        QCOMPARE(blocksOf(summary, ReachClass::Indirectly), 1);
        QCOMPARE(blocksOf(summary, ReachClass::Directly), 1);
        QCOMPARE(summary.lost.size(), std::size_t{2});
    }

    void blockFromBeforeALossIsNotJudged()
    {
        GraphMemory memory(3);
        const ReachSummary summary = summarize(memory, {1'000'000, 0, 2, 20, {}});
        QCOMPARE(blocksOf(summary, ReachClass::Unjudged), 2);
        QCOMPARE(blocksOf(summary, ReachClass::Directly), 1);
    }

    void onlyWhatWasLostBeforeTooIsConfirmed()
    {
        GraphMemory memory(4);
        memory.link("root>3");
        const ReachSummary first = summarize(memory);
        QCOMPARE(first.confirmed.blocks, 0);
        memory.link("root>0");
        memory.setBirth(1, 77); // another block at the same address
        const ReachSummary second = summarize(memory, {1'000'000, 0, 0, 20, first.lost});
        QCOMPARE(second.lost.size(), std::size_t{2});
        QCOMPARE(second.confirmed.blocks, 1);
        QCOMPARE(node(second, 2).confirmed.blocks, 1);
    }

    void wayLeadsFromTheRootToTheBlock()
    {
        GraphMemory memory(6);
        memory.link("root>0 0>1 1>2 2>3 3>4 4>5");
        for (const std::size_t block : {1u, 2u, 3u})
            memory.setNode(block, 9);
        const ReachSummary summary = summarize(memory);
        const auto last = std::find_if(
            summary.paths.begin(), summary.paths.end(), [](const NodePath &path) { return path.node == 5; });
        QVERIFY(last != summary.paths.end());
        QCOMPARE(last->way.size(), std::size_t{4});
        QCOMPARE(last->way[0].node, 0u);
        QCOMPARE(last->way[1].node, 9u);
        QCOMPARE(last->way[1].blocks, 3);
        QCOMPARE(last->way[3].node, 5u);
        QCOMPARE(summary.paths.front().node, 0u);
        QCOMPARE(summary.paths.front().retained.blocks, 6);
    }

    void pointersBehindCountsAndIntoBasesStandForTheBlock_data()
    {
        QTest::addColumn<quint64>("first");
        QTest::addColumn<quint64>("second");
        QTest::addColumn<quint64>("atPointer");
        QTest::addColumn<quint64>("offset");
        QTest::addColumn<quint64>("size");
        QTest::addColumn<bool>("stands");
        const quint64 table = 0x4000;
        QTest::newRow("array of 5 with destructors")
            << quint64{5} << quint64{0} << quint64{0} << quint64{8} << quint64{168} << true;
        QTest::newRow("array that does not fit")
            << quint64{7} << quint64{0} << quint64{0} << quint64{8} << quint64{168} << false;
        QTest::newRow("no count") << quint64{0} << quint64{0} << quint64{0} << quint64{8} << quint64{168} << false;
        QTest::newRow("old string") << quint64{5} << quint64{15} << quint64{0} << quint64{24} << quint64{40} << true;
        QTest::newRow("no old string") << quint64{16} << quint64{15} << quint64{0} << quint64{24} << quint64{40}
                                       << false;
        QTest::newRow("second base") << table << quint64{0} << table << quint64{16} << quint64{64} << true;
        QTest::newRow("a table at the begin only")
            << table << quint64{0} << quint64{9} << quint64{16} << quint64{64} << false;
        QTest::newRow("not aligned") << table << quint64{0} << table << quint64{12} << quint64{64} << false;
        QTest::newRow("behind the end") << table << quint64{0} << table << quint64{64} << quint64{64} << false;
    }
    void pointersBehindCountsAndIntoBasesStandForTheBlock()
    {
        QFETCH(quint64, first);
        QFETCH(quint64, second);
        QFETCH(quint64, atPointer);
        QFETCH(quint64, offset);
        QFETCH(quint64, size);
        QFETCH(bool, stands);
        const BlockHead head{{first, second}, atPointer};
        QCOMPARE(standsForBlock(head, offset, size, [](std::uint64_t address) { return address == 0x4000; }), stands);
    }

    void promotedPointersReachWhatIsBehindThem()
    {
        GraphMemory memory(4);
        memory.word(GraphMemory::kRootBegin, GraphMemory::addressOf(0) + 8).link("0>1");
        memory.word(GraphMemory::addressOf(1) + 8, GraphMemory::addressOf(2) + 8);
        const BlockIndex index = memory.index();
        PointerGraph graph = memory.graph(index);
        Marks marks = markReachable(graph);
        QCOMPARE(int(marks.level[1]), int(HoldLevel::Interior));
        // Block 0 is an array of 31 words behind their count; block 2 is none.
        const auto read = [&](const ScanBlock &block, std::uint64_t) {
            return std::optional(BlockHead{{block.address == GraphMemory::addressOf(0) ? 31u : 7u, 0}, 0});
        };
        QVERIFY(promoteInterior(graph, marks, index, read, [](std::uint64_t) { return false; }));
        marks = markReachable(graph);
        QCOMPARE(int(marks.level[0]), int(HoldLevel::Exact));
        QCOMPARE(int(marks.level[1]), int(HoldLevel::Exact));
        QCOMPARE(int(marks.level[2]), int(HoldLevel::Interior));
        QCOMPARE(int(marks.level[3]), int(HoldLevel::None));
    }

    void waysBeginAtRootsThatSayMost()
    {
        GraphMemory memory(4);
        const BlockIndex index = memory.index();
        PointerGraphBuilder builder(index, {{GraphMemory::kRootBegin, 0x9'0000, 0}, {0x9'8000, 0x9'9000, 1}});
        std::vector<ScanWord> words{{GraphMemory::kRootBegin, GraphMemory::addressOf(0)},
            {0x9'8000, GraphMemory::addressOf(2)}, {0x9'8008, GraphMemory::addressOf(3) + 16},
            {GraphMemory::addressOf(0), GraphMemory::addressOf(1)},
            {GraphMemory::addressOf(1), GraphMemory::addressOf(2)}};
        builder.addWords(words);
        builder.addRootValue(GraphMemory::addressOf(3) + 8, 0);
        const PointerGraph graph = builder.take([](std::uint32_t root) { return root == 0; });
        QCOMPARE(graph.strongRoots, std::size_t{2});
        const Marks marks = markReachable(graph);
        QCOMPARE(marks.holder[2], 1u); // not the other root, which is nearer
        QCOMPARE(int(marks.level[3]), int(HoldLevel::Interior));
        QCOMPARE(marks.holder[3], Marks::kRootBit | 1u);
        for (const PointerGraph::InteriorLink &interior : graph.interior)
            QCOMPARE(std::uint32_t(graph.roots[interior.position].link.block), 3u);
    }

    /// Containers that were freed while what they held was not: their stale pointers lie in freed memory, where nothing counts.
    void containerGarbageIsFoundAndNothingElseIs()
    {
        constexpr std::size_t kContainers = 2000, kChildren = 9;
        std::mt19937 random(21);
        GraphMemory memory(kContainers * (kChildren + 1));
        std::vector<std::size_t> freed;
        for (std::size_t c = 0; c < kContainers; ++c) {
            const std::size_t first = c * (kChildren + 1);
            if (random() % 10 == 0)
                freed.push_back(first);
            else
                memory.linkRoot(first, true);
            for (std::size_t child = 1; child <= kChildren; ++child)
                memory.linkBlocks(first, first + child, true);
        }
        // What was freed is no block any more; its bytes stay where they were.
        std::vector<ScanBlock> blocks;
        const BlockIndex all = memory.index();
        for (std::size_t i = 0; i < all.size(); ++i)
            if (!std::binary_search(freed.begin(), freed.end(), i))
                blocks.push_back(all[i]);
        const BlockIndex index(blocks);
        const PointerGraph graph = memory.graph(index);
        const ReachSummary summary = summarizeReach(index, graph, markReachable(graph), {1'000'000, 0, 0, 20, {}});
        QCOMPARE(blocksOf(summary, ReachClass::Directly), std::int64_t(freed.size() * kChildren));
        QCOMPARE(blocksOf(summary, ReachClass::Indirectly), 0);
        QCOMPARE(blocksOf(summary, ReachClass::Possibly), 0);
    }
};

QTEST_APPLESS_MAIN(ReachSummaryTest)
#include "reach_summary_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/call_tree.h"
#include "tests/support/snapshot_builder.h"
#include "tests/support/tree_text.h"

#include <QTest>

using namespace model;
using tests::SnapshotBuilder;
using tests::treeText;

class CallTreeTest : public QObject
{
    Q_OBJECT

private:
    static std::string topDown(const Snapshot &snapshot, CostKind kind = CostKind::Live, CallTreeOptions options = {})
    {
        return treeText(*callTree(snapshot, {kind}, options));
    }

private Q_SLOTS:
    void mergesStacksThatShareTheirRoot()
    {
        const Snapshot snapshot = SnapshotBuilder()
                                      .heap("main;parse;malloc 64\n"
                                            "main;parse;malloc 36\n"
                                            "main;load;malloc 400\n")
                                      .build();
        QCOMPARE(topDown(snapshot),
            std::string("main 500\n"
                        "  load 400\n"
                        "    malloc 400 self 400\n"
                        "  parse 100\n"
                        "    malloc 100 self 100\n"));
    }

    void mergesCallSitesOfOneFunctionAndKeepsThePlaceOfTheHeaviest()
    {
        const Snapshot snapshot = SnapshotBuilder()
                                      .heap("main@main.cpp:3;malloc 10\n"
                                            "main@main.cpp:9;malloc 90\n"
                                            "main@main.cpp:5;malloc 20\n")
                                      .build();
        const CallTree tree = *callTree(snapshot, {CostKind::Live});
        QCOMPARE(treeText(tree), std::string("main 120\n  malloc 120 self 120\n"));
        const CallNode &main = tree.node(tree.child(CallTree::root(), 0));
        QCOMPARE(snapshot.tables->text(main.file), std::string("main.cpp"));
        QCOMPARE(main.line, 9u);
    }

    void givesInlinedFunctionsNodesOfTheirOwn()
    {
        const Snapshot snapshot = SnapshotBuilder().heap("main|setUp|grow;malloc 8\n").build();
        QCOMPARE(topDown(snapshot),
            std::string("main 8\n"
                        "  setUp 8 inlined\n"
                        "    grow 8 inlined\n"
                        "      malloc 8 self 8\n"));
    }

    void keepsFunctionsOfDifferentModulesApart()
    {
        const Snapshot snapshot = SnapshotBuilder().heap("main;a.so!init 1\nmain;b.so!init 2\n").build();
        QCOMPARE(topDown(snapshot), std::string("main 3\n  init 2 self 2\n  init 1 self 1\n"));
    }

    void namesCodeWithoutSymbolByModuleAndAddress()
    {
        const Snapshot snapshot = SnapshotBuilder().heap("main;lib.so!+0x1a2b 1\n").build();
        QCOMPARE(topDown(snapshot), std::string("main 1\n  lib.so+0x1a2b 1 self 1\n"));
    }

    void hangsIncompleteStacksFromANodeThatSaysWhy()
    {
        const Snapshot snapshot = SnapshotBuilder().heap("[stack cut off];f;malloc 5\nmain;malloc 1\n").build();
        QCOMPARE(topDown(snapshot),
            std::string("[stack cut off] 5\n"
                        "  f 5\n"
                        "    malloc 5 self 5\n"
                        "main 1\n"
                        "  malloc 1 self 1\n"));
    }

    void foldsDirectAndMutualRecursion()
    {
        const Snapshot snapshot = SnapshotBuilder()
                                      .cpu("main;walk;walk;walk;leaf 3\n"
                                           "main;walk;visit;walk;visit;leaf 4\n")
                                      .build();
        QCOMPARE(topDown(snapshot, CostKind::CpuSamples),
            std::string("main 7\n"
                        "  walk 7 ×3\n"
                        "    visit 4 ×2\n"
                        "      leaf 4 self 4\n"
                        "    leaf 3 self 3\n"));
    }

    void keepsRecursionWhereAsked()
    {
        const Snapshot snapshot = SnapshotBuilder().cpu("main;walk;walk 2\n").build();
        QCOMPARE(topDown(snapshot, CostKind::CpuSamples, {.recursion = Recursion::Kept}),
            std::string("main 2\n  walk 2\n    walk 2 self 2\n"));
    }

    void countsEveryByteOnceWhateverIsFolded()
    {
        std::string events;
        for (int depth = 1; depth < 60; ++depth) {
            std::string stack = "main";
            for (int i = 0; i < depth; ++i)
                stack += i % 3 == 0 ? ";odd" : ";even";
            events += stack + " " + std::to_string(depth) + "\n";
        }
        const Snapshot snapshot = SnapshotBuilder().heap(events).build();
        QCOMPARE(callTree(snapshot, {CostKind::Live})->all(), std::int64_t(59 * 60 / 2));
        QCOMPARE(
            callTree(snapshot, {CostKind::Live}, {.recursion = Recursion::Kept})->all(), std::int64_t(59 * 60 / 2));
        QCOMPARE(callTree(snapshot, {CostKind::Live}, {.order = TreeOrder::BottomUp, .leastShare = 0})->all(),
            std::int64_t(59 * 60 / 2));
    }

    void turnsStacksAroundBottomUp()
    {
        const Snapshot snapshot = SnapshotBuilder()
                                      .cpu("main;a;memcpy 6\n"
                                           "main;b;memcpy 3\n"
                                           "main;b 2\n")
                                      .build();
        QCOMPARE(topDown(snapshot, CostKind::CpuSamples, {.order = TreeOrder::BottomUp}),
            std::string("memcpy 9\n"
                        "  a 6\n"
                        "    main 6 self 6\n"
                        "  b 3\n"
                        "    main 3 self 3\n"
                        "b 2\n"
                        "  main 2 self 2\n"));
    }

    void endsIncompleteStacksBottomUp()
    {
        const Snapshot snapshot = SnapshotBuilder().cpu("[no unwind information];f 2\n").build();
        QCOMPARE(topDown(snapshot, CostKind::CpuSamples, {.order = TreeOrder::BottomUp}),
            std::string("f 2\n  [no unwind information] 2 self 2\n"));
    }

    void saysWhereABottomUpNodeWeighsTooLittleToBeOpened()
    {
        const Snapshot snapshot = SnapshotBuilder().cpu("main;a 999\nmain;b 1\n").build();
        QCOMPARE(topDown(snapshot, CostKind::CpuSamples, {.order = TreeOrder::BottomUp, .leastShare = 0.01}),
            std::string("a 999\n  main 999 self 999\nb 1 cut\n"));
    }

    void carriesSeveralCostsAndSortsByTheFirst()
    {
        const Snapshot snapshot = SnapshotBuilder()
                                      .heap("main;a 10\nmain;a 10\nmain;a -10\n"
                                            "main;b 15\n")
                                      .build();
        const CallTree tree = *callTree(snapshot, {CostKind::Live, CostKind::Allocations});
        const NodeId main = tree.child(CallTree::root(), 0);
        QCOMPARE(tree.name(tree.child(main, 0)), std::string("b"));
        QCOMPARE(tree.total(tree.child(main, 1), 1), std::int64_t(2));
        QCOMPARE(tree.total(main, 1), std::int64_t(3));
        QCOMPARE(tree.rowOf(tree.child(main, 1)), std::size_t(1));
    }

    void leavesStacksWithoutTheCostOut()
    {
        const Snapshot snapshot = SnapshotBuilder().heap("main;a 10\nmain;a -10\nmain;b 5\n").build();
        QCOMPARE(topDown(snapshot), std::string("main 5\n  b 5 self 5\n"));
    }

    void isOnlyARootWithoutData()
    {
        const CallTree tree = *callTree(SnapshotBuilder().build(), {CostKind::CpuTime});
        QCOMPARE(tree.size(), std::size_t(1));
        QCOMPARE(tree.all(), std::int64_t(0));
        QCOMPARE(CallTree().size(), std::size_t(1));
    }

    void stopsWhenAsked()
    {
        const auto source = std::make_unique<std::stop_source>();
        source->request_stop();
        const Snapshot snapshot = SnapshotBuilder().cpu("main;a 1\n").build();
        QVERIFY(!callTree(snapshot, {CostKind::CpuTime}, {}, source->get_token()));
        QVERIFY(!callTree(snapshot, {CostKind::CpuTime}, {.order = TreeOrder::BottomUp}, source->get_token()));
    }
};

QTEST_APPLESS_MAIN(CallTreeTest)
#include "call_tree_test.moc"

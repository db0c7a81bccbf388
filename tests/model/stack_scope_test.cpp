// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/function_table.h"
#include "model/aggregate/stack_scope.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

using namespace model;

namespace {

/// Recursion, direct and through others, functions that are inlined, and stacks that were cut off.
Snapshot snapshotOfAll()
{
    tests::SnapshotBuilder builder;
    builder.heap("main;run;parse;malloc 600\n"
                 "main;run;parse;run;parse;malloc 70\n"
                 "main;run;parse;run;log;malloc 9 temporary\n"
                 "main;run;other;parse;malloc 1000\n"
                 "main;run;kernel|sin|wrap 40\n"
                 "main;run;kernel 5\n"
                 "other;kernel|sin 20000\n"
                 "[stack cut off];run;parse;malloc 300\n");
    builder.cpu("main;run;kernel|sin 7\nmain;run 2\n");
    return builder.build();
}

} // namespace

class StackScopeTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void costsWhatTheRowOfATreeSays_data()
    {
        QTest::addColumn<int>("order");
        QTest::addColumn<int>("kind");
        for (const TreeOrder order : {TreeOrder::TopDown, TreeOrder::BottomUp})
            for (const CostKind kind : {CostKind::Live, CostKind::Allocations, CostKind::Temporary, CostKind::CpuTime})
                QTest::addRow("%d %s", static_cast<int>(order), costInfo(kind).key.data())
                    << static_cast<int>(order) << static_cast<int>(kind);
    }
    void costsWhatTheRowOfATreeSays()
    {
        QFETCH(int, order);
        QFETCH(int, kind);
        const auto cost = static_cast<CostKind>(kind);
        const Snapshot snapshot = snapshotOfAll();
        const auto tree = callTree(snapshot, {cost}, {.order = static_cast<TreeOrder>(order), .leastShare = 0});
        for (std::size_t i = 1; i < tree->size(); ++i) {
            const NodeId node(i);
            const ScopeCost sum = scopeCost(snapshot, scopeOf(*tree, node), costInfo(cost).source);
            QVERIFY2(sum.of(cost) == tree->total(node), tree->name(node).c_str());
            QCOMPARE(sum.all[static_cast<std::size_t>(kind)], tree->all());
            if (tree->order() == TreeOrder::TopDown)
                QVERIFY2(sum.self[static_cast<std::size_t>(kind)] == tree->self(node), tree->name(node).c_str());
        }
    }

    void costsWhatTheRowOfATableSays()
    {
        const Snapshot snapshot = snapshotOfAll();
        const auto table = functionTable(snapshot, CostKind::Live);
        for (const FunctionCost &row : table->rows) {
            const ScopeCost sum = scopeCost(snapshot, scopeOf(*table->functions, row.function), CostSource::Heap);
            const std::string name = table->functions->name(row.function);
            QVERIFY2(sum.of(CostKind::Live) == row.total, name.c_str());
            QVERIFY2(sum.self[static_cast<std::size_t>(CostKind::Live)] == row.self, name.c_str());
        }
    }

    void keepsToOneSourceAndSumsWhatWasFreed()
    {
        const Snapshot snapshot = snapshotOfAll();
        const auto tree = callTree(snapshot, {CostKind::Live});
        const StackScope all = scopeOf(*tree, tree->child(CallTree::root(), 0));
        const ScopeCost heap = scopeCost(snapshot, all, CostSource::Heap);
        QCOMPARE(heap.of(CostKind::CpuTime), 0);
        QCOMPARE(scopeCost(snapshot, all, CostSource::Cpu).freedBytes, 0);
        for (std::size_t i = 1; i < tree->size(); ++i)
            if (tree->name(NodeId(i)) == "main")
                QCOMPARE(scopeCost(snapshot, scopeOf(*tree, NodeId(i)), CostSource::Heap).freedBytes, 9);
    }

    void findsTheNodeOfAScopeAgain()
    {
        const Snapshot snapshot = snapshotOfAll();
        for (const TreeOrder order : {TreeOrder::TopDown, TreeOrder::BottomUp}) {
            const auto tree = callTree(snapshot, {CostKind::Live}, {.order = order, .leastShare = 0});
            const auto other = callTree(snapshot, {CostKind::Live},
                {.order = order == TreeOrder::TopDown ? TreeOrder::BottomUp : TreeOrder::TopDown, .leastShare = 0});
            for (std::size_t i = 1; i < tree->size(); ++i) {
                const StackScope scope = scopeOf(*tree, NodeId(i));
                QCOMPARE(nodeOf(*tree, scope), NodeId(i));
                QVERIFY(!nodeOf(*other, scope).isValid());
            }
        }
    }

    void findsTheNodeThatAStackWasMergedInto()
    {
        tests::SnapshotBuilder builder;
        builder.heap("main;run;parse;run;log;malloc 9\nmain;kernel|sin|wrap 40\n[stack cut off];run;malloc 300\n");
        const StackId folded = builder.stack("main;run;parse;run;log;malloc");
        const StackId inlined = builder.stack("main;kernel|sin|wrap");
        const StackId cut = builder.stack("[stack cut off];run;malloc");
        const Snapshot snapshot = builder.build();
        const auto tree = callTree(snapshot, {CostKind::Live});
        FunctionIndex functions(snapshot.tables);
        const auto way = [&](StackId stack, std::size_t line) {
            std::string names;
            for (NodeId node = nodeOf(*tree, pathOf(functions, stack, line));
                 node.isValid() && node != CallTree::root(); node = tree->node(node).parent)
                names = tree->name(node) + (names.empty() ? "" : ";") + names;
            return names;
        };
        QCOMPARE(way(folded, 0), std::string("main;run;log;malloc"));
        QCOMPARE(way(folded, 3), std::string("main;run;parse"));
        QCOMPARE(way(inlined, 0), std::string("main;kernel;sin;wrap"));
        QCOMPARE(way(inlined, 2), std::string("main;kernel"));
        QVERIFY(way(cut, 0).ends_with(";run;malloc"));
        QCOMPARE(way(inlined, 9), std::string());
    }
};

QTEST_APPLESS_MAIN(StackScopeTest)
#include "stack_scope_test.moc"

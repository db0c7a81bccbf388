// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/distinct_names.h"
#include "tests/support/snapshot_builder.h"
#include "ui/models/call_tree_model.h"
#include "ui/models/function_table_model.h"
#include "ui/models/node_filter_model.h"

#include <QAbstractItemModelTester>
#include <QTest>

using model::CostKind;

namespace {

model::Snapshot sampleSnapshot()
{
    tests::SnapshotBuilder builder;
    builder.heap("main;parse;libc.so.6!malloc 300\nmain;parse;libc.so.6!malloc 300\nmain;log;libc.so.6!malloc 200\n");
    return builder.build();
}

std::shared_ptr<const model::CallTree> liveTree(const model::Snapshot &snapshot)
{
    return std::make_shared<const model::CallTree>(*model::callTree(snapshot, ui::costViewFor(CostKind::Live).kinds));
}

} // namespace

class CallTreeModelTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void obeysTheRulesOfItemModels()
    {
        ui::CallTreeModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.setTree(liveTree(sampleSnapshot()), ui::costViewFor(CostKind::Live));
        ui::NodeFilterModel filter;
        filter.setSourceModel(&model);
        const QAbstractItemModelTester filterTester(&filter, QAbstractItemModelTester::FailureReportingMode::QtTest);
        filter.setFilterFixedString(QStringLiteral("log"));
        model.setTree(liveTree(sampleSnapshot()), ui::costViewFor(CostKind::Live));
    }

    void showsTotalsSharesAndBars()
    {
        ui::CallTreeModel model;
        model.setTree(liveTree(sampleSnapshot()), ui::costViewFor(CostKind::Live));
        const QModelIndex main = model.index(0, 0);
        QCOMPARE(main.data().toString(), QStringLiteral("main"));
        QCOMPARE(main.siblingAtColumn(1).data().toString(), QStringLiteral("800 B"));
        const QModelIndex parse = model.index(0, 0, main);
        QCOMPARE(parse.data().toString(), QStringLiteral("parse"));
        QCOMPARE(parse.siblingAtColumn(1).data(ui::ShareRole).toDouble(), 0.75);
        QCOMPARE(parse.siblingAtColumn(2).data().toString(), QStringLiteral("75 %"));
        QCOMPARE(model.parent(parse).data().toString(), QStringLiteral("main"));
        QVERIFY(parse.siblingAtColumn(3).data().toString().isEmpty()); // nothing of its own
    }

    void findsTheRowOfANode()
    {
        ui::CallTreeModel model;
        model.setTree(liveTree(sampleSnapshot()), ui::costViewFor(CostKind::Live));
        const QModelIndex log = model.index(1, 0, model.index(0, 0));
        QCOMPARE(model.indexOf(model.nodeAt(log)), log);
        QVERIFY(!model.indexOf(model::CallTree::root()).isValid());
        QVERIFY(!model.indexOf(model::NodeId(100000u)).isValid());
    }

    void keepsTheWayToWhatTheFilterFinds()
    {
        ui::CallTreeModel model;
        model.setTree(liveTree(sampleSnapshot()), ui::costViewFor(CostKind::Live));
        ui::NodeFilterModel filter;
        filter.setSourceModel(&model);
        filter.setFilterFixedString(QStringLiteral("LOG"));
        const QModelIndex main = filter.index(0, 0);
        QCOMPARE(main.data().toString(), QStringLiteral("main"));
        QCOMPARE(filter.rowCount(main), 1);
        QCOMPARE(filter.index(0, 0, main).data().toString(), QStringLiteral("log"));
    }

    void aNameInQuotesIsJustThat()
    {
        ui::CallTreeModel model;
        tests::SnapshotBuilder builder;
        builder.heap("main;do_sincos;do_sin(double) 64\nmain;do_sincos 32\n");
        model.setTree(liveTree(builder.build()), ui::costViewFor(CostKind::Live));
        ui::NodeFilterModel filter;
        filter.setSourceModel(&model);
        const auto isFound = [&filter](const QModelIndex &row) { return row.data(Qt::FontRole).value<QFont>().bold(); };
        const auto sincos = [&filter] { return filter.index(0, 0, filter.index(0, 0)); };
        filter.setFilterFixedString(QStringLiteral("Do_Sin"));
        QVERIFY(isFound(sincos()) && isFound(filter.index(0, 0, sincos())));
        for (const QString &name : {QStringLiteral("do_sin"), QStringLiteral("do_sin(double)")}) {
            filter.setFilterFixedString(ui::NameNeedle::exactly(name));
            QVERIFY(!isFound(sincos()) && isFound(filter.index(0, 0, sincos())));
        }
        filter.setFilterFixedString(ui::NameNeedle::exactly(QStringLiteral("do_si")));
        QCOMPARE(filter.rowCount(), 0);
    }

    void listsFunctionsBySelf()
    {
        const model::Snapshot snapshot = sampleSnapshot();
        ui::FunctionTableModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        const model::FunctionTable table = *model::functionTable(snapshot, CostKind::Live);
        model.setTable(table, model::distinctNames(model::namedRows(table)));
        QCOMPARE(model.index(0, ui::FunctionTableModel::NameColumn).data().toString(), QStringLiteral("malloc"));
        QCOMPARE(model.index(0, ui::FunctionTableModel::SelfColumn).data().toString(), QStringLiteral("800 B"));
        QCOMPARE(model.index(0, ui::FunctionTableModel::SelfShareColumn).data().toString(), QStringLiteral("100 %"));
    }

    void tellsRowsApartThatWouldLookTheSame()
    {
        tests::SnapshotBuilder builder;
        builder.heap("main;void spin<int>(int) 64\nmain;void spin<char>(char) 32\nmain;void once<int>(int) 16\n");
        const model::Snapshot snapshot = builder.build();
        ui::CallTreeModel tree;
        tree.setTree(liveTree(snapshot), ui::costViewFor(CostKind::Live));
        ui::FunctionTableModel functions;
        const model::FunctionTable table = *model::functionTable(snapshot, CostKind::Live);
        functions.setTable(table, model::distinctNames(model::namedRows(table)));
        const QStringList expected{
            QStringLiteral("spin<int>"), QStringLiteral("spin<char>"), QStringLiteral("once<…>")};
        for (int row = 0; row < expected.size(); ++row) {
            QCOMPARE(tree.index(row, 0, tree.index(0, 0)).data().toString(), expected[row]);
            QCOMPARE(functions.index(row, ui::FunctionTableModel::NameColumn).data().toString(), expected[row]);
        }
        const QString hint = tree.index(0, 0, tree.index(0, 0)).data(Qt::ToolTipRole).toString();
        QVERIFY2(hint.startsWith(QStringLiteral("void spin<int>(int)")), qPrintable(hint));
    }
};

QTEST_MAIN(CallTreeModelTest)
#include "call_tree_model_test.moc"

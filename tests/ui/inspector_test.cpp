// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/function_table.h"
#include "tests/support/snapshot_builder.h"
#include "ui/widgets/inspected.h"
#include "ui/widgets/inspector.h"

#include <QLabel>
#include <QTest>

using namespace Qt::StringLiterals;
using model::CostKind;

namespace {

/// What a click on the node called `name` inspects.
ui::InspectedStack nodeNamed(
    const model::Snapshot &snapshot, std::string_view name, CostKind kind, model::TreeOrder order = {})
{
    const auto tree = model::callTree(snapshot, {kind}, {.order = order});
    for (std::size_t i = 1; i < tree->size(); ++i)
        if (const model::NodeId node(i); tree->name(node) == name)
            return {tree->node(node).stack, {}, ui::ChosenCost{kind, model::scopeOf(*tree, node)}};
    return {};
}

ui::InspectedStack functionNamed(const model::Snapshot &snapshot, std::string_view name, CostKind kind)
{
    const auto table = model::functionTable(snapshot, kind);
    ui::InspectedStack found = nodeNamed(snapshot, name, kind);
    for (const model::FunctionCost &row : table->rows)
        if (table->functions->name(row.function) == name)
            found.chosen->scope = model::scopeOf(*table->functions, row.function);
    return found;
}

QString figuresOf(const model::Snapshot &snapshot, const ui::InspectedStack &what)
{
    QStringList words;
    for (const ui::InspectedFigure &figure : ui::inspect(snapshot, what).figures)
        words << figure.label + u": "_s + figure.value;
    return words.join(u'\n');
}

std::string chosenName(const model::Snapshot &snapshot, const ui::InspectedStack &what)
{
    const ui::Inspected shown = ui::inspect(snapshot, what);
    return shown.lines.at(shown.chosenLine).name;
}

} // namespace

class InspectorTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void showsTheFunctionThatWasChosenNotWhatIsInlinedThere()
    {
        tests::SnapshotBuilder builder;
        builder.cpu("main;loop;kernel@svc.cpp:21|sin@cmath:438|wrap 50\n");
        const auto snapshot = std::make_shared<const model::Snapshot>(builder.build());
        ui::Selection selection;
        ui::Inspector inspector(selection);
        inspector.setSnapshot(snapshot);
        for (const char *name : {"kernel", "sin", "wrap", "loop"}) {
            selection.setInspected(nodeNamed(*snapshot, name, CostKind::CpuTime));
            QVERIFY2(inspector.stackAsText().startsWith(u"#0 "_s + QString::fromLatin1(name)),
                qPrintable(inspector.stackAsText()));
            bool isTitle = false;
            for (const QLabel *label : inspector.findChildren<QLabel *>())
                isTitle = isTitle || label->text() == QString::fromLatin1(name);
            QVERIFY2(isTitle, name);
        }
    }

    void showsACallerWithinTheWholeStack()
    {
        tests::SnapshotBuilder builder;
        builder.cpu("main;loop;kernel|sin 50\nmain;other;kernel|sin 5\n");
        const model::Snapshot snapshot = builder.build();
        const auto loop = nodeNamed(snapshot, "loop", CostKind::CpuTime, model::TreeOrder::BottomUp);
        QCOMPARE(chosenName(snapshot, loop), std::string("loop"));
        QCOMPARE(ui::inspect(snapshot, loop).lines.front().name, std::string("sin"));
        QCOMPARE(ui::inspect(snapshot, loop).caption, u"Caller of sin"_s);
    }

    void saysTheFiguresOfAllThatARowMerges()
    {
        tests::SnapshotBuilder builder;
        builder.heap(
            "main;parse@a.cpp:1;malloc 600\nmain;parse@a.cpp:1;malloc 60 temporary\nmain;parse@a.cpp:2;malloc 300\n"
            "main;log;malloc 300\n");
        const model::Snapshot snapshot = builder.build();
        QCOMPARE(figuresOf(snapshot, nodeNamed(snapshot, "parse", CostKind::Live)),
            u"Live bytes: 900 B · 75 % of all 1.17 KiB\nLive blocks: 2\nAllocated: 960 B · 3 blocks\nFreed: 60 B · 1 "
            u"block\n"
            "Temporary: 1 · 33.3 % of these allocations\nAt the peak: 900 B"_s);
        QCOMPARE(figuresOf(snapshot, nodeNamed(snapshot, "parse", CostKind::Allocated)).section(u'\n', 0, 2),
            u"Allocated bytes: 960 B · 76.2 % of all 1.23 KiB\nLive: 900 B · 2 blocks\nAllocations: 3"_s);
    }

    void saysWhatItsShareIsOf()
    {
        tests::SnapshotBuilder builder;
        builder.heap("main;parse;malloc 600\nmain;log;malloc 200\n");
        model::Snapshot snapshot = builder.build();
        const ui::InspectedStack parse = nodeNamed(snapshot, "parse", CostKind::Live);
        QVERIFY2(figuresOf(snapshot, parse).startsWith(u"Live bytes: 600 B · 75 % of all 800 B"_s),
            qPrintable(figuresOf(snapshot, parse)));
        snapshot.selection.time = snapshot.span;
        QVERIFY2(figuresOf(snapshot, parse).startsWith(u"Live bytes: 600 B · 75 % of the selection’s 800 B"_s),
            qPrintable(figuresOf(snapshot, parse)));
    }

    void tellsNotMoreTemporaryBlocksThanAllocations()
    {
        tests::SnapshotBuilder builder;
        builder.heap("main;parse;malloc 60 temporary\n");
        builder.raw().heap.front().temporaries = 3; // two were allocated before the selected time
        const model::Snapshot snapshot = builder.build();
        const QString figures = figuresOf(snapshot, nodeNamed(snapshot, "parse", CostKind::Allocated));
        QVERIFY2(figures.contains(u"Temporary: 1 · 100 % of these allocations"_s), qPrintable(figures));
    }

    void saysOfAFunctionWhatItCostOnAllItsPaths()
    {
        tests::SnapshotBuilder builder;
        builder.heap("main;z;y;grow;malloc 100\nmain;b;grow;malloc 500\n");
        const model::Snapshot snapshot = builder.build();
        const ui::InspectedStack grow = functionNamed(snapshot, "grow", CostKind::Live);
        QVERIFY2(figuresOf(snapshot, grow).startsWith(u"Live bytes: 600 B · 100 %"_s),
            qPrintable(figuresOf(snapshot, grow)));
        QCOMPARE(chosenName(snapshot, grow), std::string("grow"));
        QVERIFY(ui::inspect(snapshot, grow).caption.contains(u"all its paths"_s));
    }

    void saysNothingOfAnotherQuantity()
    {
        tests::SnapshotBuilder builder;
        builder.heap("main;lock;malloc 64\n");
        builder.cpu("main;lock 20\n");
        builder.raw().activities.push_back({builder.thread(), builder.image(), builder.stack("main;lock"),
            model::Activity::wait(model::WaitClass::Lock), 3, 2'000'000'000});
        const model::Snapshot snapshot = builder.build();
        QCOMPARE(figuresOf(snapshot, nodeNamed(snapshot, "lock", CostKind::Blocked)),
            u"Blocked time: 2 s · 100 % of all 2 s\nWaits: 3"_s);
        QCOMPARE(figuresOf(snapshot, nodeNamed(snapshot, "lock", CostKind::CpuTime)),
            u"CPU time: 100 ms · 100 % of all 100 ms\nCPU samples: 20"_s);
    }

    void standsOnTheNamedFunctionOfAStack()
    {
        tests::SnapshotBuilder builder;
        const model::StackId stack = builder.stack("main;Cache::put@cache.cpp:9;libstdc++.so.6!operator new");
        const model::Snapshot snapshot = builder.build();
        const ui::Inspected shown = ui::inspect(snapshot, {stack, {}, {}});
        QCOMPARE(shown.lines.front().name, std::string("operator new"));
        QCOMPARE(shown.lines.at(shown.chosenLine).name, std::string("Cache::put"));
    }

    void saysThatAStackCostsNothingHere()
    {
        tests::SnapshotBuilder builder;
        const model::StackId idle = builder.stack("main;idle");
        const model::Snapshot snapshot = builder.build();
        QCOMPARE(figuresOf(snapshot, {idle, {}, {}}), u"Costs: none in what is selected"_s);
    }
};

QTEST_MAIN(InspectorTest)
#include "inspector_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/snapshot_builder.h"
#include "ui/charts/flame_graph_view.h"
#include "ui/charts/heat_map_view.h"
#include "ui/pages/cpu_page.h"
#include "ui/pages/heap_page.h"
#include "ui/pages/heat_map_page.h"
#include "ui/pages/leaks_page.h"
#include "ui/pages/page_text.h"
#include "ui/widgets/inspector.h"
#include "ui/widgets/search_field.h"

#include <QFocusEvent>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>
#include <QTreeView>

#include <sstream>

namespace {

constexpr int kDeadlineMs = 10000;

std::shared_ptr<const model::Snapshot> heapSnapshot(std::string_view lines)
{
    tests::SnapshotBuilder builder;
    builder.heap(lines);
    return std::make_shared<const model::Snapshot>(builder.build());
}

QTreeView *visibleTree(QWidget &page)
{
    for (QTreeView *view : page.findChildren<QTreeView *>()) {
        if (view->accessibleName() == QStringLiteral("Call tree"))
            return view;
    }
    return nullptr;
}

} // namespace

class CostPageTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void opensTheHotPathAndInspectsWhatIsClicked()
    {
        ui::Selection selection;
        ui::HeapPage page(selection);
        page.resize(1000, 700);
        QSignalSpy settled(&page, &ui::Page::settled);
        page.setSnapshot(heapSnapshot("main;parse;malloc 600\nmain;log;malloc 200\n"));
        QVERIFY(settled.wait(kDeadlineMs));
        QTreeView *tree = visibleTree(page);
        QVERIFY(tree);
        const QModelIndex main = tree->model()->index(0, 0);
        QVERIFY(tree->isExpanded(main));
        const QModelIndex parse = tree->model()->index(0, 0, main);
        QCOMPARE(parse.data().toString(), QStringLiteral("parse"));
        tree->setCurrentIndex(parse);
        QVERIFY(selection.inspected().has_value());
    }

    void aFocusThatArrivesInspectsNothing()
    {
        ui::Selection selection;
        ui::HeapPage page(selection);
        QSignalSpy settled(&page, &ui::Page::settled);
        page.setSnapshot(heapSnapshot("main;parse;malloc 600\nmain;log;malloc 200\n"));
        QVERIFY(settled.wait(kDeadlineMs));
        QTreeView *tree = visibleTree(page);
        QFocusEvent arrived(QEvent::FocusIn, Qt::TabFocusReason);
        QCoreApplication::sendEvent(tree, &arrived);
        QVERIFY(tree->currentIndex().isValid()); // Qt makes the first row the current one
        QVERIFY(!selection.inspected());
        QTest::keyClick(tree, Qt::Key_Down);
        QVERIFY(selection.inspected().has_value());
    }

    void escForgetsTheSearchAndEnterGoesToWhatWasFound()
    {
        ui::Selection selection;
        ui::HeapPage page(selection);
        page.resize(1000, 700);
        page.setVisible(true);
        QSignalSpy settled(&page, &ui::Page::settled);
        page.setSnapshot(heapSnapshot("main;parse;malloc 600\nmain;log;flush;malloc 200\n"));
        QVERIFY(settled.wait(kDeadlineMs));
        QTreeView *tree = visibleTree(page);
        auto *field = page.findChild<ui::SearchField *>();
        QVERIFY(field && !field->accessibleName().isEmpty());
        field->setFocus();
        QTest::keyClicks(field, QStringLiteral("flush"));
        QCOMPARE(selection.findText(), QStringLiteral("flush"));
        QTest::keyClick(field, Qt::Key_Return);
        QCOMPARE(page.focusWidget(), tree);
        QCOMPARE(tree->currentIndex().siblingAtColumn(0).data().toString(), QStringLiteral("flush"));
        QVERIFY(!selection.inspected()); // Space or an arrow selects
        field->setFocus();
        QTest::keyClick(field, Qt::Key_Escape);
        QVERIFY(selection.findText().isEmpty() && field->text().isEmpty());
        QCOMPARE(page.focusWidget(), tree);
    }

    void showsTheWholeHeadingsOfEachCost()
    {
        ui::Selection selection;
        ui::HeapPage page(selection);
        page.resize(1400, 700);
        page.setVisible(true);
        QSignalSpy settled(&page, &ui::Page::settled);
        page.setSnapshot(heapSnapshot("main;parse;malloc 600\nmain;log;malloc 200\n"));
        QVERIFY(settled.wait(kDeadlineMs));
        QHeaderView *header = visibleTree(page)->header();
        QString shown;
        for (QPushButton *button : page.findChildren<QPushButton *>()) {
            if (button->text() != QStringLiteral("Temporary") && button->text() != QStringLiteral("Live"))
                continue;
            button->click();
            QVERIFY(settled.wait(kDeadlineMs));
            QCoreApplication::processEvents();
            for (int column = 1; column < header->count(); ++column) {
                const QString title = header->model()->headerData(column, Qt::Horizontal).toString();
                QVERIFY2(header->isSectionHidden(column)
                        || header->sectionSize(column) >= header->fontMetrics().horizontalAdvance(title),
                    qPrintable(title));
                shown += title;
            }
        }
        QVERIFY(shown.contains(QStringLiteral("Temporary allocations")));
    }

    void opensWhereTheCostDividesBelowCallersOfEverything()
    {
        std::string callers;
        for (int i = 0; i < 40; ++i)
            callers += "caller" + std::to_string(i) + ';';
        ui::Selection selection;
        ui::HeapPage page(selection);
        page.resize(1400, 700);
        QSignalSpy settled(&page, &ui::Page::settled);
        page.setSnapshot(heapSnapshot(callers + "hot;malloc 600\n" + callers + "cold;malloc 400\n"));
        QVERIFY(settled.wait(kDeadlineMs));
        page.setVisible(true);
        QTreeView *tree = visibleTree(page);
        const auto rowOf = [tree](const QString &name) {
            QModelIndex at = tree->model()->index(0, 0);
            while (at.isValid() && at.data().toString() != name)
                at = tree->model()->index(0, 0, at);
            return at;
        };
        const auto isSeen = [&](const QModelIndex &row) {
            return row.isValid() && !tree->visualRect(row).isEmpty()
                && tree->viewport()->rect().contains(tree->visualRect(row).center());
        };
        const QModelIndex dividing = rowOf(QStringLiteral("caller39"));
        QVERIFY(dividing.isValid());
        QTRY_COMPARE(tree->currentIndex(), dividing);
        QVERIFY(isSeen(dividing));
        QVERIFY(isSeen(dividing.parent())); // the way to it
        QVERIFY(isSeen(tree->model()->index(0, 0, dividing)) && isSeen(tree->model()->index(1, 0, dividing)));
        QVERIFY(!selection.inspected());
        QCOMPARE(tree->horizontalScrollBar()->value(), 0);
        auto *graph = page.findChild<ui::FlameGraphView *>();
        const auto isRowInSight = [graph](int row) {
            const int top = graph->verticalScrollBar()->value();
            return row * 22 >= top && (row + 1) * 22 <= top + graph->viewport()->height();
        };
        QTRY_VERIFY2(isRowInSight(41), "hot, in the graph as well");
        graph->verticalScrollBar()->setValue(100);
        page.setSnapshot(heapSnapshot(callers + "hot;malloc 600\n" + callers + "cold;malloc 400\n"));
        QVERIFY(settled.wait(kDeadlineMs));
        QCOMPARE(graph->verticalScrollBar()->value(), 100);
    }

    void keepsOpenRowsWhenTheSessionGrows()
    {
        ui::Selection selection;
        ui::HeapPage page(selection);
        page.setVisible(true);
        QSignalSpy settled(&page, &ui::Page::settled);
        page.setSnapshot(heapSnapshot("main;a;x;malloc 500\nmain;b;y;malloc 500\n"));
        QVERIFY(settled.wait(kDeadlineMs));
        QTreeView *tree = visibleTree(page);
        const QModelIndex main = tree->model()->index(0, 0);
        tree->collapseAll();
        tree->setExpanded(main, true);
        tree->setExpanded(tree->model()->index(1, 0, main), true);
        const QString opened = tree->model()->index(1, 0, main).data().toString();
        page.setSnapshot(heapSnapshot("main;a;x;malloc 500\nmain;b;y;malloc 500\nmain;c;malloc 900\n"));
        QVERIFY(settled.wait(kDeadlineMs));
        const QModelIndex mainNow = tree->model()->index(0, 0);
        QVERIFY(tree->isExpanded(mainNow));
        for (int row = 0; row < tree->model()->rowCount(mainNow); ++row) {
            const QModelIndex child = tree->model()->index(row, 0, mainNow);
            QCOMPARE(tree->isExpanded(child), child.data().toString() == opened);
        }
    }

    void itsTitleSaysWhichTimeItIsAbout()
    {
        ui::Selection selection;
        ui::HeapPage page(selection);
        tests::SnapshotBuilder builder;
        builder.ticks(10, model::Duration::fromSeconds(1)).heap("main;parse;malloc 600\n");
        const model::TimeRange some{{2'000'000'000}, {4'000'000'000}};
        builder.raw().selection.time = some;
        builder.raw().span = some;
        const auto snapshot = std::make_shared<const model::Snapshot>(builder.build());
        page.setSnapshot(snapshot);
        QVERIFY2(page.subtitle().contains(ui::timeText(*snapshot, some)), qPrintable(page.subtitle()));
        ui::LeaksPage leaks(selection);
        leaks.setSnapshot(snapshot);
        QVERIFY2(leaks.subtitle().contains(QStringLiteral("whatever time is selected")), qPrintable(leaks.subtitle()));
    }

    void saysWhyThereIsNothing()
    {
        ui::Selection selection;
        ui::CpuPage page(selection);
        tests::SnapshotBuilder builder;
        builder.raw().info.config.cpuHz = 0;
        page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        bool isSaid = false;
        for (const QLabel *label : page.findChildren<QLabel *>())
            isSaid = isSaid || label->text().contains(QStringLiteral("--cpu 199"));
        QVERIFY(isSaid);
        QVERIFY(page.exports().empty());
    }

    void exportsEveryTableAndPicture()
    {
        ui::Selection selection;
        ui::HeapPage page(selection);
        page.resize(800, 600);
        QSignalSpy settled(&page, &ui::Page::settled);
        page.setSnapshot(heapSnapshot("main;parse;malloc 600\nmain;log;malloc 200\n"));
        QVERIFY(settled.wait(kDeadlineMs));
        const auto exports = page.exports();
        QCOMPARE(exports.size(), std::size_t{4});
        for (const ui::Export &one : exports) {
            if (one.picture) {
                QVERIFY(!one.picture().isNull());
                continue;
            }
            std::ostringstream out;
            one.table(out);
            QVERIFY2(QString::fromStdString(out.str()).contains(QStringLiteral("parse")), qPrintable(one.name));
        }
    }

    void zoomsIntoTheFlameGraphAndBack()
    {
        const auto snapshot = heapSnapshot("main;parse;malloc 600\nmain;log;malloc 200\n");
        ui::FlameGraphView view;
        view.resize(800, 300);
        view.setTree(std::make_shared<const model::CallTree>(*model::callTree(*snapshot, {model::CostKind::Live})), 0);
        QTest::mouseDClick(view.viewport(), Qt::LeftButton, {}, QPoint(100, 22 * 2 + 5));
        QVERIFY(view.zoom() != model::CallTree::root());
        QTest::keyClick(&view, Qt::Key_Escape);
        QTest::keyClick(&view, Qt::Key_Escape);
        QVERIFY(view.zoom() == model::CallTree::root());
        view.setSearch(QStringLiteral("PARSE"));
        QCOMPARE(view.matchedShare(), 0.75);
    }

    void aDoubleClickZoomsIntoWhatItsFirstPressChose()
    {
        const auto snapshot = heapSnapshot("main;parse;malloc 600\nmain;log;malloc 200\n");
        ui::FlameGraphView view;
        view.resize(800, 300);
        const auto tree = std::make_shared<const model::CallTree>(*model::callTree(*snapshot, {model::CostKind::Live}));
        view.setTree(tree, 0);
        view.setVisible(true); // else it has no width yet
        const QPoint inParse(500, 22 * 2 + 5);
        QTest::mousePress(view.viewport(), Qt::LeftButton, {}, inParse);
        QTest::mouseRelease(view.viewport(), Qt::LeftButton, {}, inParse);
        QVERIFY(tree->name(view.selected()) == "parse");
        view.resize(520, 300); // an inspector opens: another function is below the pointer now
        QTest::mouseDClick(view.viewport(), Qt::LeftButton, {}, inParse);
        QVERIFY2(tree->name(view.zoom()) == "parse", tree->name(view.zoom()).c_str());
    }

    void goesBackToTheZoomBefore()
    {
        const auto snapshot = heapSnapshot("main;run;parse;malloc 600\nmain;run;log;malloc 200\n");
        ui::FlameGraphView view;
        view.resize(800, 300);
        const auto tree = std::make_shared<const model::CallTree>(*model::callTree(*snapshot, {model::CostKind::Live}));
        view.setTree(tree, 0);
        const auto named = [&tree](std::string_view name) {
            for (std::size_t i = 1; i < tree->size(); ++i)
                if (tree->name(model::NodeId(i)) == name)
                    return model::NodeId(i);
            return model::NodeId();
        };
        view.zoomTo(named("run"));
        view.zoomTo(named("parse"));
        view.setTree(std::make_shared<const model::CallTree>(*tree), 0); // a live session goes on
        QCOMPARE(view.zoom(), named("parse"));
        QTest::keyClick(&view, Qt::Key_Escape);
        QCOMPARE(view.zoom(), named("run"));
        QTest::keyClick(&view, Qt::Key_Escape);
        QCOMPARE(view.zoom(), model::CallTree::root());
        view.zoomTo(named("parse"));
        QTest::keyClick(&view, Qt::Key_Home);
        QCOMPARE(view.zoom(), model::CallTree::root());
        QVERIFY(!view.zoomBack());
    }

    void selectsNoCallerOfWhatIsNotThere()
    {
        const auto treeOf = [](std::string_view lines) {
            return std::make_shared<const model::CallTree>(
                *model::callTree(*heapSnapshot(lines), {model::CostKind::Live}));
        };
        const auto both = treeOf("main;parse;malloc 600\nmain;log;malloc 200\n");
        ui::FlameGraphView view;
        view.setTree(both, 0);
        const model::NodeId parse = both->child(both->child(model::CallTree::root(), 0), 0);
        view.setSelected(parse);
        view.setTree(treeOf("main;log;malloc 200\n"), 0);
        QVERIFY(!view.selected().isValid());
        view.setTree(both, 0);
        QCOMPARE(view.selected(), parse);
    }

    void showsWhatAZoomedFunctionCalls()
    {
        std::string callers;
        for (int i = 0; i < 30; ++i)
            callers += "caller" + std::to_string(i) + ';';
        const auto snapshot = heapSnapshot(callers + "parse;a;b;c;d;e;f;g;h;i;j;k;l;malloc 600\n");
        ui::FlameGraphView view;
        view.resize(800, 220);
        view.setVisible(true);
        const auto tree = std::make_shared<const model::CallTree>(*model::callTree(*snapshot, {model::CostKind::Live}));
        view.setTree(tree, 0);
        view.zoomTo(model::NodeId(31u));
        QVERIFY(tree->name(view.zoom()) == "parse");
        const int row = 31 * 22;
        const int top = view.verticalScrollBar()->value();
        QVERIFY(top > 0 && top <= row && row - top < 4 * 22);
    }

    void opensAnotherOrderAtItsTop()
    {
        std::string lines;
        for (int i = 0; i < 60; ++i)
            lines += "main;work" + std::to_string(i) + ";alloc" + std::to_string(i) + ' ' + std::to_string(100 + i)
                + '\n';
        ui::Selection selection;
        ui::HeapPage page(selection);
        page.resize(1000, 500);
        page.setVisible(true);
        QSignalSpy settled(&page, &ui::Page::settled);
        page.setSnapshot(heapSnapshot(lines));
        QVERIFY(settled.wait(kDeadlineMs));
        QTreeView *tree = visibleTree(page);
        QTRY_VERIFY(tree->verticalScrollBar()->maximum() > 0);
        tree->scrollToBottom();
        for (QPushButton *button : page.findChildren<QPushButton *>())
            if (button->text() == QStringLiteral("Bottom up"))
                button->click();
        QVERIFY(settled.wait(kDeadlineMs));
        QCoreApplication::processEvents();
        QCOMPARE(tree->verticalScrollBar()->value(), 0);
        QCOMPARE(tree->indexAt(QPoint(60, 5)).data().toString(), QStringLiteral("alloc59"));
    }

    void opensTheWayToWhatIsSearchedFor()
    {
        std::string callers;
        for (int i = 0; i < 30; ++i)
            callers += "caller" + std::to_string(i) + ';';
        ui::Selection selection;
        ui::HeapPage page(selection);
        page.resize(1400, 600);
        page.setVisible(true);
        QSignalSpy settled(&page, &ui::Page::settled);
        page.setSnapshot(heapSnapshot("main;hot 700\n" + callers + "needle;malloc 300\n"));
        QVERIFY(settled.wait(kDeadlineMs));
        selection.setFindText(QStringLiteral("NEEDLE"));
        QTreeView *tree = visibleTree(page);
        const auto isInSight = [tree] {
            for (int y = 5; y < tree->viewport()->height(); y += 5) {
                const QModelIndex at = tree->indexAt(QPoint(tree->columnWidth(0) - 5, y)).siblingAtColumn(0);
                if (at.data().toString() == QStringLiteral("needle"))
                    return at.data(Qt::FontRole).value<QFont>().bold() && tree->visualRect(at).width() > 150;
            }
            return false;
        };
        QTRY_VERIFY(isInSight());
        QVERIFY(!tree->model()->index(0, 0).data(Qt::FontRole).value<QFont>().bold());
    }

    void inspectsAFunctionByItsHeaviestStack()
    {
        ui::Selection selection;
        ui::HeapPage page(selection);
        QSignalSpy settled(&page, &ui::Page::settled);
        page.setSnapshot(heapSnapshot("main;z;y;x;grow;malloc 100\nmain;b;grow;malloc 500\n"));
        QVERIFY(settled.wait(kDeadlineMs));
        QTreeView *functions = nullptr;
        for (QTreeView *view : page.findChildren<QTreeView *>())
            if (view->accessibleName() == QStringLiteral("Functions"))
                functions = view;
        QVERIFY(functions);
        for (int row = 0; row < functions->model()->rowCount(); ++row)
            if (functions->model()->index(row, 0).data().toString() == QStringLiteral("grow"))
                functions->setCurrentIndex(functions->model()->index(row, 0));
        QVERIFY(selection.inspected() && selection.inspected()->chosen);
        QVERIFY(selection.inspected()->chosen->scope.kind == model::StackScope::Kind::Anywhere);
        auto *graph = page.findChild<ui::FlameGraphView *>();
        QVERIFY(graph->selected().isValid());
        const QString words = graph->explanationOf(graph->selected());
        QVERIFY2(
            words.startsWith(QStringLiteral("grow")) && words.contains(QStringLiteral("500 B")), qPrintable(words));
        Q_EMIT functions->activated(functions->currentIndex());
        QCOMPARE(selection.findText(), QStringLiteral("\"grow\""));
        QVERIFY(settled.wait(kDeadlineMs));
        const QAbstractItemModel &callers = *visibleTree(page)->model();
        QCOMPARE(callers.index(0, 0).data().toString(), QStringLiteral("malloc"));
        QCOMPARE(callers.index(0, 0, callers.index(0, 0)).data().toString(), QStringLiteral("grow"));
    }

    void showsCostAndFramesOfTheInspectedStack()
    {
        ui::Selection selection;
        ui::Inspector inspector(selection);
        tests::SnapshotBuilder builder;
        builder.heap("main;parse;malloc 600\n");
        const model::StackId leaf = builder.stack("main;parse;malloc");
        inspector.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        selection.setInspected(ui::InspectedStack{leaf, {}});
        const QString stack = inspector.stackAsText();
        QVERIFY(stack.startsWith(QStringLiteral("#0 malloc")));
        QVERIFY(stack.indexOf(QStringLiteral("parse")) < stack.indexOf(QStringLiteral("main")));
        selection.setInspected(ui::InspectedStack{model::StackId(99999u), {}});
        QVERIFY(inspector.stackAsText().isEmpty());
    }

    void selectsTheTimeThatIsDraggedOnTheHeatMap()
    {
        ui::Selection selection;
        ui::HeatMapPage page(selection);
        page.resize(900, 500);
        tests::SnapshotBuilder builder;
        builder.heap("main;malloc 64\n");
        for (int i = 0; i < 10; ++i)
            builder.raw().heapSizes.push_back({{{i * 1'000'000'000ll}, {(i + 1) * 1'000'000'000ll}}, 12, 5, 320});
        page.setVisible(true);
        page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        auto *view = page.findChild<ui::HeatMapView *>();
        QTest::mousePress(view, Qt::LeftButton, {}, QPoint(200, 100));
        QTest::mouseMove(view, QPoint(400, 100));
        QTest::mouseRelease(view, Qt::LeftButton, {}, QPoint(400, 100));
        QVERIFY(selection.current().time.has_value());
        QVERIFY(selection.current().time->length().ns > 1'000'000'000ll);
    }
};

QTEST_MAIN(CostPageTest)
#include "cost_page_test.moc"

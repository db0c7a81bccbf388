// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/snapshot_builder.h"
#include "ui/charts/flame_graph_view.h"
#include "ui/pages/cpu_page.h"
#include "ui/pages/heap_page.h"
#include "ui/pages/waits_page.h"
#include "ui/widgets/noted_tree_view.h"

#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QScrollBar>
#include <QSplitter>
#include <QStackedWidget>
#include <QTest>
#include <QTreeView>

using namespace Qt::StringLiterals;

namespace {

constexpr int kDeadlineMs = 10000;

/// A page of a small heap as somebody sees it.
struct Shown
{
    explicit Shown(ui::Selection &selection)
        : page(selection)
    {
        page.resize(1000, 700);
        page.setVisible(true);
        show("main;parse;malloc 600\nmain;log;malloc 200\n");
    }

    void show(std::string_view heap, const char *file = "")
    {
        tests::SnapshotBuilder builder;
        for (const char *known :
            {"main;parse;malloc", "main;log;malloc"}) // all snapshots of a session number them alike
            builder.stack(known);
        builder.heap(heap);
        builder.raw().file = file;
        page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        settle();
    }

    void settle() const
    {
        if (!QTest::qWaitFor([this] { return !page.isBusy(); }, kDeadlineMs))
            qFatal("the page is still busy");
        QCoreApplication::processEvents();
    }
    QTreeView *view(const QString &name) const
    {
        for (QTreeView *each : page.findChildren<QTreeView *>())
            if (each->accessibleName() == name)
                return each;
        return nullptr;
    }
    QTreeView *tree() const { return view(u"Call tree"_s); }
    QTreeView *functions() const { return view(u"Functions"_s); }
    QString inTree() const
    {
        const QModelIndexList rows = tree()->selectionModel()->selectedRows();
        return rows.isEmpty() ? QString() : rows.front().data().toString();
    }
    QString inFlame() const
    {
        const auto *flame = page.findChild<ui::FlameGraphView *>();
        return flame->selected().isValid() ? flame->explanationOf(flame->selected()).section(u'\n', 0, 0) : QString();
    }
    void press(const QString &button) const
    {
        for (QPushButton *each : page.findChildren<QPushButton *>())
            if (each->text() == button)
                each->click();
        settle();
    }

    ui::HeapPage page;
};

QModelIndex rowOf(const QAbstractItemModel &model, const QString &name, const QModelIndex &above = {})
{
    for (int row = 0; row < model.rowCount(above); ++row) {
        const QModelIndex index = model.index(row, 0, above);
        if (index.data().toString() == name)
            return index;
        if (const QModelIndex below = rowOf(model, name, index); below.isValid())
            return below;
    }
    return {};
}

void click(QTreeView &view, const QString &name)
{
    const QModelIndex row = rowOf(*view.model(), name);
    view.scrollTo(row);
    QTest::mouseClick(view.viewport(), Qt::LeftButton, {}, view.visualRect(row).center());
}

} // namespace

/// What is chosen on a page about costs, and what only looks so.
class CostPageChoiceTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aClickChoosesARowOfTheTree()
    {
        ui::Selection selection;
        const Shown shown(selection);
        click(*shown.tree(), u"log"_s);
        QVERIFY(selection.inspected().has_value());
        QCOMPARE(shown.inFlame(), u"log"_s);
        click(*shown.tree(), u"parse"_s);
        QCOMPARE(shown.inFlame(), u"parse"_s);
        selection.setInspected(std::nullopt);
        click(*shown.tree(), u"parse"_s);
        QVERIFY2(selection.inspected().has_value(), "a closed inspector opens again");
    }

    void aClickChoosesAFunction()
    {
        ui::Selection selection;
        const Shown shown(selection);
        shown.press(u"Functions"_s);
        click(*shown.functions(), u"log"_s);
        QVERIFY(selection.inspected().has_value());
        QCOMPARE(shown.inFlame(), u"log"_s);
    }

    void everyCostCanBeReadInANarrowPage_data()
    {
        QTest::addColumn<int>("width");
        QTest::addColumn<bool>("isList");
        QTest::newRow("least window") << 400 << true;
        QTest::newRow("1024 with inspector") << 530 << true;
        QTest::newRow("two rows") << 1000 << false;
        QTest::newRow("one row") << 1500 << false;
    }
    void everyCostCanBeReadInANarrowPage()
    {
        QFETCH(int, width);
        QFETCH(bool, isList);
        ui::Selection selection;
        ui::WaitsPage page(selection);
        page.setAttribute(Qt::WA_DontShowOnScreen);
        page.setFixedWidth(width); // as the window squeezes it
        page.setVisible(true);
        QCoreApplication::processEvents();
        for (const QPushButton *button : page.findChildren<QPushButton *>()) {
            if (!button->isVisible() || !button->isCheckable())
                continue;
            QVERIFY2(button->width() >= button->sizeHint().width(), qPrintable(button->text()));
            QVERIFY2(button->mapTo(&page, QPoint(button->width(), 0)).x() <= width, qPrintable(button->text()));
        }
        auto *costs = page.findChild<QComboBox *>();
        QCOMPARE(costs->isVisible(), isList);
        QCOMPARE(costs->count(), 10);
        Q_EMIT costs->activated(6);
        QCOMPARE(page.shownCost(), model::CostKind::WaitSleep);
        page.showCost(model::CostKind::WaitLock);
        QCOMPARE(costs->currentText(), u"Locks"_s);
    }

    void anotherCostCanBeChosenWhereTheShownOneHasNothing()
    {
        tests::SnapshotBuilder builder;
        builder.raw().info.config.waits = true;
        ui::Selection selection;
        ui::WaitsPage page(selection);
        QPushButton *sleep = nullptr;
        for (QPushButton *button : page.findChildren<QPushButton *>())
            if (button->text() == u"Sleep"_s)
                sleep = button;
        QVERIFY(sleep);
        page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QVERIFY(!sleep->isEnabled());
        QVERIFY2(!sleep->toolTip().isEmpty(), "says why it cannot be pressed");
        builder.raw().activities.push_back({builder.thread(), builder.image(), builder.stack("main;nap"),
            model::Activity::wait(model::WaitClass::Sleep), 3, 2'000'000'000});
        page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QVERIFY(sleep->isEnabled());
        QVERIFY(sleep->toolTip().isEmpty());
        auto *stack = page.findChild<QStackedWidget *>();
        QCOMPARE(stack->currentIndex(), 1); // nothing was blocked
        sleep->click();
        QCOMPARE(stack->currentIndex(), 0);
        QVERIFY(QTest::qWaitFor([&page] { return !page.isBusy(); }, 10000));
    }

    void namesTheColumnsThatHaveNoRoom()
    {
        ui::Selection selection;
        Shown shown(selection);
        const auto hint = [&shown] {
            for (const QLabel *label : shown.page.findChildren<QLabel *>())
                if (label->text().startsWith(u"In a wider window also"_s) && label->isVisible())
                    return label->text();
            return QString();
        };
        QTRY_VERIFY(hint().isEmpty());
        shown.page.setFixedWidth(560); // as the window squeezes it
        QTRY_VERIFY(hint().contains(u"Self"_s));
    }

    void callersHaveNoCostOfTheirOwn()
    {
        ui::Selection selection;
        const Shown shown(selection);
        const auto hasSelf = [&shown] {
            const QAbstractItemModel &rows = *shown.tree()->model();
            for (int column = 0; column < rows.columnCount(); ++column)
                if (rows.headerData(column, Qt::Horizontal).toString() == u"Self"_s)
                    return true;
            return false;
        };
        QVERIFY(hasSelf());
        shown.press(u"Bottom up"_s);
        QVERIFY(!hasSelf());
        shown.press(u"Top down"_s);
        QVERIFY(hasSelf());
    }

    void aSearchChoosesNothing()
    {
        ui::Selection selection;
        Shown shown(selection);
        click(*shown.tree(), u"log"_s);
        shown.press(u"Functions"_s);
        click(*shown.functions(), u"log"_s);
        for (const bool isVisible : {true, false}) {
            shown.page.setVisible(isVisible); // another page may be the one that is read
            selection.setFindText({});
            selection.setInspected(std::nullopt);
            selection.setFindText(u"par"_s);
            QVERIFY(!selection.inspected());
            QVERIFY(shown.functions()->selectionModel()->selectedRows().isEmpty());
            selection.setFindText(u"parse"_s);
            QVERIFY(!selection.inspected());
        }
    }

    void aSearchSaysWhatIsMissingWhereOneLooks()
    {
        // Of a row in the tree that cost something, but nothing of what the functions are ranked by.
        tests::SnapshotBuilder builder;
        builder.heap("main;parse;malloc 600\nmain;gone;malloc 200\nmain;gone;malloc -200\n");
        builder.raw().heap.back().liveBytesAtBegin = 50;
        ui::Selection selection;
        Shown shown(selection);
        shown.page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        shown.settle();
        selection.setFindText(u"gone"_s);
        QVERIFY(rowOf(*shown.tree()->model(), u"gone"_s).isValid());
        QVERIFY2(!shown.page.subtitle().contains(u"no function"_s), qPrintable(shown.page.subtitle()));
        shown.press(u"Functions"_s);
        QVERIFY(shown.page.subtitle().contains(u"no function here matches “gone”"_s));
    }

    void aSearchWithoutAHitSaysSoInTheTable()
    {
        ui::Selection selection;
        const Shown shown(selection);
        selection.setFindText(u"nowhere"_s);
        const auto *table = qobject_cast<ui::NotedTreeView *>(shown.tree());
        QCOMPARE(table->note(), u"No function here matches “nowhere”."_s);
        const QImage empty = shown.tree()->viewport()->grab().toImage();
        const QColor paper = empty.pixelColor(0, empty.height() - 1);
        int inked = 0;
        for (int y = 0; y < empty.height(); ++y)
            for (int x = 0; x < empty.width(); ++x)
                inked += empty.pixelColor(x, y) == paper ? 0 : 1;
        QVERIFY2(inked > 50, "it is painted");
        selection.setFindText({});
        QVERIFY(table->note().isEmpty());
    }

    void theHeadingDoesNotSayItsTitleTwice()
    {
        tests::SnapshotBuilder builder;
        builder.cpu("main;hot 10\n");
        builder.raw().info.config.cpuHz = 199;
        ui::Selection selection;
        ui::CpuPage cpu(selection);
        cpu.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QCOMPARE(cpu.subtitle(), u"50 ms in 10 samples"_s);
        builder.raw().losses.push_back({model::LossKind::SamplesMissed, builder.image(), 19, "", {}});
        cpu.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QCOMPARE(cpu.subtitle(), u"50 ms in 10 samples · 19 CPU samples not taken"_s);
        const Shown heap(selection);
        QVERIFY2(heap.page.subtitle().startsWith(u"live bytes · "_s), qPrintable(heap.page.subtitle()));
    }

    void countsOneStackAsOne()
    {
        ui::Selection selection;
        Shown shown(selection);
        const auto caption = [&shown] {
            for (const QLabel *label : shown.page.findChildren<QLabel *>())
                if (label->text().contains(u"own code in colour"_s))
                    return label->text().section(u" · "_s, -1);
            return QString();
        };
        QCOMPARE(caption(), u"2 stacks"_s);
        shown.show("main;parse;malloc 600\n");
        QCOMPARE(caption(), u"1 stack"_s);
    }

    void aSearchThatEndsLeavesTheTreeAsItWas()
    {
        ui::Selection selection;
        Shown shown(selection);
        QTreeView &tree = *shown.tree();
        const QModelIndex main = rowOf(*tree.model(), u"main"_s);
        const auto isOpen = [&tree](const QString &name) { return tree.isExpanded(rowOf(*tree.model(), name)); };
        tree.setExpanded(rowOf(*tree.model(), u"parse"_s), false);
        tree.setExpanded(rowOf(*tree.model(), u"log"_s), true);
        QVERIFY(tree.isExpanded(main));
        const QString before = tree.currentIndex().data().toString(); // where the keys begin
        for (const QString &word : {u"m"_s, u"ma"_s, u"parse"_s, QString()})
            selection.setFindText(word);
        QVERIFY(isOpen(u"main"_s) && isOpen(u"log"_s) && !isOpen(u"parse"_s));
        QCOMPARE(tree.currentIndex().data().toString(), before);
        QVERIFY2(!tree.selectionModel()->hasSelection(), "nothing was chosen");
        selection.setFindText(u"log"_s);
        shown.press(u"Peak"_s); // other rows in the meantime
        selection.setFindText({});
        QVERIFY2(isOpen(u"main"_s) && isOpen(u"parse"_s), "the hot path");
    }

    void aSearchKeepsWhatIsChosenAndFound()
    {
        ui::Selection selection;
        Shown shown(selection);
        shown.press(u"Functions"_s);
        click(*shown.functions(), u"log"_s);
        selection.setFindText(u"lo"_s);
        const QModelIndexList rows = shown.functions()->selectionModel()->selectedRows();
        QCOMPARE(rows.size(), 1);
        QCOMPARE(rows.front().data().toString(), u"log"_s);
    }

    void aChoiceThatIsFilteredAwayComesBack()
    {
        ui::Selection selection;
        Shown shown(selection);
        click(*shown.tree(), u"parse"_s);
        QCOMPARE(shown.inFlame(), u"parse"_s);
        shown.show("main;log;malloc 200\n"); // of another process, or another time
        QCOMPARE(shown.inFlame(), QString());
        QCOMPARE(shown.inTree(), QString());
        shown.show("main;parse;malloc 700\nmain;log;malloc 200\n");
        QCOMPARE(shown.inFlame(), u"parse"_s);
        QCOMPARE(shown.inTree(), u"parse"_s);
        QVERIFY2(shown.tree()->isExpanded(rowOf(*shown.tree()->model(), u"main"_s)), "it can be seen");
    }

    void nothingIsChosenInAnotherSession()
    {
        ui::Selection selection;
        Shown shown(selection);
        click(*shown.tree(), u"parse"_s);
        shown.show("main;parse;malloc 700\n", "/tmp/other.gprof-session");
        QCOMPARE(shown.inFlame(), QString());
        QCOMPARE(shown.inTree(), QString());
    }

    void graphAndTreeChooseTheSameInEveryOrder()
    {
        ui::Selection selection;
        Shown shown(selection);
        shown.press(u"Bottom up"_s);
        click(*shown.tree(), u"parse"_s); // that calls malloc
        QCOMPARE(shown.inTree(), u"parse"_s);
        QCOMPARE(shown.inFlame(), u"parse"_s);
        auto *graph = shown.page.findChild<ui::FlameGraphView *>();
        QTest::mouseClick(graph->viewport(), Qt::LeftButton, {}, QPoint(20, 22 + 5));
        QCOMPARE(shown.inFlame(), u"main"_s);
        QVERIFY2(shown.inTree().isEmpty(), "a caller here has no row of all that it calls");
        shown.press(u"Top down"_s);
        QCOMPARE(shown.inTree(), u"main"_s);
        QTest::mouseClick(graph->viewport(), Qt::LeftButton, {}, QPoint(20, 5));
        QCOMPARE(shown.inTree(), QString());
        QVERIFY(!selection.inspected());
    }

    void theGraphScrollsToWhatIsChosen()
    {
        std::string callers;
        for (int i = 0; i < 40; ++i)
            callers += "caller" + std::to_string(i) + ';';
        ui::Selection selection;
        Shown shown(selection);
        shown.show("main;parse;malloc 900\n" + callers + "deep;malloc 400\n");
        auto *graph = shown.page.findChild<ui::FlameGraphView *>();
        const auto isInSight = [graph](int row) {
            const int top = graph->verticalScrollBar()->value();
            return row * 22 >= top && (row + 1) * 22 <= top + graph->viewport()->height();
        };
        QVERIFY(isInSight(2));
        shown.tree()->setCurrentIndex(rowOf(*shown.tree()->model(), u"deep"_s));
        QVERIFY(isInSight(41));
        QTest::keyClick(graph, Qt::Key_Up);
        for (int i = 0; i < 30; ++i)
            QTest::keyClick(graph, Qt::Key_Up);
        QCOMPARE(shown.inTree(), u"caller9"_s);
        QVERIFY2(isInSight(10), "the keys scroll too");
    }

    void theTableKeepsFourRowsWhereverItIsDragged()
    {
        ui::Selection selection;
        Shown shown(selection);
        auto *splitter = shown.page.findChild<QSplitter *>();
        splitter->setSizes({10000, 1});
        const QTreeView &tree = *shown.tree();
        QTRY_VERIFY(tree.viewport()->height() >= 4 * tree.visualRect(tree.model()->index(0, 0)).height());
        splitter->setSizes({1, 10000});
        QVERIFY(shown.page.findChild<ui::FlameGraphView *>()->viewport()->height() >= 3 * 22);
    }
};

QTEST_MAIN(CostPageChoiceTest)
#include "cost_page_choice_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/snapshot_builder.h"
#include "ui/charts/flame_graph_view.h"
#include "ui/main_window.h"
#include "ui/pages/advice_page.h"
#include "ui/pages/heap_page.h"
#include "ui/pages/hot_page.h"
#include "ui/pages/leaks_page.h"
#include "ui/widgets/inspector.h"

#include <QApplication>
#include <QPushButton>
#include <QTest>
#include <QTreeView>
#include <QTreeWidget>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace {

constexpr int kDeadlineMs = 10000;

/// A stack that keeps growing below another that has more; its own code has a file that is there.
std::shared_ptr<const model::Snapshot> growing()
{
    const std::string place = QCoreApplication::applicationFilePath().toStdString() + ":214";
    const std::string stack = "main;serve;Session::attach@" + place + ";libstdc++.so.6!operator new;libc.so.6!malloc";
    tests::SnapshotBuilder builder;
    builder.ticks(60, model::Duration::fromMs(1000)).heap("main;load;read;libc.so.6!malloc 90000000\n");
    std::vector<std::int64_t> bytes;
    for (int i = 0; i < 24; ++i)
        bytes.push_back(1'000'000 + 400'000 * i + (i % 3) * 200);
    builder.growth(stack, bytes);
    auto ages = std::make_shared<model::HeapAges>();
    ages->clocks.push_back({builder.image(), {0}, {100'000'000}, 80, 1, 0, 1});
    model::StackAges aged{builder.image(), builder.stack(stack), 0, 0, {100'000'000}, {}, {}};
    for (std::int64_t i = 1; i <= 80; ++i)
        aged.buckets.push_back({10, 10, 0, 10 * i, 1000 * i});
    ages->stacks.push_back(std::move(aged));
    builder.raw().heapAges = ages;
    builder.raw().info.config.heap = model::HeapMode::Full;
    return std::make_shared<const model::Snapshot>(builder.build());
}

/// The window with the pages that lead to the heap.
struct Shown
{
    Shown()
        : theme(*qApp)
        , window(selection, theme)
        , heap(new ui::HeapPage(selection))
    {
        for (ui::Page *page : std::initializer_list<ui::Page *>{
                 new ui::LeaksPage(selection), new ui::AdvicePage(selection), new ui::HotPage(selection), heap})
            window.addPage(page);
        window.setInspector(new ui::Inspector(selection));
        window.resize(1280, 800);
        window.show();
    }

    bool settle() const
    {
        const bool isIdle = QTest::qWaitFor(
            [this] {
                return std::none_of(
                    window.pages().begin(), window.pages().end(), [](const ui::Page *page) { return page->isBusy(); });
            },
            kDeadlineMs);
        QCoreApplication::processEvents();
        return isIdle;
    }
    QPushButton *button(const QString &words) const
    {
        for (QPushButton *each : window.findChildren<QPushButton *>())
            if (each->text() == words && !each->isHidden())
                return each;
        return nullptr;
    }
    QTreeView *tree() const
    {
        for (QTreeView *each : heap->findChildren<QTreeView *>())
            if (each->accessibleName() == u"Call tree"_s)
                return each;
        return nullptr;
    }
    QModelIndex chosen() const { return tree()->selectionModel()->selectedRows().value(0); }
    QString inFlame() const
    {
        const auto *flame = heap->findChild<ui::FlameGraphView *>();
        return flame->selected().isValid() ? flame->explanationOf(flame->selected()).section(u'\n', 0, 0) : QString();
    }
    bool isChosenRowInSight() const
    {
        const QRect row = tree()->visualRect(chosen());
        return !row.isEmpty() && tree()->viewport()->rect().contains(row.center());
    }

    ui::Selection selection;
    ui::Theme theme;
    ui::MainWindow window;
    ui::HeapPage *heap;
};

} // namespace

/// A stack that one page leads to on the page that has it.
class ShownStackTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void standsInTreeGraphAndInspector_data()
    {
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("words");
        QTest::newRow("Leaks") << u"leaks"_s << u"Show the stack in Heap"_s;
        QTest::newRow("Advice") << u"advice"_s << u"Show in Heap"_s;
    }
    void standsInTreeGraphAndInspector()
    {
        QFETCH(QString, key);
        QFETCH(QString, words);
        Shown shown;
        shown.window.setSnapshot(growing());
        QVERIFY(shown.settle());
        shown.window.showPage(key);
        QPushButton *lead = shown.button(words);
        QVERIFY(lead);
        lead->click();
        QVERIFY(shown.settle());
        QCOMPARE(shown.chosen().data().toString(), u"Session::attach"_s);
        QVERIFY(shown.tree()->isExpanded(shown.chosen()) && shown.isChosenRowInSight());
        QCOMPARE(shown.tree()->currentIndex(), shown.chosen());
        QVERIFY2(shown.tree()->hasFocus() || shown.window.focusWidget() == shown.tree(), "the keys go on from there");
        QCOMPARE(shown.inFlame(), u"Session::attach"_s);
        QVERIFY2(shown.button(u"Open source"_s)->isEnabled(), "the inspector stands on it");
    }

    void isFoundHoweverThePageStands_data()
    {
        QTest::addColumn<QString>("pressed");
        QTest::addColumn<QString>("search");
        QTest::addColumn<bool>("isLoaded");
        QTest::newRow("another order") << u"Bottom up"_s << QString() << true;
        QTest::newRow("functions") << u"Functions"_s << QString() << true;
        QTest::newRow("another cost") << u"Peak"_s << QString() << true;
        QTest::newRow("searched for another") << QString() << u"load"_s << true;
        QTest::newRow("not yet loaded") << QString() << QString() << false;
    }
    void isFoundHoweverThePageStands()
    {
        QFETCH(QString, pressed);
        QFETCH(QString, search);
        QFETCH(bool, isLoaded);
        Shown shown;
        const auto snapshot = growing();
        const ui::InspectedStack stack{snapshot->heap.back().stack, snapshot->heap.back().image, {}};
        shown.window.setSnapshot(snapshot);
        if (isLoaded)
            QVERIFY(shown.settle());
        if (!pressed.isEmpty())
            shown.button(pressed)->click();
        shown.selection.setFindText(search);
        Q_EMIT shown.window.pages().front()->stackWanted(model::CardPage::Heap, model::CostKind::Growth, stack);
        QVERIFY(shown.settle());
        QCOMPARE(shown.heap->shownCost(), model::CostKind::Live);
        QCOMPARE(shown.chosen().data().toString(), u"Session::attach"_s);
        QVERIFY(shown.isChosenRowInSight());
        QCOMPARE(shown.inFlame(), u"Session::attach"_s);
        QVERIFY(shown.selection.inspected() && shown.selection.inspected()->chosen);
    }

    void aHotPathStandsWhereItWasChosen()
    {
        Shown shown;
        shown.window.setSnapshot(growing());
        QVERIFY(shown.settle());
        shown.window.showPage(u"hot"_s);
        qobject_cast<ui::HotPage *>(shown.window.pages()[2])->showCost(model::CostKind::Live);
        QVERIFY(shown.settle());
        for (QTreeWidget *table : shown.window.pages()[2]->findChildren<QTreeWidget *>()) {
            if (!table->accessibleName().startsWith(u"Paths"_s))
                continue;
            QTreeWidgetItem *load = table->topLevelItem(0)->child(1);
            Q_EMIT table->itemActivated(load, 0);
        }
        QVERIFY(shown.settle());
        QCOMPARE(shown.chosen().data().toString(), u"load"_s);
        QCOMPARE(shown.inFlame(), u"load"_s);
    }

    void whatHasNoRowLeavesThePageAsItIs()
    {
        tests::SnapshotBuilder builder;
        builder.heap("main;load;malloc 600\n").cpu("main;hash 20\n");
        const ui::InspectedStack ofCpu{builder.stack("main;hash"), {}, {}};
        Shown shown;
        shown.window.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QVERIFY(shown.settle());
        Q_EMIT shown.window.pages().front()->stackWanted(model::CardPage::Heap, {}, ofCpu);
        QVERIFY(shown.settle());
        QVERIFY(!shown.chosen().isValid());
        QCOMPARE(shown.inFlame(), QString());
        QVERIFY2(shown.selection.inspected() == ofCpu, "the inspector has the stack");
    }
};

QTEST_MAIN(ShownStackTest)
#include "shown_stack_test.moc"

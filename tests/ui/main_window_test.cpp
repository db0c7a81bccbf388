// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/snapshot_builder.h"
#include "ui/charts/flame_graph_view.h"
#include "ui/file_path.h"
#include "ui/main_window.h"
#include "ui/pages/areas_page.h"
#include "ui/pages/capture_page.h"
#include "ui/pages/cpu_page.h"
#include "ui/pages/heap_page.h"
#include "ui/pages/hot_page.h"
#include "ui/pages/lost_page.h"
#include "ui/widgets/inspector.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/page_list.h"
#include "ui/widgets/search_field.h"
#include "ui/widgets/session_bar.h"

#include <QAbstractItemView>
#include <QApplication>
#include <QDialog>
#include <QMenu>
#include <QPushButton>
#include <QScreen>
#include <QSplitter>
#include <QTest>
#include <QTimer>

#include <algorithm>
#include <cstdlib>

namespace {

/// A window with the heap's page and the inspector, for a program of one stack.
struct HeapWindow
{
    tests::SnapshotBuilder builder;
    ui::InspectedStack stack{builder.stack("main;parse;malloc"), {}};
    ui::Selection selection;
    ui::Theme theme{*qApp};
    ui::MainWindow window{selection, theme};
    ui::Inspector *inspector = new ui::Inspector(selection);

    HeapWindow()
    {
        builder.heap("main;parse;malloc 600\n");
        window.addPage(new ui::HeapPage(selection));
        window.setInspector(inspector);
    }
    void showSnapshot()
    {
        window.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        selection.setTime(model::TimeRange{{0}, {1'000'000'000}});
    }
};

} // namespace

class MainWindowTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    /// Exports are saved beside it. Two sessions whose names differ in bytes that are no text are two.
    void knowsTheFileWhoseNameIsNoText()
    {
        ui::Selection selection;
        ui::Theme theme(*qApp);
        ui::MainWindow window(selection, theme);
        tests::SnapshotBuilder builder;
        builder.raw().file = "/a\xff/b\xfe.gprof-session";
        window.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QCOMPARE(ui::pathBytes(window.windowFilePath()), builder.raw().file);
        // Labels that may be cut have the whole of their text as their name.
        QStringList said;
        for (const QWidget *widget : window.findChildren<QWidget *>())
            said += widget->accessibleName();
        QVERIFY2(!said.filter(QStringLiteral("b\\xfe.gprof-session")).isEmpty(), qPrintable(said.join(u'|')));
        window.closeSession();
        QCOMPARE(window.windowFilePath(), QString());
    }

    void inspectorComesWithItsWidthAndKeepsIt()
    {
        tests::SnapshotBuilder builder;
        builder.heap("main;parse;malloc 600\n");
        const ui::InspectedStack stack{builder.stack("main;parse;malloc"), {}};
        ui::Selection selection;
        ui::Theme theme(*qApp);
        ui::MainWindow window(selection, theme);
        auto *page = new ui::HeapPage(selection);
        page->setMinimumWidth(1300); // what the widest page would like to have takes nothing from the inspector
        window.addPage(page);
        auto *inspector = new ui::Inspector(selection);
        window.setInspector(inspector);
        window.setStartPage(new QWidget);
        window.resize(1440, 900);
        window.show();
        QVERIFY(QTest::qWaitForWindowExposed(&window));
        window.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QVERIFY(inspector->isHidden());
        selection.setInspected(stack);
        QTRY_VERIFY(inspector->isVisible());
        QTRY_COMPARE(inspector->width(), 280);
        window.columns()->setSizes({1, 400});
        window.resize(1024, 700);
        QTRY_COMPARE(inspector->width(), 400);
        selection.setInspected(std::nullopt);
        QTRY_VERIFY(inspector->isHidden());
        selection.setInspected(stack);
        QTRY_COMPARE(inspector->width(), 400);
    }

    void nothingMovesDownWhenTheInspectorOpens()
    {
        tests::SnapshotBuilder builder;
        builder.heap("main;parse;malloc 600\n").cpu("main;parse 10\n");
        const ui::InspectedStack stack{builder.stack("main;parse;malloc"), {}};
        ui::Selection selection;
        ui::Theme theme(*qApp);
        ui::MainWindow window(selection, theme);
        window.addPage(new ui::HeapPage(selection));
        window.addPage(new ui::HotPage(selection));
        auto *inspector = new ui::Inspector(selection);
        window.setInspector(inspector);
        window.show();
        QVERIFY(QTest::qWaitForWindowExposed(&window));
        window.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        for (const QString &key : {QStringLiteral("heap"), QStringLiteral("hot")}) {
            window.showPage(key);
            for (int width = 1000; width < 1900; width += 60) { // somewhere there its controls take one row less
                selection.setInspected(std::nullopt);
                window.resize(width, 800);
                QTRY_VERIFY(inspector->isHidden());
                QWidget *below = nullptr;
                for (QAbstractItemView *view : window.findChildren<QAbstractItemView *>())
                    if (view->isVisible() && below == nullptr && !inspector->isAncestorOf(view)
                        && view->accessibleName().contains(QStringLiteral("ath"))) // the first of the page
                        below = view;
                if (key == QStringLiteral("heap"))
                    below = window.findChild<ui::FlameGraphView *>();
                QVERIFY(below);
                QCoreApplication::processEvents();
                const int before = below->mapTo(&window, QPoint()).y();
                selection.setInspected(stack);
                QTRY_VERIFY(inspector->isVisible());
                QCoreApplication::processEvents();
                QTest::qWait(20);
                constexpr int kRounding = 2; // px; a row is more than ten times that
                QVERIFY2(std::abs(below->mapTo(&window, QPoint()).y() - before) <= kRounding,
                    qPrintable(QStringLiteral("%1 at %2: from %3 to %4")
                                   .arg(key)
                                   .arg(width)
                                   .arg(before)
                                   .arg(below->mapTo(&window, QPoint()).y())));
            }
        }
    }

    void fitsAScreenThatIsSmall()
    {
        ui::Selection selection;
        ui::Theme theme(*qApp);
        const ui::MainWindow window(selection, theme);
        const QSize screen = window.screen()->availableSize(); // 800 wide here
        QVERIFY2(window.minimumWidth() <= screen.width() && window.minimumHeight() <= screen.height(),
            qPrintable(QStringLiteral("%1 × %2").arg(window.minimumWidth()).arg(window.minimumHeight())));
    }

    void saysWhichSourceItCouldNotOpen()
    {
        tests::SnapshotBuilder builder;
        const std::string file = QFINDTESTDATA("main_window_test.cpp").toStdString();
        const ui::InspectedStack stack{builder.stack("main;parse@" + file + ":12"), {}};
        ui::Selection selection;
        ui::Theme theme(*qApp);
        ui::MainWindow window(selection, theme);
        window.addPage(new ui::HeapPage(selection));
        auto *inspector = new ui::Inspector(selection);
        window.setInspector(inspector);
        window.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        selection.setInspected(stack);
        for (QPushButton *button : inspector->findChildren<QPushButton *>())
            if (button->text() == QStringLiteral("Open source"))
                button->click();
        QStringList said;
        for (const ui::ElidedLabel *label : window.findChildren<ui::ElidedLabel *>())
            said << label->text();
        const QString place = QString::fromStdString(file) + QStringLiteral(":12");
        QVERIFY2(said.join(u'\n').contains(place), qPrintable(said.join(u'\n')));
    }

    void inspectorStandsBesidePagesThatChooseStacks()
    {
        HeapWindow f;
        f.window.addPage(new ui::CapturePage(f.selection));
        f.showSnapshot();
        f.selection.setInspected(f.stack);
        QVERIFY(!f.inspector->isHidden());
        f.window.showPage(QStringLiteral("capture"));
        QVERIFY(f.inspector->isHidden());
        QTest::keyClick(&f.window, Qt::Key_Escape); // closes what is seen
        QVERIFY(f.selection.inspected() && !f.selection.current().time);
        f.window.showPage(QStringLiteral("heap"));
        QVERIFY(!f.inspector->isHidden());
    }

    void escForgetsTheSearchFromThePageThatWasFound()
    {
        HeapWindow f;
        f.window.show();
        QVERIFY(QTest::qWaitForWindowActive(&f.window));
        f.showSnapshot();
        auto *find = f.window.bar()->findChild<ui::SearchField *>();
        find->setFocus();
        QTest::keyClicks(find, QStringLiteral("parse"));
        QTest::keyClick(find, Qt::Key_Return);
        QVERIFY(!find->hasFocus());
        f.selection.setInspected(f.stack);
        const auto esc = [] { QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape); };
        esc();
        QCOMPARE(find->text(), QString());
        QVERIFY(f.selection.inspected() && f.selection.current().time);
        esc();
        QVERIFY(!f.selection.inspected() && f.selection.current().time);
        esc();
        QVERIFY(!f.selection.current().time);
    }

    void eachPageHasItsOwnChoice()
    {
        tests::SnapshotBuilder builder;
        builder.heap("main;parse;malloc 600\n").cpu("main;run 10\n");
        const ui::InspectedStack ofHeap{builder.stack("main;parse;malloc"), {}};
        const ui::InspectedStack ofCpu{builder.stack("main;run"), {}};
        ui::Selection selection;
        ui::Theme theme(*qApp);
        ui::MainWindow window(selection, theme);
        auto *heap = new ui::HeapPage(selection);
        auto *cpu = new ui::CpuPage(selection);
        auto *capture = new ui::CapturePage(selection);
        for (ui::Page *page : std::initializer_list<ui::Page *>{heap, cpu, capture})
            window.addPage(page);
        auto *inspector = new ui::Inspector(selection);
        window.setInspector(inspector);
        window.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        selection.setInspected(ofHeap);
        window.showPage(QStringLiteral("cpu"));
        QVERIFY2(inspector->isHidden() && !selection.inspected(), "nothing was chosen here yet");
        selection.setInspected(ofCpu);
        window.showPage(QStringLiteral("capture"));
        window.showPage(QStringLiteral("heap"));
        QVERIFY(selection.inspected() == ofHeap);
        QVERIFY(!inspector->isHidden());
        window.showPage(QStringLiteral("cpu"));
        QVERIFY(selection.inspected() == ofCpu);
        // A stack that is evidence goes with it; what was chosen elsewhere does not.
        Q_EMIT cpu->stackWanted(model::CardPage::Heap, {}, ofCpu);
        QVERIFY(selection.inspected() == ofCpu);
        selection.setInspected(std::nullopt);
        window.showPage(QStringLiteral("cpu"));
        QVERIFY(selection.inspected() == ofCpu);
        window.showPage(QStringLiteral("capture"));
        Q_EMIT capture->pageWanted(model::CardPage::Heap);
        QVERIFY(!selection.inspected());
        // Another session has other stacks.
        builder.raw().file = "/tmp/other.gprof-session";
        window.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        window.showPage(QStringLiteral("cpu"));
        QVERIFY(!selection.inspected());
    }

    void evidenceOpensAtTheCostThatItIsAbout_data()
    {
        QTest::addColumn<int>("asked");
        QTest::addColumn<int>("shown");
        const auto row = [](const char *name, model::CostKind asked, model::CostKind shown) {
            QTest::newRow(name) << static_cast<int>(asked) << static_cast<int>(shown);
        };
        row("a cost of the page", model::CostKind::Peak, model::CostKind::Peak);
        row("one beside another", model::CostKind::PeakBlocks, model::CostKind::Peak);
        row("one of another page", model::CostKind::CpuTime, model::CostKind::Temporary);
    }
    void evidenceOpensAtTheCostThatItIsAbout()
    {
        QFETCH(int, asked);
        QFETCH(int, shown);
        ui::Selection selection;
        ui::Theme theme(*qApp);
        ui::MainWindow window(selection, theme);
        auto *capture = new ui::CapturePage(selection);
        auto *heap = new ui::HeapPage(selection);
        window.addPage(capture);
        window.addPage(heap);
        heap->showCost(model::CostKind::Temporary);
        Q_EMIT capture->pageWanted(model::CardPage::Heap);
        QVERIFY2(heap->shownCost() == model::CostKind::Temporary, "nothing was asked for");
        Q_EMIT capture->pageWanted(model::CardPage::Heap, static_cast<model::CostKind>(asked));
        QCOMPARE(static_cast<int>(heap->shownCost()), shown);
    }

    void tabStopsAtThePageListOnce()
    {
        ui::Selection selection;
        ui::Theme theme(*qApp);
        ui::MainWindow window(selection, theme);
        window.addPage(new ui::CapturePage(selection));
        window.addPage(new ui::AreasPage(selection));
        window.addPage(new ui::HeapPage(selection));
        tests::SnapshotBuilder builder;
        builder.heap("main;parse;malloc 64");
        window.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        window.show();
        QApplication::setActiveWindow(&window);
        window.showPage(QStringLiteral("areas"));
        QStringList stops;
        QWidget *first = nullptr;
        for (int i = 0; i < 100; ++i) { // once around
            QTest::keyClick(window.focusWidget() ? window.focusWidget() : &window, Qt::Key_Tab);
            if (window.focusWidget() == first)
                break;
            first = first == nullptr ? window.focusWidget() : first;
            if (const auto *button = qobject_cast<ui::PageButton *>(window.focusWidget()))
                stops << button->text();
        }
        QCOMPARE(stops, QStringList{QStringLiteral("Mappings, pools")}); // the page that is shown
    }

    void aCardOfMappingsOpensThem()
    {
        ui::Selection selection;
        ui::Theme theme(*qApp);
        ui::MainWindow window(selection, theme);
        auto *capture = new ui::CapturePage(selection);
        auto *areas = new ui::AreasPage(selection);
        window.addPage(capture);
        window.addPage(areas);
        Q_EMIT capture->pageWanted(model::CardPage::Areas, model::CostKind::Allocated);
        QVERIFY(areas->isVisibleTo(&window));
        QVERIFY(areas->shownCost() == model::CostKind::Allocated);
    }

    void aMarkHasRoomForASentence()
    {
        tests::SnapshotBuilder builder;
        builder.raw().info.state = model::SessionState::Recording;
        ui::Selection selection;
        ui::SessionBar bar(selection);
        bar.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        int width = 0;
        QTimer::singleShot(0, &bar, [&width] {
            QWidget *dialog = QApplication::activeModalWidget();
            width = dialog->width();
            dialog->close();
        });
        for (QPushButton *button : bar.findChildren<QPushButton *>())
            if (button->text() == QStringLiteral("Mark"))
                button->click();
        QVERIFY(width >= 400);
    }

    /// Who has to write a sentence first means the moment before.
    void aMarkIsOfTheMomentThatItWasAskedForAt()
    {
        tests::SnapshotBuilder builder;
        builder.raw().info.state = model::SessionState::Recording;
        ui::Selection selection;
        ui::SessionBar bar(selection);
        bar.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        model::Duration ago{};
        connect(&bar, &ui::SessionBar::markWanted, &bar, [&ago](const QString &, model::Duration time) { ago = time; });
        QTimer::singleShot(0, &bar, [] {
            QTest::qWait(200);
            qobject_cast<QDialog *>(QApplication::activeModalWidget())->accept();
        });
        for (QPushButton *button : bar.findChildren<QPushButton *>())
            if (button->text() == QStringLiteral("Mark"))
                button->click();
        QVERIFY2(ago.ns >= 200'000'000, qPrintable(QString::number(ago.ns)));
    }

    void aProcessIsChosenInTheBar()
    {
        tests::SnapshotBuilder builder;
        model::Process child{.pid = 4711};
        const model::ProcessId other = builder.tables().addProcess(child);
        ui::Selection selection;
        ui::SessionBar bar(selection);
        bar.resize(1440, 44); // with room for words
        bar.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QPushButton *processes = nullptr;
        for (QPushButton *button : bar.findChildren<QPushButton *>())
            processes = button->text() == QStringLiteral("pid 100 and 1 more") ? button : processes;
        QVERIFY(processes);
        QStringList offered;
        QTimer::singleShot(0, &bar, [&offered] {
            auto *menu = qobject_cast<QMenu *>(QApplication::activePopupWidget());
            for (QAction *action : menu->actions())
                offered << action->text();
            menu->actions().last()->trigger();
            menu->close();
        });
        processes->click();
        QCOMPARE(offered.first(), QStringLiteral("All 2 processes"));
        QCOMPARE(offered.size(), 4); // and a line
        QVERIFY(selection.current().process == other);
    }

    void theMenuScansWhatIsRecorded()
    {
        tests::SnapshotBuilder builder;
        builder.heap("main;parse;malloc 600\n");
        ui::Selection selection;
        ui::Theme theme(*qApp);
        ui::MainWindow window(selection, theme);
        auto *page = new ui::LostPage(selection);
        window.addPage(page);
        QAction *scan = nullptr;
        for (QAction *action : window.bar()->menu()->actions())
            scan = action->text() == QStringLiteral("Scan for lost memory") ? action : scan;
        QVERIFY(scan);
        const auto isOffered = [&](model::SessionState state) {
            builder.raw().info.state = state;
            window.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
            Q_EMIT window.bar()->menu()->aboutToShow();
            return scan->isEnabled();
        };
        QVERIFY(!isOffered(model::SessionState::Complete));
        QVERIFY(isOffered(model::SessionState::Recording));
        int wanted = 0;
        connect(page, &ui::LostPage::scanWanted, &window, [&wanted] { ++wanted; });
        scan->trigger();
        QCOMPARE(wanted, 1);
        const auto isScanning = [](const QPushButton *button) { return button->text() == QStringLiteral("Scanning…"); };
        const auto buttons = page->findChildren<QPushButton *>();
        QVERIFY(std::any_of(buttons.begin(), buttons.end(), isScanning));
    }
};

QTEST_MAIN(MainWindowTest)
#include "main_window_test.moc"

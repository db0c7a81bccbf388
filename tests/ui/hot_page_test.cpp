// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/snapshot_builder.h"
#include "ui/pages/hot_page.h"
#include "ui/widgets/noted_tree_widget.h"

#include <QApplication>
#include <QComboBox>
#include <QHeaderView>
#include <QMenu>
#include <QSignalSpy>
#include <QTest>
#include <QTimer>
#include <QTreeWidget>

#include <sstream>

using namespace Qt::StringLiterals;

namespace {

constexpr int kDeadlineMs = 10000;

std::shared_ptr<const model::Snapshot> sampled(std::string_view cpu, std::string_view heap = {})
{
    tests::SnapshotBuilder builder;
    builder.cpu(cpu);
    if (!heap.empty())
        builder.heap(heap);
    builder.raw().info.config.cpuHz = 199;
    builder.raw().file = "/tmp/hot.gprof-session";
    return std::make_shared<const model::Snapshot>(builder.build());
}

struct Shown
{
    explicit Shown(ui::Selection &selection)
        : page(selection)
    {
        page.resize(1000, 700);
        for (QTreeWidget *table : page.findChildren<QTreeWidget *>())
            (table->accessibleName().startsWith(u"Functions"_s) ? functions : paths) = table;
    }
    bool set(std::shared_ptr<const model::Snapshot> snapshot)
    {
        page.setSnapshot(std::move(snapshot));
        return QTest::qWaitFor([this] { return !page.isBusy(); }, kDeadlineMs);
    }

    ui::HotPage page;
    QTreeWidget *functions = nullptr;
    QTreeWidget *paths = nullptr;
};

} // namespace

class HotPageTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void showsTiesAsTiesAndIntervals()
    {
        ui::Selection selection;
        Shown shown(selection);
        QVERIFY(shown.set(sampled("main;hot 600\nmain;alike 102\nmain;nearly 98\nmain;rare 3")));
        QCOMPARE(shown.functions->topLevelItemCount(), 4);
        QCOMPARE(shown.functions->topLevelItem(0)->text(1), u"hot"_s);
        QCOMPARE(shown.functions->topLevelItem(0)->text(0), u"1"_s);
        QCOMPARE(shown.functions->topLevelItem(1)->text(0), u"2 ="_s);
        QCOMPARE(shown.functions->topLevelItem(2)->text(0), u"2 ="_s);
        QCOMPARE(shown.functions->topLevelItem(3)->text(0), u"4"_s);
        QVERIFY(!shown.functions->isColumnHidden(3));
        QVERIFY(shown.functions->topLevelItem(0)->text(3).contains(u"–"_s));
        QVERIFY(shown.page.subtitle().contains(u"803 samples"_s));
        QCOMPARE(shown.paths->topLevelItemCount(), 3);
        QVERIFY(!shown.paths->topLevelItem(0)->isExpanded());
        QVERIFY(shown.paths->topLevelItem(1)->text(0).startsWith(u"2 ="_s));
        QVERIFY(shown.paths->topLevelItem(1)->text(0).endsWith(u"alike"_s));
        QCOMPARE(shown.paths->topLevelItem(0)->childCount(), 2);
        QCOMPARE(shown.paths->topLevelItem(0)->text(3), u"spent here"_s);
    }

    void tellsRowsApartThatWouldLookTheSame()
    {
        ui::Selection selection;
        Shown shown(selection);
        QVERIFY(shown.set(sampled("main;void spin<int>(int) 600\nmain;void spin<char>(char) 400")));
        const QStringList expected{u"spin<int>"_s, u"spin<char>"_s};
        QCOMPARE(shown.functions->topLevelItemCount(), 2);
        QCOMPARE(shown.paths->topLevelItemCount(), 2);
        for (int row = 0; row < 2; ++row) {
            QCOMPARE(shown.functions->topLevelItem(row)->text(1), expected[row]);
            QVERIFY(shown.paths->topLevelItem(row)->text(0).endsWith(expected[row]));
            QCOMPARE(shown.paths->topLevelItem(row)->child(1)->text(0), expected[row]);
        }
        QCOMPARE(shown.functions->topLevelItem(0)->toolTip(1), u"void spin<int>(int)"_s);
    }

    void opensThePathThatIsAlone()
    {
        ui::Selection selection;
        Shown shown(selection);
        QVERIFY(shown.set(sampled("main;hot 600\nmain;rare 3")));
        QCOMPARE(shown.paths->topLevelItemCount(), 1);
        QVERIFY(shown.paths->topLevelItem(0)->isExpanded());
    }

    void namesComeFirstInANarrowWindow()
    {
        const std::string name = "QtPrivate::QSlotObject::implementationOfALongName";
        ui::Selection selection;
        Shown shown(selection);
        QVERIFY(shown.set(sampled("main;" + name + " 600\nmain;alike 102")));
        shown.page.setVisible(true);
        QVERIFY(QTest::qWaitForWindowExposed(&shown.page));
        QVERIFY(!shown.functions->isColumnHidden(5));
        QVERIFY(!shown.paths->isColumnHidden(4));
        shown.page.resize(540, 450);
        QTRY_VERIFY(shown.functions->isColumnHidden(5));
        QTRY_VERIFY(shown.functions->columnWidth(1) >= 220);
        QVERIFY(shown.paths->columnWidth(0) >= 220);
        QVERIFY2(!shown.functions->isColumnHidden(2), "the cost itself stays");
        QCOMPARE(shown.functions->topLevelItem(0)->toolTip(1), QString::fromStdString(name));
        QVERIFY(shown.functions->headerItem()->text(5) == u"Place"_s
            && shown.functions->header()->toolTip().contains(u"Place"_s));
    }

    void opensAtWhatWasRecordedAndShowsOtherCosts()
    {
        tests::SnapshotBuilder builder;
        builder.heap("main;parse;malloc 64\nmain;parse;malloc 64\nmain;log;malloc 1000");
        ui::Selection selection;
        Shown shown(selection);
        QVERIFY(shown.set(std::make_shared<const model::Snapshot>(builder.build())));
        QCOMPARE(shown.page.shownCost(), model::CostKind::Allocations);
        QCOMPARE(shown.functions->topLevelItem(0)->text(1), u"malloc"_s);
        QCOMPARE(shown.functions->topLevelItem(0)->text(2), u"100 %"_s);
        QVERIFY2(shown.functions->isColumnHidden(3), "counts have no interval");
        shown.page.showCost(model::CostKind::Live);
        QVERIFY(QTest::qWaitFor([&] { return !shown.page.isBusy(); }, kDeadlineMs));
        QVERIFY(shown.paths->topLevelItem(0)->text(0).contains(u"malloc"_s));
        QVERIFY(shown.paths->topLevelItem(0)->child(1)->text(0).contains(u"log"_s));
        std::ostringstream out;
        shown.page.exports().front().table(out);
        QVERIFY(QString::fromStdString(out.str()).contains(u"self_live_bytes"_s));
    }

    void narrowsDownToAThread()
    {
        ui::Selection selection;
        Shown shown(selection);
        QVERIFY(shown.set(sampled("main;hot 600")));
        auto *threads = shown.page.findChild<QComboBox *>();
        QCOMPARE(threads->count(), 2);
        QVERIFY(threads->isEnabled());
        threads->setCurrentIndex(1);
        Q_EMIT threads->activated(1);
        QVERIFY(selection.current().thread.has_value());
        threads->setCurrentIndex(0);
        Q_EMIT threads->activated(0);
        QVERIFY(!selection.current().thread.has_value());
        shown.page.showCost(model::CostKind::Allocations);
        QVERIFY2(!threads->isEnabled(), "the heap is not kept by thread");
    }

    void keepsTheChosenRowWhileTheRecordingGrows()
    {
        ui::Selection selection;
        Shown shown(selection);
        QVERIFY(shown.set(sampled("main;hot 600\nmain;cold 100")));
        shown.functions->setCurrentItem(shown.functions->topLevelItem(1));
        QVERIFY(shown.set(sampled("main;hot 600\nmain;new 300\nmain;cold 101")));
        QCOMPARE(shown.functions->currentItem()->text(1), u"cold"_s);
        QCOMPARE(shown.functions->indexOfTopLevelItem(shown.functions->currentItem()), 2);
    }

    void inspectsAStackAndLeadsToItsPage()
    {
        ui::Selection selection;
        Shown shown(selection);
        QVERIFY(shown.set(sampled("main;hot 600")));
        QTreeWidgetItem *path = shown.paths->topLevelItem(0);
        Q_EMIT shown.paths->itemClicked(path, 0);
        QVERIFY(selection.inspected().has_value());
        QSignalSpy wanted(&shown.page, &ui::Page::stackWanted);
        Q_EMIT shown.functions->itemActivated(shown.functions->topLevelItem(0), 0);
        QCOMPARE(wanted.count(), 1);
        QVERIFY(wanted.first().at(1).value<std::optional<model::CostKind>>() == model::CostKind::CpuTime);
        QCOMPARE(selection.findText(), u"\"hot\""_s); // it, not all that are named alike
    }

    void aClickInspectsAFunctionAndTheRefreshDoesNot()
    {
        ui::Selection selection;
        Shown shown(selection);
        QVERIFY(shown.set(sampled("main;run;hot 600\nmain;hot 100\nmain;cold 50")));
        shown.page.setVisible(true);
        QTreeWidgetItem *hot = shown.functions->topLevelItem(0);
        QTest::mouseClick(
            shown.functions->viewport(), Qt::LeftButton, {}, shown.functions->visualItemRect(hot).center());
        QVERIFY(selection.inspected() && selection.inspected()->chosen);
        QVERIFY(selection.inspected()->chosen->scope.kind == model::StackScope::Kind::Anywhere);
        selection.setInspected(std::nullopt);
        QVERIFY(shown.set(sampled("main;run;hot 700\nmain;hot 100\nmain;cold 50")));
        QVERIFY(!selection.inspected());
        QTest::keyClick(shown.functions, Qt::Key_Down);
        QVERIFY(selection.inspected().has_value());
        shown.paths->setCurrentItem(shown.paths->topLevelItem(0)->child(0));
        QVERIFY(selection.inspected()->chosen->scope.kind == model::StackScope::Kind::OnPath);
        QCOMPARE(selection.inspected()->chosen->scope.functions.size(), std::size_t{1});
    }

    void aRightClickOffersWhatOtherPagesDo()
    {
        ui::Selection selection;
        Shown shown(selection);
        QVERIFY(shown.set(sampled("main;hot 600")));
        shown.page.setVisible(true);
        QStringList offered;
        QTimer::singleShot(0, &shown.page, [&offered] {
            auto *menu = qobject_cast<QMenu *>(QApplication::activePopupWidget());
            for (const QAction *action : menu->actions())
                offered << action->text();
            menu->close();
        });
        const QRect row = shown.functions->visualItemRect(shown.functions->topLevelItem(0));
        Q_EMIT shown.functions->customContextMenuRequested(row.center());
        QVERIFY(offered.contains(u"Copy function name"_s) && offered.contains(u"Find this function everywhere"_s));
        QVERIFY(offered.contains(u"Show in CPU"_s));
    }

    void saysThatNothingIsThere()
    {
        ui::Selection selection;
        Shown shown(selection);
        shown.page.setSnapshot(nullptr);
        QVERIFY(shown.page.exports().empty());
        QVERIFY(shown.set(std::make_shared<const model::Snapshot>()));
        QCOMPARE(shown.functions->topLevelItemCount(), 0);
    }

    void aSearchFiltersBothTables()
    {
        ui::Selection selection;
        Shown shown(selection);
        QVERIFY(shown.set(sampled("main;run;hot 600\nother;loop;spin 500\nmain;run;cold 50")));
        const auto rows = [](const QTreeWidget *table, int column) {
            QStringList names;
            for (int i = 0; i < table->topLevelItemCount(); ++i)
                if (!table->topLevelItem(i)->isHidden())
                    names << table->topLevelItem(i)->text(column).section(u' ', -1);
            return names.join(u',');
        };
        QCOMPARE(rows(shown.paths, 0), u"hot,spin"_s);
        selection.setFindText(u"SPI"_s);
        QCOMPARE(rows(shown.paths, 0), u"spin"_s);
        QCOMPARE(rows(shown.functions, 1), u"spin"_s);
        QVERIFY(shown.functions->topLevelItem(1)->font(1).bold());
        // A caller is found on its path, which opens for it.
        selection.setFindText(u"run"_s);
        QCOMPARE(rows(shown.paths, 0), u"hot"_s);
        QVERIFY(shown.paths->topLevelItem(0)->isExpanded());
        QVERIFY(shown.paths->topLevelItem(0)->child(1)->font(0).bold());
        // It costs nothing itself.
        const QString note = qobject_cast<ui::NotedTreeWidget *>(shown.functions)->note();
        QVERIFY2(
            note.startsWith(u"No function here matches “run”.\nrun has 0 % of its own, and 56"_s), qPrintable(note));
        QVERIFY2(shown.set(sampled("main;run;hot 700\nother;loop;spin 500")), "the recording goes on");
        QCOMPARE(rows(shown.paths, 0), u"hot"_s);
        selection.setFindText({});
        QCOMPARE(rows(shown.paths, 0), u"hot,spin"_s);
        QVERIFY(!shown.paths->topLevelItem(0)->isExpanded());
        QVERIFY(!shown.functions->topLevelItem(1)->font(1).bold());
        QVERIFY2(!selection.inspected(), "nothing was chosen");
    }

    void aSearchWithoutAHitSaysSo()
    {
        ui::Selection selection;
        Shown shown(selection);
        QVERIFY(shown.page.listsFunctions());
        selection.setFindText(u"\"nowhere\""_s);
        QVERIFY(shown.set(sampled("main;hot 600")));
        for (QTreeWidget *table : {shown.paths, shown.functions})
            QVERIFY(qobject_cast<ui::NotedTreeWidget *>(table)->note().endsWith(u"matches “nowhere”."_s));
        QVERIFY(shown.page.subtitle().contains(u"no function here matches “nowhere”"_s));
        selection.setFindText({});
        QVERIFY(!shown.page.subtitle().contains(u"no function"_s));
    }

    void theKeysGoToWhatWasFound()
    {
        ui::Selection selection;
        Shown shown(selection);
        shown.page.setVisible(true);
        QVERIFY(shown.set(sampled("main;run;hot 600\nother;loop;spin 500")));
        selection.setFindText(u"spin"_s);
        shown.page.takeKeys();
        QCOMPARE(shown.page.focusWidget(), shown.paths);
        QCOMPARE(shown.paths->currentItem(), shown.paths->topLevelItem(1));
        selection.setFindText(u"loop"_s); // a caller
        shown.page.takeKeys();
        QCOMPARE(shown.paths->currentItem(), shown.paths->topLevelItem(1)->child(1));
        QVERIFY(!selection.inspected());
    }
};

QTEST_MAIN(HotPageTest)
#include "hot_page_test.moc"

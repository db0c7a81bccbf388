// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/snapshot_builder.h"
#include "ui/charts/difference_flame_view.h"
#include "ui/charts/timeline_view.h"
#include "ui/models/function_difference_model.h"
#include "ui/models/stack_difference_model.h"
#include "ui/models/total_difference_model.h"
#include "ui/pages/compare_page.h"

#include <QAbstractItemModelTester>
#include <QCheckBox>
#include <QComboBox>
#include <QImage>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>
#include <QTreeView>

#include <sstream>

using namespace Qt::StringLiterals;

namespace {

constexpr int kDeadlineMs = 10000;

/// All modules of one build: then a function of one session only is new, and not the other's under another name.
void setBuild(model::Snapshot &snapshot)
{
    auto tables = std::make_shared<model::ProgramTables>(*snapshot.tables);
    tables->strings.emplace_back("build");
    for (model::Module &module : tables->modules)
        module.buildId = model::StringId(tables->strings.size() - 1);
    snapshot.tables = tables;
}

std::shared_ptr<const model::Snapshot> session(std::string_view heap, const char *file, std::int64_t startedAt,
    std::optional<model::TimeRange> time = {}, std::string_view cpu = {})
{
    tests::SnapshotBuilder builder;
    builder.heap(heap);
    if (!cpu.empty())
        builder.cpu(cpu);
    model::Snapshot &raw = builder.raw();
    raw.info.config.heap = model::HeapMode::Full;
    raw.info.cpuEvent = cpu.empty() ? "" : "cpu-clock";
    raw.info.startWallNs = startedAt;
    raw.file = file;
    raw.selection.time = time;
    raw.marks.push_back({raw.span.begin, model::MarkKind::User, "request"});
    model::Snapshot made = builder.build();
    setBuild(made);
    if (time)
        made.span = *time;
    return std::make_shared<const model::Snapshot>(std::move(made));
}

std::shared_ptr<const model::Snapshot> older()
{
    return session("main;parse;malloc 600\nmain;log;malloc 200", "/tmp/old.gprof-session", 1'000);
}
std::shared_ptr<const model::Snapshot> newer()
{
    return session("main;parse;malloc 900\nmain;log;malloc 200\nmain;fresh;malloc 50", "/tmp/new.gprof-session", 2'000);
}

/// One that waited so long for a lock, and nothing else.
std::shared_ptr<const model::Snapshot> waiting(std::int64_t timeNs, const char *file)
{
    model::Snapshot made = *session("main;lock;malloc 600", file, 1'000);
    made.info.config.waits = true;
    const auto lock = model::Activity::wait(model::WaitClass::Lock);
    made.activities.push_back({model::ThreadId(0u), model::ImageId(0u), made.heap.front().stack, lock, 9, timeNs});
    return std::make_shared<const model::Snapshot>(std::move(made));
}

template <typename Widget> Widget *called(const QWidget &page, const QString &accessibleName)
{
    for (Widget *widget : page.findChildren<Widget *>())
        if (widget->accessibleName() == accessibleName)
            return widget;
    return nullptr;
}

QPushButton *button(const QWidget &page, const QString &word)
{
    for (QPushButton *each : page.findChildren<QPushButton *>())
        if (each->text() == word)
            return each;
    return nullptr;
}

QString shownText(const QWidget &page)
{
    QStringList shown;
    for (const QLabel *label : page.findChildren<QLabel *>())
        if (!label->isHidden())
            shown << label->text();
    return shown.join(u'|');
}

bool settle(const ui::Page &page)
{
    return QTest::qWaitFor([&] { return !page.isBusy(); }, kDeadlineMs);
}

} // namespace

class ComparePageTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void asksWhatToCompareWith()
    {
        ui::Selection selection;
        ui::ComparePage page(selection);
        page.setSnapshot(newer());
        QVERIFY(page.isEmpty());
        QVERIFY(page.exports().empty());
        model::RecentSession recent;
        recent.path = "/tmp/old.gprof-session";
        recent.command = "app";
        recent.isThere = true;
        model::RecentSession same = recent;
        same.path = "/tmp/new.gprof-session"; // the open one
        page.setRecent({same, recent});
        QSignalSpy wanted(&page, &ui::ComparePage::otherWanted);
        QVERIFY(!called<QPushButton>(page, u"Compare with /tmp/new.gprof-session"_s));
        called<QPushButton>(page, u"Compare with /tmp/old.gprof-session"_s)->click();
        QCOMPARE(wanted.count(), 1);
        QCOMPARE(wanted.first().first().toString(), u"/tmp/old.gprof-session"_s);
        QVERIFY(page.isBusy());
        page.setOtherFailed(u"old.gprof-session is damaged"_s);
        QVERIFY(!page.isBusy());
        QVERIFY(page.isEmpty());
        QVERIFY(shownText(page).contains(u"old.gprof-session is damaged"_s));
    }

    void saysThatWaitsAreNotJudged()
    {
        ui::Selection selection;
        ui::ComparePage page(selection);
        page.setSnapshot(waiting(26'000'000'000, "/tmp/new.gprof-session"));
        page.setOther(waiting(59'000'000'000, "/tmp/old.gprof-session"));
        page.showCost("wait");
        QVERIFY(settle(page));
        const QString why = u"not judged, since how much waits vary from run to run is not known"_s;
        QVERIFY2(shownText(page).contains(u"grey: "_s + why), qPrintable(shownText(page)));
        button(page, u"Functions"_s)->click();
        QVERIFY2(shownText(page).contains(u"Whether a function differs is "_s + why), qPrintable(shownText(page)));
    }

    void showsTotalsFunctionsAndStacksThatDiffer()
    {
        ui::Selection selection;
        ui::ComparePage page(selection);
        page.resize(1200, 700);
        page.setSnapshot(newer());
        page.setOther(older());
        QVERIFY(settle(page));
        QVERIFY(page.compared());
        QCOMPARE(page.compared()->sessions[0].snapshot->file, std::string("/tmp/old.gprof-session"));
        QVERIFY2(shownText(page).contains(u"Worse: "_s), qPrintable(shownText(page)));
        QCOMPARE(page.subtitle(), u"with old"_s);
        page.showCost("allocated");
        QVERIFY(settle(page));
        auto *functions = called<QTreeView>(page, u"Functions that differ"_s);
        auto *totals = called<QTreeView>(page, u"Totals of every cost"_s);
        QCOMPARE(totals->currentIndex().data().toString(), u"Allocated bytes"_s);
        // By self cost, malloc alone differs; with all that they call, everything but log does.
        QCOMPARE(functions->model()->rowCount(), 1);
        QCOMPARE(functions->model()->index(0, 0).data().toString(), u"malloc"_s);
        button(page, u"Total"_s)->click();
        QCOMPARE(functions->model()->rowCount(), 4);
        page.findChild<QCheckBox *>()->setChecked(false);
        QCOMPARE(functions->model()->rowCount(), 5);
        auto *stacks = called<QTreeView>(page, u"Stacks that differ"_s);
        QCOMPARE(stacks->model()->rowCount(), 3);
        const QModelIndex top = stacks->model()->index(0, 0);
        QVERIFY(top.data().toString().startsWith(u"malloc ← parse ← main"_s));
        QCOMPARE(stacks->model()->index(0, 3).data().toString(), u"+300 B"_s);
        QCOMPARE(stacks->model()->rowCount(top), 3);
        QVERIFY(stacks->model()->index(0, 0, top).data().toString().startsWith(u"malloc"_s));
        QVERIFY(stacks->model()->index(1, 0).data().toString().contains(u"only after"_s));
        stacks->setCurrentIndex(top);
        QVERIFY2(selection.inspected().has_value(), "stacks of the open session can be inspected");
        selection.setFindText(u"log"_s);
        QCOMPARE(functions->model()->rowCount(), 1);
        QCOMPARE(stacks->model()->rowCount(), 1);
    }

    void swapsTheSidesAndKeepsTheCost()
    {
        ui::Selection selection;
        ui::ComparePage page(selection);
        page.setSnapshot(newer());
        page.setOther(older());
        page.showCost("peak");
        QVERIFY(settle(page));
        button(page, u"Swap"_s)->click();
        QVERIFY(settle(page));
        QCOMPARE(page.compared()->sessions[0].snapshot->file, std::string("/tmp/new.gprof-session"));
        QVERIFY(shownText(page).contains(u"Better: "_s));
        QCOMPARE(called<QTreeView>(page, u"Totals of every cost"_s)->currentIndex().data().toString(),
            u"Bytes at the peak"_s);
        // Who says which is which is not asked for the time.
        page.setOther(newer(), ui::ComparePage::Role::Before);
        page.setSnapshot(older());
        QVERIFY(settle(page));
    }

    void dividesByWhatBothDid()
    {
        ui::Selection selection;
        ui::ComparePage page(selection);
        page.setSnapshot(newer());
        page.setOther(older());
        QVERIFY(settle(page));
        auto *per = page.findChild<QComboBox *>();
        QStringList choices;
        for (int i = 0; i < per->count(); ++i)
            choices << per->itemText(i);
        QVERIFY2(choices.contains(u"per mark \"request\""_s) && choices.contains(u"per allocation"_s),
            qPrintable(choices.join(u'|')));
        const int row = static_cast<int>(choices.indexOf(u"per allocation"_s));
        per->setCurrentIndex(row);
        Q_EMIT per->activated(row);
        QVERIFY(settle(page));
        QVERIFY(page.subtitle().endsWith(u"per allocation"_s));
        QCOMPARE(page.compared()->sessions[1].work, 3.0);
        QCOMPARE(per->currentIndex(), row);
    }

    void comparesTwoTimesOfASession()
    {
        const model::TimeRange early{{0}, {4'000'000'000}};
        const model::TimeRange late{{5'000'000'000}, {9'000'000'000}};
        ui::Selection selection;
        ui::ComparePage page(selection);
        page.setSnapshot(session("main;f 100", "/tmp/one.gprof-session", 1'000, late));
        QVERIFY(button(page, u"Hold the selected time"_s)->isEnabled());
        button(page, u"Hold the selected time"_s)->click();
        QVERIFY(settle(page));
        QVERIFY(!page.compared());
        QVERIFY2(shownText(page).contains(u"Now select another time"_s), qPrintable(shownText(page)));
        page.setSnapshot(session("main;f 150", "/tmp/one.gprof-session", 1'000, early));
        QVERIFY(settle(page));
        QVERIFY(page.compared());
        QCOMPARE(page.compared()->sessions[0].snapshot->span.begin.ns, early.begin.ns);
        QCOMPARE(page.subtitle(), u"two times of this session · per second"_s); // they are of different lengths
        // Another session has other times.
        page.setSnapshot(newer());
        QVERIFY(page.isEmpty());
    }

    /// 0 – 2.4 s and 2.4 – 5 s of ticks of a second: both are widened to hold the one from 2 to 3 s.
    void adjacentTimesShareNoStepOfTheRecording()
    {
        constexpr std::int64_t kSecond = 1'000'000'000;
        const model::TimeRange first{{0}, {24 * kSecond / 10}}, second{{24 * kSecond / 10}, {5 * kSecond}};
        const auto widened = [](model::TimeRange time, model::TimeRange span) {
            model::Snapshot made = *session("main;f 100", "/tmp/one.gprof-session", 1'000, time);
            made.span = span;
            return std::make_shared<const model::Snapshot>(made);
        };
        ui::Selection selection;
        ui::ComparePage page(selection);
        QSignalSpy wanted(&page, &ui::ComparePage::apartWanted);
        page.setSnapshot(widened(second, {{2 * kSecond}, {5 * kSecond}}));
        button(page, u"Hold the selected time"_s)->click();
        page.setSnapshot(widened(first, {{0}, {3 * kSecond}}));
        QCOMPARE(wanted.count(), 1);
        QVERIFY(page.isBusy());
        const auto asked = wanted.first().first().value<model::Selection>();
        QVERIFY(asked.time == (model::TimeRange{{3 * kSecond}, {5 * kSecond}}));
        page.setApart(widened(*asked.time, *asked.time));
        QVERIFY(settle(page));
        QVERIFY(page.compared());
        QCOMPARE(page.compared()->sessions[0].snapshot->span.end.ns, 3 * kSecond);
        QCOMPARE(page.compared()->sessions[1].snapshot->span.begin.ns, 3 * kSecond);
        QCOMPARE(wanted.count(), 1);
        // Where nothing is left of the later one, there is nothing to compare.
        page.setSnapshot(widened({{21 * kSecond / 10}, {24 * kSecond / 10}}, {{2 * kSecond}, {5 * kSecond}}));
        QVERIFY(settle(page));
        QVERIFY(!page.compared());
        QVERIFY2(shownText(page).contains(u"lie in one step of the recording"_s), qPrintable(shownText(page)));
        // Times that overlap as they were selected stay as they are.
        page.setSnapshot(widened({{0}, {3 * kSecond}}, {{0}, {3 * kSecond}}));
        QVERIFY(settle(page));
        QVERIFY(page.compared());
        QCOMPARE(page.compared()->sessions[1].snapshot->span.begin.ns, 2 * kSecond);
        QCOMPARE(wanted.count(), 1);
    }

    void aTimeOfTheOtherSessionCanBeChosen()
    {
        ui::Selection selection;
        ui::ComparePage page(selection);
        page.resize(1000, 700);
        auto *timeline = page.findChild<ui::TimelineView *>();
        page.setSnapshot(newer());
        QSignalSpy wanted(&page, &ui::ComparePage::otherTimeWanted);
        page.setOther(older());
        QVERIFY(settle(page));
        QVERIFY(!timeline->isHidden());
        timeline->resize(800, 60);
        QTest::mousePress(timeline, Qt::LeftButton, {}, {300, 20});
        QTest::mouseMove(timeline, {500, 20});
        QTest::mouseRelease(timeline, Qt::LeftButton, {}, {500, 20});
        QVERIFY(!wanted.isEmpty());
        const auto chosen = wanted.last().first().value<model::Selection>();
        QVERIFY(chosen.time && !chosen.time->isEmpty());
        QVERIFY(!selection.current().time); // the open session's stays
        page.setOther(session("main;parse;malloc 300", "/tmp/old.gprof-session", 1'000, chosen.time));
        QVERIFY(settle(page));
        QCOMPARE(page.compared()->sessions[0].snapshot->span.begin.ns, chosen.time->begin.ns);
        // Another session begins whole.
        wanted.clear();
        page.setOtherWaiting(u"/tmp/third.gprof-session"_s);
        QVERIFY(wanted.isEmpty());
        page.setOther(session("main;parse;malloc 300", "/tmp/third.gprof-session", 500));
        QVERIFY(settle(page));
        QTest::mouseDClick(timeline, Qt::LeftButton, {}, {400, 20});
        QVERIFY2(wanted.isEmpty(), "it was whole");
    }

    void readsAtAGlanceInUsualAndSmallWindows()
    {
        ui::Selection selection;
        ui::ComparePage page(selection);
        page.setSnapshot(session("main;f 100", "/tmp/new.gprof-session", 2, {}, "main;f 400\nmain;g 100"));
        page.setOther(session("main;f 100", "/tmp/old.gprof-session", 1, {}, "main;f 200\nmain;g 105"));
        QVERIFY(settle(page));
        page.resize(1240, 645); // of a window of 1440 × 900
        page.show();
        QVERIFY(QTest::qWaitForWindowExposed(&page));
        auto *totals = called<QTreeView>(page, u"Totals of every cost"_s);
        auto *flame = page.findChild<ui::DifferenceFlameView *>();
        const auto *scroll = page.findChild<QScrollArea *>();
        auto *timeline = page.findChild<ui::TimelineView *>();
        const auto end = [&page](const QWidget *widget) { return widget->mapTo(&page, widget->rect().bottomRight()); };
        QTRY_COMPARE(totals->verticalScrollBar()->maximum(), 0);
        QVERIFY(totals->model()->rowCount() > 4);
        QCOMPARE(scroll->verticalScrollBar()->maximum(), 0);
        QVERIFY(timeline->isVisible());
        QVERIFY2(end(totals).x() < flame->mapTo(&page, QPoint()).x(), "the details stand beside the totals");
        QVERIFY(!totals->isColumnHidden(ui::TotalDifferenceModel::FirstColumn));
        page.resize(824, 450); // of 1024 × 700
        QTRY_VERIFY(!timeline->isVisible());
        QTRY_COMPARE(scroll->verticalScrollBar()->maximum(), 0);
        QTRY_VERIFY2(totals->columnWidth(0) >= 120,
            qPrintable(QStringLiteral("%1 of %2").arg(totals->columnWidth(0)).arg(totals->width())));
        QVERIFY(!totals->isColumnHidden(
            ui::TotalDifferenceModel::FirstColumn + static_cast<int>(ui::DifferenceColumn::Relative)));
        QVERIFY(flame->height() > 80);
        button(page, u"Part…"_s)->click();
        QVERIFY(timeline->isVisible());
        button(page, u"Part…"_s)->click();
        QVERIFY(!timeline->isVisible());
        page.resize(530, 450); // and an inspector beside it
        QTRY_VERIFY2(end(totals).y() < flame->mapTo(&page, QPoint()).y(), "the details stand below the totals");
    }

    void estimatesHaveIntervalsAndCountsHaveNone()
    {
        ui::Selection selection;
        ui::ComparePage page(selection);
        page.setSnapshot(session("main;f 100", "/tmp/new.gprof-session", 2, {}, "main;f 400\nmain;g 100"));
        page.setOther(session("main;f 100", "/tmp/old.gprof-session", 1, {}, "main;f 200\nmain;g 105"));
        page.showCost("cpu");
        QVERIFY(settle(page));
        auto *functions = called<QTreeView>(page, u"Functions that differ"_s);
        const int interval
            = ui::FunctionDifferenceModel::FirstColumn + static_cast<int>(ui::DifferenceColumn::Interval);
        QVERIFY(!functions->isColumnHidden(interval));
        QCOMPARE(functions->model()->rowCount(), 1); // g did not change
        QVERIFY(functions->model()->index(0, interval).data().toString().contains(u" to "_s));
        page.showCost("allocations");
        QVERIFY(settle(page));
        QVERIFY(functions->isColumnHidden(interval));
        button(page, u"Stacks"_s)->click();
        QVERIFY2(shownText(page).contains(u"No stack differs."_s), qPrintable(shownText(page)));
    }

    void flameGraphSaysBothValues()
    {
        ui::Selection selection;
        ui::ComparePage page(selection);
        page.setSnapshot(newer());
        page.setOther(older());
        page.showCost("allocated");
        QVERIFY(settle(page));
        auto *flame = page.findChild<ui::DifferenceFlameView *>();
        const QString root = flame->explanationOf(model::DifferenceTree::root());
        QVERIFY2(root.contains(u"800 B → 1.12 KiB"_s), qPrintable(root));
        const model::NodeId main(1u);
        flame->zoomTo(main);
        // The same comparison again, as a live one makes it, leaves the zoom.
        button(page, u"Swap"_s)->click();
        QVERIFY(settle(page));
        QCOMPARE(flame->zoom(), main);
        flame->setSearch(u"fresh"_s);
        QVERIFY(flame->matchedShare() > 0 && flame->matchedShare() < 0.1);
        const QImage image = flame->image(600);
        QCOMPARE(image.width(), 600);
        const auto &colors = ui::Colors::of(flame);
        QVERIFY(ui::DifferenceFlameView::colorOf(0, colors) == colors.neutralTint());
        for (const ui::Colors *theme : {&ui::Colors::light(), &ui::Colors::dark()})
            for (const double shade : {-1.0, -0.2, 0.2, 1.0})
                QVERIFY(ui::contrast(ui::DifferenceFlameView::colorOf(shade, *theme), (*theme)[ui::Token::Ink]) >= 4.5);
    }

    void exportsTheSameAsTheCommandLine()
    {
        ui::Selection selection;
        ui::ComparePage page(selection);
        page.setSnapshot(newer());
        page.setOther(older());
        QVERIFY(settle(page));
        QStringList kinds;
        for (const ui::Export &what : page.exports()) {
            QVERIFY(what.name.startsWith(u"compare-"_s));
            std::ostringstream out;
            if (what.table)
                what.table(out), kinds << u"csv"_s;
            if (what.document)
                what.document(out), kinds << u"html"_s;
            if (what.data)
                what.data(out), kinds << u"json"_s;
            if (what.picture) {
                QVERIFY(!what.picture().isNull());
                kinds << u"png"_s;
            } else {
                QVERIFY2(out.str().find("malloc") != std::string::npos, qPrintable(what.name));
            }
        }
        QCOMPARE(kinds, (QStringList{u"csv"_s, u"png"_s, u"html"_s, u"json"_s}));
    }

    void saysWhyTwoSessionsCannotBeCompared()
    {
        ui::Selection selection;
        ui::ComparePage page(selection);
        page.setSnapshot(std::make_shared<const model::Snapshot>());
        page.setOther(std::make_shared<const model::Snapshot>());
        QVERIFY(settle(page));
        QVERIFY(!page.compared());
        page.setSnapshot(nullptr);
        QVERIFY(page.isEmpty());
    }

    void tellsRowsApartThatWouldLookTheSame()
    {
        const auto before = session("main;void spin<int>(int);malloc 600\nmain;void spin<char>(char);malloc 200",
            "/tmp/old.gprof-session", 1'000);
        const auto after = session("main;void spin<int>(int);malloc 900\nmain;void spin<char>(char);malloc 300",
            "/tmp/new.gprof-session", 2'000);
        const auto compared = std::make_shared<const model::ComparedSessions>(
            *model::compareSessions(before, after, {}, model::comparableCostsOf("allocated")));
        ui::FunctionDifferenceModel functions;
        functions.setCost(compared, 0, ui::CostPart::Total);
        QStringList names;
        for (int row = 0; row < functions.rowCount(); ++row)
            names << functions.index(row, ui::FunctionDifferenceModel::NameColumn).data().toString();
        QVERIFY2(names.contains(u"spin<int>"_s) && names.contains(u"spin<char>"_s), qPrintable(names.join(u'|')));
        QVERIFY2(!names.contains(u"spin<…>"_s), qPrintable(names.join(u'|')));
    }

    void modelsKeepTheRulesOfModels()
    {
        const auto costs = model::comparableCosts();
        const auto compared
            = std::make_shared<const model::ComparedSessions>(*model::compareSessions(older(), newer(), {}, costs));
        ui::TotalDifferenceModel totals;
        ui::FunctionDifferenceModel functions;
        ui::StackDifferenceModel stacks;
        for (QAbstractItemModel *model : std::initializer_list<QAbstractItemModel *>{&totals, &functions, &stacks})
            new QAbstractItemModelTester(model, QAbstractItemModelTester::FailureReportingMode::Fatal, model);
        ui::DifferenceFilterModel filter;
        filter.setSourceModel(&stacks);
        new QAbstractItemModelTester(&filter, QAbstractItemModelTester::FailureReportingMode::Fatal, &filter);
        totals.setCompared(compared);
        functions.setCost(compared, 0, ui::CostPart::Total);
        stacks.setCost(compared, 1);
        filter.setOnlySignificant(true);
        filter.setFilterFixedString(u"parse"_s);
        filter.sort(ui::StackDifferenceModel::FirstColumn, Qt::DescendingOrder);
        totals.setCompared(nullptr);
        functions.setCost(nullptr, 0, ui::CostPart::Self);
        stacks.setCost(nullptr, 0);
        QCOMPARE(filter.rowCount(), 0);
    }
};

QTEST_MAIN(ComparePageTest)
#include "compare_page_test.moc"

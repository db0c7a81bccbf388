// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/coverage.h"
#include "tests/support/snapshot_builder.h"
#include "tests/support/soak_runs.h"
#include "ui/main_window.h"
#include "ui/pages/advice_page.h"
#include "ui/pages/areas_page.h"
#include "ui/pages/capture_page.h"
#include "ui/pages/forecast_page.h"
#include "ui/pages/leaks_page.h"
#include "ui/pages/lost_page.h"
#include "ui/pages/overview_page.h"
#include "ui/pages/page_text.h"
#include "ui/pages/stability_page.h"
#include "ui/text.h"
#include "ui/widgets/card.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/launch_form.h"
#include "ui/widgets/status_line.h"
#include "ui/widgets/summary_card_view.h"

#include <QDropEvent>
#include <QLabel>
#include <QMimeData>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>
#include <QTreeWidget>

#include <functional>
#include <sstream>

using namespace Qt::StringLiterals;

namespace {

/// One stack that leaks all it allocates.
std::shared_ptr<const model::HeapAges> agesOf(tests::SnapshotBuilder &builder)
{
    auto ages = std::make_shared<model::HeapAges>();
    ages->clocks.push_back({builder.image(), {0}, {100'000'000}, 80, 1, 0, 1});
    model::StackAges stack{builder.image(), builder.stack("main;serve;malloc"), 0, 0, {100'000'000}, {}, {}};
    for (std::int64_t i = 1; i <= 80; ++i)
        stack.buckets.push_back({10, 10, 0, 10 * i, 1000 * i});
    ages->stacks.push_back(std::move(stack));
    return ages;
}

std::shared_ptr<const model::Snapshot> sample()
{
    tests::SnapshotBuilder builder;
    builder.heap("main;parse;malloc 4096\nmain;parse;malloc 64 temporary\nmain;serve;malloc 100000")
        .cpu("main;parse 120\nmain;serve;hash 900")
        .metric(model::Metric::Rss, {10, 12, 14, 16, 18, 20, 22, 24, 26, 28})
        .metric(model::Metric::Anonymous, {9, 10, 11, 12, 13, 14, 15, 16, 17, 18})
        .metric(model::Metric::Threads, {1, 1, 2, 2, 2, 2, 2, 2, 1, 1});
    model::Snapshot &raw = builder.raw();
    raw.file = "/tmp/sample.gprof-session";
    raw.heapAges = agesOf(builder);
    raw.losses.push_back({model::LossKind::EventsDropped, builder.image(), 12, "ring full", {{}, {1'000'000'000}}});
    raw.marks.push_back({{2'000'000'000}, model::MarkKind::User, "warmed up"});
    model::MemoryScan scan;
    scan.id = 3;
    scan.image = builder.image();
    scan.sums[static_cast<std::size_t>(model::ReachClass::Directly)] = {2, 4096};
    scan.stacks.push_back({builder.stack("main;parse;malloc"), scan.sums, {}, {3, 5000}, {}});
    scan.paths.push_back({builder.stack("main;serve;malloc"), {7, 9000}, "variables of app +0x10",
        {{builder.stack("main;serve;malloc"), 7}}});
    raw.scans.push_back(std::make_shared<const model::MemoryScan>(scan));
    model::MemoryArea mapped{builder.image(), model::AreaKind::Mapping, builder.tables().string("anonymous"), {}, {}};
    mapped.total.image = builder.image();
    mapped.total.allocations = 3;
    mapped.total.allocatedBytes = 300'000;
    mapped.total.frees = 1;
    mapped.total.liveBytes = 200'000;
    mapped.total.liveBlocks = 2;
    mapped.total.peakBytes = 300'000;
    model::HeapCost cost = mapped.total;
    cost.stack = builder.stack("main;serve;mmap");
    mapped.costs.push_back(cost);
    raw.areas.push_back(mapped);
    model::MemoryArea pool = mapped;
    pool.kind = model::AreaKind::Pool;
    pool.name = builder.tables().string("arena");
    pool.costs.front().stack = builder.stack("main;parse;arena_alloc");
    raw.areas.push_back(pool);
    model::Random random(1);
    raw.soak
        = std::make_shared<const model::SoakRecord>(tests::virtualSoak({.memory = {.growth = 0.1}}, random).stored);
    raw.gaps.push_back({{{3'000'000'000}, {4'000'000'000}}, model::GapKind::Paused});
    return std::make_shared<const model::Snapshot>(builder.build());
}

/// A page of each kind, by its key.
std::unique_ptr<ui::Page> newPage(const QString &key, ui::Selection &selection)
{
    if (key == u"overview"_s)
        return std::make_unique<ui::OverviewPage>(selection);
    if (key == u"forecast"_s)
        return std::make_unique<ui::ForecastPage>(selection);
    if (key == u"advice"_s)
        return std::make_unique<ui::AdvicePage>(selection);
    if (key == u"leaks"_s)
        return std::make_unique<ui::LeaksPage>(selection);
    if (key == u"areas"_s)
        return std::make_unique<ui::AreasPage>(selection);
    if (key == u"lost"_s)
        return std::make_unique<ui::LostPage>(selection);
    if (key == u"stability"_s)
        return std::make_unique<ui::StabilityPage>(selection);
    return std::make_unique<ui::CapturePage>(selection);
}

void addPages()
{
    QTest::addColumn<QString>("key");
    for (const char *key : {"overview", "forecast", "advice", "leaks", "lost", "areas", "stability", "capture"})
        QTest::newRow(key) << QString::fromLatin1(key);
}

} // namespace

/// Every page takes every snapshot, and exports what it shows.
class PagesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void takesNothingAnEmptySessionAndARealOne_data() { addPages(); }
    void takesNothingAnEmptySessionAndARealOne();
    void exportsTablesAndPictures_data() { addPages(); }
    void exportsTablesAndPictures();
    void lostPageShowsTheLastScan();
    void areasPageShowsTheChosenAreaByStack();
    void stabilityPageIsListedWhereThereIsATest();
    void windowShowsWhatIsSelected();
    void windowSaysWhatFailed();
    void damageIsSaidAndNotMuch();
    void windowTakesSessionsThatAreDropped();
    void windowGoesBackFromTheStartPage();
    void formKeepsTheChosenProgramWhenTheListIsRenewed();
    void capturePageJoinsLossesOfOneKind();
    void overviewShowsNoChartOfWhatWasNotRecorded();
    void limitsAreReadAsPeopleWriteThem();
    void exitsAreSaidInWords();
};

void PagesTest::takesNothingAnEmptySessionAndARealOne()
{
    QFETCH(QString, key);
    ui::Selection selection;
    const auto page = newPage(key, selection);
    QCOMPARE(page->key(), key);
    page->resize(800, 500);
    const auto settle = [&] { return QTest::qWaitFor([&] { return !page->isBusy(); }, 20000); };
    page->setSnapshot(nullptr);
    QVERIFY(page->exports().empty());
    page->setSnapshot(std::make_shared<const model::Snapshot>());
    QVERIFY(settle());
    page->setSnapshot(sample());
    QVERIFY(settle());
    QVERIFY(!page->subtitle().isEmpty());
    QVERIFY(!page->picture().isNull());
    page->setSnapshot(nullptr);
}

void PagesTest::exportsTablesAndPictures()
{
    QFETCH(QString, key);
    ui::Selection selection;
    const auto page = newPage(key, selection);
    page->resize(800, 500);
    page->setSnapshot(sample());
    QVERIFY(QTest::qWaitFor([&] { return !page->isBusy(); }, 20000));
    QVERIFY(!page->exports().empty());
    for (const ui::Export &what : page->exports()) {
        QVERIFY2(what.name.startsWith(key), qPrintable(what.name));
        QVERIFY(!what.label.isEmpty());
        QCOMPARE(what.table == nullptr, what.picture != nullptr);
        std::ostringstream out;
        if (what.table)
            what.table(out);
        QVERIFY2(
            what.table ? out.str().find("\n") != std::string::npos : !what.picture().isNull(), qPrintable(what.name));
    }
}

void PagesTest::stabilityPageIsListedWhereThereIsATest()
{
    ui::Selection selection;
    ui::StabilityPage page(selection);
    QSignalSpy listed(&page, &ui::StabilityPage::hasTestChanged);
    page.setSnapshot(std::make_shared<const model::Snapshot>());
    QCOMPARE(listed.takeLast().first().toBool(), false);
    page.setSnapshot(sample());
    QCOMPARE(listed.takeLast().first().toBool(), true);
    QVERIFY(QTest::qWaitFor([&] { return !page.isBusy(); }, 20000));
    QStringList shown;
    for (const QLabel *label : page.findChildren<QLabel *>())
        shown << label->text();
    QVERIFY2(shown.contains(u"Leaking"_s), qPrintable(shown.join(u'|')));
    const auto *quantities = page.findChildren<QTreeWidget *>().first();
    QCOMPARE(quantities->topLevelItemCount(), 3);
    QCOMPARE(quantities->topLevelItem(2)->text(1), u"fails"_s);
}

void PagesTest::lostPageShowsTheLastScan()
{
    ui::Selection selection;
    ui::LostPage page(selection);
    page.resize(900, 700);
    page.setSnapshot(sample());
    QVERIFY(page.subtitle().contains(u"4 KiB lost"_s));
    const auto lists = page.findChildren<QTreeWidget *>();
    QCOMPARE(lists.size(), 2);
    lists[0]->setCurrentItem(lists[0]->topLevelItem(0));
    QVERIFY(selection.inspected().has_value());
    QVERIFY(lists[1]->topLevelItem(0)->text(3).contains(u"7 ×"_s));
    // Nothing can be scanned in a recording that has ended; one that goes on can, once at a time.
    auto *button = page.findChild<QPushButton *>();
    QVERIFY(button->isHidden());
    model::Snapshot live = *sample();
    live.info.state = model::SessionState::Recording;
    page.setSnapshot(std::make_shared<const model::Snapshot>(live));
    QVERIFY(!button->isHidden());
    QSignalSpy wanted(&page, &ui::LostPage::scanWanted);
    button->click();
    QCOMPARE(wanted.count(), 1);
    QVERIFY(!button->isEnabled());
    page.setScanEnded();
    QVERIFY(button->isEnabled());
}

void PagesTest::areasPageShowsTheChosenAreaByStack()
{
    ui::Selection selection;
    ui::AreasPage page(selection);
    page.resize(900, 600);
    const auto settle = [&] { return QTest::qWaitFor([&] { return !page.isBusy(); }, 20000); };
    page.setSnapshot(sample());
    QVERIFY(settle());
    auto *list = page.findChild<QTreeWidget *>();
    QVERIFY(list);
    QCOMPARE(list->topLevelItemCount(), 2); // mappings, pools
    QCOMPARE(list->currentItem(), list->topLevelItem(0));
    const auto stacks = [&] {
        for (const ui::Export &what : page.exports())
            if (what.name == u"areas-live-stacks"_s) {
                std::ostringstream out;
                what.table(out);
                return QByteArray::fromStdString(out.str());
            }
        return QByteArray();
    };
    QVERIFY(stacks().contains("main;serve;mmap") && !stacks().contains("arena_alloc"));
    list->setCurrentItem(list->topLevelItem(1)->child(0));
    QVERIFY(settle());
    QVERIFY(stacks().contains("main;parse;arena_alloc") && !stacks().contains("mmap"));
    QVERIFY(page.subtitle().contains(u"pools"_s));
    // The next snapshot of a live session leaves the choice.
    page.setSnapshot(sample());
    QVERIFY(settle());
    QCOMPARE(list->currentItem(), list->topLevelItem(1)->child(0));
    QVERIFY(stacks().contains("arena_alloc"));
}

void PagesTest::windowShowsWhatIsSelected()
{
    ui::Selection selection;
    ui::Theme theme(*qApp);
    ui::MainWindow window(selection, theme);
    window.addPage(new ui::OverviewPage(selection));
    window.addPage(new ui::CapturePage(selection));
    window.resize(1024, 700);
    window.setSnapshot(sample());
    QVERIFY(window.windowTitle().contains(u"app"_s) || window.windowTitle().contains(u"sample"_s));
    window.showPage(u"capture"_s);
    window.grab();
    // Esc closes what was opened last: the inspector, then what is selected.
    selection.setTime(model::TimeRange{{0}, {1'000'000'000}});
    selection.setInspected(ui::InspectedStack{model::StackId(0u), {}, {}});
    QTest::keyClick(&window, Qt::Key_Escape);
    QVERIFY(!selection.inspected() && selection.current().time.has_value());
    QTest::keyClick(&window, Qt::Key_Escape);
    QVERIFY(!selection.current().time);
    QCOMPARE(window.size(), QSize(1024, 700));
    window.closeSession();
    QCOMPARE(window.windowTitle(), u"Genesis Profiler"_s);
}

void PagesTest::windowSaysWhatFailed()
{
    ui::Selection selection;
    ui::Theme theme(*qApp);
    ui::MainWindow window(selection, theme);
    window.setStartPage(new QWidget);
    window.showFailure(u"a.txt cannot be opened"_s, u"it is not a session"_s, u"Try again"_s);
    QStringList shown;
    for (const QLabel *label : window.findChildren<QLabel *>())
        shown << label->text();
    QVERIFY(shown.contains(u"it is not a session"_s));
    QSignalSpy again(&window, &ui::MainWindow::againWanted);
    for (QPushButton *button : window.findChildren<QPushButton *>())
        if (button->text() == u"Try again"_s)
            button->click();
    QCOMPARE(again.size(), 1);
}

void PagesTest::damageIsSaidAndNotMuch()
{
    QString longText = u"The file was cut off."_s;
    for (int i = 0; i < 30; ++i)
        longText += u" Table number %1 is missing or damaged and was left out."_s.arg(i);
    model::Snapshot damaged = *sample();
    damaged.losses.clear();
    damaged.damage = longText.toStdString();
    const auto snapshot = std::make_shared<const model::Snapshot>(damaged);
    ui::StatusLine line;
    line.setSnapshot(snapshot);
    QStringList shown;
    for (const QLabel *label : line.findChildren<QLabel *>())
        shown << label->text();
    QVERIFY2(
        shown.contains(u"the file is damaged"_s) && !shown.contains(u"no events lost"_s), qPrintable(shown.join(u'|')));
    line.setSealed(true);
    line.setSnapshot(snapshot);
    bool isSaid = false;
    for (const ui::ElidedLabel *label : line.findChildren<ui::ElidedLabel *>())
        isSaid = isSaid || label->accessibleName().startsWith(u"sealed · sample.gprof-session"_s);
    QVERIFY(isSaid);
    const auto says = [&line](const QString &words) {
        const auto labels = line.findChildren<QLabel *>();
        return std::any_of(labels.begin(), labels.end(),
            [&](const QLabel *label) { return !label->isHidden() && label->text().contains(words); });
    };
    QVERIFY(!says(u"redacted"_s));
    damaged.info.redaction = model::Redaction{20, false};
    line.setSnapshot(std::make_shared<const model::Snapshot>(damaged));
    QVERIFY(says(u"redacted"_s));
    ui::SummaryCardView card;
    model::SummaryCard answer;
    answer.sentence = model::coverage(*snapshot).sentence;
    QVERIFY(answer.sentence.find(".;") == std::string::npos);
    card.setCard(answer, {});
    QCOMPARE(ui::withWholeNumbers(u"4 ticks in 4.04 s, 478 KiB/h, 5 %; 3 sorts, 2 k of 10 M"_s),
        u"4 ticks in 4.04 s, 478 KiB/h, 5 %; 3 sorts, 2 k of 10 M"_s.replace(u"4 s"_s, u"4\u00a0s"_s)
            .replace(u"8 K"_s, u"8\u00a0K"_s)
            .replace(u"5 %"_s, u"5\u00a0%"_s)
            .replace(u"2 k"_s, u"2\u00a0k"_s)
            .replace(u"10 M"_s, u"10\u00a0M"_s)
            .replace(u"B/h"_s, u"B/\u2060h"_s));
    QCOMPARE(ui::withWholeNumbers(u"/home/d/M/s"_s), u"/home/d/M/s"_s);
    QCOMPARE(ui::withWholeNumbers(u"90 %: 1.0–1.5 GiB – more"_s), u"90\u00a0%: 1.0\u2060–\u20601.5\u00a0GiB – more"_s);
    qsizetype longest = 0;
    for (const QLabel *label : card.findChildren<QLabel *>())
        longest = std::max(longest, label->text().size());
    QVERIFY2(40 < longest && longest < 260, qPrintable(QString::number(longest)));
}

void PagesTest::windowTakesSessionsThatAreDropped()
{
    ui::Selection selection;
    ui::Theme theme(*qApp);
    ui::MainWindow window(selection, theme);
    QSignalSpy dropped(&window, &ui::MainWindow::sessionsDropped);
    QMimeData dragged;
    dragged.setUrls({QUrl::fromLocalFile(u"/tmp/notes.txt"_s)});
    const auto drop = [&] {
        QDragEnterEvent entering({10, 10}, Qt::CopyAction, &dragged, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&window, &entering);
        QDropEvent event({10, 10}, Qt::CopyAction, &dragged, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&window, &event);
    };
    drop();
    QVERIFY2(dropped.isEmpty(), "it is no session");
    dragged.setUrls({QUrl::fromLocalFile(u"/tmp/a.gprof-session"_s), QUrl::fromLocalFile(u"/tmp/notes.txt"_s),
        QUrl::fromLocalFile(u"/tmp/b.gprof-session"_s)});
    drop();
    QCOMPARE(dropped.count(), 1);
    QCOMPARE(
        dropped.first().first().toStringList(), (QStringList{u"/tmp/a.gprof-session"_s, u"/tmp/b.gprof-session"_s}));
}

void PagesTest::windowGoesBackFromTheStartPage()
{
    ui::Selection selection;
    ui::Theme theme(*qApp);
    ui::MainWindow window(selection, theme);
    auto *page = new ui::OverviewPage(selection);
    window.addPage(page);
    window.setStartPage(new QWidget);
    window.setSnapshot(sample());
    window.show();
    QVERIFY(page->isVisible());
    window.showStart();
    QVERIFY(!page->isVisible());
    QTest::keyClick(&window, Qt::Key_Escape);
    QVERIFY(page->isVisible());
    window.closeSession();
    window.showStart();
    window.showSession();
    QVERIFY2(!page->isVisible(), "there is no session to go back to");
}

void PagesTest::formKeepsTheChosenProgramWhenTheListIsRenewed()
{
    ui::LaunchForm form;
    const auto program = [](std::int32_t pid, std::int64_t bytes) {
        model::RunningProcess process;
        process.pid = pid;
        process.name = process.commandLine = "program";
        process.rssBytes = bytes;
        return process;
    };
    form.setRunning({program(7, 100), program(8, 200)}, 0);
    for (QPushButton *button : form.findChildren<QPushButton *>())
        if (button->text() == u"Attach"_s)
            button->click();
    auto *table = form.findChild<QTableView *>();
    table->selectRow(0); // the largest
    QCOMPARE(form.request().attachPid.value_or(0), 8);
    form.setRunning({program(9, 900), program(7, 500), program(8, 50)}, 0);
    QCOMPARE(form.request().attachPid.value_or(0), 8);
    form.setRunning({program(9, 900)}, 0);
    QCOMPARE(form.request().attachPid.value_or(0), 0);
}

void PagesTest::capturePageJoinsLossesOfOneKind()
{
    model::Snapshot lossy = *sample();
    lossy.losses.clear();
    const model::ImageId image(0u);
    for (std::int64_t i = 0; i < 20; ++i)
        lossy.losses.push_back({model::LossKind::StacksTruncated, image, 3, "cpu samples",
            {{i * 1'000'000'000}, {(i + 1) * 1'000'000'000}}});
    lossy.losses.push_back({model::LossKind::StacksTruncated, image, 5, "heap", {{}, {1}}});
    ui::Selection selection;
    ui::CapturePage page(selection);
    page.setSnapshot(std::make_shared<const model::Snapshot>(lossy));
    QTreeWidget *losses = nullptr;
    for (QTreeWidget *table : page.findChildren<QTreeWidget *>())
        if (table->accessibleName() == u"What was not seen"_s)
            losses = table;
    QVERIFY(losses);
    QCOMPARE(losses->topLevelItemCount(), 2);
    QCOMPARE(losses->topLevelItem(0)->text(1), u"60"_s);
    QCOMPARE(losses->topLevelItem(1)->text(1), u"5"_s);
    const QTreeWidget *processes = nullptr;
    for (const QTreeWidget *table : page.findChildren<QTreeWidget *>())
        if (table->accessibleName() == u"Processes and their programs"_s)
            processes = table;
    QVERIFY(processes && processes->currentItem() == nullptr);
    Q_EMIT losses->itemActivated(losses->topLevelItem(0), 0);
    QCOMPARE(processes->currentItem(), processes->topLevelItem(0));
    const QString when = losses->topLevelItem(0)->text(3);
    QVERIFY2(when.contains(u"0:20"_s) || when.contains(u":20"_s), qPrintable(when));
}

void PagesTest::overviewShowsNoChartOfWhatWasNotRecorded()
{
    ui::Selection selection;
    ui::OverviewPage page(selection);
    const auto hidden = [&page] {
        QStringList names;
        for (const ui::Card *card : page.findChildren<ui::Card *>())
            if (card->isHidden() && !card->accessibleName().isEmpty())
                names << card->accessibleName();
        return names;
    };
    tests::SnapshotBuilder builder;
    builder.cpu("main;parse 120").metric(model::Metric::Rss, {10, 12, 14}).metric(model::Metric::Threads, {1, 1, 2});
    builder.raw().info.state = model::SessionState::Complete;
    builder.raw().info.config.heap = model::HeapMode::Off;
    page.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
    QVERIFY2(hidden().contains(u"Live heap"_s) && !hidden().contains(u"Threads"_s), qPrintable(hidden().join(u'|')));
    page.setSnapshot(sample());
    QVERIFY2(!hidden().contains(u"Threads"_s), qPrintable(hidden().join(u'|')));
}

void PagesTest::limitsAreReadAsPeopleWriteThem()
{
    QCOMPARE(ui::parseLimit(u"2 GiB"_s), std::optional(2147483648.0));
    QCOMPARE(ui::parseLimit(u"512M"_s), std::optional(536870912.0));
    QCOMPARE(ui::parseLimit(u"1.5k"_s), std::optional(1536.0));
    QCOMPARE(ui::parseLimit(u"80 %"_s), std::optional(80.0));
    QVERIFY(!ui::parseLimit(u"much"_s));
    QVERIFY(!ui::parseLimit(QString()));
}

void PagesTest::exitsAreSaidInWords()
{
    QCOMPARE(ui::waitStatusText(0), u"exit 0"_s);
    QCOMPARE(ui::waitStatusText(3 << 8), u"exit 3"_s);
    QCOMPARE(ui::waitStatusText(9), u"killed by SIGKILL"_s);
}

QTEST_MAIN(PagesTest)
#include "pages_test.moc"

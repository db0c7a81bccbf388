// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/snapshot_builder.h"
#include "ui/pages/forecast_page.h"
#include "ui/pages/heap_page.h"
#include "ui/pages/hot_page.h"
#include "ui/pages/leaks_page.h"
#include "ui/pages/lost_page.h"
#include "ui/pages/page_text.h"
#include "ui/widgets/filter_chip.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/session_bar.h"

#include <QTest>
#include <QTreeWidget>

using namespace Qt::StringLiterals;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

/// 1.9 s to 4.1 s are selected, which is 1 s to 4 s in whole ticks.
model::Snapshot selected(tests::SnapshotBuilder &builder)
{
    builder.heap("main;parse;malloc 64\n");
    model::Snapshot snapshot = builder.build();
    snapshot.selection.time = model::TimeRange{{19 * kSecond / 10}, {41 * kSecond / 10}};
    snapshot.span = {{kSecond}, {4 * kSecond}};
    snapshot.info.startWallNs = 0;
    snapshot.info.utcOffset = "+00:00";
    return snapshot;
}

QStringList chipsOf(const ui::SessionBar &bar)
{
    QStringList shown;
    for (const auto *chip : bar.findChildren<ui::FilterChip *>())
        if (!chip->isHidden())
            shown << chip->text().remove(u"  ×"_s);
    return shown;
}

/// What stands behind the dot.
QString stateOf(const ui::SessionBar &bar)
{
    for (const ui::ElidedLabel *label : bar.findChildren<ui::ElidedLabel *>())
        if (label->text().contains(u" · 10 s"_s))
            return label->text();
    return {};
}

} // namespace

class PageTextTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theBarSaysHowTheProgramEnded_data()
    {
        QTest::addColumn<int>("status");
        QTest::addColumn<QString>("shown");
        QTest::newRow("success") << 0 << u"complete · 10 s"_s;
        QTest::newRow("failure") << (2 << 8) << u"complete · 10 s · exit 2"_s;
        QTest::newRow("crash, core dumped") << (11 | 0x80) << u"complete · 10 s · killed by SIGSEGV"_s;
        QTest::newRow("a signal without a name") << 40 << u"complete · 10 s · killed by signal 40"_s;
    }
    void theBarSaysHowTheProgramEnded()
    {
        QFETCH(int, status);
        tests::SnapshotBuilder builder;
        builder.raw().info.state = model::SessionState::Complete;
        builder.raw().info.exitStatus = status;
        ui::Selection selection;
        ui::SessionBar bar(selection);
        bar.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QTEST(stateOf(bar), "shown");
    }

    void theBarCallsADamagedSessionDamaged()
    {
        tests::SnapshotBuilder builder;
        builder.raw().info.state = model::SessionState::Complete;
        builder.raw().damage = "12 pages of the file cannot be read.";
        ui::Selection selection;
        ui::SessionBar bar(selection);
        bar.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QCOMPARE(stateOf(bar), u"damaged · 10 s"_s);
        builder.raw().info.state = model::SessionState::Recording;
        bar.setSnapshot(std::make_shared<const model::Snapshot>(builder.build()));
        QCOMPARE(stateOf(bar), u"recording · 10 s"_s);
    }

    void barAndPageTellTheSameTime()
    {
        tests::SnapshotBuilder builder;
        const model::Snapshot snapshot = selected(builder);
        ui::Selection selection;
        ui::SessionBar bar(selection);
        bar.resize(1900, 44);
        bar.setSnapshot(std::make_shared<const model::Snapshot>(snapshot));
        selection.setTime(snapshot.selection.time);
        QCOMPARE(chipsOf(bar), QStringList(u"00:00:01 – 00:00:04 · 3 s"_s));
        QCOMPARE(ui::selectionText(snapshot), u"00:00:01 – 00:00:04"_s);
        selection.setTime(model::TimeRange{{2 * kSecond}, {3 * kSecond}}); // no snapshot of it is there yet
        QCOMPARE(chipsOf(bar), QStringList(u"00:00:02 – 00:00:03 · 1 s"_s));
        bar.resize(500, 44);
        bar.setSnapshot(std::make_shared<const model::Snapshot>(snapshot));
        QCOMPARE(chipsOf(bar), QStringList(u"00:00:02 – 00:00:03"_s)); // no room for the length
    }

    void callsSayOfHowManyTheStackWasCopied()
    {
        tests::SnapshotBuilder builder;
        model::ActivityDelta row;
        row.activity = model::Activity::call(1);
        row.count = 200;
        row.ownStacks = 24;
        builder.raw().activities.push_back(row);
        model::Snapshot snapshot = builder.build();
        QCOMPARE(ui::ownStacksText(snapshot, model::CostSource::SystemCall),
            u" · stack copied of 12 %, the others by place"_s);
        QVERIFY(ui::ownStacksText(snapshot, model::CostSource::Wait).isEmpty());
        snapshot.activities[0].ownStacks = 199;
        QVERIFY(ui::ownStacksText(snapshot, model::CostSource::SystemCall).isEmpty());
    }

    void threadsAreCalledByTheirName()
    {
        tests::SnapshotBuilder builder;
        const auto add = [&builder](std::int32_t tid, std::string_view name) {
            return builder.tables().addThread(
                {.process = builder.process(), .tid = tid, .name = builder.tables().string(name)});
        };
        const model::ThreadId one = add(4637, "requests"), nameless = add(4638, ""), twin = add(4639, "worker");
        add(4640, "worker");
        model::Snapshot snapshot = selected(builder);
        QCOMPARE(ui::threadText(*snapshot.tables, one), u"thread requests"_s);
        QCOMPARE(ui::threadText(*snapshot.tables, nameless), u"thread 4638"_s);
        QCOMPARE(ui::threadText(*snapshot.tables, twin), u"thread worker (4639)"_s);
        snapshot.selection.thread = one;
        QVERIFY(ui::selectionText(snapshot).endsWith(u" · CPU of thread requests"_s));
        QVERIFY(ui::selectionText(snapshot, ui::ByThread::No).endsWith(u" · all threads"_s));
        ui::Selection selection;
        ui::HeapPage heap(selection);
        heap.setSnapshot(std::make_shared<const model::Snapshot>(snapshot));
        QVERIFY2(heap.subtitle().endsWith(u" · all threads"_s), qPrintable(heap.subtitle()));
        const auto shown = std::make_shared<const model::Snapshot>(snapshot);
        ui::LeaksPage leaks(selection);
        ui::LostPage lost(selection);
        ui::ForecastPage forecast(selection);
        ui::HotPage hot(selection);
        for (ui::Page *page : std::initializer_list<ui::Page *>{&leaks, &lost, &forecast, &hot}) {
            page->setSnapshot(shown);
            QVERIFY2(page->subtitle().contains(u" · all threads"_s), qPrintable(page->subtitle()));
            QVERIFY2(!page->subtitle().contains(u"requests"_s), qPrintable(page->subtitle()));
        }
    }

    void lostPageTellsWhatLeaksSaysOfTheChosenStack()
    {
        tests::SnapshotBuilder builder;
        builder.heap("main;serve;malloc 100000\nmain;parse;malloc 4096");
        model::Snapshot snapshot = builder.build();
        auto ages = std::make_shared<model::HeapAges>();
        ages->clocks.push_back({builder.image(), {0}, {kSecond / 10}, 80, 1, 0, 1});
        model::StackAges history{builder.image(), builder.stack("main;serve;malloc"), 0, 0, {kSecond / 10}, {}, {}};
        for (std::int64_t i = 1; i <= 80; ++i)
            history.buckets.push_back({10, 10, 0, 10 * i, 1000 * i});
        ages->stacks.push_back(history);
        snapshot.heapAges = ages;
        model::MemoryScan scan;
        scan.image = builder.image();
        scan.sums[static_cast<std::size_t>(model::ReachClass::Directly)] = {2, 4096};
        scan.stacks.push_back({builder.stack("main;serve;malloc"), scan.sums, {}, {3, 5000}, {}});
        scan.stacks.push_back({builder.stack("main;parse;malloc"), scan.sums, {}, {3, 5000}, {}});
        snapshot.scans.push_back(std::make_shared<const model::MemoryScan>(scan));
        ui::Selection selection;
        ui::LostPage page(selection);
        page.setSnapshot(std::make_shared<const model::Snapshot>(snapshot));
        const auto said = [&page] {
            for (const QLabel *label : page.findChildren<QLabel *>())
                if (!label->isHidden() && label->text().contains(u"which Leaks judges"_s))
                    return label->text();
            return QString();
        };
        auto *list = page.findChild<QTreeWidget *>();
        QVERIFY(list);
        QVERIFY(said().isEmpty());
        list->setCurrentItem(list->topLevelItem(0));
        QVERIFY(said().contains(u"this stack keeps "_s));
        list->setCurrentItem(list->topLevelItem(1)); // has no history
        QVERIFY(said().isEmpty());
    }
};

QTEST_MAIN(PageTextTest)
#include "page_text_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/snapshot_builder.h"
#include "ui/main_window.h"
#include "ui/pages/capture_page.h"
#include "ui/pages/heap_page.h"
#include "ui/theme.h"
#include "ui/widgets/filter_chip.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/process_menu.h"
#include "ui/widgets/search_field.h"
#include "ui/widgets/session_bar.h"

#include <QApplication>
#include <QTest>
#include <QToolButton>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

/// Six processes, each with a thread of the same name.
struct ManyProcesses
{
    tests::SnapshotBuilder builder;
    std::vector<model::ProcessId> processes;
    std::vector<model::ThreadId> threads;

    ManyProcesses()
    {
        model::Snapshot &raw = builder.raw();
        raw.info.state = model::SessionState::Complete;
        raw.info.exitStatus = 2 << 8;
        raw.info.config.command = {"/usr/bin/python3", "parallel.py"};
        for (std::int32_t pid = 75471; pid < 75476; ++pid) {
            processes.push_back(builder.tables().addProcess({.pid = pid}));
            threads.push_back(builder.tables().addThread(
                {.process = processes.back(), .tid = pid, .name = builder.tables().string("python3")}));
        }
    }

    std::shared_ptr<const model::Snapshot> snapshot()
    {
        return std::make_shared<const model::Snapshot>(builder.build());
    }
};

/// What is shown in the bar, from left to right.
QList<QWidget *> shownIn(const QWidget &bar)
{
    QList<QWidget *> shown;
    for (QWidget *child : bar.findChildren<QWidget *>(Qt::FindDirectChildrenOnly))
        if (child->isVisible() && child->width() > 0)
            shown << child;
    std::sort(shown.begin(), shown.end(), [](const QWidget *a, const QWidget *b) { return a->x() < b->x(); });
    return shown;
}

QStringList offeredBy(ui::ProcessMenu &menu)
{
    menu.fill();
    QStringList offered;
    for (const QAction *action : menu.actions())
        if (!action->isSeparator())
            offered << action->text();
    return offered;
}

} // namespace

class SessionBarTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void filtersStayReadableAndRemovable_data()
    {
        QTest::addColumn<int>("width");
        QTest::newRow("the least window") << 900;
        QTest::newRow("a small screen") << 1024;
        QTest::newRow("a large one") << 1900;
    }
    void filtersStayReadableAndRemovable()
    {
        QFETCH(int, width);
        const ui::Theme theme(*qApp);
        ManyProcesses many;
        ui::Selection selection;
        ui::SessionBar bar(selection);
        bar.resize(width, 44);
        bar.show();
        bar.setSnapshot(many.snapshot());
        selection.setProcess(many.processes.back());
        selection.setThread(many.threads.back());
        selection.setTime(model::TimeRange{{2 * kSecond}, {4 * kSecond}});
        QCoreApplication::processEvents();
        int free = 0; // the next one may begin here
        for (const QWidget *child : shownIn(bar)) {
            const QString where = u"%1 from %2 to %3"_s.arg(QLatin1StringView(child->metaObject()->className()))
                                      .arg(child->x())
                                      .arg(child->geometry().right());
            QVERIFY2(free <= child->x() && child->geometry().right() < width, qPrintable(where));
            free = child->geometry().right();
        }
        int chips = 0;
        for (const auto *chip : bar.findChildren<ui::FilterChip *>()) {
            QVERIFY2(chip->shownText().endsWith(u'×'), qPrintable(chip->shownText()));
            const int text = chip->fontMetrics().horizontalAdvance(chip->shownText());
            QVERIFY2(text < chip->width() && chip->shownText().size() > 8, qPrintable(chip->shownText()));
            QVERIFY2(width < 1900 || chip->shownText() == chip->text(), qPrintable(chip->shownText()));
            ++chips;
        }
        QCOMPARE(chips, 3);
        const auto *find = bar.findChild<ui::SearchField *>();
        QVERIFY(find->isVisible() && find->width() >= 80);
    }

    void aTextToFindTakesNothingFromNameAndDuration()
    {
        const ui::Theme theme(*qApp);
        ManyProcesses many;
        model::CaptureConfig &config = many.builder.raw().info.config;
        config.heap = model::HeapMode::Full;
        config.cpuHz = 199;
        config.systemCalls = config.waits = true;
        ui::Selection selection;
        ui::SessionBar bar(selection);
        bar.resize(1024, 44);
        bar.show();
        bar.setSnapshot(many.snapshot());
        QCoreApplication::processEvents();
        QList<QRect> before, after;
        for (const QWidget *child : shownIn(bar))
            before << child->geometry();
        selection.setFindText(u"work"_s);
        QTRY_VERIFY(bar.findChild<ui::SearchField *>()->findChild<QToolButton *>()->isVisible());
        QCoreApplication::processEvents();
        for (const QWidget *child : shownIn(bar))
            after << child->geometry();
        QCOMPARE(after, before);
        QStringList whole, cut;
        for (const ui::ElidedLabel *label : bar.findChildren<ui::ElidedLabel *>())
            (label->width() < label->sizeHint().width() ? cut : whole) << label->text();
        QCOMPARE(cut, QStringList(u"every allocation · CPU 199 Hz · system calls · waits"_s));
        QVERIFY2(whole.contains(u"python3"_s), qPrintable(whole.join(u'|')));
    }

    void aChipIsTakenAwayWithTheMouse()
    {
        ManyProcesses many;
        ui::Selection selection;
        ui::SessionBar bar(selection);
        bar.resize(1024, 44);
        bar.show();
        bar.setSnapshot(many.snapshot());
        selection.setProcess(many.processes.back());
        selection.setThread(many.threads.back());
        QCoreApplication::processEvents();
        for (auto *chip : bar.findChildren<ui::FilterChip *>())
            if (chip->isVisible())
                QTest::mouseClick(chip, Qt::LeftButton, {}, QPoint(chip->width() - 12, chip->height() / 2));
        QVERIFY(!selection.current().process && !selection.current().thread);
    }

    void processesStandWithTheirShareOfTheCpuTime()
    {
        ManyProcesses many;
        many.builder.cpu("main;run 1\nmain;work 3\n");
        many.builder.raw().cpu.back().thread = many.threads.back();
        ui::Selection selection;
        ui::ProcessMenu menu(selection);
        menu.setSnapshot(many.snapshot());
        QStringList offered = offeredBy(menu);
        QCOMPARE(offered.size(), 7);
        QCOMPARE(offered[0], u"All 6 processes\tCPU time"_s);
        QCOMPARE(offered[1], u"process 75475\t75 %"_s); // the dearest first
        QVERIFY2(offered[2].endsWith(u"(100)\t25 %"_s), qPrintable(offered[2]));
        // Of a snapshot of one the others stand as they were.
        model::Snapshot one = *many.snapshot();
        one.selection.process = many.processes.back();
        one.cpu.erase(one.cpu.begin());
        menu.setSnapshot(std::make_shared<const model::Snapshot>(one));
        QCOMPARE(offeredBy(menu), offered);
        one.selection.time = model::TimeRange{{0}, {kSecond}}; // in which theirs are not known
        menu.setSnapshot(std::make_shared<const model::Snapshot>(one));
        QCOMPARE(offeredBy(menu)[0], u"All 6 processes"_s);
    }

    void processesStandWithTheirLiveHeapWhereNoCpuWasSampled()
    {
        ManyProcesses many;
        many.builder.heap("main;malloc 64\n");
        ui::Selection selection;
        ui::ProcessMenu menu(selection);
        menu.setSnapshot(many.snapshot());
        const QStringList offered = offeredBy(menu);
        QCOMPARE(offered[0], u"All 6 processes\tlive heap"_s);
        QVERIFY2(offered[1].endsWith(u"(100)\t64 B"_s), qPrintable(offered[1]));
    }

    void theRestOfTheProcessesStandsInCapture()
    {
        ManyProcesses many;
        for (std::int32_t pid = 1; pid < 24; ++pid)
            many.builder.tables().addProcess({.pid = pid});
        ui::Selection selection;
        ui::Theme theme(*qApp);
        ui::MainWindow window(selection, theme);
        auto *heap = new ui::HeapPage(selection);
        auto *capture = new ui::CapturePage(selection);
        window.addPage(heap);
        window.addPage(capture);
        window.setSnapshot(many.snapshot());
        QVERIFY(capture->isHidden());
        auto *menu = window.bar()->findChild<ui::ProcessMenu *>();
        QCOMPARE(offeredBy(*menu).last(), u"9 more, in Capture"_s);
        QVERIFY(menu->actions().last()->isEnabled());
        menu->actions().last()->trigger();
        QVERIFY(!capture->isHidden());
    }
};

QTEST_MAIN(SessionBarTest)
#include "session_bar_test.moc"

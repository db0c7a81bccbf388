// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/snapshot_builder.h"
#include "ui/selection.h"
#include "ui/widgets/thread_box.h"

#include <QTest>

using namespace Qt::StringLiterals;
using model::CostKind;

namespace {

/// The builder's own thread, with one sample, and "worker" with three.
struct TwoThreads
{
    tests::SnapshotBuilder builder;
    model::ThreadId worker;

    TwoThreads()
    {
        builder.cpu("main;work 1\nmain;wait 3\n");
        model::Snapshot &raw = builder.raw();
        model::Thread thread;
        thread.process = builder.process();
        thread.tid = 4711;
        thread.name = builder.tables().string("worker");
        worker = builder.tables().addThread(thread);
        raw.cpu.back().thread = worker;
    }
};

} // namespace

/// The list of threads on pages of costs that are kept by thread.
class ThreadBoxTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void listsTheDearestFirst()
    {
        TwoThreads threads;
        ui::Selection selection;
        ui::ThreadBox box(selection);
        box.showThreads(threads.builder.build(), CostKind::CpuTime);
        QCOMPARE(box.count(), 3);
        QCOMPARE(box.itemText(0), u"All threads"_s);
        QCOMPARE(box.itemText(1), u"worker · 4711 · 75 %"_s);
        QVERIFY(box.itemText(2).endsWith(u"25 %"_s));
        QVERIFY(box.isEnabled());
        box.setCurrentIndex(1);
        Q_EMIT box.activated(1);
        QVERIFY(selection.current().thread == threads.worker);
    }

    void keepsTheOthersWhileOneIsChosen()
    {
        TwoThreads threads;
        ui::Selection selection;
        ui::ThreadBox box(selection);
        box.showThreads(threads.builder.build(), CostKind::CpuTime);
        model::Snapshot one = threads.builder.build();
        std::erase_if(one.cpu, [&](const model::CpuCost &row) { return row.thread != threads.worker; });
        one.selection.thread = threads.worker;
        box.showThreads(one, CostKind::CpuTime);
        QCOMPARE(box.count(), 3);
        QCOMPARE(box.currentIndex(), 1);
        QCOMPARE(box.currentText(), u"worker · 4711 · 75 %"_s);
        one.selection.time = model::TimeRange{{0}, {1'000'000'000}};
        box.showThreads(one, CostKind::CpuTime);
        QCOMPARE(box.currentText(), u"worker · 4711"_s); // its share of all is not known there
        one.file = "other";
        box.showThreads(one, CostKind::CpuTime);
        QCOMPARE(box.count(), 2); // nothing is known of the others there
    }

    void listsTheChosenOneThoughItDidNothing()
    {
        TwoThreads threads;
        ui::Selection selection;
        ui::ThreadBox box(selection);
        model::Snapshot idle = threads.builder.build();
        idle.cpu.clear();
        idle.selection.thread = threads.worker;
        box.showThreads(idle, CostKind::CpuTime);
        QVERIFY(box.currentText().startsWith(u"worker · 4711"_s));
    }

    void saysThatTheHeapIsNotKeptByThread()
    {
        TwoThreads threads;
        threads.builder.heap("main;malloc 64\n");
        ui::Selection selection;
        ui::ThreadBox box(selection);
        box.showThreads(threads.builder.build(), CostKind::Live);
        QVERIFY(!box.isEnabled());
    }
};

QTEST_MAIN(ThreadBoxTest)
#include "thread_box_test.moc"

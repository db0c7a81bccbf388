// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/selection.h"

#include <QSignalSpy>
#include <QTest>

using model::TimeRange;
using model::Timestamp;

namespace {
TimeRange range(std::int64_t begin, std::int64_t end) { return {Timestamp{begin}, Timestamp{end}}; }
} // namespace

/// One object that all pages follow.
class SelectionTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void saysSoOnceWhenItChanges();
    void emptyTimeMeansEverything();
    void anotherProcessForgetsTheThread();
    void stepsBackToWhatWasBefore();
    void oneGestureIsOneStep();
    void resetForgetsEverything();
};

void SelectionTest::saysSoOnceWhenItChanges()
{
    ui::Selection selection;
    QSignalSpy changes(&selection, &ui::Selection::changed);
    selection.setTime(range(1, 5));
    selection.setTime(range(1, 5));
    QCOMPARE(changes.count(), 1);
    QCOMPARE(selection.current().time, std::optional(range(1, 5)));
}

void SelectionTest::emptyTimeMeansEverything()
{
    ui::Selection selection;
    selection.setTime(range(1, 5));
    selection.setTime(range(3, 3));
    QVERIFY(!selection.current().time);
}

void SelectionTest::anotherProcessForgetsTheThread()
{
    ui::Selection selection;
    selection.setThread(model::ThreadId(7u));
    selection.setProcess(model::ProcessId(1u));
    QVERIFY(!selection.current().thread);
    QCOMPARE(selection.current().process, std::optional(model::ProcessId(1u)));
}

void SelectionTest::stepsBackToWhatWasBefore()
{
    ui::Selection selection;
    selection.setTime(range(0, 100));
    selection.setTime(range(20, 40));
    selection.stepBack();
    QCOMPARE(selection.current().time, std::optional(range(0, 100)));
    selection.stepBack();
    QVERIFY(!selection.current().time);
    selection.stepBack();
    QVERIFY(!selection.current().time);
}

void SelectionTest::oneGestureIsOneStep()
{
    ui::Selection selection;
    selection.setTime(range(0, 100));
    selection.setTime(range(10, 90));
    selection.setTime(range(20, 80), ui::Gesture::Continued);
    selection.setTime(range(30, 70), ui::Gesture::Continued);
    selection.stepBack();
    QCOMPARE(selection.current().time, std::optional(range(0, 100)));
}

void SelectionTest::resetForgetsEverything()
{
    ui::Selection selection;
    selection.setTime(range(0, 100));
    selection.setFindText(QStringLiteral("parse"));
    selection.setInspected(ui::InspectedStack{model::StackId(9u), {}});
    selection.reset();
    QCOMPARE(selection.current(), model::Selection());
    QVERIFY(selection.findText().isEmpty());
    QVERIFY(!selection.inspected());
    selection.stepBack();
    QCOMPARE(selection.current(), model::Selection());
}

QTEST_GUILESS_MAIN(SelectionTest)
#include "selection_test.moc"

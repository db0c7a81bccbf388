// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/snapshot_builder.h"
#include "ui/pages/advice_page.h"

#include <QLabel>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

using namespace Qt::StringLiterals;

namespace {

constexpr int kDeadlineMs = 10000;

/// A recording in which Session::attach keeps `bytesAnd` bytes more from moment to moment.
std::shared_ptr<const model::Snapshot> growing(std::int64_t more, const char *file)
{
    tests::SnapshotBuilder builder;
    builder.ticks(60, model::Duration::fromMs(1000));
    std::vector<std::int64_t> bytes;
    for (int i = 0; i < 24; ++i)
        bytes.push_back(1'000'000 + more * i + (i % 3) * 200);
    builder.growth("main;Session::attach@session.cpp:214;libc.so.6!malloc", bytes);
    builder.raw().file = file;
    builder.raw().info.config.heap = model::HeapMode::Full;
    return std::make_shared<const model::Snapshot>(builder.build());
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
    QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete); // of the cards before
    QStringList shown;
    for (const QLabel *label : page.findChildren<QLabel *>())
        shown << label->text();
    return shown.join(u'|');
}

bool settle(const ui::Page &page)
{
    return QTest::qWaitFor([&] { return !page.isBusy(); }, kDeadlineMs);
}

} // namespace

class AdvicePageTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void marksAsDoneAndBack()
    {
        ui::Selection selection;
        ui::AdvicePage page(selection);
        QSignalSpy counted(&page, &ui::AdvicePage::openCounted);
        page.setSnapshot(growing(400'000, "/tmp/a.gprof-session"));
        QVERIFY(settle(page));
        const int all = counted.last().first().toInt();
        QVERIFY(all >= 1);
        QVERIFY2(shownText(page).contains(u"What to do"_s), qPrintable(shownText(page)));
        QSignalSpy changed(&page, &ui::AdvicePage::doneChanged);
        button(page, u"Mark as done"_s)->click();
        QCOMPARE(changed.count(), 1);
        QCOMPARE(page.done().size(), std::size_t{1});
        QCOMPARE(counted.last().first().toInt(), all - 1);
        QCOMPARE(page.done().front().id, std::string("growing_stack|app|Session::attach"));
        const QString shown = shownText(page);
        QVERIFY2(shown.contains(u"Done "_s) && !shown.contains(u"What to do"_s), qPrintable(shown));
        // What cannot be kept is said.
        page.setKeepProblem(u"the file is read-only"_s);
        QVERIFY(shownText(page).contains(u"could not be kept: the file is read-only"_s));
        page.setKeepProblem({});
        QVERIFY(!shownText(page).contains(u"could not be kept"_s));
        button(page, u"Not done"_s)->click();
        QVERIFY(page.done().empty());
        QCOMPARE(counted.last().first().toInt(), all);
        QVERIFY(shownText(page).contains(u"What to do"_s));
    }

    void remembersWhatWasKeptWithTheSession()
    {
        ui::Selection selection;
        ui::AdvicePage page(selection);
        page.setSnapshot(growing(400'000, "/tmp/a.gprof-session"));
        page.setDone({{"growing_stack|app|Session::attach", 1'700'000'000'000'000'000, {}}});
        QVERIFY(settle(page));
        QVERIFY(button(page, u"Not done"_s));
        page.setSnapshot(growing(400'000, "/tmp/b.gprof-session"));
        QVERIFY(settle(page));
        shownText(page);
        QVERIFY2(button(page, u"Mark as done"_s), "that was said of another session");
    }

    void measuresWhatItBrought()
    {
        ui::Selection selection;
        ui::AdvicePage page(selection);
        page.setSnapshot(growing(400'000, "/tmp/a.gprof-session"));
        QVERIFY(settle(page));
        button(page, u"Mark as done"_s)->click();
        shownText(page);
        QSignalSpy wanted(&page, &ui::AdvicePage::laterWanted);
        QSignalSpy changed(&page, &ui::AdvicePage::doneChanged);
        page.setLater(growing(0, "/tmp/other.gprof-session")); // nobody asked
        QVERIFY(changed.isEmpty());
        button(page, u"Measure with a later session…"_s)->click();
        QCOMPARE(wanted.count(), 1);
        page.setLater(growing(0, "/tmp/later.gprof-session"));
        QVERIFY(settle(page));
        QCOMPARE(changed.count(), 1);
        QVERIFY(page.done().front().measured.has_value());
        QCOMPARE(page.done().front().measured->later, std::string("later.gprof-session"));
        QVERIFY(page.done().front().measured->gain > 4e8); // bytes an hour
        QVERIFY2(shownText(page).contains(u"in later.gprof-session: "_s), qPrintable(shownText(page)));
        button(page, u"Measure with a later session…"_s)->click();
        page.setLaterFailed(u"It is no session"_s);
        QVERIFY(shownText(page).contains(u"It is no session"_s));
        QVERIFY(page.done().front().measured.has_value());
    }

    void keepsNothingWhileItIsRecorded()
    {
        model::Snapshot live = *growing(400'000, "/tmp/a.gprof-session");
        live.info.state = model::SessionState::Recording;
        ui::Selection selection;
        ui::AdvicePage page(selection);
        page.setSnapshot(std::make_shared<const model::Snapshot>(live));
        QVERIFY(settle(page));
        QVERIFY(!button(page, u"Mark as done"_s)->isEnabled());
    }
};

QTEST_MAIN(AdvicePageTest)
#include "advice_page_test.moc"

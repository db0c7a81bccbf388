// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/running_programs_model.h"
#include "ui/pages/start_page.h"
#include "ui/widgets/code_line.h"
#include "ui/widgets/recent_row.h"

#include <QContextMenuEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>

using namespace Qt::StringLiterals;

namespace {

model::RecentSession recent(const std::string &path, bool isThere)
{
    model::RecentSession session;
    session.path = path;
    session.command = "server --port 80";
    session.startWallNs = 1'700'000'000'000'000'000;
    session.duration = {90'000'000'000};
    session.fileBytes = 1 << 20;
    session.tags = {"nightly"};
    session.isThere = isThere;
    return session;
}

QPushButton *buttonCalled(const QWidget &page, const QString &accessibleName)
{
    for (QPushButton *button : page.findChildren<QPushButton *>())
        if (button->accessibleName() == accessibleName)
            return button;
    return nullptr;
}

QStringList labelsOf(const QWidget &page)
{
    QStringList shown;
    for (const QLabel *label : page.findChildren<QLabel *>())
        if (!label->isHidden())
            shown << label->text();
    return shown;
}

/// The page with the list of running programs, at the size that is the least.
void showPrograms(ui::StartPage &page)
{
    page.resize(1024, 650);
    page.show();
    for (QPushButton *button : page.findChildren<QPushButton *>())
        if (button->text() == u"Attach"_s)
            button->click();
    QCoreApplication::processEvents();
}

} // namespace

class StartPageTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void opensARecentSessionAndNotOneThatIsGone()
    {
        ui::StartPage page;
        QVERIFY(labelsOf(page).contains(u"Sessions that you record or open are listed here."_s));
        page.setRecent({recent("/tmp/new.gprof-session", true), recent("/tmp/old.gprof-session", false)});
        QSignalSpy opened(&page, &ui::StartPage::openWanted);
        QPushButton *there = buttonCalled(page, u"Open /tmp/new.gprof-session"_s);
        QVERIFY(there && there->isEnabled());
        there->click();
        QCOMPARE(opened.count(), 1);
        QCOMPARE(opened.first().first().toString(), u"/tmp/new.gprof-session"_s);
        const QPushButton *gone = buttonCalled(page, u"Open /tmp/old.gprof-session"_s);
        QVERIFY(gone && !gone->isEnabled());
        QVERIFY(gone->toolTip().contains(u"gone"_s));
        // The list is renewed whole.
        page.setRecent({recent("/tmp/other.gprof-session", true)});
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        QVERIFY(!buttonCalled(page, u"Open /tmp/new.gprof-session"_s));
        QVERIFY(buttonCalled(page, u"Open /tmp/other.gprof-session"_s));
    }

    void opensARecentSessionWithTheKeys_data()
    {
        QTest::addColumn<Qt::Key>("key");
        QTest::newRow("Space") << Qt::Key_Space;
        QTest::newRow("Return") << Qt::Key_Return;
        QTest::newRow("Enter") << Qt::Key_Enter;
    }
    void opensARecentSessionWithTheKeys()
    {
        QFETCH(Qt::Key, key);
        ui::StartPage page;
        page.setRecent({recent("/tmp/new.gprof-session", true)});
        const QSignalSpy opened(&page, &ui::StartPage::openWanted);
        QTest::keyClick(buttonCalled(page, u"Open /tmp/new.gprof-session"_s), key);
        QCOMPARE(opened.count(), 1);
    }

    void filesThatAreGoneTakeNoPlaceFromOthers()
    {
        ui::StartPage page;
        std::vector<model::RecentSession> sessions;
        for (int i = 0; i < 8; ++i)
            sessions.push_back(recent("/tmp/gone" + std::to_string(i) + ".gprof-session", false));
        sessions.push_back(recent("/tmp/there.gprof-session", true));
        page.setRecent(sessions);
        QVERIFY(buttonCalled(page, u"Open /tmp/there.gprof-session"_s));
        QVERIFY(buttonCalled(page, u"Open /tmp/gone0.gprof-session"_s));
    }

    void aTimeThatIsNotKnownIsNot1970()
    {
        QVERIFY(!ui::whenText(0).contains(u"1970"_s));
        QVERIFY(ui::whenText(1'700'000'000'000'000'000).contains(u"2023"_s));
    }

    void theListOfProgramsLeavesTheButtonInSight()
    {
        ui::StartPage page;
        showPrograms(page);
        for (QPushButton *button : page.findChildren<QPushButton *>())
            if (button->property("kind") == u"primary"_s)
                QVERIFY2(button->mapTo(&page, QPoint(0, button->height())).y() <= page.height(),
                    qPrintable(QString::number(button->mapTo(&page, QPoint(0, button->height())).y())));
    }

    void theListOfProgramsGivesItsRoomToTheirNames()
    {
        ui::StartPage page;
        showPrograms(page);
        const auto *table = page.findChild<QTableView *>();
        QVERIFY(table && table->isVisible());
        QVERIFY2(table->columnWidth(ui::RunningProgramsModel::Program) >= 240,
            qPrintable(QString::number(table->columnWidth(ui::RunningProgramsModel::Program))));
        QVERIFY(!table->isColumnHidden(ui::RunningProgramsModel::Pid));
        QVERIFY(!table->isColumnHidden(ui::RunningProgramsModel::Memory));
    }

    void enterStartsFromEachFieldAndLeadsToTheOneAtFault()
    {
        ui::StartPage page;
        page.setRecordingsFolder(u"/tmp"_s);
        page.show();
        ui::LaunchRequest request;
        request.program = u"/bin/sleep"_s;
        page.setRequest(request);
        QSignalSpy wanted(&page, &ui::StartPage::recordWanted);
        int fields = 0;
        QLineEdit *duration = nullptr;
        for (QLineEdit *field : page.findChildren<QLineEdit *>()) {
            if (!field->isVisible())
                continue;
            QTest::keyClick(field, Qt::Key_Return);
            QVERIFY2(wanted.count() == ++fields, qPrintable(field->accessibleName()));
            duration = field->accessibleName() == u"Stop after"_s ? field : duration;
        }
        QVERIFY(fields >= 6 && duration);
        duration->setText(u"soon"_s);
        page.setFocus();
        for (QPushButton *button : page.findChildren<QPushButton *>())
            if (button->property("kind") == u"primary"_s)
                button->click();
        QCOMPARE(wanted.count(), fields);
        QCOMPARE(page.focusWidget(), duration);
        QVERIFY(labelsOf(page).join(u'|').contains(u"Stop after: “soon”"_s));
    }

    void theCommandIsShownWhole()
    {
        ui::StartPage page;
        page.resize(900, 600);
        page.show();
        ui::LaunchRequest request;
        request.program = u"/a/long/way/to/a/program/that/is/recorded"_s;
        request.arguments = u"--with many --arguments that --say --what --it does"_s;
        page.setRequest(request);
        QCoreApplication::processEvents();
        for (const ui::CodeLine *line : page.findChildren<ui::CodeLine *>()) {
            const auto *words = line->findChild<QLabel *>();
            QCOMPARE(QString(words->text()).remove(QChar(0x200b)).remove(QChar(0x2060)), line->command());
            QVERIFY(line->command().endsWith(u"--it does"_s));
            QVERIFY(words->height() >= words->heightForWidth(words->width()));
        }
    }

    void listsAtMostAFewSessions()
    {
        ui::StartPage page;
        std::vector<model::RecentSession> many;
        for (int i = 0; i < 40; ++i)
            many.push_back(recent("/tmp/" + std::to_string(i) + ".gprof-session", true));
        page.setRecent(many);
        int rows = 0;
        for (const QPushButton *button : page.findChildren<QPushButton *>())
            rows += button->accessibleName().startsWith(u"Open /tmp/"_s) ? 1 : 0;
        QVERIFY2(rows > 0 && rows < 12, qPrintable(QString::number(rows)));
    }

    void saysWhatTheMachineAllowsAndHowToAllowMore()
    {
        ui::StartPage page;
        model::Capabilities capabilities;
        capabilities.items.push_back({"cpu_sampling", "CPU sampling", model::CapabilityLevel::Denied,
            "The kernel allows it to root only.", "sysctl kernel.perf_event_paranoid=2"});
        page.setCapabilities(capabilities);
        const QString shown = labelsOf(page).join(u'|');
        QVERIFY2(shown.contains(u"CPU sampling"_s), qPrintable(shown));
        QVERIFY2(shown.contains(u"The kernel allows it to root only."_s), qPrintable(shown));
        QStringList commands;
        for (const ui::CodeLine *line : page.findChildren<ui::CodeLine *>())
            commands << line->command();
        QVERIFY2(commands.contains(u"sysctl kernel.perf_event_paranoid=2"_s), qPrintable(commands.join(u'|')));
    }

    void recordsWhatWasAskedForAndSaysWhyItFailed()
    {
        ui::StartPage page;
        page.setRecordingsFolder(u"/tmp"_s);
        ui::LaunchRequest request;
        request.program = u"/bin/sleep"_s;
        request.arguments = u"5"_s;
        page.setRequest(request);
        QSignalSpy wanted(&page, &ui::StartPage::recordWanted);
        QPushButton *start = nullptr;
        for (QPushButton *button : page.findChildren<QPushButton *>())
            if (button->property("kind") == u"primary"_s)
                start = button;
        QVERIFY(start);
        start->click();
        QCOMPARE(wanted.count(), 1);
        const auto asked = wanted.first().first().value<ui::LaunchRequest>();
        QCOMPARE(asked.program, u"/bin/sleep"_s);
        QCOMPARE(asked.arguments, u"5"_s);
        QVERIFY(wanted.first().at(1).toString().startsWith(u"/tmp/"_s));
        page.setFailure(u"/bin/sleep cannot be executed"_s);
        QVERIFY(labelsOf(page).join(u'|').contains(u"/bin/sleep cannot be executed"_s));
        page.setFailure({});
        QVERIFY(!labelsOf(page).join(u'|').contains(u"cannot be executed"_s));
    }

    void takesASessionOffItsList()
    {
        ui::StartPage page;
        page.resize(1024, 650);
        page.setRecent({recent("/tmp/there.gprof-session", true), recent("/tmp/gone.gprof-session", false)});
        page.show();
        QVERIFY(QTest::qWaitForWindowExposed(&page));
        QSignalSpy forgotten(&page, &ui::StartPage::forgetWanted);
        for (const ui::RecentRow *row : page.findChildren<ui::RecentRow *>()) {
            const QPoint middle = row->mapToGlobal(row->rect().center());
            QContextMenuEvent event(QContextMenuEvent::Mouse, page.mapFromGlobal(middle), middle);
            QCoreApplication::sendEvent(&page, &event);
            const auto *menu = page.findChild<QMenu *>();
            QVERIFY(menu);
            QCOMPARE(menu->actions().front()->isEnabled(), row->isEnabled());
            menu->actions().back()->trigger();
            delete menu;
            QCOMPARE(forgotten.takeFirst().front().toString(), row->path());
        }
        QContextMenuEvent beside(QContextMenuEvent::Mouse, {1, 1}, page.mapToGlobal(QPoint(1, 1)));
        QCoreApplication::sendEvent(&page, &beside);
        QVERIFY(!page.findChild<QMenu *>());
    }
};

QTEST_MAIN(StartPageTest)
#include "start_page_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/launch_request.h"

#include <QTest>

using namespace Qt::StringLiterals;

/// What the start page says is what runs, argument by argument.
class LaunchRequestTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void argumentsStayWhole();
    void quotesAreThoseOfAShell();
    void attachNamesTheProcessOnly();
    void whatIsOffIsSaid();
    void shownCommandIsReadBackByAShell();
    void wrongVariableIsNamed();
    void wrongTimeIsNamedAsTheFormCallsIt();
    void missingFolderIsNamed();
    void fileIsNamedAfterTheProgram();
};

void LaunchRequestTest::argumentsStayWhole()
{
    ui::LaunchRequest request;
    request.program = u"/bin/echo"_s;
    request.arguments = u"one \"two words\" $(id)"_s;
    const QStringList all = ui::recorderArguments(request, u"out file"_s);
    QCOMPARE(
        all.mid(all.indexOf(u"--"_s)), QStringList({u"--"_s, u"/bin/echo"_s, u"one"_s, u"two words"_s, u"$(id)"_s}));
    QCOMPARE(all.mid(0, 3), QStringList({u"record"_s, u"-o"_s, u"out file"_s}));
}

void LaunchRequestTest::quotesAreThoseOfAShell()
{
    ui::LaunchRequest request;
    request.program = u"bash"_s;
    const auto words = [&](const QString &arguments) {
        request.arguments = arguments;
        const QStringList all = ui::recorderArguments(request, u"f"_s);
        return all.mid(all.indexOf(u"bash"_s) + 1);
    };
    QCOMPARE(words(u"-c './svc 8 & wait' x"_s), QStringList({u"-c"_s, u"./svc 8 & wait"_s, u"x"_s}));
    QCOMPARE(words(u" a\\ b  'it'\\''s'  \"say \\\"it\\\" \\n\" '' "_s),
        QStringList({u"a b"_s, u"it's"_s, u"say \"it\" \\n"_s, QString()}));
    QCOMPARE(words({}), QStringList());
    request.arguments = u"-c 'echo"_s;
    QVERIFY2(
        ui::requestProblem(request).contains(u"quote in the arguments"_s), qPrintable(ui::requestProblem(request)));
}

void LaunchRequestTest::attachNamesTheProcessOnly()
{
    ui::LaunchRequest request;
    request.program = u"ignored"_s;
    request.attachPid = 4127;
    const QStringList all = ui::recorderArguments(request, u"f"_s);
    QCOMPARE(all.front(), u"attach"_s);
    QCOMPARE(all.back(), u"4127"_s);
    QVERIFY(!all.contains(u"ignored"_s));
    QCOMPARE(all.mid(all.indexOf(u"--heap"_s), 2), QStringList({u"--heap"_s, u"full"_s}));
}

void LaunchRequestTest::whatIsOffIsSaid()
{
    ui::LaunchRequest request;
    request.program = u"a"_s;
    request.heap = u"off"_s;
    request.cpuHz = 0;
    request.duration = u"10m"_s;
    const QString all = ui::recorderArguments(request, u"f"_s).join(u' ');
    QVERIFY(all.contains(u"--heap off --cpu off"_s));
    QVERIFY(all.contains(u"--duration 10m"_s));
    QVERIFY(!all.contains(u"--children"_s));
    request.heap = u"auto"_s;
    request.followsChildren = false;
    QVERIFY(ui::recorderArguments(request, u"f"_s).join(u' ').contains(u"--heap auto --cpu off --children ignore"_s));
    request.followsChildren = request.untilAllEnd = true;
    QVERIFY(ui::recorderArguments(request, u"f"_s).join(u' ').contains(u"--cpu off --until-all-end --duration"_s));
}

void LaunchRequestTest::shownCommandIsReadBackByAShell()
{
    QCOMPARE(ui::shellQuoted({u"a"_s, u"two words"_s, u"it's"_s, QString()}), u"a 'two words' 'it'\\''s' ''"_s);
    ui::LaunchRequest request;
    request.program = u"./a b"_s;
    request.environment = u"X=1 Y=\"2 3\""_s;
    request.directory = u"/tmp"_s;
    QCOMPARE(ui::shellCommand(request, u"f"_s),
        u"cd /tmp && X=1 Y='2 3' genprof record -o f --heap full --cpu 199 -- './a b'"_s);
}

void LaunchRequestTest::wrongVariableIsNamed()
{
    ui::LaunchRequest request;
    request.program = u"a"_s;
    request.environment = u"GOOD=1 bad"_s;
    QVERIFY(ui::requestProblem(request).contains(u"bad"_s));
    request.environment = u"GOOD=1"_s;
    QVERIFY(ui::requestProblem(request).isEmpty());
}

void LaunchRequestTest::wrongTimeIsNamedAsTheFormCallsIt()
{
    ui::LaunchRequest request;
    request.program = u"a"_s;
    for (const QString &right : {u""_s, u" 10m "_s, u"1h30m"_s, u"250ms"_s, u"90"_s, u"0.5h"_s}) {
        request.duration = right;
        QVERIFY2(ui::requestProblem(request).isEmpty(), qPrintable(right));
    }
    for (const QString &wrong : {u"ten"_s, u"10 x"_s, u"0s"_s, u"-5s"_s, u"m"_s}) {
        request.duration = wrong;
        QVERIFY2(ui::requestProblem(request).startsWith(u"Stop after: “%1”"_s.arg(wrong)), qPrintable(wrong));
        QVERIFY(ui::fieldAtFault(request) == ui::RequestField::Duration);
    }
}

void LaunchRequestTest::missingFolderIsNamed()
{
    ui::LaunchRequest request;
    QVERIFY(!ui::requestProblem(request).isEmpty());
    request.program = u"a"_s;
    request.directory = u"/nowhere/at/all"_s;
    QVERIFY(ui::requestProblem(request).contains(request.directory));
}

void LaunchRequestTest::fileIsNamedAfterTheProgram()
{
    ui::LaunchRequest request;
    request.program = u"/usr/bin/python3"_s;
    QCOMPARE(ui::sessionFileName(request, u"20261123-120710"_s), u"python3-20261123-120710.gprof-session"_s);
    request.attachPid = 7;
    QCOMPARE(ui::sessionFileName(request, u"x"_s), u"pid-7-x.gprof-session"_s);
    request.attachName = u"nginx: worker/0"_s;
    QCOMPARE(ui::sessionFileName(request, u"x"_s), u"nginx_worker_0-x.gprof-session"_s);
    request.attachName = u"../(?)"_s;
    QCOMPARE(ui::sessionFileName(request, u"x"_s), u"pid-7-x.gprof-session"_s);
}

QTEST_GUILESS_MAIN(LaunchRequestTest)
#include "launch_request_test.moc"

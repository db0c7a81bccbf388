// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QFile>
#include <QTest>

#include <sys/stat.h>
#include <unistd.h>

using namespace Qt::Literals::StringLiterals;
using tests::GenprofRunner;
using tests::Ran;

/// Recording where limits are tight, and as a user without rights.
class LimitsIntegrationTest : public QObject
{
    Q_OBJECT

private:
    GenprofRunner m_genprof;

    /// Runs a line of sh; as nobody, where root runs the tests.
    Ran asNobody(const QString &line, int user = 65534) const
    {
        const QStringList shell{u"sh"_s, u"-c"_s, line};
        return ::geteuid() != 0
            ? m_genprof.run(u"sh"_s, shell.mid(1))
            : m_genprof.run(
                u"setpriv"_s, QStringList{u"--reuid=%1"_s.arg(user), u"--regid=65534"_s, u"--clear-groups"_s} + shell);
    }

    /// A file in the test's folder that nobody can write.
    QString file(const char *name) const { return m_genprof.path(QString::fromUtf8(name)); }

private Q_SLOTS:
    void initTestCase()
    {
        QFile folder(m_genprof.path(QString()));
        QVERIFY(folder.setPermissions(static_cast<QFile::Permissions>(0x7777)));
        if (const Ran ran = asNobody(GenprofRunner::program() + u" --version"_s); ran.exitCode != 0)
            QSKIP(qPrintable(u"This build cannot be run by another user: "_s + QString::fromUtf8(ran.err)));
    }

    void sharesTheMemoryThatMayBeLockedAmongTheRingsOfAllCpus()
    {
        if (::sysconf(_SC_NPROCESSORS_ONLN) < 2)
            QSKIP("There is one CPU only");
        const Ran ran = asNobody(
            u"ulimit -l 0; exec %1 record --unlisted --heap off -o %2 -- sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'"_s
                .arg(GenprofRunner::program(), file("locked.gprof-session")));
        QCOMPARE(ran.exitCode, 0);
        if (ran.err.contains("perf events are refused"))
            QSKIP("There are no perf events here");
        QVERIFY2(!ran.err.contains("Mapping") && ran.err.contains("CPU sample"), ran.err.constData());
    }

    void followsAProgramThatMayNotBeSampled()
    {
        // A program that its user may run and not read is as closed to others as one with more rights.
        const QString program = file("unreadable");
        QVERIFY(QFile::copy(u"/bin/sleep"_s, program));
        if (::geteuid() != 0 || ::chmod(program.toUtf8().constData(), 0711) != 0)
            QSKIP("Only root can make a program that nobody can read");
        const QString session = file("unreadable.gprof-session");
        const Ran ran = asNobody(
            u"exec %1 record --unlisted -q -o %2 -- %3 0.7"_s.arg(GenprofRunner::program(), session, program));
        QCOMPARE(ran.exitCode, 0);
        const QByteArray lived
            = m_genprof
                  .genprof({u"sql"_s, u"--format"_s, u"csv"_s, session,
                      u"SELECT max(end_s - start_s) > 0.6 FROM v_process WHERE executable LIKE '%unreadable'"_s})
                  .out;
        QVERIFY2(lived.trimmed().endsWith('1'), lived.constData());
        const QByteArray report = m_genprof.genprof({u"report"_s, session}).out.simplified();
        if (report.contains("perf events are refused"))
            QSKIP("There are no perf events here");
        QVERIFY2(
            report.contains("a file that you cannot read, so that its CPU time is not sampled"), report.constData());
    }

    void ctlSaysWhyThereIsNoSocket()
    {
        QFile inTheWay(u"/tmp/genprof-65533"_s);
        if (::geteuid() != 0 || inTheWay.exists())
            QSKIP("Only root can stand in nobody's way, and only where nobody records");
        QVERIFY(inTheWay.open(QIODevice::WriteOnly));
        const Ran ran
            = asNobody(u"unset XDG_RUNTIME_DIR; %1 record --unlisted -q --heap off --cpu off -o %2 -- sleep 2 & "
                       "sleep 1; %1 ctl %2 status; wait"_s.arg(GenprofRunner::program(), file("mute.gprof-session")),
                65533);
        inTheWay.remove();
        QVERIFY2(ran.err.contains("This recording cannot be controlled: /tmp/genprof-65533 is not a folder"),
            ran.err.constData());
    }

    void saysThatMemoryIsShort()
    {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        QSKIP("A sanitizer takes terabytes of address space for itself");
#endif
        for (const int kilobytes : {40'000, 60'000}) {
            const Ran ran = asNobody(u"ulimit -v %1; exec %2 record --unlisted -q -o %3 -- true"_s.arg(kilobytes).arg(
                GenprofRunner::program(), file("short.gprof-session")));
            if (ran.exitCode == 0)
                continue; // it was enough
            QCOMPARE(ran.exitCode, 125);
            QVERIFY2(ran.err.contains("ulimit -v") && !ran.err.contains("terminate"), ran.err.constData());
            // Nothing is left of what could not begin; what ends for lack of a later thread keeps what it has.
            QVERIFY2(
                QFile::remove(file("short.gprof-session")) == ran.err.contains("The recording ends here, unfinished"),
                ran.err.constData());
        }
    }

    void failsWhereItsOutputIsLost_data()
    {
        QTest::addColumn<QString>("command");
        QTest::addRow("version") << u"--version"_s;
        QTest::addRow("help") << u"--help"_s;
        QTest::addRow("list") << u"list "_s + file("");
        QTest::addRow("doctor") << u"doctor"_s;
    }
    void failsWhereItsOutputIsLost()
    {
        QFETCH(QString, command);
        const Ran ran
            = m_genprof.run(u"sh"_s, {u"-c"_s, u"exec %1 %2 > /dev/full"_s.arg(GenprofRunner::program(), command)});
        QCOMPARE(ran.exitCode, 1);
        QVERIFY2(ran.err.contains("standard output") && ran.err.count('\n') == 1, ran.err.constData());
    }
};

QTEST_GUILESS_MAIN(LimitsIntegrationTest)
#include "limits_integration_test.moc"

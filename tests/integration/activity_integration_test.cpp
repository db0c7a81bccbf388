// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QJsonArray>
#include <QTest>

#include <functional>

using namespace Qt::StringLiterals;
using tests::GenprofRunner;
using tests::Ran;

namespace {

/// What a report on system calls or waits says of one call or class.
struct Total
{
    qint64 count = 0;
    double seconds = 0;
    qint64 errors = 0;
    qint64 bytes = 0;
    qint64 estimated = 0;
    qint64 ownStacks = 0;
};

Total totalOf(const QJsonObject &report, const QString &name)
{
    for (const auto &value : report[u"totals"_s].toArray()) {
        const QJsonObject row = value.toObject();
        if (row[u"call"_s].toString() == name || row[u"waits_for"_s].toString() == name)
            return {row[u"count"_s].toInteger(), row[u"time_ns"_s].toDouble() / 1e9, row[u"errors"_s].toInteger(),
                row[u"bytes"_s].toInteger(), row[u"estimated"_s].toInteger(), row[u"own_stacks"_s].toInteger()};
    }
    return {};
}

/// The rows of a CSV report whose stack has `function` in it, as fields.
QList<QStringList> rowsThrough(const QByteArray &csv, const QString &function)
{
    QList<QStringList> rows;
    for (const QByteArray &line : csv.split('\n')) {
        const QString text = QString::fromUtf8(line);
        if (text.contains(function))
            rows << text.split(u',');
    }
    return rows;
}

} // namespace

/// Records programs that tell what they do, and compares to the last call.
class ActivityIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        m_callsDenied = m_genprof.deniedBecause(u"system_calls"_s);
        m_waitsDenied = m_genprof.deniedBecause(u"waits"_s);
    }

    void countsEachCall()
    {
        if (!m_callsDenied.isEmpty())
            QSKIP(qPrintable(m_callsDenied));
        record({u"--syscalls"_s}, {u"calls"_s, u"777"_s});
        const QJsonObject report = m_genprof.report(u"syscalls"_s);
        QCOMPARE(totalOf(report, u"getppid"_s).count, 777);
        QCOMPARE(totalOf(report, u"getppid"_s).errors, 0);
        QCOMPARE(totalOf(report, u"getppid"_s).estimated, 0);
        QCOMPARE(totalOf(report, u"exit_group"_s).count, 1);
        qint64 there = 0;
        for (const QStringList &row : rowsThrough(csv(u"syscalls"_s), u"askParent"_s))
            there += row[4] == u"getppid"_s ? row[5].toLongLong() : 0;
        QCOMPARE(there, 777);
    }

    void countsFailuresAndBytes()
    {
        if (!m_callsDenied.isEmpty())
            QSKIP(qPrintable(m_callsDenied));
        record({u"--syscalls"_s}, {u"fail"_s, u"200"_s});
        const Total closed = totalOf(m_genprof.report(u"syscalls"_s), u"close"_s);
        QCOMPARE(closed.errors, 200);
        QVERIFY(closed.count >= 200);
        record({u"--syscalls"_s}, {u"transfer"_s, u"300"_s, u"40"_s});
        const Total written = totalOf(m_genprof.report(u"syscalls"_s), u"write"_s);
        QCOMPARE(written.count, 300);
        QCOMPARE(written.bytes, 300 * 40);
    }

    void knowsHowLongThreadsSleep()
    {
        if (!m_waitsDenied.isEmpty())
            QSKIP(qPrintable(m_waitsDenied));
        record({u"--waits"_s}, {u"sleep"_s, u"4"_s, u"150"_s});
        const Total slept = totalOf(m_genprof.report(u"waits"_s), u"sleep"_s);
        QCOMPARE(slept.count, 4);
        QVERIFY2(slept.seconds >= 0.6 && slept.seconds < 1.2, qPrintable(QString::number(slept.seconds)));
        QVERIFY(!rowsThrough(csv(u"waits"_s), u"restAWhile"_s).isEmpty());
    }

    void tellsLocksFromData()
    {
        if (!m_waitsDenied.isEmpty())
            QSKIP(qPrintable(m_waitsDenied));
        record({u"--waits"_s}, {u"lock"_s, u"400"_s});
        const Total locked = totalOf(m_genprof.report(u"waits"_s), u"lock"_s);
        QVERIFY2(locked.seconds > 0.3 && locked.seconds < 1, qPrintable(QString::number(locked.seconds)));
        bool isThere = false;
        for (const QStringList &row : rowsThrough(csv(u"waits"_s), u"takeLock"_s))
            isThere = isThere || (row[4] == u"lock"_s && row[6].toDouble() > 3e8);
        QVERIFY(isThere);
        record({u"--waits"_s}, {u"pipe"_s, u"400"_s});
        const Total data = totalOf(m_genprof.report(u"waits"_s), u"io"_s);
        QVERIFY2(data.seconds > 0.3 && data.seconds < 1, qPrintable(QString::number(data.seconds)));
        QVERIFY(!rowsThrough(csv(u"waits"_s), u"readPipe"_s).isEmpty());
    }

    void countsInAllThreads()
    {
        if (!m_callsDenied.isEmpty())
            QSKIP(qPrintable(m_callsDenied));
        record({u"--syscalls"_s, u"--waits"_s}, {u"threads"_s, u"500"_s, u"20"_s});
        // So many threads at once may make more calls in a moment than are recorded one by one; then what is missing is shared out among all kinds.
        constexpr qint64 kMade = 500 * 20, kMostOff = kMade / 20;
        const Total found = totalOf(m_genprof.report(u"syscalls"_s), u"getppid"_s);
        QVERIFY2(found.estimated == 0 ? found.count == kMade : std::abs(found.count - kMade) <= kMostOff,
            qPrintable(u"%1, of them %2 estimated"_s.arg(found.count).arg(found.estimated)));
        QVERIFY(found.count - found.estimated <= kMade);
        if (found.estimated > 0)
            QVERIFY(m_genprof.genprof({u"report"_s, m_genprof.session(), u"--what"_s, u"losses"_s})
                        .out.contains("System calls counted"));
    }

    void endsCallsThatNeverReturn()
    {
        if (!m_callsDenied.isEmpty())
            QSKIP(qPrintable(m_callsDenied));
        record({u"--syscalls"_s, u"--waits"_s}, {u"stuck"_s, u"30"_s});
        const Total paused = totalOf(m_genprof.report(u"syscalls"_s), u"pause"_s);
        QCOMPARE(paused.count, 30);
        QVERIFY2(paused.seconds > 2 && paused.seconds < 60, qPrintable(QString::number(paused.seconds)));
        QCOMPARE(totalOf(m_genprof.report(u"waits"_s), u"events"_s).count, 30);
    }

    void followsAnExec()
    {
        if (!m_callsDenied.isEmpty())
            QSKIP(qPrintable(m_callsDenied));
        record({u"--syscalls"_s}, {u"exec"_s, u"50"_s});
        QCOMPARE(totalOf(m_genprof.report(u"syscalls"_s), u"getppid"_s).count, 100);
        QCOMPARE(totalOf(m_genprof.report(u"syscalls"_s), u"execve"_s).count, 1);
    }

    void sharesOutWhatComesTooFast()
    {
        if (!m_callsDenied.isEmpty())
            QSKIP(qPrintable(m_callsDenied));
        const Ran ran = record({u"--syscalls"_s, u"--cpu"_s, u"off"_s}, {u"storm"_s, u"1500"_s});
        const qint64 made = tests::figure(ran.out, "calls");
        QVERIFY(made > 100'000);
        const Total found = totalOf(m_genprof.report(u"syscalls"_s), u"getppid"_s);
        const double error = std::abs(double(found.count - made)) / double(made);
        qInfo() << made << "calls," << found.count << "found," << found.estimated << "of them estimated";
        // All of them are known, or what is missing is told.
        QVERIFY2(error < 0.02, qPrintable(u"%1 of %2"_s.arg(found.count).arg(made)));
        if (found.estimated > 0)
            QVERIFY(m_genprof.genprof({u"report"_s, m_genprof.session(), u"--what"_s, u"losses"_s})
                        .out.contains("System calls counted"));
    }

    void saysWhatItDoesNotHave()
    {
        record({}, {u"calls"_s, u"5"_s});
        QVERIFY(m_genprof.genprof({u"report"_s, m_genprof.session(), u"--what"_s, u"syscalls"_s})
                    .out.contains("--syscalls"));
        const QJsonObject advice = m_genprof.report(u"advice"_s);
        QByteArray said;
        for (const auto &sentence : advice[u"not_looked_at"_s].toArray())
            said += sentence.toString().toUtf8();
        QVERIFY2(said.contains("needs --syscalls to say") && said.contains("needs --waits to say"), said);
    }

private:
    Ran record(const QStringList &options, const QStringList &arguments)
    {
        QFile::remove(m_genprof.session());
        const Ran ran = m_genprof.record(QStringList{u"-q"_s, u"--heap"_s, u"off"_s} + options,
            QStringList{GenprofRunner::target(u"call_truth"_s)} + arguments);
        if (ran.exitCode != 0)
            qWarning() << ran.exitCode << ran.err;
        return ran;
    }
    QByteArray csv(const QString &what) const
    {
        return m_genprof.genprof({u"report"_s, m_genprof.session(), u"--what"_s, what, u"--format"_s, u"csv"_s}).out;
    }

    GenprofRunner m_genprof;
    QString m_callsDenied, m_waitsDenied;
};

QTEST_GUILESS_MAIN(ActivityIntegrationTest)
#include "activity_integration_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTest>

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

using tests::GenprofRunner;

/// What a recording does where it cannot write: nothing of it is noticed by what is recorded.
class FullDiskIntegrationTest : public QObject
{
    Q_OBJECT

private:
    const GenprofRunner m_runner;
    const QString m_disk = m_runner.path(QStringLiteral("disk"));
    bool m_isMounted = false;

    QString session() const { return m_disk + QStringLiteral("/s.gprof-session"); }

    /// Leaves no room on the small disk.
    void fill() const
    {
        QFile file(m_disk + QStringLiteral("/filler"));
        QVERIFY(file.open(QIODevice::Append | QIODevice::Unbuffered));
        for (const qsizetype bytes : {65536, 4096, 1}) {
            const QByteArray piece(bytes, 'x');
            while (file.write(piece) == bytes) { }
        }
    }

    /// A shell that starts one command after the other, each with another argument of 2,000 characters.
    static std::unique_ptr<QProcess> commandsOfLongLines()
    {
        auto busy = std::make_unique<QProcess>();
        busy->start(QStringLiteral("sh"),
            {QStringLiteral("-c"),
                QStringLiteral("p=$(head -c 2000 /dev/zero | tr '\\0' x); i=0; while :; do i=$((i + 1)); "
                               "sh -c 'sleep 0.02; :' $i$p; done")});
        return busy->waitForStarted() ? std::move(busy) : nullptr;
    }

    QJsonObject status() const
    {
        const tests::Ran ran
            = m_runner.genprof({QStringLiteral("ctl"), session(), QStringLiteral("status"), QStringLiteral("--json")});
        return QJsonDocument::fromJson(ran.out).object()[QStringLiteral("status")].toObject();
    }
    std::unique_ptr<QProcess> attachTo(const QProcess &target)
    {
        return m_runner.start(
            {QStringLiteral("attach"), QString::number(target.processId()), QStringLiteral("-o"), session(),
                QStringLiteral("--tick"), QStringLiteral("100"), QStringLiteral("--cpu"), QStringLiteral("off")});
    }

    QString trouble() const { return status()[QStringLiteral("trouble")].toString(); }
    int ticks() const { return status()[QStringLiteral("ticks")].toInt(); }

    QJsonObject report(const QString &file, const QString &what) const
    {
        return QJsonDocument::fromJson(m_runner
                                           .genprof({QStringLiteral("report"), file, QStringLiteral("--what"), what,
                                               QStringLiteral("--format"), QStringLiteral("json")})
                                           .out)
            .object();
    }

    /// `text` becomes a value that SQL gives.
    QByteArray sql(const QString &file, const QString &query) const
    {
        return m_runner.genprof({QStringLiteral("sql"), file, query, QStringLiteral("--format"), QStringLiteral("csv")})
            .out.split('\n')
            .value(1)
            .trimmed();
    }

    /// A session knows the end of its recording that is not in it, and each report says so.
    void saysWhatIsMissing(const QJsonObject &summary) const
    {
        QVERIFY2(summary[QStringLiteral("end_reason")].toString().contains(QStringLiteral("could not be written")),
            qPrintable(summary[QStringLiteral("end_reason")].toString()));
        const QJsonObject unwritten = summary[QStringLiteral("unwritten")].toObject();
        QCOMPARE(unwritten[QStringLiteral("from_ns")].toInteger(), summary[QStringLiteral("duration_ns")].toInteger());
        QVERIFY(unwritten[QStringLiteral("duration_ns")].toInteger() >= 3'000'000'000);
        QCOMPARE(unwritten[QStringLiteral("reason")].toString(), QStringLiteral("the disk is full"));
        QCOMPARE(sql(session(), QStringLiteral("SELECT max(end_ns) FROM tick")).toLongLong(),
            unwritten[QStringLiteral("from_ns")].toInteger());
        const QByteArray said = unwritten[QStringLiteral("text")].toString().toUtf8();
        for (const char *what : {"summary", "losses"}) {
            const tests::Ran ran = m_runner.genprof(
                {QStringLiteral("report"), session(), QStringLiteral("--what"), QLatin1StringView(what)});
            QVERIFY2(
                ran.out.simplified().count(said) >= 2, ran.out.constData()); // at its head, and how far to trust it
        }
        const tests::Ran html = m_runner.genprof(
            {QStringLiteral("report"), session(), QStringLiteral("--format"), QStringLiteral("html")});
        QVERIFY(html.out.contains(said));
    }

private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(QDir().mkpath(m_disk));
        // Seen by this test and what it starts alone.
        m_isMounted = ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0
            && ::mount("tmpfs", m_disk.toUtf8().constData(), "tmpfs", 0, "size=4m") == 0;
    }
    void cleanupTestCase()
    {
        if (m_isMounted)
            ::umount2(m_disk.toUtf8().constData(), MNT_DETACH);
    }

    void goesOnInMemoryWhileTheDiskIsFull()
    {
        if (!m_isMounted)
            QSKIP("only root may mount a small file system");
        const QString stop = m_runner.path(QStringLiteral("stop")), done = m_runner.path(QStringLiteral("done"));
        // Counts how often it ran a program that always allocates the same.
        const QString script
            = QStringLiteral("n=0; while [ ! -e '%1' ]; do '%3' 1 2000 >'%2.last' || exit 9; n=$((n + 1)); sleep 0.05; "
                             "done; echo $n >'%2'; exit 3")
                  .arg(stop, done, GenprofRunner::target(QStringLiteral("heap_truth")));
        auto recorder = m_runner.start({QStringLiteral("record"), QStringLiteral("-o"), session(),
            QStringLiteral("--tick"), QStringLiteral("100"), QStringLiteral("--cpu"), QStringLiteral("off"),
            QStringLiteral("--"), QStringLiteral("sh"), QStringLiteral("-c"), script});
        QTRY_VERIFY_WITH_TIMEOUT(ticks() > 3, 60'000);
        fill();
        QTRY_VERIFY_WITH_TIMEOUT(trouble().contains(QStringLiteral("full")), 60'000);
        const int before = ticks();
        QTRY_VERIFY_WITH_TIMEOUT(ticks() > before + 15, 60'000);
        QVERIFY2(trouble().contains(QStringLiteral("full")), "the disk is not full any more");
        // Viewers see what was written until then.
        const tests::Ran seen = m_runner.genprof({QStringLiteral("report"), session()});
        QVERIFY2(seen.exitCode == 0 && seen.out.contains("recording"), (seen.out + seen.err).constData());
        QVERIFY(QFile::remove(m_disk + QStringLiteral("/filler")));
        QTRY_VERIFY_WITH_TIMEOUT(trouble().isEmpty(), 60'000);
        QVERIFY(QFile(stop).open(QIODevice::WriteOnly));
        QCOMPARE(tests::waitForExit(*recorder), 3); // as the program, which noticed nothing
        const QByteArray said = recorder->readAllStandardError();
        QVERIFY2(said.contains("goes on in memory"), said.constData());
        QVERIFY2(said.contains("can be written again"), said.constData());
        QVERIFY(!QFile::exists(session() + QStringLiteral("-wal")));
        const QJsonObject summary = report(session(), QStringLiteral("summary"));
        QCOMPARE(summary[QStringLiteral("damage")].toString(), QString());
        // Nothing is missing: no time, and none of the allocations.
        QCOMPARE(sql(session(),
                     QStringLiteral("SELECT count(*) FROM tick a JOIN tick b ON b.id = a.id + 1 WHERE a.level = 0 AND "
                                    "b.level = 0 AND a.end_ns <> b.begin_ns")),
            QByteArray("0"));
        QVERIFY(
            sql(session(), QStringLiteral("SELECT max(end_ns - begin_ns) / 1000000 FROM tick WHERE level = 0")).toInt()
            > 1000);
        QFile runs(done), last(done + QStringLiteral(".last"));
        QVERIFY(runs.open(QIODevice::ReadOnly) && last.open(QIODevice::ReadOnly));
        const qint64 each = tests::figure(last.readAll(), "allocations");
        QVERIFY(each > 0);
        QVERIFY(QFile::copy(session(), m_runner.session()));
        const tests::HeapCounts counts
            = tests::countsOfModule(m_runner.report(QStringLiteral("heap")), QStringLiteral("heap_truth"));
        QCOMPARE(counts.allocations, each * runs.readAll().trimmed().toLongLong());
    }

    /// Nobody is told that a session is complete whose end is not in it.
    void saysThatTheEndIsMissing()
    {
        if (!m_isMounted)
            QSKIP("only root may mount a small file system");
        const QString kept = m_disk + QStringLiteral("/kept");
        QVERIFY(QFile::rename(session(), kept));
        auto busy = commandsOfLongLines();
        QVERIFY(busy);
        auto recorder = attachTo(*busy);
        QTRY_VERIFY_WITH_TIMEOUT(ticks() > 3, 60'000);
        fill();
        QTRY_VERIFY_WITH_TIMEOUT(trouble().contains(QStringLiteral("full")), 60'000);
        const int before = ticks();
        QTRY_VERIFY_WITH_TIMEOUT(ticks() > before + 30, 60'000);
        // What the recorder kept for its end stays its own, and whoever looks meanwhile is told.
        fill();
        QVERIFY2(m_runner.genprof({QStringLiteral("report"), session()}).out.contains("Nothing is written since"),
            "the file does not say that nothing is written");
        recorder->terminate();
        QCOMPARE(tests::waitForExit(*recorder), 125);
        busy->kill();
        busy->waitForFinished();
        QVERIFY(QFile::remove(m_disk + QStringLiteral("/filler")));
        const QJsonObject summary = report(session(), QStringLiteral("summary"));
        QCOMPARE(summary[QStringLiteral("state")].toString(), QStringLiteral("unfinished"));
        QCOMPARE(summary[QStringLiteral("damage")].toString(), QString());
        saysWhatIsMissing(summary);
        QVERIFY(QFile::remove(session()) && QFile::rename(kept, session()));
    }

    /// What is kept for the end serves the rows that come last, too: where all fits, the session is complete.
    void endsWithinWhatIsKept()
    {
        if (!m_isMounted)
            QSKIP("only root may mount a small file system");
        const QString kept = m_disk + QStringLiteral("/kept");
        QVERIFY(QFile::rename(session(), kept));
        auto busy = commandsOfLongLines();
        QVERIFY(busy);
        const QString log = session() + QStringLiteral("-wal");
        for (int i = 0; i < 4; ++i) {
            auto recorder = attachTo(*busy);
            QTRY_VERIFY_WITH_TIMEOUT(ticks() > 1, 60'000);
            // The log begins anew once the tables stand in the file; room is short when it is longer than it was then.
            const qint64 before = QFileInfo(log).size();
            QTRY_VERIFY_WITH_TIMEOUT(QFileInfo(log).size() > before, 60'000);
            fill();
            recorder->terminate();
            const int exitCode = tests::waitForExit(*recorder);
            const QByteArray said = recorder->readAllStandardError();
            QVERIFY2(exitCode == 0, (QByteArray::number(exitCode) + said).constData());
            QVERIFY(QFile::remove(m_disk + QStringLiteral("/filler")));
            const QJsonObject summary = report(session(), QStringLiteral("summary"));
            QVERIFY2(summary[QStringLiteral("state")].toString() == QStringLiteral("complete"), said.constData());
            QVERIFY(summary[QStringLiteral("unwritten")].isNull());
            QCOMPARE(summary[QStringLiteral("damage")].toString(), QString());
            for (const char *ending : {"", "-wal", "-shm"})
                QFile::remove(session() + QLatin1StringView(ending));
        }
        busy->kill();
        busy->waitForFinished();
        QVERIFY(QFile::rename(kept, session()));
    }

    /// Where there is no room to tell of the first tick, nothing begins; where there is, the file says what is missing.
    void beginsNothingThatCouldNotSayWhatIsMissing()
    {
        if (!m_isMounted)
            QSKIP("only root may mount a small file system");
        const QString file = m_disk + QStringLiteral("/begun"), filler = m_disk + QStringLiteral("/filler");
        for (const qint64 roomKb : {300, 350, 380, 500, 620, 700}) {
            fill();
            QVERIFY(QFile::resize(filler, QFileInfo(filler).size() - roomKb * 1024));
            const tests::Ran ran = m_runner.genprof({QStringLiteral("record"), QStringLiteral("--cpu"),
                QStringLiteral("off"), QStringLiteral("-o"), file, QStringLiteral("--"), QStringLiteral("sh"),
                QStringLiteral("-c"), QStringLiteral("for i in 1 2 3 4; do ls / >/dev/null; done")});
            const QByteArray said = QByteArray::number(roomKb) + " KB: " + ran.err;
            QVERIFY(QFile::remove(filler));
            if (!QFile::exists(file)) {
                QVERIFY2(ran.exitCode == 125 && ran.err.contains("the disk is full"), said.constData());
                QVERIFY2(!QFile::exists(file + QStringLiteral("-wal")), said.constData());
                continue;
            }
            const QJsonObject summary = report(file, QStringLiteral("summary"));
            const bool isComplete = summary[QStringLiteral("state")].toString() == QStringLiteral("complete");
            QVERIFY2(isComplete || summary[QStringLiteral("unwritten")].isObject(), said.constData());
            QVERIFY2(ran.exitCode == (isComplete ? 0 : 125), said.constData());
            for (const char *ending : {"", "-wal", "-shm"})
                QFile::remove(file + QLatin1StringView(ending));
        }
    }

    void keepsToALimitOnFileSizes()
    {
        // The limit holds to the end: what does not fit is lost, and said. The program has its signals as it would have them. 200 KB of
        // command lines do not fit beside an empty session's tables; where the end itself does not fit depends on the moment, so several.
        for (const int limit : {290, 300, 320, 400}) {
            const QString limited = m_runner.path(QStringLiteral("limited-%1").arg(limit));
            const tests::Ran ran = m_runner.run(QStringLiteral("bash"),
                {QStringLiteral("-c"),
                    QStringLiteral("ulimit -f %1; exec \"$0\" record --tick 100 --cpu off -o \"$1\" -- sh -c \"$2\"")
                        .arg(limit),
                    GenprofRunner::program(), limited,
                    QStringLiteral(
                        "p=$(head -c 2000 /dev/zero | tr '\\0' x); for i in 1 2 3 4 5 6; do for j in 1 2 3 4 5 6 7 8 9 "
                        "10 11 12 13 14 15; do sh -c 'sleep 0.15; :' $i$j$p & done; wait; done; "
                        "grep SigBlk /proc/self/status; exit 4")});
            const bool isEmpty = ran.err.contains("Nothing of the recording could be written");
            QVERIFY2(ran.exitCode == (isEmpty ? 125 : 4), (QByteArray::number(ran.exitCode) + ran.err).constData());
            QVERIFY2(ran.out.contains("SigBlk:\t0000000000000000"), ran.out.constData());
            QVERIFY2(ran.err.contains("limit on file sizes"), ran.err.constData());
            const QJsonObject summary = report(limited, QStringLiteral("summary"));
            QCOMPARE(summary[QStringLiteral("damage")].toString(), QString());
            QVERIFY(!summary[QStringLiteral("state")].toString().isEmpty());
            QVERIFY(QFile(limited).size() <= limit * 1024);
        }
    }

    void startsNothingWhereItMayNotWrite()
    {
        if (!m_isMounted)
            QSKIP("only root may mount a file system that cannot be written");
        QCOMPARE(::mount(nullptr, m_disk.toUtf8().constData(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
        const QString file = m_disk + QStringLiteral("/new.gprof-session"),
                      ran = m_runner.path(QStringLiteral("was-run"));
        const tests::Ran refused = m_runner.genprof(
            {QStringLiteral("record"), QStringLiteral("-o"), file, QStringLiteral("--"), QStringLiteral("touch"), ran});
        QVERIFY2(refused.exitCode == 125, QByteArray::number(refused.exitCode).constData());
        QVERIFY2(refused.err.contains("Read-only file system; choose another folder"), refused.err.constData());
        QVERIFY(!QFile::exists(ran));
        // A finished session on such a disk opens.
        QCOMPARE(report(session(), QStringLiteral("summary"))[QStringLiteral("state")].toString(),
            QStringLiteral("complete"));
    }
};

QTEST_GUILESS_MAIN(FullDiskIntegrationTest)
#include "full_disk_integration_test.moc"

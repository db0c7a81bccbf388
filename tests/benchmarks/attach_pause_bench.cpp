// SPDX-License-Identifier: GPL-3.0-or-later
// How long a thread of a program is kept from its work by an attach and by a detach, measured inside the program: its threads read the
// clock all the time and remember the longest time between two readings. Beside it the same without anybody, and `heaptrack -p`
// where it and gdb are installed. Prints medians.
#include "capture/heap/rendezvous_server.h"
#include "capture/target/tracer_injector.h"
#include "tests/capture/attached_program.h"

#include <QStandardPaths>
#include <QTemporaryDir>
#include <QtTest>

#include <sched.h>

#include <algorithm>
#include <csignal>
#include <vector>

namespace {

constexpr int kRounds = 20;
constexpr int kOtherRounds = 3;

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values.at(values.size() / 2);
}

double gapMs(AttachedProgram &target) { return target.ask("gap").mid(4).toDouble() / 1e6; }

QString described(const std::vector<double> &values)
{
    return QStringLiteral("median %1 ms, at most %2 ms")
        .arg(median(values), 0, 'f', 2)
        .arg(*std::max_element(values.begin(), values.end()), 0, 'f', 2);
}

} // namespace

class AttachPauseBench : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        // Programs inherit it: what else runs on the machine is not what is measured.
        sched_param priority{};
        priority.sched_priority = 1;
        if (::sched_setscheduler(0, SCHED_RR, &priority) != 0)
            qInfo("without the right to precedence; other load counts too");
    }

    void longestStop_data()
    {
        QTest::addColumn<QString>("mode");
        QTest::addColumn<QString>("threads"); // beside the main thread
        QTest::newRow("its main thread waits, another runs") << QStringLiteral("wait") << QStringLiteral("1");
        QTest::newRow("its only thread runs") << QStringLiteral("spin") << QStringLiteral("0");
    }
    void longestStop()
    {
        QFETCH(QString, mode);
        QFETCH(QString, threads);
        std::vector<std::unique_ptr<capture::ImageMemory>> memories;
        const auto server = capture::RendezvousServer::start(capture::wire::Clock::Tsc, 0,
            {[&](capture::Arrival arrival) { memories.push_back(std::move(arrival.memory)); },
                [](std::uint64_t, const std::string &reason) { qFatal("%s", reason.c_str()); }});
        QVERIFY(server);
        AttachedProgram target(AttachedProgram::target("attach_busy_now"), {threads, mode});
        capture::TracerInjector tracer(
            target.pid(), {qEnvironmentVariable("GENESIS_BUILD_DIR").toStdString() + "/" + GENESIS_TRACER_PATH, {}});
        std::vector<double> alone, attach, detach;
        for (int round = 0; round < kRounds; ++round) {
            gapMs(target);
            QTest::qWait(20);
            alone.push_back(gapMs(target));
            QVERIFY(tracer.start((*server)->address()));
            attach.push_back(gapMs(target));
            QVERIFY(tracer.stop((*server)->address()));
            detach.push_back(gapMs(target));
            memories.clear();
        }
        QCOMPARE(target.ask("quit"), QByteArray("bye 0"));
        qInfo("%s: alone %s; attach %s; detach %s", qPrintable(mode), qPrintable(described(alone)),
            qPrintable(described(attach)), qPrintable(described(detach)));
    }

    void heaptrack()
    {
        const QString heaptrack = QStandardPaths::findExecutable(QStringLiteral("heaptrack"));
        if (heaptrack.isEmpty() || QStandardPaths::findExecutable(QStringLiteral("gdb")).isEmpty())
            QSKIP("heaptrack and gdb are not installed");
        std::vector<double> attach;
        for (int round = 0; round < kOtherRounds; ++round) {
            const QTemporaryDir folder;
            AttachedProgram target(
                AttachedProgram::target("attach_busy_now"), {QStringLiteral("0"), QStringLiteral("spin")});
            gapMs(target);
            QProcess recorder;
            recorder.start(heaptrack,
                {QStringLiteral("-r"), QStringLiteral("-o"), folder.filePath(QStringLiteral("raw")),
                    QStringLiteral("-p"), QString::number(target.pid())});
            // It is there once its library is.
            const QString maps = QStringLiteral("/proc/%1/maps").arg(target.pid());
            const auto isThere = [&] {
                QFile file(maps);
                return file.open(QIODevice::ReadOnly) && file.readAll().contains("libheaptrack_inject");
            };
            QTRY_VERIFY_WITH_TIMEOUT(isThere(), 60'000);
            QTest::qWait(2000);
            attach.push_back(gapMs(target));
            ::kill(static_cast<pid_t>(recorder.processId()), SIGINT);
            recorder.waitForFinished(10'000);
            recorder.kill();
            recorder.waitForFinished();
        }
        qInfo("heaptrack -p: attach %s", qPrintable(described(attach)));
    }
};

QTEST_GUILESS_MAIN(AttachPauseBench)
#include "attach_pause_bench.moc"

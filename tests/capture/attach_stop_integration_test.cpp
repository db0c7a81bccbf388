// SPDX-License-Identifier: GPL-3.0-or-later
// A program that is stopped by SIGSTOP while one of its threads executes a call for the recorder, to load the tracer or to copy the
// program, stops but for that call, and goes on with SIGCONT.
#include "capture/proc/memory_maps.h"
#include "capture/scan/process_snapshot.h"
#include "capture/scan/snapshot_call.h"
#include "capture/target/remote_process.h"
#include "capture/target/tracer_injector.h"
#include "tests/capture/attached_program.h"
#include "tests/capture/heap_listener.h"

#include <QtTest>

#include <time.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>

namespace {

using capture::TracerInjector;

std::string tracerPath() { return std::string(std::getenv("GENESIS_BUILD_DIR")) + "/" + GENESIS_TRACER_PATH; }

template <typename T> std::string failure(const model::Result<T> &result)
{
    return result ? std::string() : result.error().text();
}

/// The letter of its state in /proc/PID/stat.
char stateOf(qint32 pid)
{
    QFile file(QStringLiteral("/proc/%1/stat").arg(pid));
    if (!file.open(QIODevice::ReadOnly))
        return '?';
    const QByteArray text = file.readAll();
    return text.at(text.lastIndexOf(')') + 2);
}

} // namespace

class AttachStopTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aCallEndsThoughTheProgramIsStopped_data()
    {
        QTest::addColumn<QByteArray>("step");
        QTest::addColumn<QByteArray>("program");
        for (const char *step :
            {"write the signal frame", "map code", "enter the system call", "leave the system call", "write the call",
                "start the call", "wait for the call", "take the thread back", "unmap data", "give the thread back"}) {
            QTest::addRow("%s, one thread", step) << QByteArray(step) << QByteArray("attach_waits");
            QTest::addRow("%s, some threads", step) << QByteArray(step) << QByteArray("attach_busy_now");
        }
    }
    void aCallEndsThoughTheProgramIsStopped()
    {
        QFETCH(QByteArray, step);
        QFETCH(QByteArray, program);
        const bool hasOneThread = program == "attach_waits";
        HeapListener listener;
        AttachedProgram target(AttachedProgram::target(program.constData()),
            {hasOneThread ? QStringLiteral("read") : QStringLiteral("2")});
        QTest::qWait(20);
        int stops = 0;
        TracerInjector tracer(target.pid(), {tracerPath(), [&](const char *now) {
                                                 if (step == now && stops++ == 0)
                                                     ::kill(target.pid(), SIGSTOP);
                                             }});
        const auto started = tracer.start(listener.address());
        QVERIFY2(started, failure(started).c_str());
        QCOMPARE(started->answer.status, capture::wire::AttachStatus::Done);
        QVERIFY(stops > 0);
        QTRY_COMPARE(stateOf(target.pid()), 'T');
        QCOMPARE(::kill(target.pid(), SIGCONT), 0);
        QVERIFY(target.ask("go 20").startsWith("done"));
        stops = 0;
        const auto stopped = tracer.stop(listener.address());
        QVERIFY2(stopped, failure(stopped).c_str());
        QCOMPARE(stopped->answer.status, capture::wire::AttachStatus::Done);
        QTRY_COMPARE(stateOf(target.pid()), 'T');
        QCOMPARE(::kill(target.pid(), SIGCONT), 0);
        const auto images = listener.takeImages();
        QCOMPARE(images.size(), std::size_t{1});
        QCOMPARE(images.front().program.allocations, hasOneThread ? 20 : 2 * (3 * 20 + 1));
        if (!hasOneThread) // takes the loader's lock
            QCOMPARE(target.ask("load " + AttachedProgram::target("libheap_module_3.so").toLocal8Bit()),
                QByteArray("loaded"));
        QVERIFY(target.ask("quit").startsWith("bye"));
        QCOMPARE(target.waitForEnd(), 0);
    }

    /// The signal waits when the call begins, so that it comes in the middle of it.
    void aCopyIsMadeThoughTheProgramIsStopped()
    {
        AttachedProgram target(AttachedProgram::target("attach_busy_now"), {QStringLiteral("2")},
            {QStringLiteral("LD_PRELOAD=") + QString::fromStdString(tracerPath())});
        const auto tracer = capture::RemoteProcess(target.pid()).findLibrary([](std::string_view name) {
            return name.starts_with("libgenesis_heaptracer");
        });
        QVERIFY(tracer.has_value());
        for (int round = 0; round < 3; ++round) { // the tracer's code must not be busy still
            timespec begin{};
            ::clock_gettime(CLOCK_MONOTONIC, &begin);
            auto stopped = capture::StoppedProcess::stop(target.pid(), std::chrono::milliseconds(2000));
            QVERIFY2(stopped, failure(stopped).c_str());
            const auto tid = capture::threadForSnapshot(*stopped, capture::readMaps(target.pid()));
            QVERIFY(tid.has_value());
            QCOMPARE(::kill(target.pid(), SIGSTOP), 0);
            capture::wire::SnapshotCommand command;
            command.recorder = ::getpid();
            command.limitMs = 20'000;
            const auto called = capture::callSnapshot(*stopped, *tid, tracer->find(capture::wire::kSnapshotFunction),
                command, std::chrono::milliseconds(5000));
            QVERIFY2(called, failure(called).c_str());
            QCOMPARE(command.stage, capture::wire::SnapshotStage::Done);
            auto snapshot = capture::ProcessSnapshot::take(
                target.pid(), command, std::int64_t{begin.tv_sec} * 1'000'000'000 + begin.tv_nsec);
            QVERIFY2(snapshot, failure(snapshot).c_str());
            snapshot->end();
            stopped->resume();
            QTRY_COMPARE(stateOf(target.pid()), 'T');
            QCOMPARE(::access(qPrintable(QStringLiteral("/proc/%1").arg(command.helper)), F_OK), -1); // no zombie
            QCOMPARE(::kill(target.pid(), SIGCONT), 0);
            QVERIFY(target.ask("go 20").startsWith("done"));
        }
        QCOMPARE(target.ask("quit"), QByteArray("bye 0"));
    }
};

QTEST_GUILESS_MAIN(AttachStopTest)
#include "attach_stop_integration_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
// Loads the tracer into programs that run, and takes it out of use again.
#include "capture/file_descriptor.h"
#include "capture/heap/heap_attachment.h"
#include "capture/target/tracer_injector.h"
#include "tests/capture/attached_program.h"
#include "tests/capture/heap_listener.h"

#include <QtTest>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <optional>

namespace {

using capture::InjectionReport;
using capture::TracerInjector;

std::string tracerPath() { return std::string(std::getenv("GENESIS_BUILD_DIR")) + "/" + GENESIS_TRACER_PATH; }

TracerInjector injector(qint32 pid) { return TracerInjector(pid, {tracerPath(), {}}); }

template <typename T> std::string failure(const model::Result<T> &result)
{
    return result ? std::string() : result.error().text();
}

/// The figure after `key` in "… key N …".
qint64 figure(const QByteArray &line, const QByteArray &key)
{
    const qsizetype at = line.indexOf(key + ' ');
    return at < 0 ? -1 : line.mid(at + key.size() + 1).split(' ').first().toLongLong();
}

std::uint64_t dropped(const HeapListener::ImageResult &image)
{
    return image.losses.droppedRing + image.losses.droppedNoRing;
}

} // namespace

class AttachTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void seesEveryCallFromTheAttachOn_data()
    {
        QTest::addColumn<QString>("program");
        QTest::addColumn<QStringList>("arguments");
        for (const char *binding : {"now", "lazy"})
            for (const char *mode : {"wait", "spin"})
                QTest::addRow("bound %s, main thread: %s", binding, mode)
                    << AttachedProgram::target(QByteArray("attach_busy_") + binding)
                    << QStringList{QStringLiteral("3"), QString::fromLatin1(mode)};
    }
    void seesEveryCallFromTheAttachOn()
    {
        QFETCH(QString, program);
        QFETCH(QStringList, arguments);
        HeapListener listener;
        AttachedProgram target(program, arguments);
        TracerInjector tracer = injector(target.pid());
        const QByteArray before = mappedFiles(target.pid());
        const auto started = tracer.start(listener.address());
        QVERIFY2(started, failure(started).c_str());
        report(*started);
        QVERIFY(started->answer.slots >= 8);
        QCOMPARE(started->answer.slotsFailed, 0u);
        const QByteArray truth = target.ask("go 20000");
        const auto stopped = tracer.stop(listener.address());
        QVERIFY2(stopped, failure(stopped).c_str());
        QCOMPARE(stopped->answer.status, capture::wire::AttachStatus::Done);
        QCOMPARE(stopped->answer.slots, started->answer.slots);
        QCOMPARE(mappedFiles(target.pid()), before);
        QVERIFY(target.ask("go 1000").startsWith("done"));
        const auto images = listener.takeImages();
        QCOMPARE(images.size(), std::size_t{1});
        const auto &image = images.front();
        QCOMPARE(image.origin, capture::wire::Origin::Attach);
        QCOMPARE(image.failure, std::string());
        QCOMPARE(dropped(image), std::uint64_t{0});
        QCOMPARE(image.losses.reentered, std::uint64_t{0});
        QCOMPARE(image.badRecords, std::uint64_t{0});
        QCOMPARE(image.pairing.badRecords, 0);
        QCOMPARE(image.pairing.missedFrees, 0);
        QCOMPARE(image.program.allocations, figure(truth, "allocations"));
        QCOMPARE(image.program.frees, figure(truth, "frees"));
        QCOMPARE(target.ask("quit"), QByteArray("bye 0"));
        QCOMPARE(target.waitForEnd(), 0);
    }

    void seesModulesThatComeLater()
    {
        HeapListener listener;
        AttachedProgram target(AttachedProgram::target("attach_busy_now"), {QStringLiteral("1")});
        const QByteArray load = "load " + AttachedProgram::target("libheap_module_3.so").toLocal8Bit();
        std::optional<capture::HeapAttachment> attached;
        attached.emplace(listener.address(), TracerInjector::Options{tracerPath(), {}});
        const auto report = attached->include(target.pid(), {});
        QVERIFY2(report, failure(report).c_str());
        QCOMPARE(target.ask(load), QByteArray("loaded")); // whether these are seen depends on who comes first
        QTest::qWait(500);
        QCOMPARE(target.ask(load), QByteArray("loaded"));
        attached.reset();
        const auto images = listener.takeImages();
        QCOMPARE(images.size(), std::size_t{1});
        // The loader's own calls go through pointers that no relocation names.
        QVERIFY(images.front().modules.contains("ld-linux-x86-64.so.2"));
        const auto seen = images.front().modules.find("libheap_module_3.so");
        QVERIFY(seen != images.front().modules.end());
        QVERIFY2(seen->second >= 3 && seen->second <= 6, qPrintable(QString::number(seen->second)));
        QCOMPARE(target.ask("quit"), QByteArray("bye 0"));
    }

    void otherAllocatorsAreTracedAsSuch()
    {
        const QString jemalloc = QStringLiteral("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2");
        if (!QFile::exists(jemalloc))
            QSKIP("jemalloc is not installed");
        HeapListener listener;
        AttachedProgram target(AttachedProgram::target("attach_busy_lazy"), {QStringLiteral("2")},
            {QStringLiteral("LD_PRELOAD=") + jemalloc});
        // This one prefers the C library that it names itself, and so another allocator than the rest.
        QCOMPARE(
            target.ask("deep " + AttachedProgram::target("libheap_module_3.so").toLocal8Bit()), QByteArray("loaded"));
        TracerInjector tracer = injector(target.pid());
        const auto started = tracer.start(listener.address());
        QVERIFY2(started, failure(started).c_str());
        report(*started);
        QCOMPARE(started->answer.slotsElsewhere, 1u);
        const QByteArray truth = target.ask("go 3000");
        QVERIFY(tracer.stop(listener.address()));
        const auto images = listener.takeImages();
        QCOMPARE(images.size(), std::size_t{1});
        QCOMPARE(images.front().program.allocations, figure(truth, "allocations"));
        QCOMPARE(images.front().program.frees, figure(truth, "frees"));
        QCOMPARE(target.ask("quit"), QByteArray("bye 0"));
    }

    void aProgramThatWasLaunchedWithTheTracerCanBeAttachedToLater()
    {
        HeapListener listener;
        AttachedProgram target(AttachedProgram::target("attach_busy_now"), {QStringLiteral("2")},
            {QStringLiteral("LD_PRELOAD=") + QString::fromStdString(tracerPath())});
        QVERIFY(target.ask("go 10").startsWith("done"));
        TracerInjector tracer = injector(target.pid());
        for (int round = 0; round < 2; ++round) {
            const auto started = tracer.start(listener.address());
            QVERIFY2(started, failure(started).c_str());
            QCOMPARE(started->answer.slots, 0u); // its calls come by themselves
            const QByteArray truth = target.ask("go 2000");
            QVERIFY(tracer.stop(listener.address()));
            const auto images = listener.takeImages();
            QCOMPARE(images.size(), std::size_t{1});
            QCOMPARE(images.front().program.allocations, figure(truth, "allocations"));
            QVERIFY(target.ask("go 10").startsWith("done"));
        }
        QCOMPARE(target.ask("quit"), QByteArray("bye 0"));
    }

    void followsForkedChildren()
    {
        HeapListener listener;
        AttachedProgram target(AttachedProgram::target("attach_busy_now"), {QStringLiteral("2")});
        TracerInjector tracer = injector(target.pid());
        const auto started = tracer.start(listener.address());
        QVERIFY2(started, failure(started).c_str());
        QCOMPARE(target.ask("fork 500"), QByteArray("forked 0"));
        QVERIFY(tracer.stop(listener.address()));
        const auto images = listener.takeImages();
        QCOMPARE(images.size(), std::size_t{2});
        QCOMPARE(images[1].origin, capture::wire::Origin::Fork);
        QCOMPARE(images[1].failure, std::string());
        QCOMPARE(images[1].program.allocations, 1500);
        QCOMPARE(images[1].program.frees, 1500);
        QCOMPARE(images[0].program.allocations, 0);
        QCOMPARE(target.ask("fork 10"), QByteArray("forked 0"));
        QCOMPARE(target.ask("quit"), QByteArray("bye 0"));
    }

    void anotherRecordersStopIsNotObeyed()
    {
        HeapListener listener;
        HeapListener other;
        AttachedProgram target(AttachedProgram::target("attach_busy_now"), {QStringLiteral("2")});
        TracerInjector tracer = injector(target.pid());
        const auto started = tracer.start(listener.address());
        QVERIFY2(started, failure(started).c_str());
        for (const auto &answered : {tracer.stop(other.address()), tracer.scan(other.address())}) {
            QVERIFY2(answered, failure(answered).c_str());
            QCOMPARE(answered->answer.status, capture::wire::AttachStatus::NotActive);
            QVERIFY(answered->threadsAsked > 0);
        }
        const QByteArray truth = target.ask("go 500");
        const auto scanned = tracer.scan(listener.address());
        QVERIFY2(scanned, failure(scanned).c_str());
        QCOMPARE(scanned->answer.status, capture::wire::AttachStatus::Done);
        QVERIFY(tracer.stop(listener.address()));
        const auto images = listener.takeImages();
        QCOMPARE(images.size(), std::size_t{1});
        QCOMPARE(images.front().program.allocations, figure(truth, "allocations"));
        QCOMPARE(target.ask("quit"), QByteArray("bye 0"));
    }

    void childrenThatHaveEndedCostNothingAtTheStop()
    {
        HeapListener listener;
        AttachedProgram target(AttachedProgram::target("attach_busy_now"), {QStringLiteral("2")});
        std::optional<capture::HeapAttachment> attached;
        attached.emplace(listener.address(), TracerInjector::Options{tracerPath(), {}});
        const auto report = attached->include(target.pid(), {});
        QVERIFY2(report, failure(report).c_str());
        for (int i = 0; i < 200; ++i) {
            const pid_t child = ::fork();
            if (child == 0)
                for (;;)
                    ::pause();
            attached->joined(child);
            QCOMPARE(::kill(child, SIGKILL), 0);
            QCOMPARE(::waitpid(child, nullptr, 0), child);
        }
        QElapsedTimer timer;
        timer.start();
        attached.reset();
        QVERIFY2(timer.elapsed() < 2000, qPrintable(QString::number(timer.elapsed())));
        QVERIFY(target.ask("go 10").startsWith("done"));
        QCOMPARE(target.ask("quit"), QByteArray("bye 0"));
    }

    void whatBecomesOfAnEndedThreadsMemoryIsNoObstacle()
    {
        HeapListener listener;
        AttachedProgram target(AttachedProgram::target("attach_busy_now"), {QStringLiteral("2")});
        TracerInjector tracer = injector(target.pid());
        for (int round = 0; round < 2; ++round) {
            const auto started = tracer.start(listener.address());
            QVERIFY2(started, failure(started).c_str());
            QCOMPARE(target.ask("scribble"), QByteArray("scribbled"));
            const auto stopped = tracer.stop(listener.address());
            QVERIFY2(stopped, failure(stopped).c_str());
            QCOMPARE(stopped->answer.status, capture::wire::AttachStatus::Done);
        }
        QCOMPARE(target.ask("quit"), QByteArray("bye 0"));
    }

    void aThreadThatWaitsGoesOnWaiting_data()
    {
        QTest::addColumn<QByteArray>("call");
        QTest::addColumn<bool>("seesInterruption");
        for (const char *call : {"epoll", "poll", "ppoll", "select", "sleep", "read"})
            QTest::newRow(call) << QByteArray(call) << false;
        QTest::newRow("epoll with a limit") << QByteArray("epoll_limit") << true;
    }
    void aThreadThatWaitsGoesOnWaiting()
    {
        QFETCH(QByteArray, call);
        QFETCH(bool, seesInterruption);
        HeapListener listener;
        AttachedProgram target(AttachedProgram::target("attach_waits"), {QString::fromLatin1(call)});
        TracerInjector tracer = injector(target.pid());
        unsigned interrupted = 0;
        for (int i = 0; i < 10; ++i) {
            QTest::qWait(20);
            const auto started = tracer.start(listener.address());
            QVERIFY2(started, failure(started).c_str());
            QCOMPARE(target.ask("go 50"), QByteArray("done"));
            QTest::qWait(5);
            const auto stopped = tracer.stop(listener.address());
            QVERIFY2(stopped, failure(stopped).c_str());
            interrupted += started->interruptedCalls + stopped->interruptedCalls;
        }
        QCOMPARE(interrupted > 0, seesInterruption);
        std::int64_t allocations = 0;
        for (const auto &image : listener.takeImages())
            allocations += image.program.allocations;
        QCOMPARE(allocations, 500);
        const QByteArray said = target.ask("quit");
        QCOMPARE(figure(said, "interrupted"), qint64{interrupted});
        QCOMPARE(figure(said, "short"), 0);
        QCOMPARE(figure(said, "masks"), 0);
    }

    void noThreadIsBorrowedWhereItHoldsSomething_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QByteArray>("place");
        QTest::newRow("signal handler") << QStringList{QStringLiteral("handler")} << QByteArray("a signal handler");
        QTest::newRow("loader") << QStringList{QStringLiteral("constructor"),
            AttachedProgram::target("libattach_constructor.so")}
                                << QByteArray("the loader");
        QTest::newRow("coroutine") << QStringList{QStringLiteral("coroutine")}
                                   << QByteArray("code whose stack may end");
        QTest::newRow("allocator of another name")
            << QStringList{QStringLiteral("pool")} << QByteArray("the allocator");
        QTest::newRow("allocator of its own") << QStringList{QStringLiteral("own pool")} << QByteArray("the allocator");
    }
    void noThreadIsBorrowedWhereItHoldsSomething()
    {
        QFETCH(QStringList, arguments);
        QFETCH(QByteArray, place);
        HeapListener listener;
        const QString pool = QStringLiteral("LD_PRELOAD=") + AttachedProgram::target("libattach_pool.so");
        AttachedProgram target(AttachedProgram::target(
                                   arguments.first() == QLatin1String("own pool") ? "attach_own_pool" : "attach_waits"),
            arguments, arguments.first() == QLatin1String("pool") ? QStringList{pool} : QStringList());
        QTest::qWait(50);
        TracerInjector impatient(target.pid(), {tracerPath(), {}, std::chrono::milliseconds(200)});
        const auto refused = impatient.start(listener.address());
        QVERIFY(!refused);
        QVERIFY2(refused.error().text().find("is in " + place.toStdString()) != std::string::npos,
            refused.error().text().c_str());
        QFile maps(QStringLiteral("/proc/%1/maps").arg(target.pid()));
        QVERIFY(maps.open(QIODevice::ReadOnly));
        QVERIFY(!maps.readAll().contains("genesis_heaptracer"));
        QCOMPARE(target.ask("go 3"), QByteArray("done"));
        if (arguments.first() == QLatin1String("own pool"))
            return; // such a program is refused by the tracer itself
        QTest::qWait(20);
        const auto started = impatient.start(listener.address());
        QVERIFY2(started, failure(started).c_str());
        QCOMPARE(target.ask("go 30"), QByteArray("done"));
        QVERIFY(impatient.stop(listener.address()));
        const auto images = listener.takeImages();
        QCOMPARE(images.size(), std::size_t{1});
        QCOMPARE(images.front().program.allocations, 30);
        QCOMPARE(figure(target.ask("quit"), "interrupted"), 0);
    }

    void aProgramThatWasReplacedIsLeftAlone()
    {
        HeapListener listener;
        AttachedProgram target(AttachedProgram::target("attach_waits"), {QStringLiteral("read")});
        TracerInjector tracer = injector(target.pid());
        const auto stopped = tracer.stop(listener.address()); // it never had the tracer
        QVERIFY2(stopped, failure(stopped).c_str());
        QCOMPARE(stopped->answer.status, capture::wire::AttachStatus::NotActive);
        QCOMPARE(stopped->threadsAsked, 0u);
    }

    void losesNothingInAHundredCycles()
    {
        AttachedProgram target(AttachedProgram::target("attach_busy_now"), {QStringLiteral("3")});
        TracerInjector tracer = injector(target.pid());
        QVERIFY(target.ask("churn") == "churn");
        const QByteArray before = mappedFiles(target.pid());
        std::int64_t allocations = 0, unknown = 0;
        std::vector<double> stopsMs;
        for (int cycle = 0; cycle < 100; ++cycle) {
            HeapListener listener;
            const auto started = tracer.start(listener.address());
            QVERIFY2(started, failure(started).c_str());
            QTest::qWait(cycle % 10 == 0 ? 30 : 1);
            const auto stopped = tracer.stop(listener.address());
            QVERIFY2(stopped, failure(stopped).c_str());
            QCOMPARE(stopped->answer.status, capture::wire::AttachStatus::Done);
            stopsMs.push_back(static_cast<double>(started->longestStopNs) / 1e6);
            const auto images = listener.takeImages();
            QCOMPARE(images.size(), std::size_t{1});
            const auto &image = images.front();
            QCOMPARE(dropped(image), std::uint64_t{0});
            QCOMPARE(image.badRecords, std::uint64_t{0});
            QCOMPARE(image.pairing.missedFrees, 0);
            QCOMPARE(image.pairing.badRecords, 0);
            // Each thread may have had three blocks at the attach, and hold three at the detach.
            QVERIFY2(image.live.blocks <= 9 && image.pairing.unknownFrees <= 9,
                qPrintable(
                    QStringLiteral("%1 live, %2 unknown").arg(image.live.blocks).arg(image.pairing.unknownFrees)));
            allocations += image.total.allocations;
            unknown += image.pairing.unknownFrees;
        }
        std::sort(stopsMs.begin(), stopsMs.end());
        qInfo("%lld allocations seen, %lld blocks from before freed; a stop took %.2f ms (median), %.2f ms at most",
            static_cast<long long>(allocations), static_cast<long long>(unknown), stopsMs[50], stopsMs.back());
        QVERIFY(allocations > 10000);
        QCOMPARE(mappedFiles(target.pid()), before);
        QVERIFY(target.ask("quiet") == "quiet");
        QCOMPARE(target.ask("quit"), QByteArray("bye 0"));
    }

    void theRecordersDeathAtAnyStepLeavesTheProgramRunning_data()
    {
        QTest::addColumn<QByteArray>("program");
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QByteArray>("farewell");
        QTest::newRow("a thread that waits is borrowed")
            << QByteArray("attach_busy_lazy") << QStringList{QStringLiteral("2"), QStringLiteral("wait")}
            << QByteArray("bye 0");
        QTest::newRow("a thread that runs is borrowed")
            << QByteArray("attach_busy_lazy") << QStringList{QStringLiteral("2"), QStringLiteral("spin")}
            << QByteArray("bye 0");
        QTest::newRow("the only thread is borrowed")
            << QByteArray("attach_waits") << QStringList{QStringLiteral("read")}
            << QByteArray("bye interrupted 0 short 0 masks 0");
    }
    void theRecordersDeathAtAnyStepLeavesTheProgramRunning()
    {
#ifdef __SANITIZE_THREAD__
        QSKIP("the thread sanitizer gives up in forked children that start threads");
#endif
        QFETCH(QByteArray, program);
        QFETCH(QStringList, arguments);
        QFETCH(QByteArray, farewell);
        AttachedProgram target(AttachedProgram::target(program.constData()), arguments);
        const QByteArray before = mappedFiles(target.pid());
        int deaths = 0;
        for (bool isOver = false; !isOver && deaths < 100; ++deaths) {
            const pid_t recorder = ::fork();
            if (recorder == 0)
                ::_exit(attachAndDie(target.pid(), deaths + 1) ? 0 : 1);
            int status = -1;
            QCOMPARE(::waitpid(recorder, &status, 0), recorder);
            isOver = WIFEXITED(status);
            QVERIFY2(!isOver || WEXITSTATUS(status) == 0, qPrintable(QStringLiteral("at death %1").arg(deaths)));
            QVERIFY(target.ask("go 200").startsWith("done"));
        }
        qInfo("%d deaths survived", deaths - 1);
        QVERIFY(deaths > 30);
        QCOMPARE(mappedFiles(target.pid()), before);
        QCOMPARE(target.ask("quit"), farewell);
        QCOMPARE(target.waitForEnd(), 0);
    }

private:
    /// A recorder that kills itself at the `fatal`th step; true if it got to the end before.
    static bool attachAndDie(qint32 pid, int fatal)
    {
        HeapListener listener;
        int steps = 0;
        std::string last;
        TracerInjector tracer(pid, {tracerPath(), [&](const char *step) {
                                        steps += last != step ? 1 : 0;
                                        last = step;
                                        if (steps == fatal)
                                            ::kill(::getpid(), SIGKILL);
                                    }});
        const auto started = tracer.start(listener.address());
        if (!started)
            qWarning("%s", started.error().text().c_str());
        const auto stopped = tracer.stop(listener.address());
        return started && stopped && stopped->answer.status == capture::wire::AttachStatus::Done;
    }

    static void report(const InjectionReport &r)
    {
        qInfo("%u slots in %u modules (%u elsewhere, %u failed, %u skipped), thread %d, %u asked, %u interrupted, %.2f "
              "ms",
            r.answer.slots, r.answer.modules, r.answer.slotsElsewhere, r.answer.slotsFailed, r.answer.modulesSkipped,
            r.tid, r.threadsAsked, r.interruptedCalls, static_cast<double>(r.longestStopNs) / 1e6);
    }
};

QTEST_GUILESS_MAIN(AttachTest)
#include "attach_integration_test.moc"

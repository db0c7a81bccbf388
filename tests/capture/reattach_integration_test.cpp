// SPDX-License-Identifier: GPL-3.0-or-later
// A program whose recorder was killed is attached to again while all its threads allocate.
#include "capture/target/tracer_injector.h"
#include "tests/capture/attached_program.h"
#include "tests/capture/heap_listener.h"

#include <QtTest>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace {

using capture::TracerInjector;

std::string tracerPath() { return std::string(std::getenv("GENESIS_BUILD_DIR")) + "/" + GENESIS_TRACER_PATH; }

TracerInjector injector(qint32 pid) { return TracerInjector(pid, {tracerPath(), {}}); }

template <typename T> std::string failure(const model::Result<T> &result)
{
    return result ? std::string() : result.error().text();
}

} // namespace

class ReattachTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aBusyProgramIsAttachedToAgainAfterTheRecordersDeath_data()
    {
        QTest::addColumn<quint64>("period");
        QTest::newRow("every event") << quint64{0};
        QTest::newRow("samples, of which the ring holds many seconds") << quint64{512 * 1024};
    }
    void aBusyProgramIsAttachedToAgainAfterTheRecordersDeath()
    {
#ifdef __SANITIZE_THREAD__
        QSKIP("the thread sanitizer gives up in forked children that start threads");
#endif
        QFETCH(quint64, period);
        AttachedProgram target(AttachedProgram::target("attach_busy_now"), {QStringLiteral("4")});
        QVERIFY(target.ask("churn") == "churn");
        for (int round = 0; round < 3; ++round) {
            const pid_t recorder = ::fork();
            if (recorder == 0) {
                HeapListener listener(period);
                if (!injector(target.pid()).start(listener.address()))
                    ::_exit(1);
                QTest::qWait(50);
                ::kill(::getpid(), SIGKILL);
            }
            int status = -1;
            QCOMPARE(::waitpid(recorder, &status, 0), recorder);
            QVERIFY(WIFSIGNALED(status));
            HeapListener listener;
            TracerInjector tracer = injector(target.pid());
            const auto started = tracer.start(listener.address());
            QVERIFY2(started, failure(started).c_str());
            QTest::qWait(30);
            const auto stopped = tracer.stop(listener.address());
            QVERIFY2(stopped, failure(stopped).c_str());
            QCOMPARE(stopped->answer.status, capture::wire::AttachStatus::Done);
            const auto images = listener.takeImages();
            QCOMPARE(images.size(), std::size_t{1});
            QVERIFY(images.front().total.allocations > 100);
            const auto &losses = images.front().losses;
            QCOMPARE(losses.droppedRing + losses.droppedNoRing, std::uint64_t{0});
            QCOMPARE(images.front().badRecords, std::uint64_t{0});
        }
        QVERIFY(target.ask("quiet") == "quiet");
        QCOMPARE(target.ask("quit"), QByteArray("bye 0"));
    }
};

QTEST_GUILESS_MAIN(ReattachTest)
#include "reattach_integration_test.moc"

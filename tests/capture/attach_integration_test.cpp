// SPDX-License-Identifier: GPL-3.0-or-later
// Loads the tracer into programs that run, and takes it out of use again.
#include "capture/target/tracer_injector.h"
#include "tests/capture/attached_program.h"
#include "tests/capture/heap_listener.h"

#include <QtTest>

#include <algorithm>
#include <cstdlib>

namespace {

using capture::InjectionReport;
using capture::TracerInjector;

std::string tracerPath()
{
    return std::string(std::getenv("GENESIS_BUILD_DIR")) + "/" + GENESIS_TRACER_PATH;
}

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
        const QByteArray truth = target.ask("go 20000");
        const auto stopped = tracer.stop();
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

private:
    static void report(const InjectionReport &r)
    {
        qInfo("%u slots in %u modules (%u elsewhere, %u skipped), thread %d, %u asked, %u interrupted, %.2f ms",
            r.answer.slots, r.answer.modules, r.answer.slotsElsewhere, r.answer.modulesSkipped, r.tid, r.threadsAsked,
            r.interruptedCalls, static_cast<double>(r.longestStopNs) / 1e6);
    }
};

QTEST_GUILESS_MAIN(AttachTest)
#include "attach_integration_test.moc"

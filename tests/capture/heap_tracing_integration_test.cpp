// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/symbols/elf_file.h"
#include "tests/capture/heap_listener.h"

#include <QtTest>

#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace {

std::string target(const char *name)
{
    return std::string(std::getenv("GENESIS_BUILD_DIR")) + "/tests/targets/" + name;
}

/// The figure after `key` in a line "truth key N key N …".
std::int64_t truth(const std::string &output, const std::string &key)
{
    const std::size_t at = output.find(" " + key + " ");
    return at == std::string::npos ? -1 : std::atoll(output.c_str() + at + key.size() + 2);
}

std::uint64_t dropped(const HeapListener::ImageResult &image)
{
    return image.losses.droppedRing + image.losses.droppedNoRing;
}

} // namespace

class HeapTracingTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void countsEqualTheTruth_data()
    {
        QTest::addColumn<int>("threads");
        QTest::addColumn<int>("operations");
        QTest::newRow("1 thread") << 1 << 200000;
        QTest::newRow("4 threads") << 4 << 100000;
        QTest::newRow("50 threads") << 50 << 10000;
    }
    void countsEqualTheTruth()
    {
        QFETCH(int, threads);
        QFETCH(int, operations);
        HeapListener listener;
        const auto run = listener.run({target("heap_truth"), std::to_string(threads), std::to_string(operations)});
        QCOMPARE(run.status, 0);
        QCOMPARE(run.images.size(), std::size_t{1});
        const auto &image = run.images.front();
        qInfo("allocations %ld total %ld peak %ld ends: %ld whole, %zu kinds", image.program.allocations,
            image.total.allocations, image.peak.bytes, image.ends.at(0), image.ends.size());
        QCOMPARE(dropped(image), std::uint64_t{0});
        QCOMPARE(image.losses.reentered, std::uint64_t{0});
        QCOMPARE(image.pairing.unknownFrees, 0);
        QCOMPARE(image.pairing.missedFrees, 0);
        QCOMPARE(image.pairing.badRecords, 0);
        QCOMPARE(image.badRecords, std::uint64_t{0});
        QCOMPARE(image.program.allocations, truth(run.output, "allocations"));
        QCOMPARE(image.program.allocatedBytes, truth(run.output, "allocated_bytes"));
        QCOMPARE(image.program.frees, truth(run.output, "frees"));
        QCOMPARE(image.program.freedBytes, truth(run.output, "freed_bytes"));
        QCOMPARE(image.peak, image.peakOfRows);
    }

    void forkedChildHasAHeapOfItsOwn()
    {
        HeapListener listener;
        const auto run = listener.run({target("heap_processes"), "fork"});
        QCOMPARE(run.status, 0);
        QCOMPARE(run.images.size(), std::size_t{2});
        const auto &parent = run.images[0];
        const auto &child = run.images[1];
        QCOMPARE(parent.program.allocations, 100);
        QCOMPARE(parent.program.frees, 50);
        QCOMPARE(parent.pairing.unknownFrees, 0);
        QCOMPARE(child.origin, capture::wire::Origin::Fork);
        QCOMPARE(child.program.allocations, 30);
        QCOMPARE(child.program.frees, 10);
        QCOMPARE(child.program.freedBytes, 700);
        QCOMPARE(child.pairing.unknownFrees, 40);
        QCOMPARE(child.pairing.missedFrees, 0);
    }

    void eachExecIsAnImageOfItsOwn()
    {
        HeapListener listener;
        const auto run = listener.run({target("heap_processes"), "exec", "4"});
        QCOMPARE(run.status, 0);
        QCOMPARE(run.images.size(), std::size_t{4});
        for (std::size_t i = 0; i < 4; ++i)
            QCOMPARE(run.images[i].program.allocations, static_cast<std::int64_t>(4 - i));
    }

    void killedProgramLosesNothingThatItHadWritten()
    {
        HeapListener listener;
        const auto run = listener.run({target("heap_processes"), "killed"}, HeapListener::AfterLine::Kill);
        QVERIFY(WIFSIGNALED(run.status) && WTERMSIG(run.status) == SIGKILL);
        QCOMPARE(run.images.size(), std::size_t{1});
        QCOMPARE(run.images[0].program.allocations, 100000);
        QCOMPARE(run.images[0].program.frees, 50000);
    }

    void programThatEndsAtOnceIsSeenWhole()
    {
        HeapListener listener;
        const auto run = listener.run({target("heap_processes"), "at-once"});
        QCOMPARE(run.status, 0);
        QCOMPARE(run.images.size(), std::size_t{1});
        QCOMPARE(run.images[0].program.allocations, 10);
        QCOMPARE(run.images[0].live.blocks, run.images[0].total.allocations);
    }

    void stoppedListenerHoldsAProgramUpForABoundedTime()
    {
        HeapListener listener;
        QElapsedTimer timer;
        timer.start();
        const auto run = listener.run({target("heap_processes"), "outlive"}, HeapListener::AfterLine::Freeze);
        QCOMPARE(run.status, 0);
        QVERIFY2(timer.elapsed() < 20000, qPrintable(QString::number(timer.elapsed())));
        const auto &image = run.images[0];
        QVERIFY(dropped(image) > 0);
        // What was dropped is counted, to the last event: a malloc and a free of each block.
        QCOMPARE(image.program.allocations + image.program.frees + image.pairing.unknownFrees
                + image.pairing.missedFrees + static_cast<std::int64_t>(dropped(image)),
            600001 + 2 * image.pairing.missedFrees);
    }

    void tooSmallAnAddressSpaceIsToldAndTheProgramRuns()
    {
        HeapListener listener;
        const auto run = listener.run(
            {target("heap_processes"), "at-once"}, HeapListener::AfterLine::Nothing, std::uint64_t{64} << 20);
        QCOMPARE(run.status, 0);
        QCOMPARE(run.images.size(), std::size_t{1});
        QVERIFY2(run.images[0].failure.find("address space") != std::string::npos, run.images[0].failure.c_str());
        QCOMPARE(run.images[0].total.allocations, 0);
    }

    void threadsGiveTheirRingsBack()
    {
        // 3,200 threads in turn; 2,048 could have a ring at once.
        HeapListener listener;
        const auto run = listener.run({target("heap_threads"), "churn"});
        QCOMPARE(run.status, 0);
        const auto &image = run.images.at(0);
        QCOMPARE(dropped(image), std::uint64_t{0});
        QCOMPARE(image.program.allocations, truth(run.output, "allocations"));
        QCOMPARE(image.program.frees, truth(run.output, "frees"));
        QCOMPARE(image.pairing.unknownFrees, 0);
    }

    void otherStacksAreWalkedSafely()
    {
        HeapListener listener;
        const auto run = listener.run({target("heap_threads"), "stacks"});
        QCOMPARE(run.status, 0);
        const auto &image = run.images.at(0);
        QCOMPARE(image.program.allocations, truth(run.output, "allocations"));
        QCOMPARE(image.program.frees, truth(run.output, "frees"));
        // The deep recursion is cut off and says so. Everything else is followed to its start: that of the thread, signal stacks among it, or
        // that of a coroutine, which makecontext gives it.
        const auto ended = [&](std::uint32_t end) { return image.ends.count(end) != 0 ? image.ends.at(end) : 0; };
        QCOMPARE(ended(1), 1);
        QCOMPARE(ended(0), image.total.allocations - 1);
    }

    void librariesThatBindPastTheProgramAreSeen()
    {
        // Opened with RTLD_DEEPBIND: it finds malloc in its own dependencies. 1,000 calls, one by dlsym(), one as it comes, one as it goes.
        HeapListener listener;
        const auto run = listener.run({target("hostile_loading"), "deep-binding"});
        QCOMPARE(run.status, 0);
        QCOMPARE(run.images.size(), std::size_t{1});
        const auto &image = run.images.front();
        QCOMPARE(image.modules.at("libhostile_module.so"), 1003);
        QCOMPARE(image.pairing.unknownFrees, 0);
        QCOMPARE(image.pairing.missedFrees, 0);
    }

    void modulesAtTheSamePlaceAreToldApart()
    {
        HeapListener listener;
        const auto run
            = listener.run({target("heap_module_swap"), target("libheap_module_3.so"), target("libheap_module_5.so")});
        QCOMPARE(run.status, 0);
        QVERIFY(truth(run.output, "same_place") > 0);
        const auto &image = run.images.at(0);
        QCOMPARE(image.modules.at("libheap_module_3.so"), 30);
        QCOMPARE(image.modules.at("libheap_module_5.so"), 50);
        QCOMPARE(image.losses.modulesRefused, std::uint64_t{0});
    }

    void modulesComeWithTheBuildIdsOfTheirImages()
    {
        HeapListener listener;
        const auto run
            = listener.run({target("heap_module_swap"), target("libheap_module_3.so"), target("libheap_module_5.so")});
        const auto &ids = run.images.at(0).buildIds;
        for (const char *name : {"libheap_module_3.so", "libheap_module_5.so"}) {
            const std::string wanted = capture::buildIdOfFile(target(name));
            QCOMPARE(wanted.size(), std::size_t{40});
            QCOMPARE(ids.at(name), std::set<std::string>{wanted});
        }
    }

    void aModuleThatIsBuiltAnewAtTheSamePlaceIsAnother()
    {
        // The same path twice, and between the loads another build of it.
        QTemporaryDir directory;
        const std::string module = directory.filePath(QStringLiteral("module.so")).toStdString();
        const std::string anew = directory.filePath(QStringLiteral("anew.so")).toStdString();
        std::filesystem::copy_file(target("libheap_module_3.so"), module);
        std::filesystem::copy_file(target("libheap_module_5.so"), anew);
        HeapListener listener;
        const auto run = listener.run({target("heap_module_swap"), module, module, anew});
        QCOMPARE(run.status, 0);
        const auto &image = run.images.at(0);
        QVERIFY(truth(run.output, "same_place") > 0);
        QCOMPARE(image.buildIds.at("module.so").size(), std::size_t{2});
    }
};

QTEST_GUILESS_MAIN(HeapTracingTest)
#include "heap_tracing_integration_test.moc"

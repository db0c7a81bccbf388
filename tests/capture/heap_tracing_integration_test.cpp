// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/capture/heap_listener.h"

#include <QtTest>

#include <sys/wait.h>

#include <cstdlib>

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
        QCOMPARE(image.losses.droppedEvents, std::uint64_t{0});
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
};

QTEST_GUILESS_MAIN(HeapTracingTest)
#include "heap_tracing_integration_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/perf_ring.h"

#include <QTest>

#include <linux/perf_event.h>

#include <array>
#include <cstring>
#include <memory>

using namespace capture;

namespace {

/// A ring of 256 bytes to which a test writes as the kernel would.
struct FakeRing
{
    FakeRing()
        : page(std::make_unique<perf_event_mmap_page>())
        , ring(PerfRing::over(page.get(), data.data(), data.size()))
    {
    }
    void write(std::uint16_t size, std::uint8_t fill)
    {
        std::vector<std::uint8_t> bytes(size, fill);
        const perf_event_header header{.type = PERF_RECORD_SAMPLE, .misc = 0, .size = size};
        std::memcpy(bytes.data(), &header, sizeof(header));
        for (std::size_t i = 0; i < size; ++i)
            data[(page->data_head + i) % data.size()] = bytes[i];
        page->data_head = page->data_head + size;
    }
    std::vector<std::vector<std::uint8_t>> readAll(std::size_t mostBytes = 1024)
    {
        std::vector<std::vector<std::uint8_t>> records;
        outcome = ring.read(
            mostBytes, [&](std::span<const std::uint8_t> bytes) { records.emplace_back(bytes.begin(), bytes.end()); });
        return records;
    }
    std::unique_ptr<perf_event_mmap_page> page;
    alignas(8) std::array<std::uint8_t, 256> data = {};
    PerfRing ring;
    PerfRing::Outcome outcome;
};

} // namespace

class PerfRingTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void givesRecordsInOrderAndTheirRoomBack()
    {
        FakeRing fake;
        fake.write(16, 1);
        fake.write(24, 2);
        const auto records = fake.readAll();
        QCOMPARE(records.size(), std::size_t{2});
        QCOMPARE(records[0].size(), std::size_t{16});
        QCOMPARE(records[1].back(), 2);
        QCOMPARE(fake.page->data_tail, fake.page->data_head);
        QVERIFY(fake.readAll().empty());
    }

    void joinsRecordsThatGoRoundTheEnd()
    {
        FakeRing fake;
        for (std::uint8_t i = 0; i < 40; ++i) {
            fake.write(104, i);
            const auto records = fake.readAll();
            QCOMPARE(records.size(), std::size_t{1});
            QCOMPARE(records[0].size(), std::size_t{104});
            for (std::size_t at = sizeof(perf_event_header); at < 104; ++at)
                QCOMPARE(records[0][at], i);
        }
    }

    void stopsAtTheLimitAndGoesOnThere()
    {
        FakeRing fake;
        for (std::uint8_t i = 0; i < 4; ++i)
            fake.write(32, i);
        QCOMPARE(fake.readAll(64).size(), std::size_t{2});
        QVERIFY(fake.outcome.hasMore);
        const auto rest = fake.readAll(64);
        QCOMPARE(rest.size(), std::size_t{2});
        QCOMPARE(rest[0].back(), 2);
        QVERIFY(!fake.outcome.hasMore);
    }

    void skipsBytesThatAreNoRecords_data()
    {
        QTest::addColumn<int>("size");
        QTest::newRow("empty") << 0;
        QTest::newRow("smaller than a header") << 4;
        QTest::newRow("not in words") << 20;
        QTest::newRow("beyond what was written") << 200;
    }
    void skipsBytesThatAreNoRecords()
    {
        QFETCH(int, size);
        FakeRing fake;
        fake.write(16, 1);
        fake.write(32, 2);
        const auto bad = static_cast<std::uint16_t>(size);
        std::memcpy(fake.data.data() + 16 + offsetof(perf_event_header, size), &bad, sizeof(bad));
        QCOMPARE(fake.readAll().size(), std::size_t{1});
        QCOMPARE(fake.outcome.badBytes, 32U);
        fake.write(16, 3);
        QCOMPARE(fake.readAll().size(), std::size_t{1});
    }
};

QTEST_APPLESS_MAIN(PerfRingTest)
#include "perf_ring_test.moc"

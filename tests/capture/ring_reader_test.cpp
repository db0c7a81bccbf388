// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/ring_reader.h"
#include "tests/capture/perf_bytes.h"

#include <QTest>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>

using namespace capture;
using namespace std::chrono_literals;

namespace {

constexpr auto kInterval = 2ms;
constexpr auto kDeadline = 10s;

/// The ring of one CPU, to which the test writes as the kernel does: what finds no room is lost.
struct FakeRing
{
    FakeRing() { rings.push_back(PerfRing::over(page.get(), data.data(), data.size())); }
    /// The end of a thread.
    bool write(std::uint32_t tid)
    {
        PerfBytes record(PERF_RECORD_EXIT, 0);
        record.add(std::uint32_t{10}).add(std::uint32_t{1}).add(tid).add(std::uint32_t{1}).add(std::uint64_t{tid});
        const std::vector<std::uint8_t> bytes = record.trailer(10, static_cast<std::int32_t>(tid), tid, 0).bytes();
        if (used() + bytes.size() > data.size())
            return false;
        for (std::size_t i = 0; i < bytes.size(); ++i)
            data[(page->data_head + i) % data.size()] = bytes[i];
        __atomic_store_n(&page->data_head, page->data_head + bytes.size(), __ATOMIC_RELEASE);
        return true;
    }
    std::size_t used() const { return page->data_head - __atomic_load_n(&page->data_tail, __ATOMIC_ACQUIRE); }

    std::unique_ptr<perf_event_mmap_page> page = std::make_unique<perf_event_mmap_page>();
    alignas(8) std::array<std::uint8_t, 4096> data = {};
    std::vector<PerfRing> rings;
};

/// The thread looks every 2 ms.
bool comesTrue(const std::function<bool()> &condition)
{
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline)
            return false;
        std::this_thread::sleep_for(kInterval / 4);
    }
    return true;
}

std::vector<std::int32_t> tidsOf(RingReader &reader)
{
    std::vector<std::int32_t> tids;
    while (reader.read(4096, [&tids](const PerfRecord &record) { tids.push_back(record.tid); }).hasMore) { }
    return tids;
}

} // namespace

class RingReaderTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    /// Ten times what the ring holds, while nobody asks for it.
    void keepsWhatTheRingHasNoRoomFor()
    {
        FakeRing fake;
        RingReader reader(1 << 20);
        reader.start(fake.rings, kInterval);
        std::vector<std::int32_t> written;
        for (std::uint32_t tid = 1; tid <= 700; ++tid) {
            QVERIFY(comesTrue([&] { return fake.write(tid); }));
            written.push_back(static_cast<std::int32_t>(tid));
        }
        QCOMPARE(tidsOf(reader), written);
        QVERIFY(tidsOf(reader).empty());
    }

    void leavesARingAloneThatIsReadInTime()
    {
        FakeRing fake;
        RingReader reader(1 << 20);
        reader.start(fake.rings, kInterval);
        QVERIFY(fake.write(1) && fake.write(2));
        const std::size_t used = fake.used();
        std::this_thread::sleep_for(10 * kInterval);
        QCOMPARE(fake.used(), used);
        QCOMPARE(tidsOf(reader), (std::vector<std::int32_t>{1, 2}));
    }

    /// The kernel then counts what it has no room for.
    void keepsNoMoreThanItMay()
    {
        FakeRing fake;
        RingReader reader(1); // what it reads first is too much already
        reader.start(fake.rings, kInterval);
        std::uint32_t tid = 1;
        while (fake.used() <= fake.data.size() / 2)
            QVERIFY(fake.write(tid++));
        QVERIFY(comesTrue([&] { return fake.used() == 0; }));
        while (fake.write(tid))
            ++tid;
        std::this_thread::sleep_for(10 * kInterval);
        QVERIFY(!fake.write(tid));
        QCOMPARE(tidsOf(reader).size(), std::size_t{tid - 1});
    }

    void countsWhatIsNoRecord()
    {
        FakeRing fake;
        RingReader reader(1 << 20);
        reader.start(fake.rings, kInterval);
        fake.data.fill(0xff);
        __atomic_store_n(&fake.page->data_head, 2400, __ATOMIC_RELEASE);
        QVERIFY(comesTrue([&] { return fake.used() == 0; }));
        QVERIFY(fake.write(7));
        std::vector<std::int32_t> tids;
        const RingReader::Outcome outcome
            = reader.read(4096, [&tids](const PerfRecord &record) { tids.push_back(record.tid); });
        QCOMPARE(outcome.badBytes, std::uint64_t{2400});
        QCOMPARE(tids, std::vector<std::int32_t>{7});
    }
};

QTEST_APPLESS_MAIN(RingReaderTest)
#include "ring_reader_test.moc"

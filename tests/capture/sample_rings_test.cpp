// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/perf_event.h"
#include "capture/perf/perf_record.h"
#include "capture/perf/sample_rings.h"

#include <QTest>

#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <variant>

using namespace capture;

namespace {

/// A thread that uses the CPU of this index for as long as it is there.
class BusyThread
{
public:
    explicit BusyThread(int cpu)
        : m_thread([this, cpu](const std::stop_token &stop) {
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET(static_cast<std::size_t>(cpu), &one);
            sched_setaffinity(0, sizeof(one), &one);
            m_tid = ::gettid();
            while (!stop.stop_requested()) { }
        })
    {
        while (m_tid == 0)
            std::this_thread::yield();
    }
    pid_t tid() const { return m_tid; }

private:
    std::atomic<pid_t> m_tid{0};
    std::jthread m_thread;
};

/// Whether a sample of the thread comes into the ring within some seconds; what is in there already is left out.
bool isSampled(PerfRing &ring, pid_t tid)
{
    ring.read(ring.dataBytes(), [](std::span<const std::uint8_t>) {});
    bool isThere = false;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!isThere && std::chrono::steady_clock::now() < until) {
        ring.read(ring.dataBytes(), [&](std::span<const std::uint8_t> bytes) {
            PerfRecord record;
            isThere = isThere
                || (decodePerfRecord(bytes, record) == DecodeResult::Decoded && record.tid == tid
                    && std::holds_alternative<PerfSample>(record.content));
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return isThere;
}

} // namespace

class SampleRingsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void keepsThoseThatJoinedARingWhenItIsMappedAgain();
};

/// As when the thread that a ring was mapped from has ended, and the ring of a later CPU finds no room.
void SampleRingsTest::keepsThoseThatJoinedARingWhenItIsMappedAgain()
{
    const CpuEventOptions options;
    const int cpu = sched_getcpu();
    const auto setup = findCpuEventSetup(options, ::gettid(), cpu);
    if (!setup)
        QSKIP(setup.error().text().c_str());
    constexpr std::size_t kRingBytes = 2 * SampleRings::kLeastBytes;
    const perf_event_attr attributes = cpuEventAttributes(options, *setup, kRingBytes);
    int error = 0;
    const BusyThread busy(cpu);
    PerfDescriptor owner;
    {
        const BusyThread ended(cpu);
        owner = openPerfEvent(attributes, ended.tid(), cpu, error);
    }
    const PerfDescriptor joined = openPerfEvent(attributes, busy.tid(), cpu, error);
    QVERIFY2(owner.get() >= 0 && joined.get() >= 0, qPrintable(qt_error_string(error)));

    SampleRings rings({cpu}, kRingBytes);
    int timesEmptied = 0;
    const auto empty = [&timesEmptied] { ++timesEmptied; };
    const auto first = rings.attach(0, owner.get(), empty);
    QVERIFY2(first, first ? "" : first.error().text().c_str()); // they are smaller than the kernel grants everybody
    QVERIFY(rings.attach(0, joined.get(), empty));
    QVERIFY(isSampled(rings.rings()[0], busy.tid()));

    QCOMPARE(rings.mapAgain(SampleRings::kLeastBytes, empty), 0);
    QCOMPARE(timesEmptied, 1);
    QCOMPARE(rings.rings()[0].dataBytes(), SampleRings::kLeastBytes);
    QVERIFY(isSampled(rings.rings()[0], busy.tid()));
}

QTEST_APPLESS_MAIN(SampleRingsTest)
#include "sample_rings_test.moc"

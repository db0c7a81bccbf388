// SPDX-License-Identifier: GPL-3.0-or-later
// The recording's clock and the targets', over suspended machines.
#include "capture/heap/clock_rate.h"
#include "capture/wire/record.h"

#include <QTest>

using capture::ClockRate;
using capture::ClockReading;
using capture::wire::Record;

namespace {

constexpr double kUnitsPerNs = 3.0 / 64; // 3 GHz, in units of 64 cycles
constexpr std::int64_t kSecond = 1'000'000'000;

/// A machine that can be suspended.
struct Machine
{
    ClockReading now{1'000'000'000'000, 5 * kSecond};
    double unitsPerNs = kUnitsPerNs;
    ClockRate rate;

    Machine()
    {
        rate.add(now);
        run(2'000'000);
    }
    void run(std::int64_t ns)
    {
        now.ns += ns;
        now.units += static_cast<std::uint64_t>(static_cast<double>(ns) * unitsPerNs);
        rate.add(now);
    }
    void run(std::int64_t ns, int times)
    {
        for (int i = 0; i < times; ++i)
            run(ns);
    }
    double deviation() const { return std::abs(rate.nsPerUnit() * unitsPerNs - 1); }
};

} // namespace

class ClockRateTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theRateIsOfTheLongestSpan()
    {
        Machine machine;
        QVERIFY(machine.deviation() < 1e-4);
        machine.run(kSecond, 100);
        machine.now.ns += 50'000; // as read by one who was kept from running
        machine.rate.add(machine.now);
        QVERIFY(machine.deviation() < 1e-6);
    }

    void theCounterGoesOnWhileTheMachineIsSuspended()
    {
        Machine machine;
        machine.run(kSecond, 10);
        machine.now.units += static_cast<std::uint64_t>(3600 * 1e9 * kUnitsPerNs);
        machine.run(kSecond);
        QVERIFY(machine.deviation() < 1e-4); // not known better yet, but not spoiled
        machine.run(kSecond, 10);
        QVERIFY(machine.deviation() < 1e-6);
    }

    void theCounterBeginsAnewAfterASuspend()
    {
        Machine machine;
        machine.run(kSecond, 10);
        machine.now.units = 1000;
        machine.run(10'000'000);
        for (int i = 0; i < 1000; ++i) {
            machine.run(10'000'000);
            QVERIFY(machine.deviation() < 1e-4);
        }
    }

    /// A guest that moves to another machine.
    void theCounterGoesAtAnotherSpeed()
    {
        Machine machine;
        machine.run(kSecond, 1000);
        machine.unitsPerNs = kUnitsPerNs * 0.8;
        machine.run(kSecond, 4);
        QVERIFY(machine.deviation() < 1e-4);
    }

    void aTimeThatIsFarBehindIsWritten()
    {
        constexpr std::uint64_t kNow = 1ULL << 50;
        QVERIFY(!Record::needsTime(kNow, kNow));
        QVERIFY(!Record::needsTime(kNow, kNow + Record::kTimeLimit - 1));
        QVERIFY(Record::needsTime(kNow, kNow + Record::kTimeLimit));
        QVERIFY(!Record::needsTime(kNow, kNow - 1)); // another core's
        QVERIFY(Record::needsTime(kNow, kNow - Record::kTimeLimit));
        QVERIFY(Record::needsTime(kNow, 1000));
        QVERIFY(Record::needsTime(0, kNow));
    }
};

QTEST_APPLESS_MAIN(ClockRateTest)
#include "clock_rate_test.moc"

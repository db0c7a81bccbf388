// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/trace_gate.h"

#include <QTest>

using namespace capture;

namespace {

constexpr std::uint64_t kMs = 1'000'000;

/// Records of calls that a program with 2,000 records a millisecond leaves in `seconds`, looked at every `stepMs`; and how often it opened.
struct Flood
{
    std::int64_t records = 0;
    int openings = 0;
};
Flood flood(TraceGate &gate, std::uint64_t stepMs, std::uint64_t seconds)
{
    Flood result;
    bool isOpen = true;
    for (std::uint64_t ms = 0; ms < seconds * 1000; ms += stepMs) {
        for (std::uint64_t i = 0; isOpen && i < 2000 * stepMs; ++i) {
            gate.countCall();
            ++result.records;
        }
        const bool wasOpen = std::exchange(isOpen, gate.areCallsWanted(ms * kMs));
        result.openings += isOpen && !wasOpen ? 1 : 0;
    }
    return result;
}

} // namespace

class TraceGateTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void boundsTheRecordsWhateverComesBetweenTwoLooks()
    {
        for (const std::uint64_t stepMs : {1, 10, 50}) {
            TraceGate gate;
            const Flood seen = flood(gate, stepMs, 10);
            QVERIFY2(seen.records < 3'400'000 && seen.records > 2'500'000, qPrintable(QString::number(seen.records)));
        }
    }

    void closesForMillisecondsOnlyUnlessThatTakesLong()
    {
        TraceGate quick, slow;
        slow.switchingTook(10 * kMs);
        QVERIFY(flood(quick, 1, 10).openings > 400);
        const int openings = flood(slow, 1, 10).openings;
        QVERIFY2(openings > 80 && openings <= 100, qPrintable(QString::number(openings)));
    }
};

QTEST_APPLESS_MAIN(TraceGateTest)
#include "trace_gate_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
// Which events get a time stamp of their own.
#include "capture/tracer/stamp_turns.h"

#include <QtTest>

using capture::tracer::StampTurns;

class StampTurnsTest : public QObject
{
    Q_OBJECT

    static constexpr std::uint64_t kAwake = 2;

    /// After how many events of a thread that is not the sole one it asks to be.
    static std::uint32_t untilAsked(StampTurns &turns)
    {
        for (std::uint32_t events = 1;; ++events) {
            const bool asks = turns.asksToBeSole();
            turns.noteStamp(1);
            if (asks)
                return events;
        }
    }
    /// Of so many events, each `units` after the one before, how many got their own.
    static int stamped(StampTurns &turns, int events, std::uint64_t units, bool isSole = true)
    {
        int own = 0;
        std::uint64_t since = 0;
        for (int i = 0; i < events; ++i) {
            since += units;
            if (!turns.hasOwn(isSole, kAwake))
                continue;
            turns.noteStamp(since);
            since = 0;
            ++own;
        }
        return own;
    }

private Q_SLOTS:
    void oneInSoManyWhereEventsComeFast()
    {
        StampTurns turns;
        stamped(turns, 1, 0);
        constexpr int kTurn = static_cast<int>(StampTurns::kTurn);
        QCOMPARE(stamped(turns, 100 * kTurn, 1), 100);
    }
    void eachWhereTheyComeSlowly()
    {
        StampTurns turns;
        stamped(turns, 1, 0);
        stamped(turns, 2 * StampTurns::kTurn, StampTurns::kFastUnits); // the turn that is under way ends first
        QCOMPARE(stamped(turns, 100, StampTurns::kFastUnits + 1), 100);
        QVERIFY(stamped(turns, 100, 1) < 100); // fast again
    }
    void eachWhereMoreThanOneThreadRecords()
    {
        StampTurns turns;
        QCOMPARE(stamped(turns, 100, 1, false), 100);
    }
    /// Where several threads record at once, asking is in vain, and costs them all a cache line.
    void asksLessAndLessWhileItIsInVain()
    {
        StampTurns turns;
        for (std::uint32_t patience = StampTurns::kLeastPatience; patience < StampTurns::kMostPatience; patience *= 2)
            QCOMPARE(untilAsked(turns), patience);
        QCOMPARE(untilAsked(turns), StampTurns::kMostPatience);
        QCOMPARE(untilAsked(turns), StampTurns::kMostPatience);
        // Not for long, then for long.
        stamped(turns, StampTurns::kTurn * static_cast<int>(StampTurns::kLongTurns) / 2, 1);
        QCOMPARE(untilAsked(turns), StampTurns::kMostPatience);
        stamped(turns, StampTurns::kTurn * static_cast<int>(StampTurns::kLongTurns + 1), 1);
        QCOMPARE(untilAsked(turns), StampTurns::kMostPatience);
        QCOMPARE(untilAsked(turns), StampTurns::kLeastPatience);
    }
    /// The recorder looked in between: what comes next is later than that, and says so.
    void afterEachHeartbeat()
    {
        StampTurns turns;
        for (std::uint64_t beat = 2; beat < 100; beat += 2) {
            QVERIFY(turns.hasOwn(true, beat));
            turns.noteStamp(1);
            QVERIFY(!turns.hasOwn(true, beat));
        }
    }
    /// No beat would come to tell of a pause.
    void eachWhileTheRecorderRests()
    {
        StampTurns turns;
        stamped(turns, 2, 1);
        for (int i = 0; i < 100; ++i) {
            QVERIFY(turns.hasOwn(true, kAwake + 1));
            turns.noteStamp(1);
        }
        QVERIFY(turns.hasOwn(true, kAwake + 2));
    }
};

QTEST_APPLESS_MAIN(StampTurnsTest)
#include "stamp_turns_test.moc"

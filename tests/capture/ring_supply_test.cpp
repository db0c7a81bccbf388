// SPDX-License-Identifier: GPL-3.0-or-later
// What the recorder sees of how fast a target goes through its rings, and what it gives it for that.
#include "capture/heap/image_channel.h"

#include <QtTest>

#include <memory>
#include <utility>

using namespace capture;

namespace {

struct Supply
{
    std::uint64_t now = 1'000'000;
    RecorderClock clock{now};
    ImageChannel channel{std::move(ImageMemory::create(clock.kind(), 1).value()), INT32_MAX, true}; // no process
    wire::MemoryView view = channel.memory().view();

    std::uint32_t slots() { return channel.memory().slotCount(); }
    void takeAll()
    {
        for (std::uint32_t i = 0; i < slots(); ++i) {
            view.slot(i).tid.store(i + 1);
            view.slot(i).serial.store(i + 1);
            view.slot(i).state.store(wire::SlotState::Taken);
        }
    }
    /// Threads take every free ring, and one more asks in vain, or none does.
    std::uint32_t freeAfterThreads(bool isShort)
    {
        takeAll();
        const std::uint32_t before = slots();
        if (isShort)
            view.header().wanted.fetch_or(static_cast<std::uint32_t>(wire::Want::Slot));
        channel.drain(clock, false);
        channel.provide(false, clock);
        return slots() - before;
    }
};

} // namespace

class RingSupplyTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void moreRingsAreKeptFreeWhereThreadsAskedForThem()
    {
        Supply supply;
        const std::uint32_t usual = supply.freeAfterThreads(false);
        QVERIFY(usual >= 2);
        QVERIFY(supply.freeAfterThreads(true) >= 4);
        QVERIFY(supply.freeAfterThreads(true) >= 8);
        QVERIFY(supply.freeAfterThreads(false) >= 8); // it may happen again
    }

    /// However little of the processor the recorder gets: who waits for room gets it in the middle of a pass, and counts as one that waited.
    void aLongPassGivesRoom()
    {
        QFETCH(bool, isInStrictOrder);
        constexpr std::uint32_t kThreads = 16;
        constexpr std::uint64_t kEvents = 2000;
        Supply supply;
        if (isInStrictOrder)
            supply.channel.expectEarlierBlocks();
        QVERIFY(supply.slots() >= kThreads || supply.channel.memory().addSlots(kThreads));
        for (std::uint32_t thread = 0; thread < kThreads; ++thread) {
            wire::ThreadSlot &slot = supply.view.slot(thread);
            wire::Record *ring = supply.view.ring(slot.ringOffset);
            for (std::uint64_t i = 0; i < kEvents; ++i)
                ring[i] = wire::Record::of(wire::RecordType::Malloc, 0x1000 + (thread << 20) + i * 16, 16, 7, 1);
            slot.head.store(kEvents);
            slot.waiting.store(1);
        }
        supply.takeAll();
        supply.now += UnsettledBlocks::kSkewUnits + 1;
        QCOMPARE(supply.channel.drain(supply.clock, false), kThreads * kEvents);
        for (std::uint32_t thread = 0; thread < kThreads; ++thread)
            QCOMPARE(supply.view.slot(thread).space.load(), 2u);
        QCOMPARE(supply.channel.takeTraffic(supply.clock).waits, std::uint64_t{kThreads});
    }
    void aLongPassGivesRoom_data()
    {
        QTest::addColumn<bool>("isInStrictOrder");
        QTest::newRow("as events come") << false;
        QTest::newRow("in strict order") << true;
    }

    void theFullestRingIsTold()
    {
        Supply supply;
        QVERIFY(supply.slots() >= 2);
        supply.takeAll();
        supply.channel.drain(supply.clock, false);
        QCOMPARE(supply.channel.takeFullest(), 0.0);
        const auto write = [&](std::uint32_t slot, std::uint64_t records) {
            wire::Record *ring = supply.view.ring(supply.view.slot(slot).ringOffset);
            for (std::uint64_t i = 0; i < records; ++i)
                ring[i] = wire::Record::of(wire::RecordType::Malloc, 0x1000 + (slot << 20) + i * 16, 16, 7, 0);
            supply.view.slot(slot).head.store(records);
        };
        write(0, wire::kFirstRingRecords / 8);
        write(1, wire::kFirstRingRecords / 2);
        supply.now += UnsettledBlocks::kSkewUnits + 1;
        supply.channel.drain(supply.clock, false);
        QCOMPARE(supply.channel.takeFullest(), 0.5);
        QCOMPARE(supply.channel.takeFullest(), 0.0);
    }
};

QTEST_GUILESS_MAIN(RingSupplyTest)
#include "ring_supply_test.moc"

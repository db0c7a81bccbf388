// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/event_decoder.h"
#include "capture/wire/shared_ring.h"

#include <QtTest>

#include <memory>
#include <thread>

using namespace capture;
using wire::Record;
using wire::RecordType;

namespace {

constexpr std::uint32_t kRecords = 64;

/// A slot and two rings in ordinary memory.
struct Ring
{
    Ring()
    {
        slot.ringOffset = 0;
        slot.ringRecords = kRecords;
        writer = wire::RingWriter(view(), slot);
        reader = wire::RingReader(view(), slot, 0, kRecords);
    }
    wire::MemoryView view() { return {reinterpret_cast<unsigned char *>(memory.get())}; }

    std::unique_ptr<Record[]> memory = std::make_unique<Record[]>(4096 / sizeof(Record) + 4 * kRecords);
    wire::ThreadSlot slot{};
    wire::RingWriter writer;
    wire::RingReader reader;
};

Record numbered(std::uint64_t number) { return Record::of(RecordType::Malloc, number, number * 2, 7, 0); }

/// Adds a record if there is room, the short way where that is open; false if there is none.
bool tryAdd(Ring &ring, const Record &record)
{
    if (ring.writer.hasPlainRoom()) {
        ring.writer.addPlain(record);
        return true;
    }
    if (!ring.writer.hasRoom(1) && ring.writer.refresh(1) == wire::RingWriter::Room::Full)
        return false;
    ring.writer.add(record);
    ring.writer.publish();
    return true;
}

} // namespace

class RingTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void recordKeepsItsFields()
    {
        const Record record
            = Record::of(RecordType::ReallocEnd, 0x7fff'1234'5670, (std::uint64_t{1} << 36) - 1, (1u << 24) - 1, 65535);
        QCOMPARE(record.type(), RecordType::ReallocEnd);
        QCOMPARE(record.pointer(), std::uint64_t{0x7fff'1234'5670});
        QCOMPARE(record.size(), (std::uint64_t{1} << 36) - 1);
        QCOMPARE(record.node(), (1u << 24) - 1);
        QCOMPARE(record.timeDelta(), std::uint64_t{65535});
    }

    void wideRecordCarriesWhatDoesNotFit()
    {
        const std::uint64_t pointer = 0x00ff'8123'4567'89a0, size = std::uint64_t{5} << 40 | 3;
        QVERIFY(Record::needsWide(pointer, 1) && Record::needsWide(16, size) && !Record::needsWide(16, 1));
        Ring ring;
        QVERIFY(tryAdd(ring, Record::wide(pointer, size)));
        QVERIFY(tryAdd(ring, Record::of(RecordType::Malloc, pointer, size, 9, 0)));
        QVERIFY(tryAdd(ring, numbered(16)));
        EventDecoder decoder(ring.reader);
        QVERIFY(decoder.ring().refresh());
        const HeapEvent event = decoder.next();
        QCOMPARE(event.pointer, pointer);
        QCOMPARE(event.size, size);
        QCOMPARE(event.node, 9u);
        QCOMPARE(decoder.next().pointer, std::uint64_t{16});
    }

    void impossibleSizeIsABadRecord()
    {
        Ring ring;
        QVERIFY(tryAdd(ring, Record::wide(16, kMostEventBytes)));
        QVERIFY(tryAdd(ring, Record::of(RecordType::Malloc, 16, 1, 9, 0)));
        QVERIFY(tryAdd(ring, numbered(32)));
        EventDecoder decoder(ring.reader);
        QVERIFY(decoder.ring().refresh());
        QCOMPARE(decoder.next().pointer, std::uint64_t{32});
        QCOMPARE(decoder.takeBadRecords(), std::uint64_t{1});
    }

    void timesAddUpFromTheLastAbsoluteOne()
    {
        Ring ring;
        tryAdd(ring, Record::time(1'000'000'000'000));
        tryAdd(ring, Record::of(RecordType::Malloc, 16, 1, 7, 0));
        tryAdd(ring, Record::of(RecordType::Free, 16, 0, 0, 40));
        EventDecoder decoder(ring.reader);
        decoder.ring().refresh();
        QCOMPARE(decoder.next().units, std::uint64_t{1'000'000'000'000});
        QCOMPARE(decoder.next().units, std::uint64_t{1'000'000'000'040});
    }

    void fullRingRefusesAndLosesNothing()
    {
        Ring ring;
        std::uint64_t written = 0;
        while (tryAdd(ring, numbered(written + 1)))
            ++written;
        QCOMPARE(written, std::uint64_t{kRecords - 1}); // one is kept for a jump
        QVERIFY(ring.reader.refresh());
        QCOMPARE(ring.reader.available(), written);
        for (std::uint64_t i = 0; i < written; ++i, ring.reader.pop())
            QCOMPARE(ring.reader.peek(0).pointer(), i + 1);
        ring.reader.publish();
        QVERIFY(tryAdd(ring, numbered(1)));
    }

    void shortWayEndsBeforeTheRingDoes()
    {
        Ring ring;
        QVERIFY(!ring.writer.hasPlainRoom()); // the recorder's position was not looked at yet
        for (std::uint64_t round = 0, written = 0; round < 5; ++round) {
            // Read as it is written: what ends the short way is the end of the ring, not of the room.
            std::uint64_t shortly = 0;
            for (std::uint32_t i = 0; i < kRecords; ++i) {
                shortly += ring.writer.hasPlainRoom() ? 1 : 0;
                QVERIFY(tryAdd(ring, numbered(++written)));
                QVERIFY(ring.reader.refresh());
                QCOMPARE(ring.reader.peek(0).pointer(), written);
                ring.reader.pop();
                ring.reader.publish();
            }
            QCOMPARE(shortly,
                std::uint64_t{kRecords - 2}); // once the ring's end, once half of it: the position is asked for
        }
    }

    void halfFullRingAsksForTheBell()
    {
        Ring ring;
        for (std::uint64_t i = 0; i < kRecords / 2; ++i)
            QVERIFY(tryAdd(ring, numbered(i + 1)));
        QCOMPARE(ring.writer.refresh(1), wire::RingWriter::Room::HalfFull);
    }

    void jumpGoesOnInTheLargerRing()
    {
        Ring ring;
        std::uint64_t written = 0;
        while (tryAdd(ring, numbered(written + 1)))
            ++written;
        ring.reader.offer(4096, 7);
        QVERIFY(ring.writer.takeOffer());
        for (int i = 0; i < 100; ++i)
            QVERIFY(tryAdd(ring, numbered(++written)));
        EventDecoder decoder(ring.reader);
        QVERIFY(decoder.ring().refresh());
        for (std::uint64_t i = 1; i <= written; ++i)
            QCOMPARE(decoder.next().pointer, i);
        QCOMPARE(decoder.next().type, RecordType::None);
        QCOMPARE(decoder.takeLeftRing().records, kRecords);
        QCOMPARE(decoder.ring().records(), std::uint64_t{128});
        QCOMPARE(decoder.takeBadRecords(), std::uint64_t{0});
    }

    void nextOwnerGoesOnWhereTheLastOneEnded()
    {
        Ring ring;
        for (std::uint64_t i = 0; i < 10; ++i)
            tryAdd(ring, numbered(i + 1));
        ring.reader.refresh();
        for (int i = 0; i < 10; ++i)
            ring.reader.pop();
        ring.reader.publish();
        ring.reader.describe();
        ring.writer = wire::RingWriter(ring.view(), ring.slot);
        QVERIFY(tryAdd(ring, numbered(99)));
        QVERIFY(ring.reader.refresh());
        QCOMPARE(ring.reader.available(), std::uint64_t{1});
        QCOMPARE(ring.reader.peek(0).pointer(), std::uint64_t{99});
    }

    void impossiblePositionsAreRefused_data()
    {
        QTest::addColumn<quint64>("head");
        QTest::newRow("beyond the ring") << quint64{kRecords + 1};
        QTest::newRow("far beyond") << ~quint64{0};
        QTest::newRow("back") << quint64{1};
    }
    void impossiblePositionsAreRefused()
    {
        QFETCH(quint64, head);
        Ring ring;
        tryAdd(ring, numbered(1));
        tryAdd(ring, numbered(2));
        ring.reader.refresh();
        ring.reader.pop();
        ring.reader.pop();
        ring.slot.head.store(head == 1 ? 1 : head + 2);
        QVERIFY(!ring.reader.refresh());
        QCOMPARE(ring.reader.available(), std::uint64_t{0});
        QVERIFY(ring.reader.refresh());
    }

    void twoThreadsPassAMillionRecords()
    {
        Ring ring;
        constexpr std::uint64_t kCount = 1'000'000;
        std::thread writer([&] {
            for (std::uint64_t i = 1; i <= kCount;)
                if (tryAdd(ring, numbered(i)))
                    ++i;
                else
                    std::this_thread::yield();
        });
        std::uint64_t next = 1;
        bool isInOrder = true;
        while (next <= kCount && isInOrder) {
            isInOrder = ring.reader.refresh();
            if (ring.reader.available() == 0)
                std::this_thread::yield();
            for (; isInOrder && ring.reader.available() > 0; ring.reader.pop(), ++next)
                isInOrder = ring.reader.peek(0).pointer() == next && ring.reader.peek(0).size() == next * 2;
            ring.reader.publish();
        }
        writer.join();
        QVERIFY(isInOrder);
        QCOMPARE(next, kCount + 1);
    }
};

QTEST_GUILESS_MAIN(RingTest)
#include "ring_test.moc"

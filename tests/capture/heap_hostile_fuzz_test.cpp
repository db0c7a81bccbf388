// SPDX-License-Identifier: GPL-3.0-or-later
// A target that writes whatever it likes into the shared memory must not crash the recorder, make it read elsewhere, or keep it busy
// without end.
#include "capture/heap/image_channel.h"
#include "capture/heap/stack_resolver.h"

#include <QtTest>

#include <atomic>
#include <cstring>
#include <random>
#include <thread>

using namespace capture;

namespace {

constexpr int kRounds = 100;

std::unique_ptr<ImageChannel> makeChannel(const RecorderClock &clock)
{
    auto memory = ImageMemory::create(clock.kind(), 1);
    if (!memory)
        qFatal("%s", memory.error().text().c_str());
    return std::make_unique<ImageChannel>(std::move(*memory), 1, true);
}

/// Random words over a random piece of the parts that a target uses: header, slots, modules, nodes, first rings.
void scribble(wire::MemoryView view, std::uint32_t slots, std::mt19937_64 &random)
{
    const std::uint64_t begins[] = {offsetof(wire::Header, doorbell), wire::kSlotsOffset, wire::kModulesOffset,
        wire::kPathsOffset, wire::kNodesOffset, wire::kRingsOffset};
    const std::uint64_t sizes[] = {256, slots * sizeof(wire::ThreadSlot), 64 * sizeof(wire::ModuleRecord), 4096,
        4096 * sizeof(wire::Node), slots * wire::kFirstRingRecords * sizeof(wire::Record)};
    const std::size_t part = random() % 6;
    for (int i = 0; i < 64; ++i) {
        const std::uint64_t at = begins[part] + random() % (sizes[part] / 8) * 8;
        // Small numbers and plausible bits get further than pure noise.
        const std::uint64_t value = random() >> (random() % 64);
        __atomic_store_n(reinterpret_cast<std::uint64_t *>(view.base + at), value, __ATOMIC_RELAXED);
    }
}

/// Slots that look taken, with heads that claim a plausible number of records.
void claim(wire::MemoryView view, std::uint32_t slots, std::mt19937_64 &random)
{
    for (std::uint32_t i = 0; i < slots; ++i) {
        wire::ThreadSlot &slot = view.slot(i);
        slot.state.store(wire::SlotState::Taken);
        slot.head.store(slot.tail.load() + random() % wire::kFirstRingRecords);
    }
}

} // namespace

class HeapHostileTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void noiseIsSurvivedAndCounted()
    {
        RecorderClock clock(0);
        model::TableBuilder tables;
        std::mt19937_64 random(7);
        std::uint64_t bad = 0;
        for (int image = 0; image < 20; ++image) {
            const auto channel = makeChannel(clock);
            const wire::MemoryView view = channel->memory().view();
            StackResolver resolver(view, ModuleNames(1));
            for (int round = 0; round < kRounds / 5; ++round) {
                scribble(view, channel->memory().slotCount(), random);
                claim(view, channel->memory().slotCount(), random);
                clock.sync();
                channel->drain(clock, round % 7 == 0);
                channel->provide(round % 5 == 0, clock);
                for (const auto &row : channel->pairing().ledger().takeTick().rows) {
                    const model::StackId stack = resolver.stackOf(row.node, tables);
                    QVERIFY(stack.index() < tables.tables().stacks.size());
                    QVERIFY(static_cast<std::uint32_t>(resolver.endOf(row.node, tables)) < model::kStackEndCount);
                }
                bad += channel->takeBadRecords() + static_cast<std::uint64_t>(resolver.takeBadNodes());
                channel->losses();
                channel->takeNewThreads();
            }
        }
        QVERIFY(bad > 0);
    }

    void writerThatRacesTheReaderIsSurvived()
    {
        RecorderClock clock(0);
        model::TableBuilder tables;
        const auto channel = makeChannel(clock);
        const wire::MemoryView view = channel->memory().view();
        StackResolver resolver(view, ModuleNames(1));
        std::atomic<bool> isOver = false;
        std::thread target([&] {
            std::mt19937_64 random(11);
            while (!isOver) {
                scribble(view, 4, random);
                claim(view, 4, random);
            }
        });
        for (int round = 0; round < kRounds; ++round) {
            clock.sync();
            channel->drain(clock, false);
            channel->provide(round % 50 == 0, clock);
            for (const auto &row : channel->pairing().ledger().takeTick().rows)
                resolver.stackOf(row.node, tables);
        }
        isOver = true;
        target.join();
        QVERIFY(channel->memory().slotCount() <= wire::kMaxThreads);
    }

    void cyclesOfNodesEndInTheBadRuleRoot()
    {
        RecorderClock clock(0);
        model::TableBuilder tables;
        const auto channel = makeChannel(clock);
        const wire::MemoryView view = channel->memory().view();
        StackResolver resolver(view, ModuleNames(1));
        view.node(10) = {0x1000, 11, wire::kNoModule};
        view.node(11) = {0x2000, 10, 77};
        QCOMPARE(resolver.endOf(10, tables), model::StackEnd::BadRule);
        QCOMPARE(resolver.endOf(11, tables), model::StackEnd::BadRule);
        QCOMPARE(resolver.endOf(wire::kMaxNodes + 5, tables), model::StackEnd::BadRule);
        QVERIFY(resolver.takeBadNodes() >= 2);
    }

    void ringsThatWaitForEachOtherAreLetGo()
    {
        // Each ring frees what only the other, later, allocates: impossible for a real program.
        RecorderClock clock(0);
        const auto channel = makeChannel(clock);
        const wire::MemoryView view = channel->memory().view();
        for (std::uint32_t i = 0; i < 2; ++i) {
            wire::ThreadSlot &slot = view.slot(i);
            wire::Record *ring = view.ring(slot.ringOffset);
            const std::uint64_t own = 64 * (i + 1), other = 64 * (2 - i);
            ring[0] = wire::Record::time(100);
            ring[1] = wire::Record::of(wire::RecordType::Free, other, 0, 0, 1);
            ring[2] = wire::Record::of(wire::RecordType::Malloc, own, 8, 1, 1);
            slot.tid.store(static_cast<std::uint32_t>(1000 + i));
            slot.serial.store(i + 1);
            slot.state.store(wire::SlotState::Taken);
            slot.head.store(3);
        }
        QCOMPARE(channel->drain(clock, true) > 0, true);
        QVERIFY(channel->pairing().takeLosses().unknownFrees > 0);
        QCOMPARE(channel->pairing().ledger().takeTick().total.allocations, 2);
    }
};

QTEST_GUILESS_MAIN(HeapHostileTest)
#include "heap_hostile_fuzz_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
// A target that writes whatever it likes into the shared memory must not crash the recorder, make it read elsewhere, or keep it busy
// without end.
#include "capture/heap/image_channel.h"
#include "capture/heap/stack_resolver.h"
#include "capture/scan/scan_room.h"
#include "capture/scan/word_reader.h"
#include "model/reach/block_index.h"
#include "tests/support/fuzz_rounds.h"

#include <QtTest>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>

using namespace capture;

namespace {

constexpr unsigned kRounds = 100, kImages = 20;

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

/// What a scan does with the books before any memory is read: the blocks that are left of what the target claims.
std::size_t scanOf(const model::LiveTable &live)
{
    const MappedExtent extent(readMaps(::getpid())); // some of the addresses exist
    SegmentFilter filter;
    std::vector<model::ScanBlock> blocks;
    live.forEach([&](std::uint64_t pointer, const model::LiveBlock &block) {
        const std::uint64_t end = extent.endOf(pointer, pointer + std::max<std::uint64_t>(block.size, 1));
        filter.add(pointer, end);
        model::ScanBlock one;
        one.address = pointer;
        one.size = std::min(block.size, (std::uint64_t{1} << 40) - 1) & ((std::uint64_t{1} << 40) - 1);
        blocks.push_back(one);
    });
    const std::size_t count = blocks.size();
    const model::BlockIndex index(std::move(blocks));
    for (std::size_t i = 0; i < index.size(); ++i)
        if (index.find(index[i].address) != i)
            qFatal(
                "block %zu of %zu at %llx is not found", i, count, static_cast<unsigned long long>(index[i].address));
    return count;
}

/// Slots that look taken, by an owner who is new now and then, with heads that claim a plausible number of records.
void claim(wire::MemoryView view, std::uint32_t slots, std::mt19937_64 &random)
{
    for (std::uint32_t i = 0; i < slots; ++i) {
        wire::ThreadSlot &slot = view.slot(i);
        slot.serial.store(static_cast<std::uint32_t>(random() % 3 + 1));
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
        std::size_t blocks = 0;
        for (unsigned image = 0; image < tests::fuzzRounds(kImages); ++image) {
            const auto channel = makeChannel(clock);
            const wire::MemoryView view = channel->memory().view();
            StackResolver resolver(view, ModuleNames(1), 1);
            for (unsigned round = 0; round < kRounds / 5; ++round) {
                scribble(view, channel->memory().slotCount(), random);
                claim(view, channel->memory().slotCount(), random);
                clock.sync();
                channel->drain(clock, round % 7 == 0);
                channel->provide(round % 5 == 0, clock);
                // As a tick does it, with buckets of ages that end each time.
                const auto ages
                    = channel->pairing().takeAges(clock.toNs(clock.units()) + round * model::kFirstAgeBucket.ns);
                for (const auto &[node, history] : ages ? ages->stacks : decltype(ages->stacks)())
                    QVERIFY(resolver.stackOf(node, tables).index() < tables.tables().stacks.size());
                for (const AreaHarvest &area : channel->program().take().areas)
                    for (const auto &[node, counts] : area.counts.rows)
                        QVERIFY(resolver.stackOf(node, tables).index() < tables.tables().stacks.size());
                blocks += scanOf(channel->pairing().live());
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
        QVERIFY(blocks > 0);
    }

    void noiseIsNoReasonToStop()
    {
        const auto channel = makeChannel(RecorderClock(0));
        auto &retreat = channel->memory().view().header().retreat;
        retreat.store(static_cast<wire::Retreat>(0x41414141));
        QCOMPARE(channel->retreat(), kDamagedRetreat);
        retreat.store(wire::Retreat::NoSystemCalls);
        QCOMPARE(channel->retreat(), wire::Retreat::NoSystemCalls);
    }

    /// The counters of what was lost lie in the same memory.
    void noiseIsNoLoss()
    {
        RecorderClock clock(0);
        const auto channel = makeChannel(clock);
        wire::LossCounters &counters = channel->memory().view().header().losses;
        counters.droppedRing.store(5);
        QCOMPARE(channel->losses().droppedRing, std::uint64_t{5});
        for (const std::uint64_t noise : {~std::uint64_t{0}, std::uint64_t{0x4141414141414141}, std::uint64_t{3}}) {
            counters.droppedRing.store(noise);
            counters.nodesRefused.store(noise << 40);
            const TargetLosses told = channel->losses();
            QCOMPARE(told.droppedRing, std::uint64_t{5});
            QCOMPARE(told.nodesRefused, std::uint64_t{0});
            QVERIFY(channel->takeBadRecords() > 0);
        }
        counters.droppedRing.store(10); // as before
        QCOMPARE(channel->losses().droppedRing, std::uint64_t{12});
        QCOMPARE(channel->takeBadRecords(), std::uint64_t{0});
    }

    void stampOfTheFutureIsTakenForNow()
    {
        RecorderClock clock(0);
        const auto channel = makeChannel(clock);
        const wire::MemoryView view = channel->memory().view();
        wire::ThreadSlot &slot = view.slot(0);
        wire::Record *ring = view.ring(slot.ringOffset);
        ring[0] = wire::Record::time(clock.units() + clock.unitsIn(3'600'000'000'000));
        ring[1] = wire::Record::of(wire::RecordType::Malloc, 64, 100, 1, 1);
        ring[2] = wire::Record::of(wire::RecordType::Free, 64, 0, 0, 1);
        ring[3] = wire::Record::time(~std::uint64_t{0} >> 8);
        ring[4] = wire::Record::of(wire::RecordType::Malloc, 128, 10, 1, 1);
        slot.tid.store(1000);
        slot.serial.store(1);
        slot.state.store(wire::SlotState::Taken);
        slot.head.store(5);
        for (int i = 0; i < 1000 && !channel->pairing().live().contains(128); ++i) {
            clock.sync();
            channel->drain(clock, false);
        }
        const model::HeapTickCounts tick = channel->pairing().ledger().takeTick();
        QCOMPARE(tick.total.allocations, 2);
        QCOMPARE(tick.total.frees, 1);
        QCOMPARE(channel->takeBadRecords(), std::uint64_t{2});
        QVERIFY(channel->pairing().live().at(128)->birthUs <= clock.toNs(clock.units()) / 1000 + 1);
    }

    /// Of which the clock makes some time, without an overflow.
    void stampOfAnotherAgeIsSurvived()
    {
        RecorderClock clock(0);
        for (const std::uint64_t units : {std::uint64_t{0}, std::uint64_t{1} << 40, std::uint64_t{1} << 63, UINT64_MAX})
            QVERIFY(std::abs(clock.toNs(units)) < 4'000'000'000'000'000'000);
    }

    void writerThatRacesTheReaderIsSurvived()
    {
        RecorderClock clock(0);
        model::TableBuilder tables;
        const auto channel = makeChannel(clock);
        const wire::MemoryView view = channel->memory().view();
        StackResolver resolver(view, ModuleNames(1), 1);
        std::atomic<bool> isOver = false;
        std::thread target([&] {
            std::mt19937_64 random(11);
            while (!isOver) {
                scribble(view, 4, random);
                claim(view, 4, random);
            }
        });
        for (unsigned round = 0; round < tests::fuzzRounds(kRounds); ++round) {
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
        StackResolver resolver(view, ModuleNames(1), 1);
        view.node(10) = {0x1000, 11, wire::kNoModule};
        view.node(11) = {0x2000, 10, 77};
        QCOMPARE(resolver.endOf(10, tables), model::StackEnd::BadRule);
        QCOMPARE(resolver.endOf(11, tables), model::StackEnd::BadRule);
        QCOMPARE(resolver.endOf(wire::kMaxNodes + 5, tables), model::StackEnd::BadRule);
        QVERIFY(resolver.takeBadNodes() >= 2);
    }

    void ringsThatWaitForEachOtherAreLetGo()
    {
        // Each ring frees what only the other, later, allocates: impossible for a real program whose stamps are right.
        RecorderClock clock(0);
        for (const bool hasEarlierBlocks : {false, true}) {
            const auto channel = makeChannel(clock);
            if (hasEarlierBlocks)
                channel->expectEarlierBlocks(); // then rings wait for each other
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
            QVERIFY(channel->drain(clock, true) > 0);
            QVERIFY(channel->pairing().isSettled());
            QCOMPARE(channel->pairing().takeLosses().unknownFrees > 0, hasEarlierBlocks);
            const model::HeapTickCounts tick = channel->pairing().ledger().takeTick();
            QCOMPARE(tick.total.allocations, 2);
            QCOMPARE(tick.live.blocks > 0, hasEarlierBlocks);
        }
    }
};

QTEST_GUILESS_MAIN(HeapHostileTest)
#include "heap_hostile_fuzz_test.moc"

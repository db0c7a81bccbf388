// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/phase_keeper.h"
#include "capture/heap/program_events.h"

#include <QTest>

#include <map>
#include <random>
#include <string_view>

using namespace capture;
using wire::NoteKind;
using wire::RecordType;

namespace {

constexpr std::uint32_t kSlot = 3;
constexpr std::int32_t kTid = 42;

/// Writes as the tracer does, through the records themselves.
class Writer
{
public:
    explicit Writer(ProgramEvents &events)
        : m_events(events)
    {
    }

    void event(RecordType type, std::uint64_t pointer, std::uint64_t size, std::uint32_t node)
    {
        m_events.apply({type, node, pointer, size, 0}, ++m_time, kSlot, kTid);
    }
    void text(std::string_view text)
    {
        for (std::size_t at = 0; at < text.size(); at += wire::kTextRecordBytes) {
            const wire::TextPiece piece = wire::textPiece(text.data() + at, text.size() - at);
            const wire::Record record = wire::Record::of(RecordType::Text, piece.pointer, piece.size, piece.node, 0);
            event(record.type(), record.pointer(), record.size(), record.node());
        }
    }
    void note(NoteKind kind, std::string_view words, std::uint64_t pool = 0)
    {
        text(words);
        event(RecordType::Note, pool << wire::kPoolShift, words.size(), static_cast<std::uint32_t>(kind));
    }

private:
    ProgramEvents &m_events;
    std::int64_t m_time = 0;
};

} // namespace

class ProgramEventsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void textComesThroughWhole();
    void lostTextLeavesTheNote();
    void aPoolOfThreads();
    void stampsInTheWrongOrderLeaveNoBlock();
    void poolsEndWithAllTheirBlocks();
    void movedMappingsKeepTheirSort();
    void childrenInheritMappingsButNotTheirCosts();
    void hostileRecordsDoNoHarm();
    void phasesArePaired();
};

void ProgramEventsTest::textComesThroughWhole()
{
    ProgramEvents events;
    Writer writer(events);
    for (std::size_t length = 0; length <= wire::kMostNoteBytes; ++length)
        writer.note(NoteKind::Mark, std::string(length, 'x'));
    const auto notes = events.take().notes;
    QCOMPARE(notes.size(), std::size_t{wire::kMostNoteBytes} + 1);
    for (std::size_t length = 0; length < notes.size(); ++length)
        QCOMPARE(notes[length].text, std::string(length, 'x'));
    QCOMPARE(notes[5].tid, kTid);
}

void ProgramEventsTest::lostTextLeavesTheNote()
{
    ProgramEvents events;
    Writer writer(events);
    writer.text("0123456789012"); // and the second piece is lost
    writer.event(RecordType::Note, 0, 20, static_cast<std::uint32_t>(NoteKind::Mark));
    writer.note(NoteKind::Mark, "next");
    const auto notes = events.take().notes;
    QCOMPARE(notes[0].text, std::string("0123456789012"));
    QCOMPARE(notes[1].text, std::string("next"));
}

void ProgramEventsTest::aPoolOfThreads()
{
    ProgramEvents events;
    Writer writer(events);
    writer.event(RecordType::PoolAlloc, std::uint64_t{7} << 48 | 0x1000, 100, 9); // before it says its name
    writer.note(NoteKind::PoolCreate, "arena", 7);
    writer.event(RecordType::PoolAlloc, std::uint64_t{7} << 48 | 0x2000, 50, 9);
    writer.event(RecordType::PoolFree, std::uint64_t{7} << 48 | 0x1000, 0, 0);
    writer.event(RecordType::PoolFree, std::uint64_t{7} << 48 | 0x1000, 0, 0); // twice
    const auto areas = events.take().areas;
    QCOMPARE(areas.size(), std::size_t{1});
    QCOMPARE(areas[0].name, std::string("arena"));
    QVERIFY(areas[0].isPool);
    QCOMPARE(areas[0].counts.liveBytes, 50);
    QCOMPARE(areas[0].counts.liveBlocks, 1);
    QCOMPARE(areas[0].counts.mostLiveBytes, 150);
}

void ProgramEventsTest::stampsInTheWrongOrderLeaveNoBlock()
{
    // Another thread's free, stamped a little before the allocation it belongs to; and one from long before, which does not.
    ProgramEvents events;
    const std::uint64_t early = std::uint64_t{7} << 48 | 0x1000, old = std::uint64_t{7} << 48 | 0x2000;
    events.apply({RecordType::PoolFree, 0, old, 0, 0}, 1'000, 4, 43);
    events.apply({RecordType::PoolFree, 0, early, 0, 0}, 100'000, 4, 43);
    events.apply({RecordType::PoolAlloc, 9, early, 100, 0}, 100'100, kSlot, kTid);
    events.apply({RecordType::PoolAlloc, 9, old, 30, 0}, 100'200, kSlot, kTid);
    events.apply({RecordType::PoolAlloc, 9, early, 50, 0}, 100'300, kSlot, kTid); // the address again
    const auto areas = events.take().areas;
    QCOMPARE(areas[0].counts.liveBlocks, 2);
    QCOMPARE(areas[0].counts.liveBytes, 80);
    QCOMPARE(areas[0].counts.rows.at(0).second.frees, 1);
}

void ProgramEventsTest::poolsEndWithAllTheirBlocks()
{
    ProgramEvents events;
    Writer writer(events);
    writer.note(NoteKind::PoolCreate, "arena", 1);
    for (std::uint64_t i = 1; i <= 10; ++i)
        writer.event(RecordType::PoolAlloc, std::uint64_t{1} << 48 | i * 64, 64, 9);
    writer.note(NoteKind::PoolDestroy, "", 1);
    const auto areas = events.take().areas;
    QCOMPARE(areas[0].counts.liveBlocks, 0);
    QCOMPARE(areas[0].counts.rows.at(0).second.frees, 10);
    QVERIFY(events.take().areas.empty());
}

void ProgramEventsTest::movedMappingsKeepTheirSort()
{
    ProgramEvents events;
    Writer writer(events);
    writer.event(RecordType::Map, 0x10000 | wire::kMapAnonymous | wire::kMapShared, 0x4000, 5);
    writer.event(RecordType::Unmap, 0x10000 | wire::kMapMoved, 0x4000, 0);
    writer.event(RecordType::Map, 0x80000 | wire::kMapMoved, 0x8000, 6);
    const auto areas = events.take().areas;
    QCOMPARE(areas.size(), std::size_t{1});
    QCOMPARE(areas[0].name, std::string("shared"));
    QCOMPARE(areas[0].counts.liveBytes, 0x8000);
}

void ProgramEventsTest::childrenInheritMappingsButNotTheirCosts()
{
    ProgramEvents parent, child;
    Writer(parent).event(RecordType::Map, 0x10000 | wire::kMapAnonymous, 0x4000, 5);
    child.inherit(parent.copyMappings());
    Writer writer(child);
    writer.event(RecordType::Unmap, 0x10000, 0x1000, 0);
    writer.event(RecordType::Map, 0x20000 | wire::kMapAnonymous, 0x2000, 6);
    std::map<std::uint64_t, std::uint64_t> found;
    child.forEachMapping(
        [&](std::uint64_t begin, const model::MappedRanges::Range &range) { found[begin] = range.end; });
    QCOMPARE(found, (std::map<std::uint64_t, std::uint64_t>{{0x11000, 0x14000}, {0x20000, 0x22000}}));
    QCOMPARE(child.copyMappings().ranges().size(), std::size_t{2}); // what its own child inherits
    const auto areas = child.take().areas;
    QCOMPARE(areas.size(), std::size_t{1});
    QCOMPARE(areas[0].counts.liveBytes, 0x2000);
    QCOMPARE(areas[0].counts.rows.at(0).second.freedBytes, 0);
}

void ProgramEventsTest::hostileRecordsDoNoHarm()
{
    ProgramEvents events;
    Writer writer(events);
    std::mt19937_64 random(3);
    for (int i = 0; i < 200'000; ++i) {
        const auto type = static_cast<RecordType>(10 + random() % 6);
        const std::uint64_t pointer = random() >> (random() % 64), size = random() >> (random() % 64);
        writer.event(type, pointer, size, static_cast<std::uint32_t>(random() & 0xffffff) >> (random() % 24));
        if (i % 10'000 == 0) {
            for (const ProgramNote &note : events.take().notes)
                QVERIFY(note.text.size() <= wire::kMostNoteBytes);
        }
    }
}

void ProgramEventsTest::phasesArePaired()
{
    PhaseKeeper keeper;
    const model::ThreadId a(0u), b(1u);
    keeper.begin(a, "outer", {10});
    keeper.begin(b, "other", {11});
    keeper.begin(a, "inner", {20});
    keeper.end(a, {30});
    keeper.end(a, {40});
    keeper.end(a, {50}); // of nothing
    std::vector<model::Phase> phases = keeper.take();
    QCOMPARE(phases.size(), std::size_t{5});
    QCOMPARE(phases[3].name, std::string("inner"));
    QCOMPARE(phases[3].depth, 1u);
    QCOMPARE(phases[3].end->ns, 30);
    QCOMPARE(phases[4].id, phases[0].id);
    keeper.endAll(b, {60});
    phases = keeper.take();
    QCOMPARE(phases.size(), std::size_t{1});
    QCOMPARE(phases[0].end->ns, 60);
    for (int i = 0; i < 100; ++i)
        keeper.begin(a, "deep", {70 + i});
    for (int i = 0; i < 100; ++i)
        keeper.end(a, {200 + i});
    QVERIFY(keeper.takeDropped() == 36);
    QVERIFY(keeper.threads().empty());
}

QTEST_APPLESS_MAIN(ProgramEventsTest)
#include "program_events_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/program_events.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace capture {

namespace {

constexpr std::uint64_t kPageBytes = 4096;
/// Stamps of two threads may be in the wrong order by as much: a free can come before its allocation.
constexpr std::int64_t kSkewNs = 2000;
constexpr std::size_t kMostEarlyFrees = 4096; ///< between two ticks
constexpr std::size_t kMostPools = 1024;
constexpr std::size_t kMostNotes = 20'000; ///< between two ticks

enum Sort : std::uint8_t { kAnonymous, kShared, kFile, kBreak, kReserved };
constexpr std::array<std::string_view, 5> kSortNames{"anonymous", "shared", "file", "break", "reserved"};

std::uint8_t sortOf(std::uint64_t flags)
{
    if ((flags & wire::kMapBreak) != 0)
        return kBreak;
    if ((flags & wire::kMapAnonymous) == 0)
        return kFile;
    if ((flags & wire::kMapShared) != 0)
        return kShared;
    return (flags & wire::kMapReserved) != 0 ? kReserved : kAnonymous;
}

/// The first `bytes` of what was sent, without a last character that was cut in two.
std::string textOf(std::string_view sent, std::size_t bytes)
{
    std::string text(sent.substr(0, std::min({bytes, sent.find('\0'), std::size_t{wire::kMostNoteBytes}})));
    if (bytes < wire::kMostNoteBytes)
        return text;
    std::size_t tail = text.size();
    while (tail > 0 && text.size() - tail < 3 && (static_cast<unsigned char>(text[tail - 1]) & 0xc0) == 0x80)
        --tail;
    const unsigned first = tail > 0 ? static_cast<unsigned char>(text[tail - 1]) : 0;
    const std::size_t wanted = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    if (text.size() - tail < wanted)
        text.resize(tail - 1);
    return text;
}

} // namespace

bool ProgramEvents::isPrivate(std::uint8_t sort) { return sort == kAnonymous || sort == kBreak || sort == kReserved; }

void ProgramEvents::apply(const HeapEvent &event, std::int64_t timeNs, std::uint32_t slot, std::int32_t tid)
{
    switch (event.type) {
    case wire::RecordType::Map:
        return map(event, m_threads[slot]);
    case wire::RecordType::Unmap:
        return unmap(event, m_threads[slot]);
    case wire::RecordType::PoolAlloc:
    case wire::RecordType::PoolFree:
        return poolEvent(event, timeNs);
    case wire::RecordType::Text: {
        std::string &text = m_threads[slot].text;
        const wire::TextPiece piece{event.pointer, event.node, event.size};
        for (std::uint32_t i = 0; i < wire::kTextRecordBytes && text.size() <= wire::kMostNoteBytes; ++i)
            text += wire::textByte(piece, i);
        return;
    }
    case wire::RecordType::Note:
        return note(event, timeNs, tid, m_threads[slot]);
    default:
        ++m_badRecords;
    }
}

model::MappedRanges ProgramEvents::copyMappings() const
{
    model::MappedRanges copy;
    std::size_t count = 0;
    forEachMapping([&](std::uint64_t begin, const model::MappedRanges::Range &range) {
        if (count++ < kMostCopied)
            copy.add(begin, range, [](const model::MappedRanges::Range &, std::uint64_t, int) {});
    });
    return copy;
}

void ProgramEvents::gone(const model::MappedRanges::Range &range, std::uint64_t bytes, int left)
{
    model::AreaLedger &ledger = m_sorts[range.sort];
    ledger.freed(range.node, static_cast<std::int64_t>(bytes), left == 0);
    if (left == 2)
        ledger.split(range.node);
}

void ProgramEvents::map(const HeapEvent &event, Thread &thread)
{
    const std::uint64_t flags = event.pointer & wire::kMapFlags;
    const std::uint64_t begin = event.pointer & ~(kPageBytes - 1);
    if (event.size == 0 || begin >= kMostAddress || event.size >= kMostAddress) {
        ++m_badRecords;
        return;
    }
    const std::uint64_t end = (begin + event.size + kPageBytes - 1) & ~(kPageBytes - 1);
    const bool isMoved = (flags & wire::kMapMoved) != 0;
    const std::uint8_t sort = isMoved ? thread.movedSort : sortOf(flags);
    m_inherited.remove(begin, end, [](const model::MappedRanges::Range &, std::uint64_t, int) {});
    const bool isAdded = m_mappings.add(begin, {end, event.node, sort},
        [this](const model::MappedRanges::Range &range, std::uint64_t bytes, int left) { gone(range, bytes, left); });
    if (isAdded)
        m_sorts[sort].allocated(event.node, static_cast<std::int64_t>(end - begin));
    else
        ++m_badRecords;
}

void ProgramEvents::unmap(const HeapEvent &event, Thread &thread)
{
    const std::uint64_t begin = event.pointer & ~(kPageBytes - 1);
    if (begin >= kMostAddress || event.size >= kMostAddress) {
        ++m_badRecords;
        return;
    }
    if ((event.pointer & wire::kMapMoved) != 0) {
        const model::MappedRanges::Range *moved = m_mappings.find(begin);
        thread.movedSort = moved ? moved->sort : static_cast<std::uint8_t>(kAnonymous);
    }
    const std::uint64_t end = (begin + event.size + kPageBytes - 1) & ~(kPageBytes - 1);
    m_inherited.remove(begin, end, [](const model::MappedRanges::Range &, std::uint64_t, int) {});
    // Ranges from before tracing, or that an allocator mapped, are not known, and need not be.
    m_mappings.remove(begin, end,
        [this](const model::MappedRanges::Range &range, std::uint64_t bytes, int left) { gone(range, bytes, left); });
}

ProgramEvents::Pool *ProgramEvents::poolOf(std::uint64_t number)
{
    const auto known = m_pools.find(number);
    if (known != m_pools.end())
        return &known->second;
    if (number == 0 || m_pools.size() >= kMostPools)
        return nullptr;
    Pool &pool = m_pools[number];
    pool.name = std::to_string(number); // until it says
    return &pool;
}

void ProgramEvents::poolEvent(const HeapEvent &event, std::int64_t timeNs)
{
    Pool *pool = poolOf(event.pointer >> wire::kPoolShift);
    const std::uint64_t block = event.pointer & ((std::uint64_t{1} << wire::kPoolShift) - 1);
    const bool isNoPool = (event.pointer >> wire::kPoolShift) == 0;
    if (isNoPool || block == 0 || event.size >= kMostAddress) {
        ++m_badRecords;
        return;
    }
    if (pool == nullptr) {
        ++m_refusedPoolEvents;
        return;
    }
    // If it is there at an allocation, its free was not told.
    const auto old = pool->live.take(block);
    if (old)
        pool->ledger.freed(old->node, static_cast<std::int64_t>(old->size), true);
    if (event.type != wire::RecordType::PoolAlloc) {
        if (!old && m_earlyFrees.size() < kMostEarlyFrees)
            m_earlyFrees[event.pointer] = timeNs;
        return;
    }
    pool->isGone = false;
    pool->ledger.allocated(event.node, static_cast<std::int64_t>(event.size));
    const auto early = m_earlyFrees.find(event.pointer);
    const bool isFreed = early != m_earlyFrees.end() && timeNs - early->second <= kSkewNs;
    if (early != m_earlyFrees.end())
        m_earlyFrees.erase(early);
    if (isFreed)
        pool->ledger.freed(event.node, static_cast<std::int64_t>(event.size), true);
    else
        pool->live.insert(block, {event.size, event.node, 0});
}

void ProgramEvents::emptyPool(Pool &pool)
{
    pool.live.forEach([&](std::uint64_t, const model::LiveBlock &block) {
        pool.ledger.freed(block.node, static_cast<std::int64_t>(block.size), true);
    });
    pool.live = {};
    pool.isGone = true;
}

void ProgramEvents::note(const HeapEvent &event, std::int64_t timeNs, std::int32_t tid, Thread &thread)
{
    std::string text = textOf(std::exchange(thread.text, {}), event.size);
    const auto kind = static_cast<wire::NoteKind>(event.node);
    const std::uint64_t pool = event.pointer >> wire::kPoolShift;
    switch (kind) {
    case wire::NoteKind::Mark:
    case wire::NoteKind::PhaseBegin:
    case wire::NoteKind::PhaseEnd:
    case wire::NoteKind::ThreadName:
    case wire::NoteKind::Unseen:
        if (m_notes.size() < kMostNotes)
            m_notes.push_back({kind, tid, timeNs, std::move(text), pool});
        else
            ++m_droppedNotes;
        return;
    case wire::NoteKind::PoolCreate:
        if (Pool *created = poolOf(pool); created && !text.empty())
            created->name = std::move(text);
        return;
    case wire::NoteKind::PoolDestroy:
        if (Pool *destroyed = poolOf(pool))
            emptyPool(*destroyed);
        return;
    case wire::NoteKind::ScopeBegin:
    case wire::NoteKind::ScopeEnd:
    case wire::NoteKind::Exit:
        break; // no notes of a program, but questions of the tracer: see ImageChannel
    }
    ++m_badRecords;
}

ProgramHarvest ProgramEvents::take()
{
    m_earlyFrees.clear(); // of a moment ago at most
    ProgramHarvest harvest;
    harvest.notes = std::exchange(m_notes, {});
    harvest.droppedNotes = std::exchange(m_droppedNotes, 0);
    harvest.refusedPoolEvents = std::exchange(m_refusedPoolEvents, 0);
    harvest.badRecords = std::exchange(m_badRecords, 0);
    const auto add = [&](bool isPool, std::string_view name, model::AreaLedger &ledger) {
        AreaHarvest area{isPool, std::string(name), ledger.takeTick()};
        // Of pools all: those that share a name add up.
        if (isPool || !area.counts.isEmpty())
            harvest.areas.push_back(std::move(area));
    };
    for (std::size_t sort = 0; sort < kSortCount; ++sort)
        add(false, kSortNames[sort], m_sorts[sort]);
    for (auto it = m_pools.begin(); it != m_pools.end();) {
        add(true, it->second.name, it->second.ledger);
        it = it->second.isGone ? m_pools.erase(it) : std::next(it);
    }
    return harvest;
}

} // namespace capture

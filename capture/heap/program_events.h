// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/heap/event_decoder.h"
#include "model/heap/area_ledger.h"
#include "model/heap/live_heap.h"
#include "model/heap/mapped_ranges.h"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace capture {

/// What a program said about itself: a mark, a phase's begin or end, a thread's name.
struct ProgramNote
{
    wire::NoteKind kind = wire::NoteKind::Mark;
    std::int32_t tid = 0;
    std::int64_t timeNs = 0;
    std::string text;
    std::uint64_t subject = 0; ///< of NoteKind::Unseen: a wire::Unseen, if it is one
};

/// What a tick brought of one area.
struct AreaHarvest
{
    bool isPool = false;
    std::string name; ///< of the pool, or of the sort of mapping
    model::AreaTickCounts counts;
};

/// What a tick brought of one program image beside its heap.
struct ProgramHarvest
{
    std::vector<ProgramNote> notes; ///< as they came
    std::vector<AreaHarvest> areas; ///< those in which something happened; a pool's name may be there more than once
    std::int64_t droppedNotes = 0;
    std::int64_t refusedPoolEvents = 0; ///< of pools beyond the number that are kept at a time
    std::int64_t badRecords = 0;
};

/// Keeps the books of what an image has beside malloc's blocks: its mappings, its pools, and what it says through the API header.
/// Events come in the order of their time stamps; there is no other order between threads. Drain thread, under the instrument's lock.
class ProgramEvents
{
public:
    static bool isOne(wire::RecordType type) { return type >= wire::RecordType::Map; }

    /// `slot` names the thread's ring, `tid` the thread.
    void apply(const HeapEvent &event, std::int64_t timeNs, std::uint32_t slot, std::int32_t tid);
    /// What stands in the Text records since the thread's last note, as it was sent.
    std::string takeText(std::uint32_t slot) { return std::exchange(m_threads[slot].text, {}); }
    /// A new thread writes into the ring.
    void startThread(std::uint32_t slot) { m_threads.erase(slot); }

    ProgramHarvest take();

    /// What a forked child finds mapped in its memory: inherited ranges included, and not more than a fork may cost.
    model::MappedRanges copyMappings() const;
    static constexpr std::size_t kMostCopied = 65'536;

    /// The image is a forked child: `mappings`, of the one whose memory it has copied, are in its memory too, but not in its books.
    void inherit(model::MappedRanges mappings) { m_inherited = std::move(mappings); }

    /// Calls visit(begin, range) for each range that the program has mapped, inherited ones included, in no order.
    template <typename Visit> void forEachMapping(Visit visit) const
    {
        for (const model::MappedRanges *ranges : {&m_mappings, &m_inherited})
            for (const auto &[begin, range] : ranges->ranges())
                visit(begin, range);
    }

    /// Whether mappings of this sort hold memory that only they have: no file, not shared.
    static bool isPrivate(std::uint8_t sort);

private:
    /// What of a thread's records the next one depends on.
    struct Thread
    {
        std::string text;
        std::uint8_t movedSort = 0; ///< of the mapping that is being moved
    };
    struct Pool
    {
        std::string name;
        model::LiveHeap live;
        model::AreaLedger ledger;
        bool isGone = false;
    };

    void map(const HeapEvent &event, Thread &thread);
    void unmap(const HeapEvent &event, Thread &thread);
    void poolEvent(const HeapEvent &event, std::int64_t timeNs);
    void note(const HeapEvent &event, std::int64_t timeNs, std::int32_t tid, Thread &thread);
    void emptyPool(Pool &pool);
    Pool *poolOf(std::uint64_t number);
    void gone(const model::MappedRanges::Range &range, std::uint64_t bytes, int left);

    static constexpr std::size_t kSortCount = 5;

    std::unordered_map<std::uint32_t, Thread> m_threads;
    model::MappedRanges m_mappings;
    model::MappedRanges m_inherited;
    std::array<model::AreaLedger, kSortCount> m_sorts;
    std::map<std::uint64_t, Pool> m_pools;
    std::unordered_map<std::uint64_t, std::int64_t> m_earlyFrees; ///< when, of blocks of pools that were not there
    std::vector<ProgramNote> m_notes;
    std::int64_t m_droppedNotes = 0;
    std::int64_t m_refusedPoolEvents = 0;
    std::int64_t m_badRecords = 0;
};

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/heap/event_decoder.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace capture {

struct ThreadHistory;

/// The events of several rings in a short window of time, put into the order of their stamps; of equal stamps in the order in which they were
/// added. By counting how many events each moment has: that takes some instructions an event however many rings there are, and no branch that the
/// processor would guess wrongly. One owning thread.
class EventWindow
{
public:
    struct Entry
    {
        std::uint64_t pointer = 0;
        std::uint64_t rest = 0; ///< second word of the event's record
        std::uint64_t units = 0;
        ThreadHistory *thread = nullptr;

        HeapEvent event() const { return EventDecoder::of({pointer, rest}, units); }
    };

    /// Begins anew at `beginUnits`, for as long as so many events are to be expected as are well sorted at once, but not beyond `lastUnits`.
    void open(std::uint64_t beginUnits, std::uint64_t lastUnits);
    std::uint64_t begin() const { return m_begin; }
    /// What is stamped later has to wait for another window.
    std::uint64_t last() const { return m_last; }
    std::size_t size() const { return m_size; }

    /// Whether anything can be added; not, if there is more already than any processors can bring about in the time.
    bool makeRoom();
    /// Adds events one by one, while nothing else is done to the window; what it needs for that stays in registers.
    class Adder
    {
    public:
        /// For at most so many events of a thread, or as many as there is room for.
        Adder(EventWindow &window, std::uint64_t most, ThreadHistory &thread)
            : m_next(window.m_entries.data() + window.m_size)
            , m_end(m_next + std::min<std::uint64_t>(most, window.m_entries.size() - window.m_size))
            , m_thread(&thread)
        {
        }
        bool hasRoom() const { return m_next != m_end; }
        /// `units` must lie between begin() and last().
        [[gnu::always_inline]] void add(std::uint64_t pointer, std::uint64_t rest, std::uint64_t units)
        {
            *m_next++ = {pointer, rest, units, m_thread};
        }

    private:
        friend class EventWindow;
        Entry *m_next, *m_end;
        ThreadHistory *m_thread;
    };
    /// What was added by it.
    void take(const Adder &adder)
    {
        m_size = static_cast<std::size_t>(adder.m_next - m_entries.data());
        m_isOfMany = m_isOfMany || m_entries.front().thread != adder.m_thread;
    }

    /// When all are added: calls `visit(entry)` for each in order.
    template <typename Visit> [[gnu::always_inline]] void visit(Visit visit)
    {
        const std::uint16_t *const order = sort();
        const Entry *const entries = m_entries.data();
        for (const std::uint16_t *next = order, *end = order + m_size; next != end; ++next)
            visit(entries[*next]);
    }

private:
    static constexpr std::uint64_t kLeastWidth = 1, kFirstWidth = 128, kMostWidth = 1024;
    static constexpr std::size_t kFewEvents = 128, kManyEvents = 512; ///< entries are to stay in the first level cache
    static constexpr std::size_t kFirstEntries = 1024, kMostEntries = 65536;

    const std::uint16_t *sort();

    std::vector<Entry> m_entries;
    std::vector<std::uint16_t> m_order;
    std::vector<std::uint16_t> m_asAdded; ///< 0, 1, 2 …: the order of what is one thread's
    std::size_t m_size = 0;
    bool m_isOfMany = false; ///< threads
    std::uint64_t m_begin = 0;
    std::uint64_t m_last = 0;
    std::uint64_t m_width = kFirstWidth;
    std::array<std::uint32_t, kMostWidth + 1> m_moments{}; ///< by moment: where its events go in the order
};

} // namespace capture

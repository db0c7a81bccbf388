// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace capture::tracer {

/// Which of a thread's events get a time stamp of their own. To read the counter takes 10 ns on some processors, twice a pair of malloc and free.
///
/// Where only one thread records (SoleThread), its ring has the order, and stamps say nothing but when. Then, while events come fast, one in kTurn has
/// its own; the others have that of the one before. Each heartbeat of the recorder ends a turn; it beats every 2 ms or more often, or says that it
/// rests, and then each event has its own. So no time is later than the event, none is earlier by more than that, and what comes after a longer pause is
/// right. Only of a recorder that is held up, or stopped, without a rest up to kTurn - 1 events after a pause are told of as before it.
class StampTurns
{
public:
    static constexpr std::uint32_t kTurn = 8;
    /// A turn that took no longer, in clock units (9 to 33 µs), is followed by another; otherwise each event has its own stamp until they come fast.
    static constexpr std::uint64_t kFastUnits = 512;
    /// A thread that is not the sole one asks to be after so many events in which nobody else was: more and more while it is not for long.
    static constexpr std::uint32_t kLeastPatience = 64, kMostPatience = 1u << 16;
    /// It was for long if it had so many turns.
    static constexpr std::uint32_t kLongTurns = 64;

    /// Whether the next event gets its own, of a thread that is the sole one or not, at this Header::heartbeat.
    [[gnu::always_inline]] bool hasOwn(bool isSole, std::uint64_t beat)
    {
        if (isSole && beat == m_beat && m_left > 1) [[likely]] {
            --m_left;
            return false;
        }
        m_beat = beat & ~std::uint64_t{1}; // at rest it never is the same
        return true;
    }
    /// It came so long after the last one that had its own.
    [[gnu::always_inline]] void noteStamp(std::uint64_t units)
    {
        m_left = units <= kFastUnits ? kTurn : 1;
        ++m_stamps;
    }
    /// Whether the last one stands for others too.
    bool isShared() const { return m_left > 1; }

    /// Whether the thread, which is not the sole one and is about to stamp an event, should ask to be.
    [[gnu::always_inline]] bool asksToBeSole()
    {
        if (m_untilAsking > 1) [[likely]] {
            --m_untilAsking;
            return false;
        }
        ask();
        return true;
    }

private:
    [[gnu::noinline]] void ask()
    {
        // Each event in between had a stamp; further ones are those of turns.
        const bool wasLong = m_stamps >= m_patience + kLongTurns;
        m_patience = wasLong ? kLeastPatience : m_patience < kMostPatience ? m_patience * 2 : kMostPatience;
        m_untilAsking = m_patience;
        m_stamps = 0;
    }

    std::uint64_t m_beat = 0;
    std::uint32_t m_left = 1; ///< events until the next one that has its own
    std::uint32_t m_untilAsking = kLeastPatience;
    std::uint32_t m_patience = kLeastPatience; ///< events from one time it asks to the next
    std::uint32_t m_stamps = 0;                ///< since then
};

} // namespace capture::tracer

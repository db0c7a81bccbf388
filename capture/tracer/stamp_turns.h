// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace capture::tracer {

/// Which of a thread's events get a time stamp of their own. To read the counter takes 10 ns on some processors, twice a pair of malloc and free.
///
/// Where only one thread records, its ring has the order, and stamps say nothing but when. Then, while events come fast, one in kTurn has its own; the
/// others have that of the one before. Each heartbeat of the recorder ends a turn; it beats every 2 ms or more often, or says that it rests, and then
/// each event has its own. So no time is later than the event, none is earlier by more than that, and what comes after a longer pause is right. Only of a
/// recorder that is held up, or stopped, without a rest up to kTurn - 1 events after a pause are told of as before it.
class StampTurns
{
public:
    static constexpr std::uint32_t kTurn = 8;
    /// A turn that took no longer, in clock units (9 to 33 µs), is followed by another; otherwise each event has its own stamp until they come fast.
    static constexpr std::uint64_t kFastUnits = 512;

    /// Whether the next event gets its own, where more than one thread records or not, at this Header::heartbeat.
    [[gnu::always_inline]] bool hasOwn(bool isShared, std::uint64_t beat)
    {
        if (!isShared && beat == m_beat && m_left > 1) [[likely]] {
            --m_left;
            return false;
        }
        m_beat = beat & ~std::uint64_t{1}; // at rest it never is the same
        return true;
    }
    /// It came so long after the last one that had its own.
    [[gnu::always_inline]] void noteStamp(std::uint64_t units) { m_left = units <= kFastUnits ? kTurn : 1; }
    /// Whether the last one stands for others too.
    bool isShared() const { return m_left > 1; }

private:
    std::uint64_t m_beat = 0;
    std::uint32_t m_left = 1; ///< events until the next one that has its own
};

} // namespace capture::tracer

// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace capture::tracer {

/// A word of the stack: for a frame, where its pc was read from (`address`), and that pc.
struct StackWord
{
    std::uint64_t address;
    std::uint64_t value;
};

/// Walks that a thread made before, each by where it began: what a walk reads says where it leads, so one whose words all stand there
/// as they did need not be made again. That is most of what a program does that goes round in a loop.
///
/// Only walks of which each step follows from its pc alone are taken in, and only when they are made twice in turn from the same place:
/// where no two are alike, nothing is copied. One thread's; forget() before the first use.
class RecentWalks
{
public:
    static constexpr std::uint32_t kMostFrames = 13;

    struct alignas(256) Walk
    {
        std::uint64_t pc, slot; ///< where it began; slot 0: no walk yet
        std::uint64_t landing;  ///< the slot of the kept frame that it landed on
        std::uint32_t frame;    ///< that frame
        std::uint32_t frameNode;
        std::uint32_t leaf;           ///< the node that it came to
        std::uint32_t count;          ///< frames walked
        std::uint32_t seen;           ///< hash of the last walk that began at this place but was not this one
        StackWord words[kMostFrames]; ///< leaf first

        bool beganAt(std::uint64_t fromPc, std::uint64_t fromSlot) const { return slot == fromSlot && pc == fromPc; }
        /// Whether it would read the same again, having begun with the same pc. Between `slot` and `landing` the stack has to be readable.
        bool isSame() const
        {
            for (const StackWord *word = words + 1, *const end = words + count; word < end; ++word)
                if (*reinterpret_cast<const std::uint64_t *>(word->address) != word->value)
                    return false;
            return true;
        }
        /// Whether a walk that began at this place, with this hash of its words and its landing, is worth being taken in: it is the second in turn.
        bool isWorth(std::uint64_t hash)
        {
            const std::uint32_t before = seen;
            seen = static_cast<std::uint32_t>(hash >> 32);
            return seen == before;
        }
    };

    /// The place of walks that begin there. Null where it is not worth looking: long since no walk has been known, so that only one in
    /// kRarely is looked for.
    Walk *at(std::uint64_t pc, std::uint64_t slot)
    {
        const std::uint32_t unknown = m_unknown++;
        if (unknown >= kPatience && unknown % kRarely != 0)
            return nullptr;
        return &m_walks[(pc ^ slot << 20) * 0x9e3779b97f4a7c15 >> (64 - kBits)];
    }
    /// The walk looked for last is known.
    void noteKnown() { m_unknown = 0; }
    void forget()
    {
        m_unknown = 0;
        for (Walk &walk : m_walks)
            walk.slot = 0;
    }

private:
    static constexpr unsigned kBits = 6;
    static constexpr std::uint32_t kPatience = 32, kRarely = 16;

    std::uint32_t m_unknown; ///< walks since the last one that was known
    Walk m_walks[std::size_t{1} << kBits];
};
static_assert(sizeof(RecentWalks::Walk) == 256);

} // namespace capture::tracer

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
    bool isThere() const { return *reinterpret_cast<const std::uint64_t *>(address) == value; }
};

/// Walks that a thread made before, each by where it began: what a walk reads says where it leads, so one whose words all stand there
/// as they did need not be made again. That is most of what a program does that goes round in a loop.
///
/// A walk is taken in when it is made twice in turn from the same place with its leaf's node known before: where no two are alike, nothing is
/// copied. One thread's; forget() before the first use and whenever nodes mean something else.
class RecentWalks
{
public:
    /// Words that a walk may have read; longer ones are not taken in.
    static constexpr std::uint32_t kMostWords = 28;

    /// Eight cache lines, of which a walk of a few frames needs two or three.
    struct alignas(64) Walk
    {
        std::uint64_t pc, slot;      ///< where it began; slot 0: no walk yet
        std::uint64_t bp;            ///< what rbp was there, if kNeedsBp is set in `leaf`
        std::uint64_t landing;       ///< the slot of the kept frame that it landed on
        std::uint64_t landingBp;     ///< what rbp was there, if its way to the root depends on it
        std::uint64_t landingShape;  ///< of the path to it
        std::uint32_t frame;         ///< the kept frame
        std::uint32_t leaf;          ///< the node that it came to
        std::uint32_t count;         ///< of words
        std::uint32_t seen;          ///< of the shape of the last walk that began at this place but was not this one
        StackWord words[kMostWords]; ///< the slots of the frames, leaf first, then what else was read

        bool beganAt(std::uint64_t fromPc, std::uint64_t fromSlot) const { return slot == fromSlot && pc == fromPc; }
        /// Whether it would read the same again, having begun with the same pc. Between `slot` and `landing` the stack has to be readable.
        bool isSame() const
        {
            for (const StackWord *word = words + 1, *const end = words + count; word < end; ++word)
                if (!word->isThere())
                    return false;
            return true;
        }
        /// Whether a walk that began at this place, with this shape of its path, is worth being taken in: it is the second in turn.
        bool isWorth(std::uint64_t shape)
        {
            const std::uint32_t before = seen;
            seen = static_cast<std::uint32_t>(shape >> 32);
            return seen == before;
        }
        /// Takes in a word that was read. False: there is no room for it, or it lies where it need not be readable later.
        bool add(const StackWord &word)
        {
            if (count == kMostWords || word.address < slot || word.address > landing)
                return false;
            words[count++] = word;
            return true;
        }
    };
    static_assert(sizeof(Walk) == 512);

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
            if (walk.slot != 0) // what was never used costs no page
                walk.slot = 0;
    }

private:
    static constexpr unsigned kBits = 5;
    static constexpr std::uint32_t kPatience = 32, kRarely = 16;

    std::uint32_t m_unknown; ///< walks since the last one that was known
    Walk m_walks[std::size_t{1} << kBits];
};

} // namespace capture::tracer

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory_resource>
#include <vector>

namespace model {

/// A live block in 16 bytes, as most blocks fit into them; of others it says that there is more to know.
class LiveEntry
{
public:
    LiveEntry() = default;
    /// Of a block that it can hold.
    LiveEntry(std::uint64_t pointer, std::uint64_t size, std::uint32_t node, std::int64_t birthUs)
        : first(pointer >> 4 | std::uint64_t{node} << kPointerBits)
        , second(static_cast<std::uint64_t>(birthUs) << kBirthShift
              | std::uint64_t{node >> (64 - kPointerBits)} << kSizeBits | size)
    {
    }
    /// Of a block that it cannot hold, at an address that it can.
    explicit LiveEntry(std::uint64_t pointer)
        : LiveEntry(pointer, kOther, 0, 0)
    {
    }
    LiveEntry(std::uint64_t firstWord, std::uint64_t secondWord)
        : first(firstWord)
        , second(secondWord)
    {
    }

    static bool canHold(std::uint64_t pointer)
    {
        return std::rotr(pointer, 4) >> kPointerBits == 0 && static_cast<std::uint32_t>(pointer >> 4) != 0;
    }
    static bool canHold(std::uint64_t pointer, std::uint64_t size, std::int64_t birthUs)
    {
        return (std::rotr(pointer, 4) >> kPointerBits | (size + 1) >> kSizeBits
                   | static_cast<std::uint64_t>(birthUs) >> (64 - kBirthShift))
            == 0
            && static_cast<std::uint32_t>(pointer >> 4) != 0;
    }

    bool isOf(std::uint64_t pointerOfBlock) const { return pointer() == pointerOfBlock; }
    std::uint64_t pointer() const { return (first << (64 - kPointerBits)) >> (60 - kPointerBits); }
    /// The block is one that it cannot hold.
    bool isOther() const { return size() == kOther; }
    std::uint64_t size() const { return second & kOther; }
    std::uint32_t node() const
    {
        return static_cast<std::uint32_t>(first >> kPointerBits)
            | (static_cast<std::uint32_t>(second >> kSizeBits) & 15) << (64 - kPointerBits);
    }
    std::int64_t birthUs() const { return static_cast<std::int64_t>(second >> kBirthShift); }

    std::uint64_t first = 0;  ///< pointer / 16 bits 0–43, of which the lower half is never 0; node bits 0–19 above
    std::uint64_t second = 0; ///< size bits 0–19, node bits 20–23, birth above

private:
    static constexpr unsigned kPointerBits = 44, kSizeBits = 20, kBirthShift = 24;
    static constexpr std::uint64_t kOther = (1u << kSizeBits) - 1; ///< in place of the size
};
static_assert(sizeof(LiveEntry) == 16);

/// A hash table of live blocks by address, four to a cache line. An event touches one line, which a prefetch can fetch ahead, and compares all four
/// at once: which of them it is must not be guessed by the processor. What does not find room in its line stands in one of the next, and each line
/// counts those that went past it. One owning thread.
class LiveLines
{
    static constexpr std::size_t kLine = 4;
    struct alignas(64) Line
    {
        std::uint64_t firsts[kLine] = {}; ///< of the entries; 0: empty
        std::uint64_t seconds[kLine] = {};
    };

public:
    /// `memory` gives its lines, and outlives it.
    explicit LiveLines(std::pmr::memory_resource *memory = std::pmr::get_default_resource());

    /// Its upper bits say which line a block belongs to.
    static std::uint64_t hashOf(std::uint64_t pointer) { return (pointer << 16) * 0x9e3779b97f4a7c15ull; }

    std::size_t size() const { return m_count; }
    std::size_t places() const { return m_lines.size() * kLine; }
    /// The entry at a place; `first` is 0 if there is none.
    LiveEntry at(std::size_t place) const
    {
        const Line &line = m_lines[place / kLine];
        return {line.firsts[place % kLine], line.seconds[place % kLine]};
    }

    /// Asks for memory; until the table grows.
    class Prefetcher
    {
    public:
        /// What a coming look for `pointer` will touch.
        [[gnu::always_inline]] void prefetch(std::uint64_t pointer) const
        {
            __builtin_prefetch(m_lines + (hashOf(pointer) >> m_shift), 1);
        }

    private:
        friend class LiveLines;
        Prefetcher(const Line *lines, unsigned shift)
            : m_lines(lines)
            , m_shift(shift)
        {
        }
        const Line *m_lines;
        unsigned m_shift;
    };
    Prefetcher prefetcher() const { return {m_lines.data(), m_shift}; }

    /// The entry of `pointer`; `first` is 0 if there is none.
    LiveEntry find(std::uint64_t pointer) const;

    /// Adds the entry of `pointer`; false if there is one already, which then stays.
    [[gnu::always_inline]] bool insert(std::uint64_t pointer, const LiveEntry &entry)
    {
        const std::size_t home = homeOf(pointer);
        Line &line = m_lines[home];
        const unsigned empty = whereIs(line, 0);
        if (unsigned{empty == 0} | m_passed[home] | whereIs(line, tagOf(pointer))) [[unlikely]]
            return insertElsewhere(pointer, entry);
        const auto slot = static_cast<unsigned>(std::countr_zero(empty));
        line.firsts[slot] = entry.first;
        line.seconds[slot] = entry.second;
        if (++m_count > m_most) [[unlikely]]
            grow();
        return true;
    }

    /// Removes the entry of `pointer` and copies it to `taken`; false, and nothing is done, if there is none, or if it is another's and
    /// `takesOthers` does not say that it be taken too.
    template <bool takesOthers> [[gnu::always_inline]] bool take(std::uint64_t pointer, LiveEntry &taken)
    {
        Line &line = m_lines[homeOf(pointer)];
        const unsigned found = whereIs(line, tagOf(pointer));
        const auto slot = static_cast<unsigned>(std::countr_zero(found | 1u << (kLine - 1)));
        taken = {line.firsts[slot], line.seconds[slot]};
        if (found == 0 || !taken.isOf(pointer)) [[unlikely]]
            return takeElsewhere(pointer, taken, takesOthers);
        if (!takesOthers && taken.isOther()) [[unlikely]]
            return false;
        line.firsts[slot] = 0;
        --m_count;
        return true;
    }

private:
    static constexpr unsigned kFirstBits = 8;

    static std::uint32_t tagOf(std::uint64_t pointer) { return static_cast<std::uint32_t>(pointer >> 4); }
    std::size_t homeOf(std::uint64_t pointer) const { return hashOf(pointer) >> m_shift; }
    std::size_t next(std::size_t line) const { return (line + 1) & (m_lines.size() - 1); }

    /// A bit for each entry of the line whose lower half is `tag`; 0: that are empty.
    static unsigned whereIs(const Line &line, std::uint32_t tag)
    {
        using Words = std::uint32_t __attribute__((vector_size(16)));
        using Floats = float __attribute__((vector_size(16)));
        Words lower, upper;
        std::memcpy(&lower, line.firsts, sizeof lower);
        std::memcpy(&upper, line.firsts + kLine / 2, sizeof upper);
        const Words tags = __builtin_shufflevector(lower, upper, 0, 2, 4, 6);
        return static_cast<unsigned>(__builtin_ia32_movmskps(std::bit_cast<Floats>(tags == Words{tag, tag, tag, tag})));
    }
    static std::size_t slotOf(const Line &line, std::uint64_t pointer);

    bool insertElsewhere(std::uint64_t pointer, const LiveEntry &entry);
    bool takeElsewhere(std::uint64_t pointer, LiveEntry &taken, bool takesOthers);
    void put(std::uint64_t pointer, const LiveEntry &entry);
    void grow();

    std::pmr::vector<Line> m_lines;
    std::vector<std::uint8_t>
        m_passed; ///< by line: entries that stand behind it although they belong to it or before it; 255: or more
    std::size_t m_count = 0;
    std::size_t m_most; ///< entries: more make searches long
    unsigned m_shift;
};

} // namespace model

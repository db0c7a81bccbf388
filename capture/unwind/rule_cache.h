// SPDX-License-Identifier: MIT
#pragma once

#include "capture/unwind/frame_rule.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace capture::unwind {

/// A cache pc → FrameRule over memory of the caller's. A pc has a place of its own among the four of a cache line, and is
/// also looked for in the other three: where two of some ten thousand addresses share a place, neither need be computed again and again.
///
/// May be one thread's or shared by all threads of a process. An entry is two words, `rule` and
/// `tag = (pc | generation << 48) + rule · K` (K odd, random), each read and written on its own without order or lock.
/// A reader that sees the tag of one writer and the rule of another finds that they do not belong together and treats
/// it as a miss: for that to fail, the difference of the rules times K would have to equal the difference of two
/// addresses. So nobody ever waits, and a signal handler may look up and insert while it interrupts either.
///
/// flush() makes all entries miss by a new generation; an insert that began before it (its rule may describe code that
/// is gone) carries the old one and never matches. Memory is cleared when the 16 bits have gone round.
class RuleCache
{
public:
    struct Entry
    {
        std::atomic<std::uint64_t> tag;
        std::atomic<std::uint64_t> rule;
    };
    static_assert(sizeof(Entry) == 16 && std::atomic<std::uint64_t>::is_always_lock_free);

    constexpr RuleCache() = default;
    /// Uses 2^`bits` entries at `entries` (zeroed, 16 bytes each; aligned to 64, four share a cache line), not owned.
    RuleCache(Entry *entries, unsigned bits) { assign(entries, bits); }
    /// As the constructor, for objects that exist before their memory does. Not while others use the cache.
    void assign(Entry *entries, unsigned bits)
    {
        m_entries = entries;
        m_bits = bits;
        m_otherWays = bits >= 2 ? 3 : (std::size_t{1} << bits) - 1;
    }
    static constexpr std::size_t bytesFor(unsigned bits) { return sizeof(Entry) << bits; }

    /// The current generation: read it before computing a rule, hand it to insert().
    std::uint64_t generation() const { return m_generation.load(std::memory_order_acquire); }

    /// The rule of `pc`; RuleKind::Empty on a miss.
    FrameRule find(std::uint64_t pc) const { return find(pc, generation()); }
    FrameRule find(std::uint64_t pc, std::uint64_t generation) const
    {
        const std::size_t home = slot(pc);
        for (std::size_t way = 0; way <= m_otherWays; ++way) {
            const Entry &entry = m_entries[home ^ way];
            const std::uint64_t rule = entry.rule.load(std::memory_order_relaxed);
            if (entry.tag.load(std::memory_order_relaxed) == tagOf(pc, rule, generation)) [[likely]]
                return FrameRule::fromWord(rule);
        }
        return {};
    }
    /// In the place of another one, if its line is full of this generation: of any of the four, as nobody knows which is needed least.
    void insert(std::uint64_t pc, FrameRule rule, std::uint64_t generation)
    {
        const std::size_t home = slot(pc);
        std::size_t way = 0;
        while (way <= m_otherWays && isOf(m_entries[home ^ way], generation))
            ++way;
        if (way > m_otherWays) {
            const std::uint32_t turn = m_turn.load(std::memory_order_relaxed);
            m_turn.store(turn + 1, std::memory_order_relaxed);
            way = (home ^ turn) & m_otherWays; // each of the line in its turn
        }
        Entry &entry = m_entries[home ^ way];
        entry.rule.store(rule.word(), std::memory_order_relaxed);
        entry.tag.store(tagOf(pc, rule.word(), generation), std::memory_order_relaxed);
    }
    /// Forgets everything. Call it after code was unmapped, before other code can be mapped there.
    void flush()
    {
        const std::uint64_t next = m_generation.fetch_add(1, std::memory_order_acq_rel) + 1;
        if ((next & 0xffff) != 0)
            return;
        for (std::size_t i = 0; i < (std::size_t{1} << m_bits); ++i)
            m_entries[i].tag.store(0, std::memory_order_relaxed);
    }

private:
    static constexpr std::uint64_t kRuleFactor = 0xd6e8feb86659fd93;
    /// Whether an entry may be found in this generation: no address has its upper 16 bits set.
    static bool isOf(const Entry &entry, std::uint64_t generation)
    {
        const std::uint64_t rule = entry.rule.load(std::memory_order_relaxed);
        const std::uint64_t pc = entry.tag.load(std::memory_order_relaxed) - rule * kRuleFactor;
        return pc != 0 && ((pc >> 48) ^ generation) % 0x10000 == 0;
    }
    static std::uint64_t tagOf(std::uint64_t pc, std::uint64_t rule, std::uint64_t generation)
    {
        return (pc ^ (generation << 48)) + rule * kRuleFactor;
    }
    std::size_t slot(std::uint64_t pc) const
    {
        return static_cast<std::size_t>((pc * 0x9e3779b97f4a7c15) >> (64 - m_bits));
    }

    Entry *m_entries = nullptr;
    unsigned m_bits = 0;
    std::size_t m_otherWays = 0;
    std::atomic<std::uint32_t> m_turn = 0;
    std::atomic<std::uint64_t> m_generation = 1;
};

} // namespace capture::unwind

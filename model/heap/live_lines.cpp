// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/live_lines.h"

#include <utility>

namespace model {

namespace {

constexpr std::uint8_t kMany = 255;

/// Of what `lines` of them hold, in eighths of an entry.
constexpr std::size_t mostIn(std::size_t lines) { return lines * 4 / 8 * 5; }

} // namespace

LiveLines::LiveLines(std::pmr::memory_resource *memory)
    : m_lines(std::size_t{1} << kFirstBits, memory)
    , m_passed(m_lines.size(), 0)
    , m_most(mostIn(m_lines.size()))
    , m_shift(64 - kFirstBits)
{
}

/// kLine if it is not there.
std::size_t LiveLines::slotOf(const Line &line, std::uint64_t pointer)
{
    std::size_t slot = 0;
    while (slot < kLine && !(line.firsts[slot] != 0 && LiveEntry(line.firsts[slot], 0).isOf(pointer)))
        ++slot;
    return slot;
}

LiveEntry LiveLines::find(std::uint64_t pointer) const
{
    std::size_t line = homeOf(pointer);
    for (std::size_t i = 0; i < m_lines.size(); ++i, line = next(line)) {
        if (const std::size_t slot = slotOf(m_lines[line], pointer); slot < kLine)
            return {m_lines[line].firsts[slot], m_lines[line].seconds[slot]};
        if (m_passed[line] == 0)
            break;
    }
    return {};
}

bool LiveLines::insertElsewhere(std::uint64_t pointer, const LiveEntry &entry)
{
    if (find(pointer).first != 0)
        return false;
    put(pointer, entry);
    if (++m_count > m_most)
        grow();
    return true;
}

/// There is room, since no more than five of eight places are taken.
void LiveLines::put(std::uint64_t pointer, const LiveEntry &entry)
{
    std::size_t line = homeOf(pointer);
    for (unsigned empty; (empty = whereIs(m_lines[line], 0)) == 0; line = next(line))
        if (m_passed[line] < kMany)
            ++m_passed[line];
    const auto slot = static_cast<unsigned>(std::countr_zero(whereIs(m_lines[line], 0)));
    m_lines[line].firsts[slot] = entry.first;
    m_lines[line].seconds[slot] = entry.second;
}

bool LiveLines::takeElsewhere(std::uint64_t pointer, LiveEntry &taken, bool takesOthers)
{
    const std::size_t home = homeOf(pointer);
    std::size_t line = home, slot = kLine;
    for (std::size_t i = 0; i < m_lines.size(); ++i, line = next(line)) {
        slot = slotOf(m_lines[line], pointer);
        if (slot < kLine || m_passed[line] == 0)
            break;
    }
    if (slot == kLine)
        return false;
    taken = {m_lines[line].firsts[slot], m_lines[line].seconds[slot]};
    if (!takesOthers && taken.isOther())
        return false;
    m_lines[line].firsts[slot] = 0;
    --m_count;
    for (std::size_t passed = home; passed != line; passed = next(passed))
        if (m_passed[passed] < kMany)
            --m_passed[passed];
    return true;
}

void LiveLines::grow()
{
    --m_shift;
    std::pmr::vector<Line> old(m_lines.size() * 2, m_lines.get_allocator());
    std::swap(old, m_lines);
    m_passed.assign(m_lines.size(), 0);
    m_most = mostIn(m_lines.size());
    for (const Line &line : old)
        for (std::size_t slot = 0; slot < kLine; ++slot)
            if (const LiveEntry entry(line.firsts[slot], line.seconds[slot]); entry.first != 0)
                put(entry.pointer(), entry);
}

} // namespace model

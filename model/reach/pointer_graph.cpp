// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/reach/pointer_graph.h"

#include <algorithm>
#include <array>
#include <utility>

namespace model {

namespace {

constexpr std::uint64_t kWordBytes = 8;

BlockLink linkTo(const BlockIndex &blocks, std::uint32_t target, std::uint64_t value)
{
    return {target & 0x7fffffffu, blocks[target].address == value ? 1u : 0u};
}

} // namespace

PointerGraphBuilder::PointerGraphBuilder(const BlockIndex &blocks, std::vector<RootRange> roots)
    : m_blocks(blocks)
    , m_ranges(std::move(roots))
{
    m_graph.first.assign(blocks.size() + 1, 0);
}

void PointerGraphBuilder::addWords(std::span<const ScanWord> words)
{
    std::array<std::uint64_t, BlockIndex::kMostAtOnce> values;
    std::array<std::uint32_t, BlockIndex::kMostAtOnce> targets;
    while (!words.empty()) {
        const std::size_t count = std::min(words.size(), values.size());
        for (std::size_t i = 0; i < count; ++i)
            values[i] = words[i].value;
        m_blocks.find({values.data(), count}, targets.data());
        for (std::size_t i = 0; i < count; ++i)
            if (targets[i] != BlockIndex::kNone)
                link(words[i], targets[i]);
        words = words.subspan(count);
    }
}

void PointerGraphBuilder::link(const ScanWord &word, std::uint32_t target)
{
    while (m_source < m_blocks.size() && m_blocks[m_source].end() <= word.address)
        ++m_source;
    if (m_source < m_blocks.size() && m_blocks[m_source].address <= word.address) {
        if (m_source == target || word.address + kWordBytes > m_blocks[m_source].end())
            return;
        noteInterior(word.value, target, false);
        m_graph.links.push_back(linkTo(m_blocks, target, word.value));
        ++m_graph.first[m_source + 1];
        return;
    }
    while (m_range < m_ranges.size() && m_ranges[m_range].end <= word.address)
        ++m_range;
    if (m_range < m_ranges.size() && m_ranges[m_range].begin <= word.address) {
        noteInterior(word.value, target, true);
        m_graph.roots.push_back({linkTo(m_blocks, target, word.value), m_ranges[m_range].root, word.address});
    }
}

/// Of the link that is added next.
void PointerGraphBuilder::noteInterior(std::uint64_t value, std::uint32_t target, bool isOfRoot)
{
    const std::uint64_t offset = value - m_blocks[target].address;
    if (offset == 0 || offset % kWordBytes != 0)
        return;
    PointerGraph::InteriorLink interior;
    interior.position = (isOfRoot ? m_graph.roots.size() : m_graph.links.size()) & (~std::uint64_t{0} >> 1);
    interior.isOfRoot = isOfRoot ? 1 : 0;
    interior.offset = offset;
    m_graph.interior.push_back(interior);
}

void PointerGraphBuilder::addRootValue(std::uint64_t value, std::uint32_t root)
{
    const std::uint32_t target = m_blocks.find(value);
    if (target == BlockIndex::kNone)
        return;
    noteInterior(value, target, true);
    m_graph.roots.push_back({linkTo(m_blocks, target, value), root, 0});
}

void PointerGraphBuilder::addRootBlock(std::uint32_t block, std::uint32_t root)
{
    m_graph.roots.push_back({{block & 0x7fffffffu, 1u}, root, 0});
}

void PointerGraphBuilder::sortRoots(const std::function<bool(std::uint32_t root)> &isStrong)
{
    std::vector<PointerGraph::RootLink> sorted, weak;
    std::vector<std::uint64_t> places; // of strong ones as they are, of weak ones among themselves
    std::vector<bool> isWeak;
    for (const PointerGraph::RootLink &root : m_graph.roots) {
        isWeak.push_back(!isStrong(root.root));
        std::vector<PointerGraph::RootLink> &to = isWeak.back() ? weak : sorted;
        places.push_back(to.size());
        to.push_back(root);
    }
    m_graph.strongRoots = sorted.size();
    for (PointerGraph::InteriorLink &interior : m_graph.interior)
        if (interior.isOfRoot) {
            const std::uint64_t before = interior.position;
            const std::uint64_t place = places[before] + (isWeak[before] ? sorted.size() : 0);
            interior.position = place & (~std::uint64_t{0} >> 1);
        }
    sorted.insert(sorted.end(), weak.begin(), weak.end());
    m_graph.roots = std::move(sorted);
}

PointerGraph PointerGraphBuilder::take(const std::function<bool(std::uint32_t root)> &isStrong)
{
    m_graph.strongRoots = m_graph.roots.size();
    if (isStrong)
        sortRoots(isStrong);
    for (std::size_t i = 1; i < m_graph.first.size(); ++i)
        m_graph.first[i] += m_graph.first[i - 1];
    return std::move(m_graph);
}

} // namespace model

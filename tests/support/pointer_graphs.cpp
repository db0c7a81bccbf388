// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/pointer_graphs.h"

#include <algorithm>
#include <sstream>

namespace test {

namespace {

constexpr std::uint64_t kInside = 24;
constexpr std::uint64_t kRootBytes = 0x8'0000;

} // namespace

GraphMemory::GraphMemory(std::size_t blocks)
    : m_used(blocks, 0)
{
    for (std::size_t i = 0; i < blocks; ++i) {
        model::ScanBlock block;
        block.address = addressOf(i);
        block.size = kBlockBytes;
        block.node = i & 0xffffffu;
        block.birthUs = static_cast<std::int64_t>(i);
        m_blocks.push_back(block);
    }
}

GraphMemory &GraphMemory::word(std::uint64_t address, std::uint64_t value)
{
    m_words.push_back({address, value});
    return *this;
}

void GraphMemory::linkBlocks(std::size_t from, std::size_t to, bool isExact)
{
    word(addressOf(from) + 8 * m_used[from]++, addressOf(to) + (isExact ? 0 : kInside));
}

void GraphMemory::linkRoot(std::size_t to, bool isExact)
{
    word(kRootBegin + 8 * m_rootsUsed++, addressOf(to) + (isExact ? 0 : kInside));
}

GraphMemory &GraphMemory::link(const std::string &text)
{
    std::istringstream words(text);
    for (std::string one; words >> one;) {
        const std::size_t sign = one.find_first_of(">~");
        const std::string from = one.substr(0, sign);
        const std::size_t to = std::stoul(one.substr(sign + 1));
        if (from == "root")
            linkRoot(to, one[sign] == '>');
        else
            linkBlocks(std::stoul(from), to, one[sign] == '>');
    }
    return *this;
}

model::PointerGraph GraphMemory::graph(const model::BlockIndex &index) const
{
    std::vector<model::ScanWord> words = m_words;
    std::sort(words.begin(), words.end(), [](const auto &a, const auto &b) { return a.address < b.address; });
    model::PointerGraphBuilder builder(index, {{kRootBegin, kRootBegin + kRootBytes, 0}});
    builder.addWords(words);
    return builder.take();
}

} // namespace test

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/scan/glibc_arena.h"

#include <cstddef>

namespace capture {

namespace {

// In words of 8 bytes.
constexpr std::size_t kBins = 0x70 / 8;
constexpr std::size_t kBinCount = 127;
constexpr std::size_t kNext = 0x870 / 8;
constexpr std::size_t kSystemBytes = 0x888 / 8;
constexpr std::size_t kArenaWords = 0x898 / 8;
constexpr std::size_t kLeastEmptyBins = 24;
constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kHeapBytes
    = 64u << 20; ///< to which the heaps of other arenas are aligned; an arena stands at the begin of one

bool isEmptyBin(std::span<const std::uint64_t> words, std::uint64_t address, std::size_t at)
{
    const std::uint64_t itself = address + at * 8 - 16;
    return words[at] == itself && words[at + 1] == itself;
}

bool isArena(std::span<const std::uint64_t> words, std::uint64_t address, std::size_t at)
{
    const std::uint64_t next = words[at + kNext];
    const bool isNext = next == address + at * 8 || (next % kHeapBytes != 0 && next % kHeapBytes < 256);
    if (!isNext || words[at + kSystemBytes] % kPageBytes != 0)
        return false;
    std::size_t empty = 0;
    for (std::size_t bin = 0; bin < kBinCount; ++bin)
        empty += isEmptyBin(words, address, at + kBins + 2 * bin) ? 1 : 0;
    return empty >= kLeastEmptyBins;
}

} // namespace

std::optional<KnownMemory::Range> findMainArena(std::span<const std::uint64_t> words, std::uint64_t address)
{
    for (std::size_t at = 0; at + kArenaWords <= words.size(); ++at)
        if (isArena(words, address, at))
            return KnownMemory::Range{address + at * 8, address + (at + kArenaWords) * 8};
    return std::nullopt;
}

} // namespace capture

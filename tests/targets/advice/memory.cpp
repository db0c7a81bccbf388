// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/targets/advice/seeded.h"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace seeded {

namespace {

struct Message
{
    std::array<char, 100> text;
    std::uint64_t number = 0;
};

/// A queue of a hundred messages, each a block of its own, or from a ring of them.
SEEDED_PLACE std::uint64_t passMessages(std::uint64_t count, Twin twin)
{
    constexpr std::size_t kQueued = 100;
    std::uint64_t sum = 0;
    if (twin == Twin::Fixed) {
        std::vector<Message> ring(kQueued);
        for (std::uint64_t i = 0; i < count; ++i) {
            Message &slot = ring[i % kQueued];
            sum += slot.number;
            slot.number = i;
        }
        return sum;
    }
    std::array<std::unique_ptr<Message>, kQueued> queue;
    for (std::uint64_t i = 0; i < count; ++i) {
        std::unique_ptr<Message> &slot = queue[i % kQueued];
        sum += slot ? slot->number : 0;
        auto message = std::make_unique_for_overwrite<Message>();
        message->number = i;
        slot = std::move(message);
    }
    return sum;
}

std::uint64_t messageAllocations(Twin twin) { return passMessages(20'000'000, twin) + ordinaryWork(80); }

SEEDED_PLACE std::uint64_t stepImage(std::vector<char> &now, std::vector<char> &before, Twin twin)
{
    if (twin == Twin::Fixed)
        before.swap(now);
    else
        std::memcpy(before.data(), now.data(), now.size());
    now[0] = static_cast<char>(before[0] + 1);
    return static_cast<unsigned char>(now[0]);
}

std::uint64_t largeCopies(Twin twin)
{
    std::vector<char> now(4 << 20, 1);
    std::vector<char> before(4 << 20, 1);
    std::uint64_t sum = 0;
    for (int i = 0; i < 1200; ++i)
        sum += stepImage(now, before, twin);
    return sum + ordinaryWork(150);
}

/// A buffer of 40 MiB for each step: what malloc maps and unmaps anew, or one that is kept.
SEEDED_PLACE std::uint64_t fillBuffer(std::vector<char> &kept, Twin twin)
{
    constexpr std::size_t kBytes = 40 << 20;
    char *buffer = twin == Twin::Fixed ? kept.data() : static_cast<char *>(std::malloc(kBytes));
    if (buffer == nullptr)
        return 0;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kBytes; i += 4096) {
        buffer[i] = static_cast<char>(i >> 12);
        sum += static_cast<unsigned char>(buffer[i]);
    }
    if (twin == Twin::Defect)
        std::free(buffer);
    return sum;
}

std::uint64_t mappingChurn(Twin twin)
{
    std::vector<char> kept(twin == Twin::Fixed ? 40 << 20 : 0);
    std::uint64_t sum = 0;
    for (int i = 0; i < 80; ++i)
        sum += fillBuffer(kept, twin);
    return sum + ordinaryWork(120);
}

/// Lists that grow in turn, by one element each time, or by doubling.
SEEDED_PLACE std::uint64_t growLists(Twin twin)
{
    constexpr std::size_t kLists = 64;
    struct List
    {
        std::uint64_t *items = nullptr;
        std::size_t size = 0;
        std::size_t capacity = 0;
    };
    std::array<List, kLists> lists;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kLists * 3000; ++i) {
        List &list = lists[i % kLists];
        if (list.size == list.capacity) {
            list.capacity = twin == Twin::Fixed ? std::max<std::size_t>(8, list.capacity * 2) : list.capacity + 1;
            void *grown = std::realloc(list.items, list.capacity * sizeof(std::uint64_t));
            if (grown == nullptr)
                std::abort();
            list.items = static_cast<std::uint64_t *>(grown);
        }
        list.items[list.size++] = i;
    }
    for (List &list : lists) {
        sum += list.items[list.size - 1];
        std::free(list.items);
    }
    return sum;
}

std::uint64_t reallocByOne(Twin twin)
{
    std::uint64_t sum = 0;
    for (int i = 0; i < 12; ++i)
        sum += growLists(twin);
    return sum + ordinaryWork(60);
}

/// A cache of answers that never forgets, or that keeps the last thousand.
class AnswerCache
{
public:
    SEEDED_PLACE std::uint64_t remember(std::uint64_t key, Twin twin)
    {
        m_answers.emplace(key, std::string(200, static_cast<char>('a' + key % 26)));
        m_order.push_back(key);
        if (twin == Twin::Fixed && m_order.size() > 1000) {
            m_answers.erase(m_order.front());
            m_order.pop_front();
        }
        return key;
    }

private:
    std::unordered_map<std::uint64_t, std::string> m_answers;
    std::deque<std::uint64_t> m_order;
};

std::uint64_t unboundedCache(Twin twin)
{
    AnswerCache &cache = *new AnswerCache; // kept, as a program's caches are, to its end
    std::uint64_t sum = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (int round = 0; round < 700; ++round) {
        for (std::uint64_t i = 0; i < 50; ++i)
            sum += cache.remember(static_cast<std::uint64_t>(round) * 50 + i, twin);
        std::this_thread::sleep_until(begin + std::chrono::milliseconds(10) * (round + 1));
    }
    return sum;
}

/// Short-lived blocks with one in 64 that stays between them, or with those that stay apart.
SEEDED_PLACE std::uint64_t buildIndex(std::vector<std::unique_ptr<char[]>> &index, Twin twin)
{
    constexpr std::size_t kBlocks = 120'000;
    constexpr std::size_t kBytes = 1000;
    std::vector<std::unique_ptr<char[]>> scratch;
    std::vector<char> arena(twin == Twin::Fixed ? kBlocks / 64 * kBytes : 0);
    scratch.reserve(kBlocks);
    for (std::size_t i = 0; i < kBlocks; ++i) {
        scratch.push_back(std::make_unique<char[]>(kBytes));
        if (i % 64 == 0 && twin == Twin::Defect)
            index.push_back(std::make_unique<char[]>(kBytes));
    }
    if (twin == Twin::Fixed) {
        index.push_back(std::make_unique<char[]>(arena.size()));
        std::memcpy(index.back().get(), arena.data(), arena.size());
    }
    return kBlocks;
}

std::uint64_t scatteredBlocks(Twin twin)
{
    std::vector<std::unique_ptr<char[]>> index;
    const std::uint64_t sum = buildIndex(index, twin);
    if (twin == Twin::Fixed)
        malloc_trim(0);
    std::uint64_t work = 0;
    for (int i = 0; i < 30; ++i) {
        work += ordinaryWork(5);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return sum + work;
}

SEEDED_PLACE std::uint64_t hashFields(const char *text, std::vector<std::uint32_t> &table, Twin twin)
{
    std::uint64_t sum = 0;
    std::array<std::size_t, 64> used{};
    std::size_t count = 0;
    for (const char *at = text; *at != '\0'; ++at) {
        const std::size_t slot = mixed(static_cast<unsigned char>(*at)) % table.size();
        sum += ++table[slot];
        used[count++] = slot;
    }
    if (twin == Twin::Defect)
        std::memset(table.data(), 0, table.size() * sizeof(std::uint32_t));
    else
        for (std::size_t i = 0; i < count; ++i)
            table[used[i]] = 0;
    return sum;
}

std::uint64_t clearedTable(Twin twin)
{
    std::vector<std::uint32_t> table(256 << 10);
    std::uint64_t sum = 0;
    for (int i = 0; i < 12000; ++i)
        sum += hashFields("name=value;other=thing", table, twin);
    return sum + ordinaryWork(150);
}

constexpr std::array kCases{
    Case{"message_allocations", "allocator_time", "passMessages", messageAllocations, 6},
    Case{"large_copies", "copy_time", "stepImage", largeCopies, 6},
    Case{"mapping_churn", "page_faults", "fillBuffer", mappingChurn, 1},
    Case{"realloc_by_one", "realloc_growth", "growLists", reallocByOne, 8},
    Case{"unbounded_cache", "growing_stack", "AnswerCache::remember", unboundedCache, 1},
    Case{"scattered_blocks", "retained_memory", "", scatteredBlocks, 1},
    Case{"cleared_table", "clearing_memory", "hashFields", clearedTable, 8},
};

} // namespace

std::span<const Case> memoryCases() { return kCases; }

} // namespace seeded

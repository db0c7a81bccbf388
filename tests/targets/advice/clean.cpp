// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/targets/advice/seeded.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <list>
#include <memory>
#include <mutex>
#include <numeric>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace seeded {

namespace {

SEEDED_PLACE std::uint64_t matrixProduct(Twin)
{
    constexpr std::size_t kSize = 700;
    std::vector<double> a(kSize * kSize, 1.5);
    std::vector<double> b(kSize * kSize, 0.5);
    std::vector<double> c(kSize * kSize);
    for (int round = 0; round < 4; ++round)
        for (std::size_t i = 0; i < kSize; ++i)
            for (std::size_t k = 0; k < kSize; ++k)
                for (std::size_t j = 0; j < kSize; ++j)
                    c[i * kSize + j] += a[i * kSize + k] * b[k * kSize + j];
    return static_cast<std::uint64_t>(c[kSize]);
}

SEEDED_PLACE std::uint64_t wordCount(Twin)
{
    std::string text;
    for (std::uint64_t i = 0; i < 400'000; ++i) {
        text += "word";
        text += std::to_string(mixed(i) % 3000);
        text += ' ';
    }
    std::unordered_map<std::string_view, std::uint64_t> counts;
    counts.reserve(4000);
    for (int round = 0; round < 25; ++round)
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = text.find(' ', begin);
            ++counts[std::string_view(text).substr(begin, end - begin)];
            begin = end + 1;
        }
    return counts.size();
}

std::uint64_t sortOnce(Twin)
{
    std::vector<std::uint64_t> values(8'000'000);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = mixed(i);
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

std::uint64_t breadthFirst(Twin)
{
    constexpr std::uint32_t kNodes = 400'000;
    constexpr std::uint32_t kDegree = 6;
    std::vector<std::uint32_t> edges(std::size_t{kNodes} * kDegree);
    for (std::size_t i = 0; i < edges.size(); ++i)
        edges[i] = static_cast<std::uint32_t>(mixed(i) % kNodes);
    std::uint64_t sum = 0;
    std::vector<std::uint32_t> queue;
    queue.reserve(kNodes);
    for (std::uint32_t start = 0; start < 20; ++start) {
        std::vector<std::uint8_t> isSeen(kNodes);
        queue.assign(1, start);
        for (std::size_t at = 0; at < queue.size(); ++at)
            for (std::uint32_t i = 0; i < kDegree; ++i) {
                const std::uint32_t next = edges[std::size_t{queue[at]} * kDegree + i];
                if (isSeen[next] == 0) {
                    isSeen[next] = 1;
                    queue.push_back(next);
                }
            }
        sum += queue.size();
    }
    return sum;
}

std::uint64_t parseTable(Twin)
{
    std::string table;
    for (std::uint64_t i = 0; i < 300'000; ++i)
        table += std::to_string(mixed(i) % 100'000) + ',';
    std::uint64_t sum = 0;
    for (int round = 0; round < 60; ++round)
        for (const char *at = table.data(); at < table.data() + table.size();) {
            std::uint32_t number = 0;
            at = std::from_chars(at, table.data() + table.size(), number).ptr + 1;
            sum += number;
        }
    return sum;
}

std::uint64_t shardedThreads(Twin)
{
    std::array<std::uint64_t, 2> sums{};
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < sums.size(); ++i)
            threads.emplace_back([&sums, i] { sums[i] = ordinaryWork(300); });
    }
    return sums[0] ^ sums[1];
}

std::uint64_t copyFile(Twin)
{
    std::FILE *from = std::tmpfile();
    std::FILE *to = std::tmpfile();
    if (from == nullptr || to == nullptr)
        return 0;
    std::vector<char> block(1 << 20, 'x');
    for (int i = 0; i < 64; ++i)
        std::fwrite(block.data(), 1, block.size(), from);
    std::uint64_t sum = 0;
    for (int round = 0; round < 12; ++round) {
        std::rewind(from);
        std::rewind(to);
        while (const std::size_t got = std::fread(block.data(), 1, block.size(), from)) {
            sum += static_cast<unsigned char>(block[got / 2]);
            std::fwrite(block.data(), 1, got, to);
        }
    }
    std::fclose(from);
    std::fclose(to);
    return sum;
}

/// Least recently used; its nodes are moved, not made anew.
SEEDED_PLACE std::uint64_t boundedCache(Twin)
{
    std::list<std::uint64_t> order;
    std::unordered_map<std::uint64_t, std::list<std::uint64_t>::iterator> places;
    std::uint64_t hits = 0;
    for (std::uint64_t i = 0; i < 5'000'000; ++i) {
        const std::uint64_t key = mixed(i) % 12'000;
        if (const auto found = places.find(key); found != places.end()) {
            ++hits;
            order.splice(order.begin(), order, found->second);
            continue;
        }
        if (order.size() < 10'000) {
            order.push_front(key);
            places.emplace(key, order.begin());
            continue;
        }
        auto node = places.extract(order.back());
        order.back() = key;
        order.splice(order.begin(), order, std::prev(order.end()));
        node.key() = key;
        node.mapped() = order.begin();
        places.insert(std::move(node));
    }
    return hits;
}

std::uint64_t sieve(Twin)
{
    std::uint64_t primes = 0;
    for (int round = 0; round < 8; ++round) {
        std::vector<std::uint8_t> isComposite(4'000'000);
        for (std::size_t i = 2; i < isComposite.size(); ++i) {
            if (isComposite[i] != 0)
                continue;
            ++primes;
            for (std::size_t j = i * i; j < isComposite.size(); j += i)
                isComposite[j] = 1;
        }
    }
    return primes;
}

std::uint64_t batchedQueue(Twin)
{
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::uint64_t> batch;
    bool isDone = false;
    std::uint64_t sum = 0;
    std::jthread consumer([&] {
        std::vector<std::uint64_t> mine;
        for (;;) {
            mine.clear();
            std::unique_lock lock(mutex);
            changed.wait(lock, [&] { return !batch.empty() || isDone; });
            if (batch.empty())
                return;
            mine.swap(batch);
            lock.unlock();
            changed.notify_one();
            for (const std::uint64_t value : mine)
                sum += mixed(value);
        }
    });
    std::vector<std::uint64_t> next;
    for (std::uint64_t round = 0; round < 2000; ++round) {
        next.resize(50'000);
        std::iota(next.begin(), next.end(), round);
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return batch.empty(); });
        batch.swap(next);
        lock.unlock();
        changed.notify_one();
    }
    {
        const std::scoped_lock lock(mutex);
        isDone = true;
    }
    changed.notify_one();
    consumer.join();
    return sum;
}

std::uint64_t idleService(Twin)
{
    std::uint64_t sum = 0;
    for (int i = 0; i < 60; ++i) {
        sum += ordinaryWork(1);
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
    }
    return sum;
}

/// A tree in one vector, built and walked.
std::uint64_t treeInArena(Twin)
{
    struct Node
    {
        std::uint64_t key = 0;
        std::uint32_t left = 0;
        std::uint32_t right = 0;
    };
    std::uint64_t depth = 0;
    for (int round = 0; round < 6; ++round) {
        std::vector<Node> nodes;
        nodes.reserve(300'001);
        nodes.push_back({std::uint64_t{1} << 63, 0, 0});
        for (std::uint64_t i = 0; i < 300'000; ++i) {
            const std::uint64_t key = mixed(i * 8 + static_cast<std::uint64_t>(round));
            std::uint32_t at = 0;
            for (;;) {
                ++depth;
                std::uint32_t &next = key < nodes[at].key ? nodes[at].left : nodes[at].right;
                if (next == 0) {
                    next = static_cast<std::uint32_t>(nodes.size());
                    break;
                }
                at = next;
            }
            nodes.push_back({key, 0, 0});
        }
    }
    return depth;
}

constexpr std::array kCases{
    Case{"clean_matrix", "", "", matrixProduct},
    Case{"clean_word_count", "", "", wordCount},
    Case{"clean_sort", "", "", sortOnce, 2},
    Case{"clean_graph", "", "", breadthFirst},
    Case{"clean_parser", "", "", parseTable, 20},
    Case{"clean_threads", "", "", shardedThreads, 2},
    Case{"clean_copy", "", "", copyFile},
    Case{"clean_cache", "", "", boundedCache, 15},
    Case{"clean_sieve", "", "", sieve, 20},
    Case{"clean_queue", "", "", batchedQueue, 8},
    Case{"clean_idle", "", "", idleService, 1},
    Case{"clean_tree", "", "", treeInArena},
};

} // namespace

std::span<const Case> cleanCases() { return kCases; }

} // namespace seeded

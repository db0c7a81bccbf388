// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/targets/advice/seeded.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace seeded {

namespace {

SEEDED_PLACE std::uint64_t collect(std::size_t count, Twin twin)
{
    std::vector<std::array<std::uint64_t, 4>> rows;
    if (twin == Twin::Fixed)
        rows.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        rows.push_back({i, i + 1, i + 2, i + 3});
    keep(rows.data());
    return rows.back()[0];
}

std::uint64_t vectorGrowth(Twin twin)
{
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < 400'000; ++i)
        sum += collect(60 + i % 40, twin);
    return sum + ordinaryWork(15);
}

template <typename Map> SEEDED_PLACE std::uint64_t lookUp(const Map &map, std::uint64_t round)
{
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < 50'000; ++i) {
        const auto found = map.find(mixed(i * 7 + round) % 40'000);
        if (found != map.end())
            sum += found->second;
    }
    return sum;
}

template <typename Map> std::uint64_t lookUpOften()
{
    Map map;
    for (std::uint64_t i = 0; i < 20'000; ++i)
        map.emplace(i * 2, i);
    std::uint64_t sum = 0;
    for (std::uint64_t round = 0; round < 80; ++round)
        sum += lookUp(map, round);
    return sum;
}

std::uint64_t treeMap(Twin twin)
{
    return (twin == Twin::Defect ? lookUpOften<std::map<std::uint64_t, std::uint64_t>>()
                                 : lookUpOften<std::unordered_map<std::uint64_t, std::uint64_t>>())
        + ordinaryWork(100);
}

struct Order
{
    std::vector<std::uint64_t> items;
    std::string customer;
};

SEEDED_PLACE std::uint64_t priceOfCopy(Order order)
{
    return order.items[order.items.size() / 2] + order.customer.size();
}
SEEDED_PLACE std::uint64_t priceOf(const Order &order)
{
    return order.items[order.items.size() / 2] + order.customer.size();
}
SEEDED_PLACE std::uint64_t priceAll(const std::vector<Order> &orders, Twin twin)
{
    std::uint64_t sum = 0;
    for (const Order &order : orders)
        sum += twin == Twin::Defect ? priceOfCopy(order) : priceOf(order);
    return sum;
}

std::uint64_t copiedArguments(Twin twin)
{
    std::vector<Order> orders;
    for (std::uint64_t i = 0; i < 500; ++i)
        orders.push_back({std::vector<std::uint64_t>(400, i), "a customer with a name of some length"});
    std::uint64_t sum = 0;
    for (int i = 0; i < 5000; ++i)
        sum += priceAll(orders, twin);
    return sum + ordinaryWork(120);
}

template <typename Queue> SEEDED_PLACE std::uint64_t serveQueue(std::uint64_t count)
{
    Queue queue(20'000, std::uint64_t{1});
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        queue.push_back(i);
        sum += queue.front();
        queue.erase(queue.begin());
    }
    return sum;
}

std::uint64_t frontErasure(Twin twin)
{
    constexpr std::uint64_t kCount = 120'000;
    return (twin == Twin::Defect ? serveQueue<std::vector<std::uint64_t>>(kCount)
                                 : serveQueue<std::deque<std::uint64_t>>(kCount))
        + ordinaryWork(150);
}

SEEDED_PLACE std::uint64_t countMembers(const std::vector<std::uint64_t> &members,
    const std::unordered_set<std::uint64_t> &set, std::uint64_t queries, Twin twin)
{
    std::uint64_t count = 0;
    for (std::uint64_t i = 0; i < queries; ++i) {
        const std::uint64_t wanted = mixed(i) % 20'000;
        const bool isMember = twin == Twin::Fixed ? set.find(wanted) != set.end()
                                                  : std::find(members.begin(), members.end(), wanted) != members.end();
        count += isMember ? 1 : 0;
    }
    return count;
}

std::uint64_t linearSearch(Twin twin)
{
    std::vector<std::uint64_t> members;
    for (std::uint64_t i = 0; i < 10'000; ++i)
        members.push_back(i * 2);
    const std::unordered_set<std::uint64_t> set(members.begin(), members.end());
    return countMembers(members, set, 150'000, twin) + ordinaryWork(150);
}

constexpr std::array kCases{
    Case{"vector_growth", "container_growth", "collect", vectorGrowth, 6},
    Case{"tree_map", "tree_container", "lookUp", treeMap, 3},
    Case{"copied_arguments", "copied_objects", "priceAll", copiedArguments},
    Case{"front_erasure", "front_insertion", "serveQueue", frontErasure},
    Case{"linear_search", "linear_search", "countMembers", linearSearch},
};

} // namespace

std::span<const Case> containerCases() { return kCases; }

} // namespace seeded

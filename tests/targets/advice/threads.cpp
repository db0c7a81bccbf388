// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/targets/advice/seeded.h"

#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace seeded {

namespace {

struct Counters
{
    std::mutex mutex;
    std::array<std::uint64_t, 64> counts{};
};

SEEDED_PLACE void countEvents(Counters &counters, std::uint64_t events, Twin twin)
{
    if (twin == Twin::Defect) {
        for (std::uint64_t i = 0; i < events; ++i) {
            const std::scoped_lock lock(counters.mutex);
            counters.counts[mixed(i) % 64] += 1;
        }
        return;
    }
    std::array<std::uint64_t, 64> own{};
    for (std::uint64_t i = 0; i < events; ++i)
        own[mixed(i) % 64] += 1;
    const std::scoped_lock lock(counters.mutex);
    for (std::size_t i = 0; i < own.size(); ++i)
        counters.counts[i] += own[i];
}

std::uint64_t lockContention(Twin twin)
{
    Counters counters;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&counters, twin] {
            countEvents(counters, 4'000'000, twin);
            keep(ordinaryWork(20));
        });
    threads.clear();
    return counters.counts[0];
}

struct Handover
{
    std::mutex mutex;
    std::condition_variable changed;
    std::atomic<int> ready = 0;
};

SEEDED_PLACE void awaitResult(Handover &handover, int wanted, Twin twin)
{
    if (twin == Twin::Defect) {
        while (handover.ready < wanted)
            sched_yield();
        return;
    }
    std::unique_lock lock(handover.mutex);
    handover.changed.wait(lock, [&] { return handover.ready >= wanted; });
}

std::uint64_t busyWait(Twin twin)
{
    Handover handover;
    std::uint64_t sum = 0;
    std::jthread worker([&] {
        for (int i = 0; i < 20; ++i) {
            keep(ordinaryWork(20));
            {
                const std::scoped_lock lock(handover.mutex);
                ++handover.ready;
            }
            handover.changed.notify_one();
        }
    });
    for (int i = 1; i <= 20; ++i) {
        awaitResult(handover, i, twin);
        sum += static_cast<std::uint64_t>(i);
    }
    return sum;
}

SEEDED_PLACE void pollForWork(std::atomic<bool> &isDone)
{
    while (!isDone)
        usleep(20);
}

SEEDED_PLACE void waitForWork(Handover &handover)
{
    std::unique_lock lock(handover.mutex);
    handover.changed.wait(lock, [&] { return handover.ready > 0; });
}

std::uint64_t polling(Twin twin)
{
    std::atomic<bool> isDone = false;
    Handover handover;
    std::jthread waiting([&] { twin == Twin::Defect ? pollForWork(isDone) : waitForWork(handover); });
    std::uint64_t sum = 0;
    for (int i = 0; i < 50; ++i) {
        sum += ordinaryWork(2);
        std::this_thread::sleep_for(std::chrono::milliseconds(60));
    }
    isDone = true;
    {
        const std::scoped_lock lock(handover.mutex);
        handover.ready = 1;
    }
    handover.changed.notify_one();
    return sum;
}

SEEDED_PLACE std::uint64_t checkFiles(int files, Twin twin)
{
    std::uint64_t sum = 0;
    for (int i = 0; i < files; ++i) {
        if (twin == Twin::Fixed) {
            sum += access("/", F_OK) == 0 ? 1 : 0;
            continue;
        }
        std::array<char *, 4> arguments{
            const_cast<char *>("test"), const_cast<char *>("-e"), const_cast<char *>("/"), nullptr};
        std::array<char *, 1> environment{nullptr};
        pid_t child = 0;
        int status = 0;
        if (posix_spawn(&child, "/usr/bin/test", nullptr, nullptr, arguments.data(), environment.data()) == 0
            && waitpid(child, &status, 0) == child && status == 0)
            ++sum;
    }
    return sum;
}

std::uint64_t processPerFile(Twin twin) { return checkFiles(400, twin) + ordinaryWork(60); }

struct Node
{
    std::uint64_t value = 0;
    std::shared_ptr<Node> next;
};

SEEDED_PLACE std::uint64_t walkShared(std::shared_ptr<Node> node)
{
    std::uint64_t sum = 0;
    while (node) {
        sum += node->value;
        node = node->next;
    }
    return sum;
}
SEEDED_PLACE std::uint64_t walk(const Node *node)
{
    std::uint64_t sum = 0;
    for (; node != nullptr; node = node->next.get())
        sum += node->value;
    return sum;
}

std::uint64_t sharedOwners(Twin twin)
{
    std::jthread([] { keep(mixed(1)); }).join(); // from the first thread on counting is atomic
    std::shared_ptr<Node> list;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        auto node = std::make_shared<Node>();
        node->value = i;
        node->next = std::move(list);
        list = std::move(node);
    }
    std::uint64_t sum = 0;
    for (int i = 0; i < 60'000; ++i)
        sum += twin == Twin::Defect ? walkShared(list) : walk(list.get());
    return sum + ordinaryWork(100);
}

constexpr std::array kCases{
    Case{"lock_contention", "lock_contention", "countEvents", lockContention, 5},
    Case{"busy_wait", "busy_waiting", "awaitResult", busyWait, 3},
    Case{"polling", "polling", "pollForWork", polling, 2},
    Case{"process_per_file", "process_churn", "", processPerFile, 14},
    Case{"shared_owners", "reference_counting", "walkShared", sharedOwners, 2},
};

} // namespace

std::span<const Case> threadCases() { return kCases; }

} // namespace seeded

// SPDX-License-Identifier: GPL-3.0-or-later
// A busy program that can be asked what it holds. THREADS threads (50) allocate, resize and free blocks of all sizes, and hand half of what
// they allocate to others, which free it. A line on stdin is an order, answered by a line:
//   hold  all threads stop between two blocks: "truth live N bytes M"
//   go    they go on: "running"
//   end   they free all that they hold, and the program ends: "truth live 0 bytes 0"
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

namespace {

enum class Order { Go, Hold, End };

std::mutex g_mutex; ///< guards the next three
std::condition_variable g_changed;
Order g_order = Order::Go;
int g_stopped = 0;
std::atomic<Order> g_glance = Order::Go; ///< the same without the mutex
std::atomic<long> g_blocks = 0, g_bytes = 0;

constexpr std::size_t kMailboxes = 4096;
std::atomic<void *> g_mailboxes[kMailboxes]; ///< blocks on their way to another thread

std::uint64_t next(std::uint64_t &random)
{
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return random;
}

std::size_t pickSize(std::uint64_t &random)
{
    const std::uint64_t dice = next(random) % 1000;
    if (dice == 0)
        return 20'000 + next(random) % 100'000;
    return dice < 50 ? 256 + next(random) % 4000 : 8 + next(random) % 200;
}

/// A block knows its size: its first word.
void *make(std::size_t size)
{
    void *block = std::malloc(size);
    if (block == nullptr)
        std::abort();
    std::memcpy(block, &size, sizeof size);
    g_blocks.fetch_add(1, std::memory_order_relaxed);
    g_bytes.fetch_add(static_cast<long>(size), std::memory_order_relaxed);
    return block;
}

std::size_t sizeOf(const void *block)
{
    std::size_t size = 0;
    std::memcpy(&size, block, sizeof size);
    return size;
}

void drop(void *block)
{
    if (block == nullptr)
        return;
    g_blocks.fetch_sub(1, std::memory_order_relaxed);
    g_bytes.fetch_sub(static_cast<long>(sizeOf(block)), std::memory_order_relaxed);
    std::free(block);
}

void *resize(void *block, std::size_t size)
{
    g_bytes.fetch_add(static_cast<long>(size) - static_cast<long>(sizeOf(block)), std::memory_order_relaxed);
    void *moved = std::realloc(block, size);
    if (moved == nullptr)
        std::abort();
    std::memcpy(moved, &size, sizeof size);
    return moved;
}

/// Stops where the order says so; false at the end.
bool mayGoOn()
{
    if (g_glance.load(std::memory_order_relaxed) == Order::Go)
        return true;
    std::unique_lock lock(g_mutex);
    ++g_stopped;
    g_changed.notify_all();
    g_changed.wait(lock, [] { return g_order != Order::Hold; });
    --g_stopped;
    return g_order == Order::Go;
}

void work(std::uint64_t random)
{
    std::vector<void *> held(400, nullptr);
    while (mayGoOn()) {
        void *&mine = held[next(random) % held.size()];
        const std::uint64_t dice = next(random) % 8;
        if (dice == 0 && mine != nullptr) {
            mine = resize(mine, pickSize(random));
        } else if (dice < 4) {
            drop(g_mailboxes[next(random) % kMailboxes].exchange(make(pickSize(random))));
        } else {
            drop(mine);
            mine = make(pickSize(random));
        }
    }
    for (void *block : held)
        drop(block);
}

void give(Order order)
{
    const std::lock_guard lock(g_mutex);
    g_order = order;
    g_glance = order;
    g_changed.notify_all();
}

void tell()
{
    std::printf("truth live %ld bytes %ld\n", g_blocks.load(), g_bytes.load());
    std::fflush(stdout);
}

} // namespace

int main(int argc, char **argv)
{
    const int count = argc > 1 ? std::atoi(argv[1]) : 50;
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i)
        threads.emplace_back(work, 0x9e3779b97f4a7c15ULL * static_cast<std::uint64_t>(i + 1));
    char line[64];
    while (std::fgets(line, sizeof line, stdin) != nullptr && std::strcmp(line, "end\n") != 0) {
        if (std::strcmp(line, "hold\n") == 0) {
            give(Order::Hold);
            std::unique_lock lock(g_mutex);
            g_changed.wait(lock, [=] { return g_stopped == count; });
            tell();
        } else {
            give(Order::Go);
            std::puts("running");
            std::fflush(stdout);
        }
    }
    give(Order::End);
    for (std::thread &thread : threads)
        thread.join();
    for (std::atomic<void *> &mailbox : g_mailboxes)
        drop(mailbox.exchange(nullptr));
    tell();
    return 0;
}

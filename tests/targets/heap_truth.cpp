// SPDX-License-Identifier: GPL-3.0-or-later
// Uses the whole allocation family from THREADS threads, OPERATIONS operations each, and prints what it did: every call that made or freed a
// block was made by a function of this file. Blocks change hands between threads. A realloc that succeeds is one free
// and one allocation. Arguments: THREADS OPERATIONS [wait: reads a line from stdin before it ends; quiet: all but one thread have an
// operation now and then, until that one has had its OPERATIONS].
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Truth
{
    long allocations = 0;
    long allocatedBytes = 0;
    long frees = 0;
    long freedBytes = 0;
};

struct Random
{
    std::uint64_t state;
    std::uint64_t next()
    {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state;
    }
};

constexpr std::size_t kSlots = 256;
constexpr std::size_t kLeastBytes = 16; // the block's size stands in its first word
std::atomic<void *> g_slots[kSlots];
Truth g_truth;
pthread_mutex_t g_mutex = PTHREAD_MUTEX_INITIALIZER;
long g_operations;
bool g_areOthersQuiet = false;
std::atomic<bool> g_isOver = false;

void allocated(Truth &truth, void *block, std::size_t size)
{
    if (block == nullptr)
        std::abort();
    if (size >= kLeastBytes)
        std::memcpy(block, &size, sizeof size);
    ++truth.allocations;
    truth.allocatedBytes += static_cast<long>(size);
}

std::size_t sizeOf(const void *block)
{
    std::size_t size;
    std::memcpy(&size, block, sizeof size);
    return size;
}

void freed(Truth &truth, std::size_t size)
{
    ++truth.frees;
    truth.freedBytes += static_cast<long>(size);
}

void release(Truth &truth, void *block)
{
    if (block == nullptr)
        return;
    freed(truth, sizeOf(block));
    std::free(block);
}

void *make(Truth &truth, Random &random)
{
    const std::size_t size = kLeastBytes + random.next() % 2000;
    void *block = nullptr;
    switch (random.next() % 9) {
    case 0:
        block = std::calloc(1, size);
        break;
    case 1:
        block = memalign(64, size);
        break;
    case 2:
        block = std::aligned_alloc(32, size);
        break;
    case 3:
        if (posix_memalign(&block, 128, size) != 0)
            std::abort();
        break;
    case 4:
        block = std::realloc(nullptr, size);
        break;
    case 5:
        block = reallocarray(nullptr, 1, size);
        break;
    case 6:
        block = random.next() % 16 == 0 ? valloc(size) : std::malloc(size);
        break;
    case 7:
        block = random.next() % 16 == 0 ? pvalloc(size) : std::malloc(size);
        break;
    default:
        block = std::malloc(size);
        break;
    }
    allocated(truth, block, size);
    return block;
}

void resize(Truth &truth, Random &random, std::atomic<void *> &slot)
{
    void *block = slot.exchange(nullptr);
    if (block == nullptr)
        return;
    const std::size_t old = sizeOf(block);
    if (random.next() % 8 == 0) { // fails: the block lives on
        volatile std::size_t tooMuch = SIZE_MAX / 2;
        if (std::realloc(block, tooMuch) != nullptr || reallocarray(block, tooMuch, 16) != nullptr)
            std::abort();
    } else if (random.next() % 8 == 0) { // frees it, as the C library documents
        if (std::realloc(block, 0) != nullptr)
            std::abort();
        freed(truth, old);
        return;
    } else {
        const std::size_t size = kLeastBytes + random.next() % 8000;
        block = random.next() % 2 == 0 ? std::realloc(block, size) : reallocarray(block, 1, size);
        freed(truth, old);
        allocated(truth, block, size);
    }
    release(truth, slot.exchange(block));
}

void *work(void *argument)
{
    Truth truth;
    Random random{0x9e3779b97f4a7c15 + reinterpret_cast<std::uintptr_t>(argument) * 7919};
    const bool isQuiet = g_areOthersQuiet && argument != nullptr;
    for (long i = 0; isQuiet ? !g_isOver.load() : i < g_operations; ++i) {
        if (isQuiet && random.next() % 4 != 0)
            usleep(static_cast<useconds_t>(random.next() % 2000));
        std::atomic<void *> &slot = g_slots[random.next() % kSlots];
        const std::uint64_t choice = random.next() % 16;
        if (choice < 9)
            release(truth, slot.exchange(make(truth, random)));
        else if (choice < 13)
            release(truth, slot.exchange(nullptr));
        else if (choice < 15)
            resize(truth, random, slot);
        else {
            void *empty = std::malloc(0); // a block too
            allocated(truth, empty, 0);
            freed(truth, 0);
            std::free(empty);
        }
    }
    pthread_mutex_lock(&g_mutex);
    g_truth.allocations += truth.allocations;
    g_truth.allocatedBytes += truth.allocatedBytes;
    g_truth.frees += truth.frees;
    g_truth.freedBytes += truth.freedBytes;
    pthread_mutex_unlock(&g_mutex);
    return nullptr;
}

} // namespace

int main(int argc, char **argv)
{
    const long threads = argc > 1 ? std::atol(argv[1]) : 1;
    g_operations = argc > 2 ? std::atol(argv[2]) : 100000;
    g_areOthersQuiet = argc > 3 && std::strcmp(argv[3], "quiet") == 0;
    static pthread_t others[1024];
    for (long t = 1; t < threads && t < 1024; ++t)
        if (pthread_create(&others[t], nullptr, work, reinterpret_cast<void *>(t)) != 0)
            std::abort();
    work(nullptr);
    g_isOver.store(true);
    for (long t = 1; t < threads && t < 1024; ++t)
        pthread_join(others[t], nullptr);
    // What is left in the slots is leaked.
    std::printf("truth allocations %ld allocated_bytes %ld frees %ld freed_bytes %ld live_blocks %ld live_bytes %ld\n",
        g_truth.allocations, g_truth.allocatedBytes, g_truth.frees, g_truth.freedBytes,
        g_truth.allocations - g_truth.frees, g_truth.allocatedBytes - g_truth.freedBytes);
    std::fflush(stdout);
    if (argc > 3 && !g_areOthersQuiet) {
        char line[16];
        return std::fgets(line, sizeof line, stdin) == nullptr ? 0 : 1;
    }
    return 0;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// A heap as servers have it: containers of blocks that point to each other, made and destroyed for a while, where some containers are
// destroyed without what they hold. Arguments: MiB, mean bytes of a block. What is lost is allocated by `losing`, all else by `keeping`.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

namespace {

constexpr std::size_t kChildren = 40;

struct Block
{
    Block *next;
};

struct Container
{
    bool isLosing = false;
    Block **children = nullptr;
};

std::mt19937_64 g_random(7);
std::uint64_t g_lost = 0;
std::uint64_t g_live = 0;
std::uint64_t g_liveBytes = 0;
volatile std::uint64_t g_losing = 0;

__attribute__((noinline)) void *keeping(std::size_t size)
{
    void *volatile block = std::malloc(size);
    return block;
}

__attribute__((noinline)) void *losing(std::size_t size)
{
    void *volatile block = std::malloc(size);
    g_losing = g_losing + 1; // or the compiler makes one function of the two
    return block;
}

std::size_t anySize(std::size_t mean)
{
    // Many small ones and a few large, as programs have.
    const std::uint64_t dice = g_random() % 16;
    return sizeof(Block) + (dice == 0 ? g_random() % (mean * 8) : g_random() % mean);
}

Container make(std::size_t mean, bool isLosing)
{
    Container container{isLosing, nullptr};
    container.children = static_cast<Block **>(keeping(kChildren * sizeof(Block *)));
    Block *before = nullptr;
    for (std::size_t i = 0; i < kChildren; ++i) {
        const std::size_t size = anySize(mean);
        auto *block = static_cast<Block *>(isLosing ? losing(size) : keeping(size));
        std::memset(static_cast<void *>(block), 1, size); // as programs do; what they leave as it was can hide anything
        block->next = i % 3 == 0 ? nullptr : before;
        container.children[i] = before = block;
        g_live += 1;
        g_liveBytes += size;
    }
    return container;
}

void destroy(const Container &container)
{
    if (container.isLosing) {
        g_lost += kChildren;
    } else {
        for (std::size_t i = 0; i < kChildren; ++i)
            std::free(container.children[i]);
        g_live -= kChildren;
    }
    std::free(container.children);
}

} // namespace

int main(int argc, char **argv)
{
    const std::uint64_t bytes = std::strtoull(argc > 1 ? argv[1] : "64", nullptr, 10) << 20;
    const std::size_t mean = std::strtoull(argc > 2 ? argv[2] : "150", nullptr, 10);
    std::vector<Container> containers;
    while (g_liveBytes < bytes)
        containers.push_back(make(mean, g_random() % 50 == 0));
    // What is destroyed makes room for what comes: stale pointers are left in it and behind it.
    for (std::size_t i = 0; i < containers.size() / 2; ++i) {
        Container &container = containers[g_random() % containers.size()];
        destroy(container);
        container = make(mean, g_random() % 50 == 0);
    }
    for (Container &container : containers)
        if (container.isLosing) {
            destroy(container);
            container = make(mean, false);
        }
    std::printf("live %llu lost %llu\nready\n", static_cast<unsigned long long>(g_live),
        static_cast<unsigned long long>(g_lost));
    std::fflush(stdout);
    char byte;
    while (::read(0, &byte, 1) < 0) { }
    return containers.empty() ? 1 : 0;
}

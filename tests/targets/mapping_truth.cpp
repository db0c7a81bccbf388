// SPDX-License-Identifier: GPL-3.0-or-later
// Maps memory in the ways there are. "truth SORT LIVE_BYTES LIVE_BLOCKS", in the words of the session. With the argument "resident" it fills
// memory of each kind, says how much of each, and waits to be killed.
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

char *mapAnonymous(std::size_t bytes, int protection = PROT_READ | PROT_WRITE)
{
    void *memory = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<char *>(memory);
}

int sharedMemory(std::size_t bytes)
{
    const int file = memfd_create("mapping_truth", 0);
    return file >= 0 && ftruncate(file, static_cast<off_t>(bytes)) == 0 ? file : -1;
}

int mappings()
{
    char *blocks[10];
    for (char *&block : blocks)
        block = mapAnonymous(kMiB);
    munmap(blocks[0], kMiB);
    munmap(blocks[1], kMiB);
    munmap(blocks[2] + kMiB / 4, kMiB / 4); // a hole: two pieces are left
    munmap(blocks[3], kMiB / 2);            // its begin
    blocks[4] = static_cast<char *>(mremap(blocks[4], kMiB, 2 * kMiB, MREMAP_MAYMOVE));
    char *reserved = mapAnonymous(4 * kMiB, PROT_NONE);
    mmap(reserved, kMiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); // over its begin
    void *failed = mmap(nullptr, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const int file = sharedMemory(kMiB);
    void *view = mmap(nullptr, kMiB, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    void *shared = mmap(nullptr, 3000, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    sbrk(8192);
    sbrk(-4096);
    if (failed != MAP_FAILED || view == MAP_FAILED || shared == MAP_FAILED)
        return 1;
    // 7 whole ones + 3/4 + 1/2 - the moved one + 2 + 1 over the reserved; blocks: 5 whole, 2 pieces, 1, 1, 1.
    const std::size_t live = 5 * kMiB + kMiB * 3 / 4 + kMiB / 2 + 2 * kMiB + kMiB;
    std::printf(
        "truth anonymous %zu %d\ntruth reserved %zu 1\ntruth file %zu 1\ntruth shared 4096 1\ntruth break 4096 1\n",
        live, 5 + 2 + 1 + 1 + 1, 3 * kMiB, kMiB);
    return 0;
}

/// Says what is resident by kind, as far as this program makes it.
int resident()
{
    std::vector<char *> kept;
    for (int i = 0; i < 40 * 256; ++i) { // 40 MiB in blocks of 4 KiB
        auto *block = static_cast<char *>(std::malloc(4096 - 16));
        std::memset(block, 1, 4096 - 16);
        kept.push_back(block);
    }
    for (std::size_t i = 0; i < kept.size(); i += 2)
        std::free(kept[i]); // half of it: fragments that the allocator keeps
    char *volatile untouched = static_cast<char *>(std::malloc(64 * kMiB));
    char *large = static_cast<char *>(std::malloc(16 * kMiB));
    std::memset(large, 1, 16 * kMiB);
    char *mapped = mapAnonymous(24 * kMiB);
    std::memset(mapped, 1, 24 * kMiB);
    const int file = sharedMemory(12 * kMiB);
    void *view = mmap(nullptr, 12 * kMiB, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    std::memset(view, 1, 12 * kMiB);
    std::atomic<int> ready = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            volatile char deep[2 * kMiB];
            for (std::size_t at = 0; at < sizeof deep; at += 4096)
                deep[at] = 1;
            std::free(std::malloc(10));
            ++ready;
            pause();
        });
    while (ready < 4)
        usleep(1000);
    static const char kLine[] = "filled heap 56 live 36 untouched 64 mapped 24 shared 12 stacks 8\n";
    if (untouched == nullptr || write(1, kLine, sizeof kLine - 1) < 0)
        return 1;
    for (;;)
        pause();
}

} // namespace

int main(int argc, char **argv)
{
    const std::string which = argc > 1 ? argv[1] : "";
    return which == "resident" ? resident() : mappings();
}

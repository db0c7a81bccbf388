// SPDX-License-Identifier: GPL-3.0-or-later
// A server in miniature: 64 MiB that stay, blocks that come and go, and as many bytes a second as its argument says that are kept for ever.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kBlock = 4096;

using Blocks = std::vector<std::unique_ptr<char[]>>;

[[gnu::noinline]] std::unique_ptr<char[]> newBlock()
{
    auto block = std::make_unique<char[]>(kBlock);
    std::memset(block.get(), 1, kBlock);
    return block;
}

[[gnu::noinline]] void keepForEver(Blocks &kept) { kept.push_back(newBlock()); }

} // namespace

int main(int argc, char **argv)
{
    const double bytesPerSecond = argc > 1 ? std::atof(argv[1]) : 0;
    Blocks base, kept;
    for (std::size_t i = 0; i < (std::size_t{64} << 20) / kBlock; ++i)
        base.push_back(newBlock());
    kept.reserve(1 << 20); // its growth would be a step of its own
    std::puts("ready");
    std::fflush(stdout);
    const auto begin = std::chrono::steady_clock::now();
    for (;;) {
        const std::chrono::duration<double> gone = std::chrono::steady_clock::now() - begin;
        while (static_cast<double>(kept.size() * kBlock) < gone.count() * bytesPerSecond)
            keepForEver(kept);
        Blocks request;
        for (int i = 0; i < 50; ++i)
            request.push_back(newBlock());
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

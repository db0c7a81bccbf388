// SPDX-License-Identifier: GPL-3.0-or-later
// The last block that it ever allocates is lost: whoever keeps what came last must not be taken for somebody who holds it. Waits for a line.
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace {

__attribute__((noinline)) void lose()
{
    constexpr std::size_t kBytes = 3'000'000;
    auto *block = static_cast<char *>(std::malloc(kBytes));
    std::memset(block, 1, kBytes);
    asm volatile("" ::"r"(block) : "memory");
}

/// What lose() left below.
__attribute__((noinline)) void wipeStack()
{
    volatile char bytes[8192];
    for (volatile char &byte : bytes)
        byte = 0;
}

} // namespace

int main()
{
    lose();
    wipeStack();
    char line = 0;
    const bool isTold = ::write(STDOUT_FILENO, "ready\n", 6) == 6;
    return isTold && ::read(STDIN_FILENO, &line, 1) == 1 ? 0 : 1;
}

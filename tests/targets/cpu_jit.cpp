// SPDX-License-Identifier: GPL-3.0-or-later
// Runs code that it generates itself and names in /tmp/perf-PID.map, as a JIT does. Arguments: millions of rounds (2000); "late": it
// writes the names when it ends, as Java does, and leaves the file to who finds it.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

using Loop = void (*)(long);

__attribute__((noinline)) void callGenerated(Loop loop, long rounds)
{
    loop(rounds);
    asm volatile("" ::: "memory"); // keeps the call from becoming a jump
}

int main(int argc, char **argv)
{
    const long rounds = (argc > 1 ? std::atol(argv[1]) : 2000) * 1'000'000;
    // push rbp; mov rbp, rsp; again: dec rdi; jnz again; pop rbp; ret
    const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0xff, 0xcf, 0x75, 0xfb, 0x5d, 0xc3};
    void *room = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        return 1;
    std::memcpy(room, code, sizeof(code));
    if (mprotect(room, 4096, PROT_READ | PROT_EXEC) != 0)
        return 1;
    const std::string path = "/tmp/perf-" + std::to_string(getpid()) + ".map";
    const bool isLate = argc > 2 && std::strcmp(argv[2], "late") == 0;
    const auto writeNames = [&] {
        if (FILE *names = std::fopen(path.c_str(), "w")) {
            std::fprintf(names, "%lx %zx generated_loop\n", reinterpret_cast<unsigned long>(room), sizeof(code));
            std::fclose(names);
        }
    };
    if (!isLate)
        writeNames();
    callGenerated(reinterpret_cast<Loop>(room), rounds);
    if (isLate)
        writeNames();
    else
        unlink(path.c_str());
    std::puts("generated_loop 100");
}

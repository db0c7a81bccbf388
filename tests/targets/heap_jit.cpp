// SPDX-License-Identifier: GPL-3.0-or-later
// Allocates from code that it generates itself and names in /tmp/perf-PID.map, as a JIT does: 1,000 blocks of 100 bytes through two functions with
// frame pointers, 1,000 of 200 bytes through a third that has a call by memory, 1,000 of 300 bytes through one that keeps a number in rbp, and 1,000 of 400 through one that points it to
// a pointer on the stack, each time another one. Prints
// the name of the file, which is left to who finds it.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>

namespace {

using Leaf = void (*)();

std::size_t g_bytes = 0;

__attribute__((noinline)) void allocateOne()
{
    std::free(std::malloc(g_bytes));
    asm volatile("" ::: "memory"); // keeps the call from becoming a jump
}

__attribute__((noinline)) void callGenerated(void *code, void *first, void *second)
{
    reinterpret_cast<void (*)(void *, void *)>(code)(first, second);
    asm volatile("" ::: "memory");
}

struct Function
{
    const char *name;
    std::size_t offset;
    std::size_t bytes;
    unsigned char code[24];
};

/// `outer(callee, argument)`, `inner(callee)`, `byMemory(&callee)`, `bare(callee)`, `withData(data, callee)`.
constexpr Function kFunctions[] = {
    // push rbp; mov rbp, rsp; sub rsp, 16; mov rax, rdi; mov rdi, rsi; call rax; leave; ret
    {"generated_outer", 0, 18,
        {0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x10, 0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7, 0xff, 0xd0, 0xc9, 0xc3}},
    // push rbp; mov rbp, rsp; call rdi; pop rbp; ret
    {"generated_inner", 64, 8, {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3}},
    // push rbp; mov rbp, rsp; call [rdi + 0]; pop rbp; ret
    {"generated_by_memory", 128, 9, {0x55, 0x48, 0x89, 0xe5, 0xff, 0x57, 0x00, 0x5d, 0xc3}},
    // push rbp; mov ebp, 12345; call rdi; pop rbp; ret
    {"generated_bare", 192, 10, {0x55, 0xbd, 0x39, 0x30, 0x00, 0x00, 0xff, 0xd7, 0x5d, 0xc3}},
    // push rbp; mov rbp, rdi; call rsi; pop rbp; ret
    {"generated_with_data", 256, 8, {0x55, 0x48, 0x89, 0xfd, 0xff, 0xd6, 0x5d, 0xc3}},
};

} // namespace

int main()
{
    auto *room
        = static_cast<unsigned char *>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (room == MAP_FAILED)
        return 1;
    const std::string path = "/tmp/perf-" + std::to_string(getpid()) + ".map";
    FILE *names = std::fopen(path.c_str(), "w");
    if (!names)
        return 1;
    for (const Function &each : kFunctions) {
        std::memcpy(room + each.offset, each.code, sizeof(each.code));
        std::fprintf(names, "%lx %zx %s\n", reinterpret_cast<unsigned long>(room + each.offset), each.bytes, each.name);
    }
    std::fclose(names);
    if (mprotect(room, 4096, PROT_READ | PROT_EXEC) != 0)
        return 1;
    Leaf leaf = allocateOne;
    for (int i = 0; i < 1000; ++i) {
        g_bytes = 100;
        callGenerated(room, room + 64, reinterpret_cast<void *>(leaf));
        g_bytes = 200;
        callGenerated(room + 128, &leaf, nullptr);
        g_bytes = 300;
        callGenerated(room + 192, reinterpret_cast<void *>(leaf), nullptr);
        g_bytes = 400;
        void *volatile data[] = {nullptr, room + 512 + 2 * i};
        callGenerated(room + 256, const_cast<void **>(data), reinterpret_cast<void *>(leaf));
    }
    std::printf("%s\n", path.c_str());
}

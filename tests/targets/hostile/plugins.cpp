// SPDX-License-Identifier: GPL-3.0-or-later
// A program without a C++ library that opens libraries which bring theirs along, and another allocator's own interface: their calls have to reach
// what they brought. Nothing here may need libstdc++.
#include "tests/targets/hostile/cases.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdint>

using namespace hostile;

// Asked for without being needed: the answer must stay true once it was given.
extern "C" void *mallocx(std::size_t size, int flags) __attribute__((weak));
extern "C" void dallocx(void *block, int flags) __attribute__((weak));

namespace {

/// A library beside this program.
void *openBeside(const char *name)
{
    char path[4096] = {};
    if (readlink("/proc/self/exe", path, sizeof path - 64) <= 0)
        return nullptr;
    std::strcpy(std::strrchr(path, '/') + 1, name);
    std::free(std::malloc(100)); // not the first call
    void *handle = dlopen(path, RTLD_NOW);
    if (handle == nullptr)
        std::printf("%s\n", dlerror());
    return handle;
}

int operators()
{
    void *handle = openBeside("libhostile_plugin.so");
    const auto misaligned = reinterpret_cast<int (*)()>(dlsym(handle, "pluginMisaligned"));
    const auto catches = reinterpret_cast<int (*)()>(dlsym(handle, "pluginCatchesBadAlloc"));
    std::printf("misaligned %d, caught %d\n", misaligned(), catches());
    return 0;
}

int allocatorOfItsOwn()
{
    void *handle = openBeside("libhostile_mimalloc_plugin.so");
    if (handle == nullptr)
        return 0;
    std::printf("usable %d\n", reinterpret_cast<int (*)()>(dlsym(handle, "pluginUsable"))());
    return 0;
}

int namesThatNobodyHas()
{
    constexpr const char *kNames[] = {"mi_malloc", "tc_malloc", "sdallocx", "_Znwm"};
    for (const char *name : kNames)
        std::printf("%s %d\n", name, dlsym(RTLD_DEFAULT, name) != nullptr);
    return 0;
}

int weakReferences()
{
    // Whether there is such a function differs when recorded; not that it can be called then.
    constexpr int kAlignedTo4096AndZero = 12 | 0x40;
    int bad = 0;
    for (int i = 0; i < 100 && mallocx != nullptr && dallocx != nullptr; ++i) {
        auto *block = static_cast<unsigned char *>(mallocx(200, kAlignedTo4096AndZero));
        bad += block == nullptr || reinterpret_cast<std::uintptr_t>(block) % 4096 != 0 || block[0] != 0
            || block[199] != 0;
        std::memset(block, 1, 200);
        dallocx(block, 0);
    }
    std::printf("bad %d\n", bad);
    std::free(std::malloc(100));
    return 0;
}

constexpr Case kCases[] = {
    {"operators", operators},
    {"allocator-of-its-own", allocatorOfItsOwn},
    {"names-that-nobody-has", namesThatNobodyHas},
    {"weak-references", weakReferences},
};

} // namespace

int main(int argc, char **argv) { return runCase(argc, argv, kCases); }

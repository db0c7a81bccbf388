// SPDX-License-Identifier: GPL-3.0-or-later
// A program with an allocator of its own that opens a C++ library with RTLD_DEEPBIND before anybody has called an operator new.
#include <dlfcn.h>

#include <cstdlib>
#include <cstring>

int main(int, char **argv)
{
    constexpr char kModule[] = "liboperators_module.so";
    char *path = static_cast<char *>(std::calloc(1, std::strlen(argv[0]) + sizeof kModule));
    std::strcpy(path, argv[0]);
    std::strcpy(std::strrchr(path, '/') + 1, kModule);
    void *module = dlopen(path, RTLD_NOW | RTLD_DEEPBIND);
    std::free(path);
    if (module == nullptr)
        return 1;
    const auto take = reinterpret_cast<void *(*)()>(dlsym(module, "take"));
    const auto give = reinterpret_cast<void (*)(void *)>(dlsym(module, "give"));
    for (int i = 0; i < 1000; ++i)
        give(take());
    return 0;
}

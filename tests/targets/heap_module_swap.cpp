// SPDX-License-Identifier: GPL-3.0-or-later
// Loads two libraries in turn, so that one comes to lie where the other was. Arguments: their paths. Prints how often the
// second was found at the first one's place. A third path: half way through, that file takes the place of the second.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    int samePlace = 0;
    void *lastPlace = nullptr;
    for (int round = 0; round < 20; ++round) {
        if (round == 10 && argc > 3 && std::rename(argv[3], argv[2]) != 0)
            return 1;
        void *module = dlopen(argv[1 + round % 2], RTLD_NOW);
        if (module == nullptr)
            return 1;
        void *place = dlsym(module, "allocateSome");
        samePlace += place == lastPlace ? 1 : 0;
        lastPlace = place;
        reinterpret_cast<void *(*)()>(place)();
        dlclose(module);
    }
    std::printf("truth same_place %d\n", samePlace);
    return 0;
}

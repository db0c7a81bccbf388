// SPDX-License-Identifier: GPL-3.0-or-later
// Two libraries from this file, which allocate 3 and 5 times a call.
#include <cstdlib>

extern "C" __attribute__((visibility("default"))) void *allocateSome()
{
    void *last = nullptr;
    for (int i = 0; i < GENESIS_MODULE_ALLOCATIONS; ++i) {
        void *volatile block = std::malloc(16);
        last = block;
    }
    return last;
}

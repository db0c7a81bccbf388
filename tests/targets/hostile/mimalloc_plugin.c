// SPDX-License-Identifier: GPL-3.0-or-later
// A library for hostile_plugins that brings an allocator along, and asks it about its blocks in a way that no tracer stands before.
#include <stddef.h>

void *mi_malloc(size_t size);
size_t mi_usable_size(const void *block);
void mi_free(void *block);

int pluginUsable(void)
{
    size_t total = 0;
    for (int i = 0; i < 100; ++i) {
        void *block = mi_malloc(100);
        total += mi_usable_size(block);
        mi_free(block);
    }
    return (int)total;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// A module in C that comes late and brings a slot of its own for the API. Strictly C99: see its options.
#include <genesis_profiler.h>

static genesis_pool g_pool = GENESIS_POOL("module");

void speak(void);
void speak(void)
{
    static char block[10];
    GENESIS_MARK("from a module");
    GENESIS_POOL_ALLOC(&g_pool, block, sizeof block);
}

// SPDX-License-Identifier: GPL-3.0-or-later
// Thread-local memory of a library that is loaded late: the loader allocates it for each thread that touches it.

thread_local void *t_slots[4096];

extern "C" void genesisSetThreadLocal(void *pointer) { t_slots[3000] = pointer; }

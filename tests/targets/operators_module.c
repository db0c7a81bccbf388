// SPDX-License-Identifier: GPL-3.0-or-later
// A library for late_operators: takes its memory by the C++ operators. In C, as it would find those of its own libstdc++ first.
#include <stddef.h>

void *_Znwm(size_t size); // operator new(std::size_t)
void _ZdlPv(void *block); // operator delete(void *)

void *take(void)
{
    void *volatile block = _Znwm(100);
    return block;
}

void give(void *block) { _ZdlPv(block); }

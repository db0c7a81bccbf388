// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <vector>

/// What is tested: work that keeps nothing, and work that forgets a block.
inline void tidyTask() { std::vector<int>(100).clear(); }

inline void *volatile g_forgotten;
inline void untidyTask() { g_forgotten = std::malloc(48); }

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory_resource>

namespace capture {

/// Memory for tables of which each look touches another place. Where they are large it is asked for in huge pages, as a look would else wait for the
/// page tables too; where the kernel has none to give, it is memory like any other. Any thread; lasts as long as the program.
std::pmr::memory_resource *hugePages();

} // namespace capture

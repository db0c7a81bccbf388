// SPDX-License-Identifier: MIT
#include <genesis_expect.h>
#include <tasks.h>

#include <cstdio>

int main()
{
    GENPROF_EXPECT_NO_LEAK { tidyTask(); }
    GENPROF_EXPECT_MAX_ALLOCATIONS(1) { tidyTask(); }
    GENPROF_EXPECT_NO_LEAK { untidyTask(); }
    GENPROF_EXPECT(genesis::Limits().bytes(1000).peak(100)) { tidyTask(); }
    std::puts("ran to its end");
}

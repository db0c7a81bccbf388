// SPDX-License-Identifier: MIT
#include <genesis_expect.h>
#include <gtest/gtest.h>
#include <tasks.h>

TEST(Tasks, areTidy)
{
    GENPROF_EXPECT_NO_LEAK { tidyTask(); }
    GENPROF_EXPECT_MAX_ALLOCATIONS(1) { tidyTask(); }
    GENPROF_EXPECT_MAX_PEAK(400) { tidyTask(); }
}

TEST(Tasks, forgetABlockAndFails)
{
    GENPROF_EXPECT_NO_LEAK { untidyTask(); }
}

TEST(Tasks, allocateTooOftenAndFails)
{
    GENPROF_EXPECT_MAX_ALLOCATIONS(2)
    {
        for (int i = 0; i < 5; ++i)
            tidyTask();
    }
}

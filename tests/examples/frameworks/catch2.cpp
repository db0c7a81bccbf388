// SPDX-License-Identifier: MIT
#include <genesis_expect.h>
#include <tasks.h>

#include <catch2/catch.hpp>

TEST_CASE("tasks are tidy")
{
    GENPROF_EXPECT_NO_LEAK { tidyTask(); }
    GENPROF_EXPECT_MAX_BYTES(400) { tidyTask(); }
}

TEST_CASE("a task forgets a block and fails")
{
    GENPROF_EXPECT_NO_LEAK { untidyTask(); }
}

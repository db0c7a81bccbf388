// SPDX-License-Identifier: GPL-3.0-or-later
// One thread: so many times a burst of blocks that live for a moment, or, if there is a third argument, so many milliseconds in which nothing happens;
// and then three that are kept for so many milliseconds, in which nothing happens either.
#include <cstdlib>
#include <ctime>

static void pauseFor(long milliseconds)
{
    const timespec pause{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
    nanosleep(&pause, nullptr);
}

int main(int argc, char **argv)
{
    const int times = argc > 1 ? std::atoi(argv[1]) : 20;
    const long kept = argc > 2 ? std::atol(argv[2]) : 50, idle = argc > 3 ? std::atol(argv[3]) : 0;
    for (int i = 0; i < times; ++i) {
        pauseFor(idle);
        for (int burst = 0; idle == 0 && burst < 1001; ++burst) // the kept ones come at each place of a turn
            std::free(std::malloc(32));
        void *blocks[3];
        for (void *&block : blocks)
            block = std::malloc(4096);
        pauseFor(kept);
        for (void *block : blocks)
            std::free(block);
    }
    return 0;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// One thread: so many times a burst of blocks that live for a moment, and then one that is kept for so many milliseconds, in which nothing else happens.
#include <cstdlib>
#include <ctime>

int main(int argc, char **argv)
{
    const int times = argc > 1 ? std::atoi(argv[1]) : 20;
    const long milliseconds = argc > 2 ? std::atol(argv[2]) : 50;
    for (int i = 0; i < times; ++i) {
        for (int burst = 0; burst < 1001; ++burst) // no multiple of a turn: the kept one comes at each place of it
            std::free(std::malloc(32));
        void *kept = std::malloc(4096);
        const timespec pause{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
        nanosleep(&pause, nullptr);
        std::free(kept);
    }
    return 0;
}

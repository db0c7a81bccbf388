// SPDX-License-Identifier: GPL-3.0-or-later
// Spends nearly all of its time in the kernel, called from one function. Argument: MiB to read (20000).
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

__attribute__((noinline)) long readZeros(int fd, std::vector<char> &room, long megabytes)
{
    long sum = 0;
    for (long i = 0; i < megabytes; ++i)
        sum += read(fd, room.data(), room.size());
    return sum;
}

int main(int argc, char **argv)
{
    const long megabytes = argc > 1 ? std::atol(argv[1]) : 20000;
    std::vector<char> room(1 << 20);
    const int fd = open("/dev/zero", O_RDONLY);
    std::printf("read %ld\n", readZeros(fd, room, megabytes));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An allocator under a name that nobody knows. malloc(77777) waits for input on stdin, as if it held a lock. */
#include <poll.h>
#include <stddef.h>

void *__libc_malloc(size_t bytes);
void *malloc(size_t bytes);

void *malloc(size_t bytes)
{
    if (bytes == 77777) {
        struct pollfd polled = {0, POLLIN, 0};
        poll(&polled, 1, -1);
    }
    return __libc_malloc(bytes);
}

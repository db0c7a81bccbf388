// SPDX-License-Identifier: GPL-3.0-or-later
// A library whose constructor waits for input on stdin, with the loader's lock held.
#include <poll.h>

namespace {

[[gnu::constructor]] void waitForInput()
{
    pollfd polled{0, POLLIN, 0};
    poll(&polled, 1, -1);
}

} // namespace

// SPDX-License-Identifier: MIT
// The hooks of fork and _Fork. A handler of a signal may call them wherever its thread is, in one of our hooks, too; the child comes back there.
#include "capture/tracer/hook_declarations.h"
#include "capture/tracer/interpose.h"
#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/tracing.h"

#include <cerrno>

using namespace capture;
using namespace capture::tracer;

namespace {

bool isInHook() { return t_words.inside != 0; }

/// Goes on to `next`. Where it is not known yet, no hook has come so far as to use what a child has not.
[[gnu::noinline]] int forkWithin(int (*next)())
{
    if (!canForward() || next == nullptr) {
        const long child = rawSyscall(SYS_fork);
        if (failed(child))
            errno = static_cast<int>(-child);
        return failed(child) ? -1 : static_cast<int>(child);
    }
    const int child = next();
    if (child == 0)
        g_tracing.writeNowhere();
    return child;
}

} // namespace

// Nearly always a jump: what runs in fork has no frame of ours above it then.
int fork() noexcept { return !isInHook() && g_next.fork != nullptr ? g_next.fork() : forkWithin(g_next.fork); }

int _Fork() noexcept { return !isInHook() && g_next._Fork != nullptr ? g_next._Fork() : forkWithin(g_next._Fork); }

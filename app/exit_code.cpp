// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/exit_code.h"

#include <sys/wait.h>

namespace app {

int exitCodeOf(int waitStatus)
{
    return WIFSIGNALED(waitStatus) ? kExitSignalBase + WTERMSIG(waitStatus) : WEXITSTATUS(waitStatus);
}

} // namespace app

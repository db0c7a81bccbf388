// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/inherited_state.h"

namespace capture {

InheritedState InheritedState::capture()
{
    InheritedState state;
    for (int signal = 1; signal < NSIG; ++signal) {
        struct sigaction action = {};
        // Fails for SIGKILL, SIGSTOP and the two signals that glibc keeps for itself; nobody can change those.
        if (sigaction(signal, nullptr, &action) == 0)
            state.m_ignored[static_cast<std::size_t>(signal)] = action.sa_handler == SIG_IGN;
    }
    pthread_sigmask(SIG_SETMASK, nullptr, &state.m_mask);
    getrlimit(RLIMIT_NOFILE, &state.m_openFiles);
    getrlimit(RLIMIT_STACK, &state.m_stack);
    return state;
}

void InheritedState::restore() const
{
    for (int signal = 1; signal < NSIG; ++signal) {
        struct sigaction action = {};
        action.sa_handler = m_ignored[static_cast<std::size_t>(signal)] ? SIG_IGN : SIG_DFL;
        sigaction(signal, &action, nullptr);
    }
    setrlimit(RLIMIT_NOFILE, &m_openFiles);
    setrlimit(RLIMIT_STACK, &m_stack);
    // Last: a signal that is pending now must meet its own disposition, not a handler of the recorder.
    sigprocmask(SIG_SETMASK, &m_mask, nullptr);
}

} // namespace capture

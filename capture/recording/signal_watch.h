// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"
#include "model/base/result.h"

#include <vector>

namespace capture {

/// A signal that the recorder got.
struct ReceivedSignal
{
    int number = 0;
    /// The kernel sent it for the terminal (Ctrl-C, hang-up), so the foreground programs got it as well; else a process sent it
    /// to the recorder.
    bool isFromTerminal = false;
};

/// Takes the recorder's signals as readable events: HUP, INT, QUIT, TERM, USR1, USR2, CHLD, CONT. SIGTSTP and SIGSTOP keep
/// stopping it, SIGPIPE and SIGXFSZ are blocked. Made in the main thread before any other is started, because threads inherit the mask,
/// and after InheritedState was taken.
class SignalWatch
{
public:
    static model::Result<SignalWatch> create();

    /// Readable when a signal came.
    int descriptor() const { return m_fd.get(); }

    /// The signals that came since the last call, in order of arrival.
    std::vector<ReceivedSignal> take();

private:
    explicit SignalWatch(FileDescriptor fd);

    FileDescriptor m_fd;
};

} // namespace capture

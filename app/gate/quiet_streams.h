// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"
#include "model/base/result.h"

#include <string>

namespace app {

/// What commands that are run again and again get for their standard streams: nothing to read, their output nowhere, their messages
/// in a file. Our own stay at hand. Put back when destroyed. One thread, one object at a time.
class QuietStreams
{
public:
    /// `messages`: path of the file for standard error; emptied now and by `clear`.
    static model::Result<QuietStreams> begin(const std::string &messages);
    QuietStreams(QuietStreams &&) noexcept = default;
    QuietStreams &operator=(QuietStreams &&) noexcept = default;
    ~QuietStreams();

    void clear();
    /// The last lines that were written to standard error.
    std::string lastMessages() const;
    /// Says a line on our own standard error.
    void say(const std::string &line) const;

private:
    QuietStreams() = default;
    std::string m_messages;
    capture::FileDescriptor m_input;
    capture::FileDescriptor m_output;
    capture::FileDescriptor m_errors;
};

} // namespace app

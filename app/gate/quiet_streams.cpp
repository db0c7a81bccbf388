// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/gate/quiet_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>

namespace app {

model::Result<QuietStreams> QuietStreams::begin(const std::string &messages)
{
    QuietStreams streams;
    streams.m_messages = messages;
    streams.m_input = capture::FileDescriptor(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
    streams.m_output = capture::FileDescriptor(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    streams.m_errors = capture::FileDescriptor(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    const capture::FileDescriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    const capture::FileDescriptor file(
        ::open(messages.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
    if (streams.m_errors.get() < 0 || nothing.get() < 0 || file.get() < 0)
        return model::systemError("Cannot redirect the output of the command to " + messages, errno);
    ::dup2(nothing.get(), STDIN_FILENO);
    ::dup2(nothing.get(), STDOUT_FILENO);
    ::dup2(file.get(), STDERR_FILENO);
    return streams;
}

QuietStreams::~QuietStreams()
{
    if (m_errors.get() < 0)
        return;
    ::dup2(m_errors.get(), STDERR_FILENO);
    if (m_output.get() >= 0)
        ::dup2(m_output.get(), STDOUT_FILENO);
    if (m_input.get() >= 0)
        ::dup2(m_input.get(), STDIN_FILENO);
}

void QuietStreams::clear()
{
    if (::ftruncate(STDERR_FILENO, 0) != 0)
        return; // older messages then stand before the new ones
}

std::string QuietStreams::lastMessages() const
{
    constexpr std::size_t kMost = 800;
    std::ifstream file(m_messages, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    std::string all = text.str();
    while (!all.empty() && all.back() == '\n')
        all.pop_back();
    return all.size() > kMost ? "…" + all.substr(all.size() - kMost) : all;
}

void QuietStreams::say(const std::string &line) const
{
    const std::string text = line + '\n';
    if (::write(m_errors.get(), text.data(), text.size()) < 0)
        return; // nobody reads it
}

} // namespace app

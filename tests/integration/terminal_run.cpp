// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/terminal_run.h"

#include <QElapsedTimer>
#include <QTest>

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <vector>

namespace tests {

TerminalRun::TerminalRun(const QStringList &command, const QString &directory)
{
    std::vector<QByteArray> texts;
    for (const QString &word : command)
        texts.push_back(word.toUtf8());
    std::vector<char *> arguments;
    for (QByteArray &text : texts)
        arguments.push_back(text.data());
    arguments.push_back(nullptr);
    winsize size{};
    size.ws_col = 200;
    m_pid = ::forkpty(&m_terminal, nullptr, nullptr, &size);
    if (m_pid == 0) {
        if (::chdir(directory.toUtf8().constData()) == 0)
            ::execv(arguments[0], arguments.data());
        ::_exit(99);
    }
}

TerminalRun::~TerminalRun()
{
    if (m_pid > 0) {
        ::kill(m_pid, SIGKILL);
        ::waitpid(m_pid, nullptr, 0);
    }
    ::close(m_terminal);
}

bool TerminalRun::readUntil(const QByteArray &word)
{
    QElapsedTimer timer;
    timer.start();
    while (!output.contains(word) && timer.elapsed() < 60'000) {
        pollfd polled{m_terminal, POLLIN, 0};
        if (::poll(&polled, 1, 1000) == 0)
            continue;
        std::array<char, 4096> bytes{};
        const ssize_t count = ::read(m_terminal, bytes.data(), bytes.size());
        if (count <= 0)
            break;
        output.append(bytes.data(), count);
    }
    return output.contains(word);
}

void TerminalRun::press(char key) { type(QByteArray(1, key)); }

void TerminalRun::type(const QByteArray &text)
{
    QCOMPARE(::write(m_terminal, text.constData(), static_cast<std::size_t>(text.size())), ssize_t{text.size()});
}

bool TerminalRun::echoes() const
{
    termios modes{};
    return ::tcgetattr(m_terminal, &modes) == 0 && (modes.c_lflag & ECHO) != 0;
}

int TerminalRun::finish()
{
    readUntil("\1never\1");
    int status = -1;
    ::waitpid(m_pid, &status, 0);
    m_pid = -1;
    return status;
}

} // namespace tests

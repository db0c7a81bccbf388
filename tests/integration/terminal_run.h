// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QString>
#include <QStringList>

#include <sys/types.h>

namespace tests {

/// A program on a terminal of its own, of 200 columns. All waits end after 60 s; what still runs is killed with the object.
class TerminalRun
{
public:
    /// `command`: an absolute path and its arguments, started in `directory`.
    TerminalRun(const QStringList &command, const QString &directory);
    TerminalRun(const TerminalRun &) = delete;
    TerminalRun &operator=(const TerminalRun &) = delete;
    ~TerminalRun();

    /// Reads until `word` came; false at the deadline or the end.
    bool readUntil(const QByteArray &word);

    /// Types.
    void press(char key);
    void type(const QByteArray &text);

    /// Whether the terminal shows what is typed.
    bool echoes() const;

    pid_t pid() const { return m_pid; }

    /// Reads to the end; the wait status.
    int finish();

    QByteArray output; ///< all that was read

private:
    int m_terminal = -1;
    pid_t m_pid = -1;
};

} // namespace tests

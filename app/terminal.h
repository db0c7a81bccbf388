// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace app {

/// Standard error as a person sees it: messages, and below them one line that is drawn over and over. Standard output is never
/// touched; it belongs to the recorded command. One owning thread.
class Terminal
{
public:
    /// `isQuiet`: no status line even if standard error is a terminal.
    explicit Terminal(bool isQuiet);
    Terminal(const Terminal &) = delete;
    Terminal &operator=(const Terminal &) = delete;
    ~Terminal();

    /// Prints "genprof: <text>" on a line of its own.
    void message(const std::string &text);

    /// Draws `line` as the status line, cut to the width of the terminal. Does nothing where no terminal shows it, or while
    /// another program is in the foreground.
    void showStatus(const std::string &line);

    /// Removes the status line.
    void clearStatus();

    /// How many characters a status line may have now.
    static std::size_t statusColumns();

private:
    static void write(const std::string &text);

    bool m_hasStatus = false;
    bool m_isShown = false;
};

/// Width of the terminal that standard output is; where it is none, what COLUMNS says; 0 where that says nothing.
std::size_t outputColumns();

/// For how many columns reports are written: outputColumns(), or as many as usual where that is not known, or so few that lines break anyhow.
std::size_t columnsOfReports();

/// The first `columns` characters of `text`, which is UTF-8 of characters that are one column wide.
std::string cutToColumns(const std::string &text, std::size_t columns);

} // namespace app

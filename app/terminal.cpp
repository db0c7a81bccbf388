// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/terminal.h"

#include "model/report/text_table.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <string_view>

namespace app {

namespace {

constexpr std::size_t kUsualColumns = 80;
/// Back to the begin of the line, and erase it.
constexpr const char *kEraseLine = "\r\033[K";

std::size_t columnsOfTerminal()
{
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return kUsualColumns;
    return size.ws_col;
}

/// A program in the background that draws would disturb the one in front, or be stopped (stty tostop).
bool isInForeground() { return ::tcgetpgrp(STDERR_FILENO) == ::getpgrp(); }

} // namespace

std::size_t outputColumns()
{
    constexpr std::size_t kMost = 10'000;
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        return size.ws_col;
    const char *wish = std::getenv("COLUMNS");
    const std::string_view text = wish == nullptr ? "" : wish;
    std::size_t columns = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), columns);
    return error == std::errc() && end == text.data() + text.size() ? std::min(columns, kMost) : 0;
}

std::size_t columnsOfReports()
{
    constexpr std::size_t kLeast = 40;
    const std::size_t columns = outputColumns();
    return columns < kLeast ? model::kUsualColumns : columns;
}

std::string cutToColumns(const std::string &text, std::size_t columns)
{
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool isContinued = (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
        if (!isContinued && count++ == columns)
            return text.substr(0, i);
    }
    return text;
}

Terminal::Terminal(bool isQuiet)
    : m_hasStatus(!isQuiet && ::isatty(STDERR_FILENO) == 1)
{
}

Terminal::~Terminal() { clearStatus(); }

void Terminal::message(const std::string &text)
{
    clearStatus();
    write("genprof: " + text + "\n");
}

std::size_t Terminal::statusColumns() { return columnsOfTerminal() - 1; }

void Terminal::showStatus(const std::string &line)
{
    if (!m_hasStatus || !isInForeground())
        return;
    write(kEraseLine + cutToColumns(line, statusColumns()));
    m_isShown = true;
}

void Terminal::clearStatus()
{
    if (m_isShown && isInForeground())
        write(kEraseLine);
    m_isShown = false;
}

void Terminal::write(const std::string &text)
{
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t count = ::write(STDERR_FILENO, text.data() + done, text.size() - done);
        if (count < 0 && errno != EINTR)
            return;
        if (count > 0)
            done += static_cast<std::size_t>(count);
    }
}

} // namespace app

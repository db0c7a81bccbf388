// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/text_table.h"

#include "model/base/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <ostream>
#include <utility>

namespace model {

namespace {

bool isContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0u) == 0x80u; }

/// Byte position of the code point number `index`.
std::size_t bytePosition(std::string_view text, std::size_t index)
{
    std::size_t at = 0;
    for (; at < text.size(); ++at)
        if (!isContinuation(text[at]) && index-- == 0)
            break;
    return at;
}

/// Bytes of the character, or of what is none, at the front of a text.
std::size_t frontLength(std::string_view text) { return std::max<std::size_t>(utf8Length(text), 1); }

/// A character as it may stand on a terminal. C1 controls stand as two bytes of UTF-8.
std::string printed(std::string_view character)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
    const bool isC1 = character.size() == 2 && byte(0) == 0xc2 && byte(1) < 0xa0;
    const bool isShown = utf8Length(character) > 0 && byte(0) >= 0x20 && byte(0) != 0x7f && !isC1;
    return isShown ? std::string(character) : fmt::format("\\x{:02x}", byte(character.size() - 1));
}

constexpr std::size_t kLeastText = 8;      ///< of a column that is cut
constexpr std::size_t kLeftOut = SIZE_MAX; ///< as the width of a column

} // namespace

std::size_t textWidth(std::string_view text)
{
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !isContinuation(c); }));
}

std::string onOneLine(std::string_view text)
{
    std::string line;
    line.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = frontLength(text);
        if (text[0] >= '\t' && text[0] <= '\r')
            line += line.empty() || line.back() == ' ' ? "" : " ";
        else
            line += printed(text.substr(0, length));
        text.remove_prefix(length);
    }
    return line;
}

std::string printable(std::string_view text)
{
    std::string safe;
    safe.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = frontLength(text);
        safe += printed(text.substr(0, length));
        text.remove_prefix(length);
    }
    return safe;
}

std::string elided(std::string_view text, std::size_t width)
{
    width = std::max<std::size_t>(width, 8);
    const std::string line = onOneLine(text);
    const std::size_t length = textWidth(line);
    if (length <= width)
        return line;
    const std::size_t tail = (width - 1) / 2;
    return line.substr(0, bytePosition(line, width - 1 - tail)) + "…" + line.substr(bytePosition(line, length - tail));
}

void writeWrapped(
    std::ostream &out, std::string_view sentence, std::size_t columns, std::size_t indent, std::size_t hanging)
{
    const std::string line = onOneLine(sentence);
    std::string_view text = line;
    std::size_t used = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        const std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const std::size_t width = textWidth(word);
        if (used > 0 && indent + used + 1 + width > columns) {
            out << '\n';
            used = 0;
            indent += std::exchange(hanging, 0);
        }
        out << (used == 0 ? std::string(indent, ' ') : " ") << word;
        used += width + (used == 0 ? 0 : 1);
    }
    out << '\n';
}

void TextTable::row(std::vector<std::string> cells)
{
    for (std::string &cell : cells)
        cell = onOneLine(cell);
    m_rows.push_back(std::move(cells));
}

std::vector<std::size_t> TextTable::widths() const
{
    std::vector<std::size_t> widths;
    for (const Column &column : m_columns)
        widths.push_back(textWidth(column.header));
    for (const std::vector<std::string> &cells : m_rows)
        for (std::size_t i = 0; i < cells.size(); ++i)
            widths[i] = std::max(widths[i], textWidth(cells[i]));
    return widths;
}

/// Makes columns narrower until their rows fit, or no text on the left can be cut any more.
void TextTable::narrow(std::vector<std::size_t> &widths, std::size_t columns, std::size_t indent) const
{
    for (std::size_t i = 0; i < widths.size(); ++i)
        if (std::all_of(
                m_rows.begin(), m_rows.end(), [i](const auto &cells) { return i >= cells.size() || cells[i].empty(); }))
            widths[i] = kLeftOut;
    const std::size_t last = widths.size() - 1;
    for (;;) {
        std::size_t all = indent;
        std::optional<std::size_t> widest;
        for (std::size_t i = 0; i < widths.size(); ++i) {
            if (widths[i] == kLeftOut)
                continue;
            const bool isText = m_columns[i].align == Align::Left;
            all += i < last ? widths[i] + 2 : isText ? std::min(widths[i], kLeastText) : widths[i];
            const bool canBeCut = i != last && isText && widths[i] > kLeastText;
            if (canBeCut && (!widest || widths[i] > widths[*widest]))
                widest = i;
        }
        if (all <= columns || !widest)
            return;
        --widths[*widest];
    }
}

void TextTable::writeRow(std::ostream &out, const std::vector<std::string> &cells,
    const std::vector<std::size_t> &widths, std::size_t columns, std::size_t indent) const
{
    std::string line(indent, ' ');
    for (std::size_t i = 0; i < m_columns.size(); ++i) {
        if (widths[i] == kLeftOut)
            continue;
        std::string cell = i < cells.size() ? cells[i] : std::string();
        if (textWidth(cell) > widths[i])
            cell = elided(cell, widths[i]);
        if (i + 1 == m_columns.size())
            cell = elided(cell, columns - std::min(columns, textWidth(line)));
        const std::string padding(widths[i] - std::min(widths[i], textWidth(cell)), ' ');
        line += m_columns[i].align == Align::Right ? padding + cell : cell + padding;
        line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
}

void TextTable::write(std::ostream &out, std::size_t columns, std::size_t indent) const
{
    std::vector<std::size_t> widths = this->widths();
    if (columns < kUsualColumns)
        narrow(widths, columns, indent);
    std::vector<std::string> headers;
    for (const Column &column : m_columns)
        headers.push_back(column.header);
    if (std::any_of(headers.begin(), headers.end(), [](const std::string &header) { return !header.empty(); }))
        writeRow(out, headers, widths, columns, indent);
    for (const std::vector<std::string> &cells : m_rows)
        writeRow(out, cells, widths, columns, indent);
}

} // namespace model

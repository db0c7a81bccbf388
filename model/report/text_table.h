// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// The width that texts are made for. In narrower places names are cut that are whole elsewhere.
inline constexpr std::size_t kUsualColumns = 80;

/// Columns that a UTF-8 text takes on a terminal; one a code point, which holds for all that reports write themselves.
std::size_t textWidth(std::string_view text);

/// A text that came from elsewhere, fit for a line of a terminal: white space of any kind is one space, other control characters, and bytes that
/// are no UTF-8, stand as "\\x1b". Command lines and names may hold anything.
std::string onOneLine(std::string_view text);

/// The same where nothing may be taken for something else, as in the path of a file: a line break stands as "\\x0a".
std::string printable(std::string_view text);

/// A text on one line, cut in its middle to at most `width` columns: "Session::att…Buffer". At least 8.
std::string elided(std::string_view text, std::size_t width);

/// Breaks a sentence into lines of at most `columns` behind an indent, at spaces; lines after the first stand `hanging` further in.
void writeWrapped(
    std::ostream &out, std::string_view sentence, std::size_t columns, std::size_t indent, std::size_t hanging = 0);

enum class Align : std::uint8_t { Left, Right };

/// A table for a terminal: columns as wide as their content, two spaces between them.
class TextTable
{
public:
    struct Column
    {
        std::string header;
        Align align = Align::Left;
    };

    explicit TextTable(std::vector<Column> columns)
        : m_columns(std::move(columns))
    {
    }

    /// Adds a row, each cell on one line; missing cells are empty.
    void row(std::vector<std::string> cells);
    bool isEmpty() const { return m_rows.empty(); }
    /// Writes header and rows behind an indent; the last column is elided to end at `columns`. Below kUsualColumns empty columns are left out,
    /// and texts on the left elided too, the widest first.
    void write(std::ostream &out, std::size_t columns, std::size_t indent) const;

private:
    std::vector<std::size_t> widths() const;
    void narrow(std::vector<std::size_t> &widths, std::size_t columns, std::size_t indent) const;
    void writeRow(std::ostream &out, const std::vector<std::string> &cells, const std::vector<std::size_t> &widths,
        std::size_t columns, std::size_t indent) const;

    std::vector<Column> m_columns;
    std::vector<std::vector<std::string>> m_rows;
};

} // namespace model

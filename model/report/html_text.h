// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <initializer_list>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// A text as it may stand in HTML, between tags and within quoted attributes. Bytes that are no UTF-8 and control characters, which HTML
/// does not allow, become U+FFFD.
std::string escapedHtml(std::string_view text);

/// A table whose cells are escaped; columns whose header begins with '>' hold figures and stand right.
class HtmlTable
{
public:
    explicit HtmlTable(std::initializer_list<std::string_view> headers);

    /// Adds a row of texts; missing cells are empty. `hover` is the whole of what the last cell shortens.
    void row(const std::vector<std::string> &cells, std::string_view hover = {});
    bool isEmpty() const { return m_rows.empty(); }
    void write(std::ostream &out) const;

private:
    struct Column
    {
        std::string header;
        bool isFigure = false;
    };
    std::vector<Column> m_columns;
    std::string m_rows; ///< as HTML
};

} // namespace model

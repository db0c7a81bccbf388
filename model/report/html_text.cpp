// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/html_text.h"

#include "model/base/utf8.h"

#include <ostream>

namespace model {

std::string escapedHtml(std::string_view text)
{
    std::string html;
    html.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = utf8Length(text);
        const auto first = static_cast<unsigned char>(text[0]);
        if (length == 0 || (length == 1 && (first < 0x20 || first == 0x7f) && first != '\t' && first != '\n'))
            html += kReplacementCharacter;
        else if (first == '&')
            html += "&amp;";
        else if (first == '<')
            html += "&lt;";
        else if (first == '>')
            html += "&gt;";
        else if (first == '"')
            html += "&quot;";
        else if (first == '\'')
            html += "&#39;";
        else
            html += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return html;
}

HtmlTable::HtmlTable(std::initializer_list<std::string_view> headers)
{
    for (const std::string_view header : headers) {
        const bool isFigure = header.starts_with('>');
        m_columns.push_back({std::string(header.substr(isFigure ? 1 : 0)), isFigure});
    }
}

void HtmlTable::row(const std::vector<std::string> &cells, std::string_view hover)
{
    m_rows += "<tr>";
    for (std::size_t i = 0; i < m_columns.size(); ++i) {
        const bool isLast = i + 1 == m_columns.size();
        m_rows += m_columns[i].isFigure ? "<td class=\"figure\"" : "<td";
        if (isLast && !hover.empty())
            m_rows += " title=\"" + escapedHtml(hover) + '"';
        m_rows += '>' + (i < cells.size() ? escapedHtml(cells[i]) : std::string()) + "</td>";
    }
    m_rows += "</tr>\n";
}

void HtmlTable::write(std::ostream &out) const
{
    out << "<table><thead><tr>";
    for (const Column &column : m_columns)
        out << (column.isFigure ? "<th class=\"figure\">" : "<th>") << escapedHtml(column.header) << "</th>";
    out << "</tr></thead><tbody>\n" << m_rows << "</tbody></table>\n";
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/html_text.h"

#include <ostream>

namespace model {

namespace {

/// Bytes of the character at the front of a text; 0 if it is no UTF-8 (Unicode 15, table 3-7).
std::size_t characterLength(std::string_view text)
{
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const auto isNext = [&](std::size_t i, unsigned least = 0x80, unsigned most = 0xbf) {
        return byte(i) >= least && byte(i) <= most;
    };
    const unsigned first = byte(0);
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return isNext(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef)
        return isNext(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf) && isNext(2) ? 3 : 0;
    if (first >= 0xf0 && first <= 0xf4)
        return isNext(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf) && isNext(2) && isNext(3) ? 4 : 0;
    return 0;
}

} // namespace

std::string escapedHtml(std::string_view text)
{
    std::string html;
    html.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = characterLength(text);
        const auto first = static_cast<unsigned char>(text[0]);
        if (length == 0 || (length == 1 && (first < 0x20 || first == 0x7f) && first != '\t' && first != '\n'))
            html += "\xef\xbf\xbd";
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

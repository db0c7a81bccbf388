// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/csv_writer.h"

#include "model/base/utf8.h"

#include <fmt/format.h>

#include <cmath>

namespace model {

std::string csvField(std::string_view text)
{
    std::string field;
    for (std::string_view rest = text; !rest.empty();) {
        const char c = rest.front();
        const auto byte = static_cast<unsigned char>(c);
        const std::size_t length = utf8Length(rest);
        if (c == '\n')
            field += "\\n";
        else if (c == '\t')
            field += "\\t";
        else if (c == '\r')
            field += "\\r";
        else if (c == '\\')
            field += "\\\\";
        else if (length == 0 || byte < 0x20 || byte == 0x7f)
            field += fmt::format("\\x{:02x}", byte);
        else if (c == '"')
            field += "\"\"";
        else
            field += rest.substr(0, length);
        rest.remove_prefix(length > 0 ? length : 1);
    }
    const bool needsQuotes = text.find_first_of(",\"") != std::string_view::npos
        || (!text.empty() && (text.front() == ' ' || text.back() == ' '));
    return needsQuotes ? '"' + field + '"' : field;
}

CsvWriter &CsvWriter::raw(std::string_view text)
{
    if (!m_isFirst)
        m_out << ',';
    m_isFirst = false;
    m_out << text;
    return *this;
}

CsvWriter &CsvWriter::field(std::string_view text) { return raw(csvField(text)); }

CsvWriter &CsvWriter::field(double value)
{
    return raw(std::isfinite(value) ? fmt::format("{}", value) : std::string());
}

void CsvWriter::end()
{
    m_out << '\n';
    m_isFirst = true;
}

} // namespace model

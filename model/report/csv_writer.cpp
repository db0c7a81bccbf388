// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/csv_writer.h"

#include <fmt/format.h>

#include <cmath>

namespace model {

std::string csvField(std::string_view text)
{
    std::string field;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n')
            field += "\\n";
        else if (c == '\t')
            field += "\\t";
        else if (c == '\r')
            field += "\\r";
        else if (c == '\\')
            field += "\\\\";
        else if (byte < 0x20 || byte == 0x7f)
            field += fmt::format("\\x{:02x}", byte);
        else if (c == '"')
            field += "\"\"";
        else
            field += c;
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
    m_out << "\r\n";
    m_isFirst = true;
}

} // namespace model

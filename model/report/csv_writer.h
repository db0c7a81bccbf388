// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace model {

/// A field as it stands in CSV (RFC 4180): quoted where it has a comma or a quote, control characters, and bytes that are
/// no UTF-8, as \n, \t, \x01, a backslash as \\.
std::string csvField(std::string_view text);

/// Writes rows of CSV, each ended by a newline alone, as tools of a shell expect. Numbers have a point for decimals whatever the stream's locale.
class CsvWriter
{
public:
    explicit CsvWriter(std::ostream &out)
        : m_out(out)
    {
    }

    CsvWriter &field(std::string_view text);
    CsvWriter &field(const char *text) { return field(std::string_view(text)); }
    CsvWriter &field(double value); ///< shortest text that reads back as the same number; empty for NaN and infinities
    template <std::integral Number> CsvWriter &field(Number value) { return raw(std::to_string(value)); }
    template <typename Value> CsvWriter &field(const std::optional<Value> &value)
    {
        return value ? field(*value) : field(std::string_view());
    }
    template <typename... Values> CsvWriter &fields(const Values &...values) { return (field(values), ..., *this); }
    /// Ends the row.
    void end();
    /// A whole row.
    template <typename... Values> void row(const Values &...values) { fields(values...).end(); }

private:
    CsvWriter &raw(std::string_view text);

    std::ostream &m_out;
    bool m_isFirst = true;
};

} // namespace model

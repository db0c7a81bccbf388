// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace model {

/// Bytes that are no text.
struct QueryBlob
{
    std::string bytes;
};

/// A value of a query's answer; monostate: NULL.
using QueryCell = std::variant<std::monostate, std::int64_t, double, std::string, QueryBlob>;

enum class QueryFormat : std::uint8_t {
    Table, ///< for a terminal: kept until the end of a statement, for the widths; NULL as NULL
    Csv,   ///< as csv_report.h, with a header; NULL is an empty field; a blank line between statements
    Json,  ///< one array with {"columns": […], "rows": [[…]], "is_cut": bool} for each statement
};

/// Writes the answers of one or several queries as text. Control characters are escaped, blobs written in hex. They never fail; check the
/// stream. Call begin(), row() …, end() for each statement, and finish() at the end.
class QueryWriter
{
public:
    virtual ~QueryWriter() = default;

    virtual void begin(std::vector<std::string> columns) = 0;
    virtual void row(const std::vector<QueryCell> &cells) = 0;
    /// `isCut`: the statement had more rows than were asked for.
    virtual void end(bool isCut) = 0;
    virtual void finish() = 0;
};

/// `columns`: width of the terminal, which a table's last column is cut to; 0: not cut.
std::unique_ptr<QueryWriter> makeQueryWriter(QueryFormat format, std::ostream &out, std::size_t columns);

} // namespace model

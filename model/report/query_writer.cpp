// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/query_writer.h"

#include "model/report/csv_writer.h"
#include "model/report/text_table.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <ostream>

namespace model {

namespace {

std::string hex(const QueryBlob &blob)
{
    std::string text;
    for (const char c : blob.bytes)
        text += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return text;
}

/// For a terminal: nothing in it can move the cursor or break the line. Control characters of C1 (U+0080 to U+009F) are some too.
std::string printable(std::string_view text)
{
    std::string safe;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool isC1 = byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
        if (byte == '\n')
            safe += "\\n";
        else if (byte == '\t')
            safe += "\\t";
        else if (byte < 0x20 || byte == 0x7f)
            safe += fmt::format("\\x{:02x}", byte);
        else if (isC1)
            safe += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[++i]));
        else
            safe += text[i];
    }
    return safe;
}

class TableWriter final : public QueryWriter
{
public:
    TableWriter(std::ostream &out, std::size_t columns)
        : m_out(out)
        , m_width(columns == 0 ? std::numeric_limits<std::size_t>::max() / 2 : columns)
    {
    }

    void begin(std::vector<std::string> columns) override
    {
        m_columns.clear();
        for (std::string &column : columns)
            m_columns.push_back({printable(column), Align::Right});
        m_rows.clear();
    }

    void row(const std::vector<QueryCell> &cells) override
    {
        std::vector<std::string> texts;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (std::holds_alternative<std::string>(cells[i]) || std::holds_alternative<QueryBlob>(cells[i]))
                m_columns[i].align = Align::Left;
            // Names of templates have hundreds of characters: on a terminal no cell takes more than half of it.
            texts.push_back(elided(std::visit(Text{}, cells[i]), m_width / 2));
        }
        m_rows.push_back(std::move(texts));
    }

    void end(bool) override
    {
        if (m_hasWritten)
            m_out << '\n';
        m_hasWritten = true;
        TextTable table(m_columns);
        for (std::vector<std::string> &cells : m_rows)
            table.row(std::move(cells));
        table.write(m_out, m_width, 0);
        m_rows.clear();
    }

    void finish() override { }

private:
    struct Text
    {
        std::string operator()(std::monostate) const { return "NULL"; }
        std::string operator()(std::int64_t value) const { return std::to_string(value); }
        std::string operator()(double value) const { return fmt::format("{}", value); }
        std::string operator()(const std::string &value) const { return printable(value); }
        std::string operator()(const QueryBlob &value) const { return "x'" + hex(value) + "'"; }
    };

    std::ostream &m_out;
    std::size_t m_width;
    std::vector<TextTable::Column> m_columns;
    std::vector<std::vector<std::string>> m_rows;
    bool m_hasWritten = false;
};

class CsvQueryWriter final : public QueryWriter
{
public:
    explicit CsvQueryWriter(std::ostream &out)
        : m_out(out)
        , m_csv(out)
    {
    }

    void begin(std::vector<std::string> columns) override
    {
        if (m_hasWritten)
            m_out << '\n';
        m_hasWritten = true;
        for (const std::string &column : columns)
            m_csv.field(column);
        m_csv.end();
    }

    void row(const std::vector<QueryCell> &cells) override
    {
        for (const QueryCell &cell : cells)
            std::visit(Field{m_csv}, cell);
        m_csv.end();
    }

    void end(bool) override { }
    void finish() override { }

private:
    struct Field
    {
        CsvWriter &csv;

        void operator()(std::monostate) const { csv.field(std::string_view()); }
        void operator()(std::int64_t value) const { csv.field(value); }
        void operator()(double value) const { csv.field(value); }
        void operator()(const std::string &value) const { csv.field(value); }
        void operator()(const QueryBlob &value) const { csv.field(hex(value)); }
    };

    std::ostream &m_out;
    CsvWriter m_csv;
    bool m_hasWritten = false;
};

/// Written row by row, so that an answer of any length takes no memory.
class JsonQueryWriter final : public QueryWriter
{
public:
    explicit JsonQueryWriter(std::ostream &out)
        : m_out(out)
    {
    }

    void begin(std::vector<std::string> columns) override
    {
        m_out << (m_hasWritten ? ",\n " : "[");
        m_hasWritten = true;
        m_hasRows = false;
        m_out << "{\"columns\": " << text(columns) << ", \"rows\": [";
    }

    void row(const std::vector<QueryCell> &cells) override
    {
        nlohmann::json values = nlohmann::json::array();
        for (const QueryCell &cell : cells)
            values.push_back(std::visit(Value{}, cell));
        m_out << (m_hasRows ? ",\n  " : "\n  ") << text(values);
        m_hasRows = true;
    }

    void end(bool isCut) override
    {
        m_out << (m_hasRows ? "\n ]" : "]") << ", \"is_cut\": " << (isCut ? "true" : "false") << '}';
    }

    void finish() override { m_out << (m_hasWritten ? "]\n" : "[]\n"); }

private:
    struct Value
    {
        nlohmann::json operator()(std::monostate) const { return nullptr; }
        nlohmann::json operator()(std::int64_t value) const { return value; }
        nlohmann::json operator()(double value) const
        {
            return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json();
        }
        nlohmann::json operator()(const std::string &value) const { return value; }
        nlohmann::json operator()(const QueryBlob &value) const { return hex(value); }
    };

    static std::string text(const nlohmann::json &value)
    {
        return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

    std::ostream &m_out;
    bool m_hasWritten = false;
    bool m_hasRows = false;
};

} // namespace

std::unique_ptr<QueryWriter> makeQueryWriter(QueryFormat format, std::ostream &out, std::size_t columns)
{
    switch (format) {
    case QueryFormat::Table:
        return std::make_unique<TableWriter>(out, columns);
    case QueryFormat::Csv:
        return std::make_unique<CsvQueryWriter>(out);
    case QueryFormat::Json:
        break;
    }
    return std::make_unique<JsonQueryWriter>(out);
}

} // namespace model

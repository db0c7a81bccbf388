// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/sql.h"

#include "app/exit_code.h"
#include "app/terminal.h"
#include "model/base/format_units.h"
#include "storage/sql_console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <iostream>
#include <iterator>

namespace app {

namespace {

int fail(const std::string &text)
{
    fmt::print(stderr, "genprof: {}\n", text);
    return kExitFailure;
}

/// Says it when an answer was cut off.
class ToldWriter final : public model::QueryWriter
{
public:
    ToldWriter(std::unique_ptr<model::QueryWriter> writer, std::int64_t rows)
        : m_writer(std::move(writer))
        , m_rows(rows)
    {
    }

    void begin(std::vector<std::string> columns) override { m_writer->begin(std::move(columns)); }
    void row(const std::vector<model::QueryCell> &cells) override { m_writer->row(cells); }
    void end(bool isCut) override
    {
        m_writer->end(isCut);
        std::cout.flush();
        if (isCut)
            fmt::print(stderr, "genprof: there are more than {} rows; --rows 0 prints all of them\n",
                model::formatCount(m_rows));
    }
    void finish() override { m_writer->finish(); }

private:
    std::unique_ptr<model::QueryWriter> m_writer;
    std::int64_t m_rows;
};

} // namespace

int runSql(const SqlOptions &options)
{
    const auto key = keyOf(options.file, options.passphrase);
    if (!key)
        return fail(key.error().text());
    auto console = storage::SqlConsole::open(options.file, *key);
    if (!console)
        return fail(console.error().text());
    if (!console->damage().empty())
        fmt::print(stderr, "genprof: {}: {}\n", options.file, console->damage());
    std::string sql = options.sql;
    if (sql.empty()) {
        if (::isatty(STDIN_FILENO) == 1)
            fmt::print(stderr, "Statements, and Ctrl-D at the end:\n");
        sql.assign(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
    }
    ToldWriter writer(model::makeQueryWriter(options.format, std::cout, outputColumns()), options.rows);
    const auto done = console->run(sql, {options.time, options.rows}, writer);
    std::cout.flush();
    if (!done)
        return fail(done.error().text());
    return std::cout ? kExitOk : fail(model::systemError("Cannot write the answer", errno).text());
}

} // namespace app

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/file_commands.h"

#include "app/duration_text.h"
#include "app/exit_code.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace app {

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

PrintAndExit wrong(const std::string &text) { return {"genprof: " + text + "\n", kExitUsage}; }

constexpr const char *kSqlFooter
    = R"__(Views with readable names and units: v_session, v_process, v_threads, v_metrics, v_timeline, v_heap_by_function,
v_cpu_by_function, v_areas, v_memory_parts, v_phases, v_events, v_losses. "PRAGMA table_list" names all tables,
"PRAGMA table_info(NAME)" the columns of one. Nothing can be written. Examples:
  genprof sql FILE "SELECT * FROM v_cpu_by_function LIMIT 10"
  genprof sql FILE --format csv "SELECT time_s, rss_mib FROM v_metrics" > rss.csv)__";

} // namespace

struct FileCommands::Typed
{
    SqlOptions sql;
    std::string sqlFormat;
    std::string sqlTime;
    const CLI::App *sqlCommand = nullptr;

    RedactOptions redact;
    const CLI::App *redactCommand = nullptr;

    void addSql(CLI::App &app);
    void addRedact(CLI::App &app);
    Command readSql();
};

void FileCommands::Typed::addSql(CLI::App &app)
{
    CLI::App *command = app.add_subcommand("sql", "Ask a session questions in SQL, reading only");
    command->add_option("file", sql.file, "The session")->required()->type_name("FILE");
    command->add_option("sql", sql.sql, "One or several statements; without it they are read from standard input")
        ->type_name("SQL");
    command->add_option("--format", sqlFormat, "table (default), csv or json")->type_name("FORMAT");
    command->add_option("--rows", sql.rows, "At most this many rows a statement (default 100000; 0: all)")
        ->type_name("N")
        ->check(CLI::NonNegativeNumber);
    command->add_option("--timeout", sqlTime, "End after this time (default 30s; 0: never)")->type_name("T");
    command->footer(kSqlFooter);
    sqlCommand = command;
}

Command FileCommands::Typed::readSql()
{
    if (sqlFormat == "csv")
        sql.format = model::QueryFormat::Csv;
    else if (sqlFormat == "json")
        sql.format = model::QueryFormat::Json;
    else if (!sqlFormat.empty() && sqlFormat != "table")
        return wrong(fmt::format("--format {}: there is no such choice; possible are table, csv, json", sqlFormat));
    if (!sqlTime.empty()) {
        const auto time = parseDuration(sqlTime, kSecondNs);
        if (!time)
            return wrong(time.error().within("--timeout").text());
        sql.time = *time;
    }
    return sql;
}

void FileCommands::Typed::addRedact(CLI::App &app)
{
    CLI::App *command = app.add_subcommand("redact", "Copy a session without its paths, arguments and names");
    command->add_option("in", redact.in, "The session")->required()->type_name("IN");
    command->add_option("out", redact.out, "The copy, a new file")->required()->type_name("OUT");
    command->add_flag("--keep-functions", redact.keepsFunctions,
        "Keep the names of functions, and source files without their folders");
    command->footer("Paths, arguments, host, programs, threads, pools, phases, marks, build-ids, functions and source "
                    "files get numbered\n"
                    "names: the same text the same one throughout. Numbers, times, stacks and the C and C++ libraries' "
                    "names stay.");
    redactCommand = command;
}

FileCommands::FileCommands(CLI::App &app)
    : m_typed(std::make_unique<Typed>())
{
    m_typed->addSql(app);
    m_typed->addRedact(app);
}

FileCommands::~FileCommands() = default;

std::optional<Command> FileCommands::parsed() const
{
    if (m_typed->sqlCommand->parsed())
        return m_typed->readSql();
    if (m_typed->redactCommand->parsed())
        return m_typed->redact;
    return std::nullopt;
}

} // namespace app

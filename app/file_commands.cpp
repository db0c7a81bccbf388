// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/file_commands.h"

#include "app/duration_text.h"
#include "app/exit_code.h"
#include "app/keep_limit.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace app {

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

PrintAndExit wrong(const std::string &text) { return {"genprof: " + text + "\n", kExitUsage}; }

constexpr const char *kSqlFooter = R"__(Views with readable names and units: v_session, v_process, v_threads, v_metrics,
v_timeline, v_heap_by_function, v_cpu_by_function, v_areas, v_memory_parts,
v_phases, v_events, v_losses. "PRAGMA table_list" names all tables,
"PRAGMA table_info(NAME)" the columns of one. Nothing can be written. Examples:
  genprof sql FILE "SELECT * FROM v_cpu_by_function LIMIT 10"
  genprof sql FILE --format csv "SELECT time_s, rss_mib FROM v_metrics" > rss.csv)__";

} // namespace

void addPassphraseOptions(CLI::App &command, PassphraseSource &source)
{
    auto *fd = command
                   .add_option("--passphrase-fd", source.fd,
                       "Read the passphrase of a sealed session from this open descriptor")
                   ->type_name("N")
                   ->check(CLI::NonNegativeNumber);
    command
        .add_option("--passphrase-keyring", source.keyring,
            "Take it from the kernel's keyring: a key of type \"user\" with this name")
        ->type_name("NAME")
        ->excludes(fd);
}

void addServeOptions(CLI::App &command, ServeOptions &options)
{
    command
        .add_option("--token-file", options.tokenFile,
            "First line: what clients must send as \"Authorization: Bearer TOKEN\"; made where missing (default: in "
            "the "
            "configuration folder)")
        ->type_name("FILE");
    command.add_flag("--open-metrics", options.areMetricsOpen, "Give /metrics without the token");
    command.add_option("--tls-cert", options.certificate, "Serve over TLS with this certificate (PEM)")
        ->type_name("FILE");
    command.add_option("--tls-key", options.certificateKey, "and this key (PEM)")->type_name("FILE");
}

struct FileCommands::Typed
{
    SqlOptions sql;
    std::string sqlFormat;
    std::string sqlTime;
    const CLI::App *sqlCommand = nullptr;

    RedactOptions redact;
    const CLI::App *redactCommand = nullptr;
    SealOptions seal;
    const CLI::App *sealCommand = nullptr;
    SealOptions unseal;
    const CLI::App *unsealCommand = nullptr;

    void addSql(CLI::App &app);
    void addRedact(CLI::App &app);
    ListOptions list;
    const CLI::App *listCommand = nullptr;
    std::string listFormat;
    TagOptions tag;
    const CLI::App *tagCommand = nullptr;
    TagOptions note;
    std::vector<std::string> noteWords;
    bool noteIsRemoved = false;
    const CLI::App *noteCommand = nullptr;
    PruneOptions prune;
    std::vector<std::string> keep;
    const CLI::App *pruneCommand = nullptr;

    FollowOptions follow;
    const CLI::App *followCommand = nullptr;

    ServeOptions serve;
    const CLI::App *serveCommand = nullptr;

    void addServe(CLI::App &app);
    void addFollow(CLI::App &app);
    Command readFollow();
    void addList(CLI::App &app);
    void addTagAndNote(CLI::App &app);
    void addPrune(CLI::App &app);
    Command readList();
    Command readNote();
    Command readPrune();
    static CLI::App *addSeal(CLI::App &app, const char *name, const char *help, SealOptions &options);
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
    addPassphraseOptions(*command, sql.passphrase);
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
                    "files get numbered "
                    "names: the same text the same one throughout. Numbers, times, stacks and the C and C++ libraries' "
                    "names stay.");
    addPassphraseOptions(*command, redact.passphrase);
    redactCommand = command;
}

CLI::App *FileCommands::Typed::addSeal(CLI::App &app, const char *name, const char *help, SealOptions &options)
{
    CLI::App *command = app.add_subcommand(name, help);
    command->add_option("in", options.in, "The session")->required()->type_name("IN");
    command->add_option("out", options.out, "The copy, a new file")->required()->type_name("OUT");
    addPassphraseOptions(*command, options.passphrase);
    command->footer("The passphrase is asked for at the terminal, or comes from a descriptor or the kernel's keyring; "
                    "never from the "
                    "command line. A sealed session opens in report, sql and the window as any other. The original "
                    "stays as it is.");
    return command;
}

void FileCommands::Typed::addFollow(CLI::App &app)
{
    CLI::App *command
        = app.add_subcommand("follow", "Stream a growing session to another machine, and make a copy of it there");
    command->add_option("file", follow.file, "The session to stream to standard output, until it ends")
        ->type_name("FILE");
    command->add_option("--into", follow.into, "Make this session of the stream on standard input")->type_name("COPY");
    command->add_flag("--seal", follow.isSealed, "Encrypt the copy with a passphrase");
    command->add_flag("-q,--quiet", follow.isQuiet, "Say failures only");
    addPassphraseOptions(*command, follow.passphrase);
    command->footer("  ssh HOST genprof follow FILE | genprof follow --into COPY\n"
                    "The copy can be opened while it grows. When either side ends early, start the same again: it goes "
                    "on with the copy.");
    followCommand = command;
}

void FileCommands::Typed::addServe(CLI::App &app)
{
    CLI::App *command = app.add_subcommand("serve", "Serve a session, growing or saved, over HTTP until Ctrl-C");
    command->add_option("file", serve.file, "The session")->required()->type_name("FILE");
    command
        ->add_option("--listen", serve.listen, "PORT, HOST:PORT or [IPV6]:PORT (default 127.0.0.1:9464; port 0: any)")
        ->type_name("ADDR");
    addServeOptions(*command, serve);
    command->add_flag("-q,--quiet", serve.isQuiet, "Say failures only");
    addPassphraseOptions(*command, serve.passphrase);
    command->footer(R"__(GET  /metrics                    metrics for Prometheus
GET  /report.html                the whole session as a page
GET  /api/v1/status              what is recorded, its state, alerts that fire
GET  /api/v1/report/VIEW         the JSON of "genprof report --what VIEW"; ?cost= from= to= process= thread=
                             limit= top= offset= format=
POST /api/v1/mark                {"text": "deployed"}
POST /api/v1/scan pause resume stop
GET  /healthz                    "ok", to anyone
  curl -H "Authorization: Bearer $(cat ~/.config/genesis-profiler/api-token)" http://127.0.0.1:9464/api/v1/status)__");
    serveCommand = command;
}

Command FileCommands::Typed::readFollow()
{
    if (follow.file.empty() == follow.into.empty())
        return wrong("follow takes either a session to stream, or --into and the copy to make:\n"
                     "  ssh HOST genprof follow FILE | genprof follow --into COPY");
    if (follow.isSealed && follow.into.empty())
        return wrong("--seal is for the copy: genprof follow --into COPY --seal");
    const bool isGiven = follow.passphrase.fd || !follow.passphrase.keyring.empty();
    if (!follow.into.empty() && isGiven && !follow.isSealed)
        return wrong("A passphrase is given, but --seal is not");
    if (!follow.into.empty() && follow.passphrase.fd == 0)
        return wrong("Standard input is the stream; give the passphrase on another descriptor");
    return follow;
}

void FileCommands::Typed::addList(CLI::App &app)
{
    CLI::App *command = app.add_subcommand("list", "The sessions of a folder, or those recorded or opened last");
    command
        ->add_option("folder", list.folder, "Its sessions, whatever their names; without it the last ones of this user")
        ->type_name("FOLDER");
    command->add_option("--top", list.most, "At most this many (default 20; 0: all)")->type_name("N");
    command
        ->add_option("--search", list.search,
            "Only those with these words in path, command, build-id, host, tags, note or verdicts")
        ->type_name("WORDS");
    command->add_option("--format", listFormat, "text (default) or json")->type_name("FORMAT");
    addPassphraseOptions(*command, list.passphrase);
    command->footer("Sealed sessions say that they are sealed, and no more; with a passphrase those that it opens are "
                    "shown like others.");
    listCommand = command;
}

void FileCommands::Typed::addTagAndNote(CLI::App &app)
{
    CLI::App *command = app.add_subcommand("tag", "Tag a session; the tags are stored in it");
    command->add_option("file", tag.file, "The session")->required()->type_name("FILE");
    command->add_option("tags", tag.added, "Tags to add; without any the tags are printed")->type_name("TAG");
    command->add_option("--remove", tag.removed, "A tag to take away")->type_name("TAG")->allow_extra_args(false);
    command->footer("Sessions tagged \"keep\" are never removed by genprof prune.");
    addPassphraseOptions(*command, tag.passphrase);
    tagCommand = command;
    command = app.add_subcommand("note", "Write a note into a session");
    command->add_option("file", note.file, "The session")->required()->type_name("FILE");
    command->add_option("text", noteWords, "The note, which replaces an older one; without it the note is printed")
        ->type_name("TEXT");
    command->add_flag("--remove", noteIsRemoved, "Take the note away");
    addPassphraseOptions(*command, note.passphrase);
    noteCommand = command;
}

void FileCommands::Typed::addPrune(CLI::App &app)
{
    CLI::App *command = app.add_subcommand("prune", "Remove old sessions of a folder");
    command->add_option("folder", prune.folder, "Its *.gprof-session files")->required()->type_name("FOLDER");
    command
        ->add_option("--keep", keep,
            "What stays: 20 (the newest sessions), 30d (not older), 5GiB (the newest that fit); several limits all "
            "hold")
        ->required()
        ->type_name("LIMIT")
        ->allow_extra_args(false);
    command->add_flag("--yes", prune.isConfirmed, "Remove them; without it they are only listed");
    command->footer(
        "Sessions that are being recorded, are unfinished or damaged, have the tag \"keep\", or are sealed, so that "
        "nobody knows, always stay.");
    pruneCommand = command;
}

Command FileCommands::Typed::readList()
{
    if (!listFormat.empty() && listFormat != "text" && listFormat != "json")
        return wrong(fmt::format("--format {}: there is no such choice; possible are text, json", listFormat));
    list.asJson = listFormat == "json";
    return list;
}

Command FileCommands::Typed::readNote()
{
    note.isNote = true;
    if (noteIsRemoved && !noteWords.empty())
        return wrong("A note is either written or removed");
    if (noteIsRemoved || !noteWords.empty())
        note.note = fmt::format("{}", fmt::join(noteWords, " "));
    return note;
}

Command FileCommands::Typed::readPrune()
{
    for (const std::string &limit : keep) {
        const auto rule = parseKeepLimit(limit, prune.keep);
        if (!rule)
            return wrong(rule.error().within("--keep").text());
    }
    return prune;
}

FileCommands::FileCommands(CLI::App &app)
    : m_typed(std::make_unique<Typed>())
{
    m_typed->addFollow(app);
    m_typed->addServe(app);
    m_typed->addList(app);
    m_typed->addTagAndNote(app);
    m_typed->addPrune(app);
    m_typed->addSql(app);
    m_typed->addRedact(app);
    m_typed->sealCommand
        = Typed::addSeal(app, "seal", "Copy a session so that it opens with a passphrase only", m_typed->seal);
    m_typed->unsealCommand
        = Typed::addSeal(app, "unseal", "Copy a sealed session so that it opens without a passphrase", m_typed->unseal);
    m_typed->unseal.isUnseal = true;
}

FileCommands::~FileCommands() = default;

std::optional<Command> FileCommands::parsed() const
{
    if (m_typed->sqlCommand->parsed())
        return m_typed->readSql();
    if (m_typed->serveCommand->parsed())
        return m_typed->serve;
    if (m_typed->followCommand->parsed())
        return m_typed->readFollow();
    if (m_typed->listCommand->parsed())
        return m_typed->readList();
    if (m_typed->tagCommand->parsed())
        return m_typed->tag;
    if (m_typed->noteCommand->parsed())
        return m_typed->readNote();
    if (m_typed->pruneCommand->parsed())
        return m_typed->readPrune();
    if (m_typed->sealCommand->parsed())
        return m_typed->seal;
    if (m_typed->unsealCommand->parsed())
        return m_typed->unseal;
    if (m_typed->redactCommand->parsed())
        return m_typed->redact;
    return std::nullopt;
}

} // namespace app

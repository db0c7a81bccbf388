// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/redaction.h"

#include "storage/info_rows.h"
#include "storage/new_file.h"
#include "storage/schema.h"
#include "storage/session_file.h"
#include "storage/stand_ins.h"
#include "storage/writer_lock.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>
#include <functional>
#include <vector>

namespace storage {

namespace {

using model::Error;
using model::Result;

/// Values of the table `session` that are texts and tell nothing about the program or its user.
constexpr std::array kPublicValues
    = std::to_array<std::string_view>({"kernel", "recorder_version", "utc_offset", "cpu_event"});
constexpr std::array kNoteValues
    = std::to_array<std::string_view>({"cpu_note", "cpu_missing", "activity_note", "end_reason", "unwritten_reason"});

template <typename Names> bool contains(const Names &names, std::string_view name)
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// The columns of other tables that are texts.
TextKind kindOfColumn(std::string_view table, std::string_view column, std::string_view key)
{
    if (table == "argument")
        return TextKind::Argument;
    if (table == "mark")
        return TextKind::Mark;
    if (table == "phase")
        return TextKind::Phase;
    if (table == "loss")
        return TextKind::Detail;
    if (table == "scan")
        return TextKind::Note;
    if (table == "scan_path")
        return TextKind::Detail;
    if (table == "soak" || table == "soak_exclusion")
        return TextKind::Note;
    if (table == "soak_leg")
        return column == "boot" ? TextKind::Other : TextKind::Folder;
    if (table == "soak_load")
        return column == "command" ? TextKind::Argument : TextKind::Detail;
    if (table == "alert")
        return column == "source" ? TextKind::Public : column == "condition" ? TextKind::Note : TextKind::Mark;
    if (table != "session")
        return TextKind::Other;
    if (column == "key" || contains(kPublicValues, key))
        return TextKind::Public;
    if (contains(kNoteValues, key))
        return TextKind::Note;
    if (key == "host")
        return TextKind::Host;
    return key == "working_directory" || key == "disk" ? TextKind::Folder : TextKind::Other;
}

class Redactor
{
public:
    Redactor(Database &from, Database &to, const RedactionOptions &options)
        : m_from(from)
        , m_to(to)
        , m_options(options)
    {
    }

    Result<RedactionResult> run(const std::map<std::string, std::string> &tables)
    {
        if (auto done = findKinds(tables.contains("area")); !done)
            return done.error();
        // Notes come last: they are checked for everything that was hidden by then.
        if (auto done = replaceStrings(); !done)
            return done.error();
        for (const auto &[name, sql] : tables)
            if (name != "string" && name != "session")
                if (auto done = copy(name); !done)
                    return done.error();
        auto met = eachRow("SELECT key, value FROM session ORDER BY key", [this](const Statement &row) {
            if (!row.isNull(1) && !row.isInteger(1) && !row.isReal(1) && !contains(kNoteValues, row.text(0)))
                replaced("session", "value", row.text(0), row.text(1));
        });
        if (!met)
            return met.error();
        for (const char *last : {"session", "string"})
            if (auto done = copy(last); !done)
                return done.error();
        return RedactionResult{m_standIns.count()};
    }

private:
    Result<void> eachRow(const std::string &sql, const std::function<void(const Statement &)> &row);
    Result<void> mark(const std::string &sql, TextKind kind);
    Result<void> findKinds(bool hasAreas);
    Result<void> findPublicFunctions();
    Result<void> replaceStrings();
    Result<void> copy(const std::string &table);
    std::string replaced(std::string_view table, std::string_view column, std::string_view key, std::string_view text);

    TextKind &kindOf(std::int64_t string)
    {
        static constexpr std::int64_t kMost = 1 << 28;
        if (string < 0 || string > kMost)
            return m_ignored;
        if (static_cast<std::size_t>(string) >= m_kinds.size())
            m_kinds.resize(static_cast<std::size_t>(string) + 1, TextKind::Other);
        return m_kinds[static_cast<std::size_t>(string)];
    }

    Database &m_from;
    Database &m_to;
    const RedactionOptions &m_options;
    StandIns m_standIns;
    std::vector<TextKind> m_kinds; ///< by string
    TextKind m_ignored = TextKind::Other;
    std::vector<std::string> m_strings; ///< what stands for each string but the notes
};

Result<void> Redactor::eachRow(const std::string &sql, const std::function<void(const Statement &)> &row)
{
    auto rows = m_from.prepare(sql);
    if (!rows)
        return rows.error();
    for (;;) {
        const auto found = rows->step();
        if (!found)
            return found.error();
        if (!*found)
            return {};
        row(*rows);
    }
}

/// Strings that `sql` names are of this kind, unless an earlier kind hides them already.
Result<void> Redactor::mark(const std::string &sql, TextKind kind)
{
    return eachRow(sql, [&](const Statement &row) {
        TextKind &known = kindOf(row.integer(0));
        if (known == TextKind::Other || known == TextKind::Public || known == TextKind::Note)
            known = kind;
    });
}

/// Functions and source files of well-known libraries, of the kernel and the vdso.
Result<void> Redactor::findPublicFunctions()
{
    std::vector<bool> modules, frames;
    std::vector<std::pair<std::int64_t, std::int64_t>> lines;
    const auto put = [](auto &values, std::int64_t id, auto value) {
        if (id < 0 || id > 1 << 28)
            return;
        if (static_cast<std::size_t>(id) >= values.size())
            values.resize(static_cast<std::size_t>(id) + 1);
        values[static_cast<std::size_t>(id)] = value;
    };
    const auto isSet = [](const std::vector<bool> &values, std::int64_t id) {
        return id >= 0 && static_cast<std::size_t>(id) < values.size() && values[static_cast<std::size_t>(id)];
    };
    auto done = eachRow("SELECT m.id, m.kind, s.text FROM module m LEFT JOIN string s ON s.id = m.path ORDER BY m.id",
        [&](const Statement &row) {
            const bool isSystem = row.integer(1) == 1 || row.integer(1) == 2;
            put(modules, row.integer(0), isSystem || isPublicLibrary(row.text(2)));
        });
    if (done)
        done = eachRow("SELECT id, module FROM frame ORDER BY id",
            [&](const Statement &row) { put(frames, row.integer(0), isSet(modules, row.integer(1))); });
    if (done)
        done = eachRow("SELECT id, function, file FROM line ORDER BY id", [&](const Statement &row) {
            put(lines, row.integer(0), std::pair{row.integer(1), row.integer(2)});
        });
    if (!done)
        return done;
    return eachRow("SELECT frame, first_line, line_count FROM symbol ORDER BY frame", [&](const Statement &row) {
        const std::int64_t first = row.integer(1), count = std::min<std::int64_t>(row.integer(2), 0xffff);
        if (!isSet(frames, row.integer(0)) || first < 0)
            return;
        for (std::int64_t i = first; i < first + count && i < static_cast<std::int64_t>(lines.size()); ++i)
            for (const std::int64_t text :
                {lines[static_cast<std::size_t>(i)].first, lines[static_cast<std::size_t>(i)].second})
                if (TextKind &kind = kindOf(text); kind == TextKind::Function || kind == TextKind::SourceFile)
                    kind = TextKind::Public;
    });
}

Result<void> Redactor::findKinds(bool hasAreas)
{
    // What names functions comes first, so that the public ones can be told before anything else claims a text.
    auto done = mark("SELECT function FROM line", TextKind::Function);
    if (done)
        done = mark("SELECT file FROM line", TextKind::SourceFile);
    if (done)
        done = findPublicFunctions();
    const auto next = [&](const char *sql, TextKind kind) {
        if (done)
            done = mark(sql, kind);
    };
    next("SELECT heap_note FROM image", TextKind::Note);
    next("SELECT executable FROM image", TextKind::Program);
    next("SELECT command_line FROM image", TextKind::CommandLine);
    next("SELECT name FROM thread", TextKind::Thread);
    if (hasAreas) {
        next("SELECT name FROM area_tick WHERE kind <> 0 UNION SELECT name FROM area WHERE kind <> 0", TextKind::Pool);
        if (done)
            done = eachRow("SELECT name FROM area_tick WHERE kind = 0 UNION SELECT name FROM area WHERE kind = 0",
                [&](const Statement &row) {
                    if (TextKind &kind = kindOf(row.integer(0)); kind == TextKind::Other)
                        kind = TextKind::Public;
                });
    }
    if (done)
        done = eachRow("SELECT m.path, m.build_id, m.kind, s.text FROM module m LEFT JOIN string s ON s.id = m.path"
                       " ORDER BY m.id",
            [&](const Statement &row) {
                const bool isPublic = (row.integer(2) > 0) || isPublicLibrary(row.text(3));
                for (const auto &[column, hidden] : {std::pair{0, TextKind::Module}, {1, TextKind::BuildId}})
                    if (TextKind &kind = kindOf(row.integer(column)); kind == TextKind::Other)
                        kind = isPublic ? TextKind::Public : hidden;
            });
    return done;
}

Result<void> Redactor::replaceStrings()
{
    m_strings.resize(m_kinds.size());
    return eachRow("SELECT id, text FROM string ORDER BY id", [&](const Statement &row) {
        const TextKind kind = kindOf(row.integer(0));
        const std::string_view text = row.text(1);
        m_strings.resize(m_kinds.size());
        if (row.integer(0) < 0 || static_cast<std::size_t>(row.integer(0)) >= m_strings.size())
            return;
        std::string &standIn = m_strings[static_cast<std::size_t>(row.integer(0))];
        const bool isMain = kind == TextKind::Function && text == "main";
        if (kind == TextKind::Note || isMain || (kind == TextKind::Function && m_options.keepsFunctions))
            standIn = text;
        else if (kind == TextKind::SourceFile && m_options.keepsFunctions)
            standIn = m_standIns.ofFolder(text);
        else
            standIn = m_standIns.of(kind, text);
    });
}

std::string Redactor::replaced(
    std::string_view table, std::string_view column, std::string_view key, std::string_view text)
{
    return m_standIns.of(kindOfColumn(table, column, key), text);
}

Result<void> Redactor::copy(const std::string &table)
{
    auto rows = m_from.prepare("SELECT * FROM " + table);
    if (!rows)
        return rows.error();
    std::string places;
    std::vector<bool> isText, isBlob;
    for (int i = 0; i < rows->columnCount(); ++i)
        places += places.empty() ? "?" : ", ?";
    auto types = m_to.prepare("SELECT type FROM pragma_table_info(?) ORDER BY cid");
    if (!types)
        return types.error();
    types->bindAll(std::string_view(table));
    for (auto row = types->step(); row && *row; row = types->step()) {
        isText.push_back(types->text(0) == "TEXT" || types->text(0).empty());
        isBlob.push_back(types->text(0) == "BLOB");
    }
    auto insert = m_to.prepare("INSERT OR REPLACE INTO " + table + " VALUES (" + places + ")");
    if (!insert)
        return insert.error();
    for (;;) {
        const auto row = rows->step();
        if (!row || !*row)
            return row ? Result<void>() : Result<void>(row.error());
        for (int i = 0; i < rows->columnCount(); ++i) {
            const auto column = static_cast<std::size_t>(i);
            if (rows->isInteger(i))
                insert->bindInteger(i, rows->integer(i));
            else if (rows->isReal(i))
                insert->bindReal(i, rows->real(i));
            else if (rows->isNull(i))
                insert->bindNull(i);
            else if (column < isBlob.size() && isBlob[column])
                insert->bindBlob(i, rows->blob(i)); // packed numbers
            else if (column >= isText.size() || !isText[column])
                insert->bindInteger(i, 0); // a text where a number belongs is none of ours
            else if (const auto id = static_cast<std::size_t>(rows->integer(0));
                     table == "string" && id < m_strings.size())
                insert->bindText(i,
                    kindOf(rows->integer(0)) == TextKind::Note ? m_standIns.of(TextKind::Note, m_strings[id])
                                                               : m_strings[id]);
            else
                insert->bindText(i, replaced(table, rows->columnName(i), rows->text(0), rows->text(i)));
        }
        if (auto done = insert->run(); !done)
            return done;
    }
}

/// Says in the copy what it is. Of what was taken out in an earlier copy nothing came back.
Result<void> tellRedaction(Database &target, const RedactionResult &result, const RedactionOptions &options)
{
    const auto stored = readInfo(target);
    if (!stored)
        return stored.error();
    const model::Redaction before = stored->info.redaction.value_or(model::Redaction{0, true});
    const bool keepsFunctions = options.keepsFunctions && before.keepsFunctions;
    if (auto done = writeSessionValue(target, kRedactedKey, std::max(result.texts, before.texts)); !done)
        return done;
    return writeSessionValue(target, kRedactedKeepsKey, keepsFunctions ? 1 : 0);
}

} // namespace

Result<RedactionResult> redactSession(
    const std::string &in, const std::string &out, const RedactionOptions &options, const SealKeyPointer &key)
{
    Damage damage;
    if (WriterLock::isHeld(in))
        return Error("Cannot redact " + in + ": it is being recorded; wait for its end (genprof ctl FILE stop)");
    auto file = openSessionFile(in, damage, key);
    if (!file)
        return file.error();
    if (!damage.text().empty())
        return Error("Cannot redact " + in + ": " + damage.text());
    const auto version = file->database.integer("PRAGMA user_version");
    if (!version)
        return version.error();
    const auto tables = tableDeclarations(static_cast<int>(*version));
    if (!tables)
        return tables.error();
    auto made = NewFile::make(out);
    if (!made)
        return made.error();
    auto target = Database::open(out, OpenMode::ReadWrite);
    if (!target)
        return target.error();
    if (auto done = createSchema(*target, static_cast<int>(*version)); !done)
        return done.error();
    auto transaction = Transaction::begin(*target, Transaction::Kind::Write);
    if (!transaction)
        return transaction.error();
    auto result = Redactor(file->database, *target, options).run(*tables);
    if (!result)
        return result;
    if (auto done = tellRedaction(*target, *result, options); !done)
        return done.error();
    // The random number that tells sessions apart would tie the copy to the original.
    std::int64_t uuid = 0;
    if (::getrandom(&uuid, sizeof uuid, 0) != static_cast<ssize_t>(sizeof uuid))
        return Error("Cannot redact " + in + ": the system gives no random numbers");
    auto put = target->prepare("UPDATE session SET value = ? WHERE key = 'uuid'");
    if (!put)
        return put.error();
    if (auto done = put->run(uuid & 0x7fff'ffff'ffff'ffff); !done)
        return done.error();
    if (auto done = transaction->commit(); !done)
        return done.error();
    if (auto done = made->keep(); !done)
        return done.error();
    return result;
}

} // namespace storage

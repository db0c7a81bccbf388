// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/session_folder.h"

#include "model/soak_record.h"
#include "storage/info_rows.h"
#include "storage/log_mode.h"
#include "storage/replaced_file.h"
#include "storage/session_file.h"
#include "storage/writer_lock.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace storage {

namespace {

using model::Error;
using model::Result;
using model::SessionEntry;
using model::SessionState;

constexpr std::string_view kEnding = ".gprof-session";
constexpr std::size_t kLongestText = 4096;         ///< of a note or all tags together
constexpr std::size_t kLongestAdvice = 256 * 1024; ///< done advice: names of functions may be long

std::vector<std::string> linesOf(std::string_view text)
{
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (end > 0)
            lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

/// The first value of a query that gives texts; empty where there is none or it cannot be read.
std::string textOf(Database &database, std::string_view sql)
{
    auto rows = database.prepare(sql);
    if (!rows)
        return {};
    const auto row = rows->step();
    return row && *row ? std::string(rows->text(0).substr(0, kLongestText)) : std::string();
}

/// What the session says of `key`; empty where that is nothing.
Result<std::string> valueOf(Database &database, std::string_view key, std::size_t longest = kLongestText)
{
    auto rows = database.prepare("SELECT value FROM session WHERE key = ?");
    if (!rows)
        return rows.error();
    rows->bindAll(key);
    const auto row = rows->step();
    if (!row)
        return row.error();
    return *row ? std::string(rows->text(0).substr(0, longest)) : std::string();
}

/// What the session says of the stability test that it is a leg of: "soak: leaking"; empty where it is none.
std::string soakVerdict(Database &database)
{
    const std::string outcome = textOf(database, "SELECT outcome FROM soak WHERE id = 0");
    if (outcome.size() != 1 || outcome[0] < '0' || outcome[0] > '0' + static_cast<int>(model::SoakOutcome::LoadFailed))
        return {};
    const auto told = static_cast<model::SoakOutcome>(outcome[0] - '0');
    if (told == model::SoakOutcome::Running)
        return "soak: no verdict yet";
    std::string words(model::soakOutcomeKey(told));
    std::replace(words.begin(), words.end(), '_', ' ');
    return "soak: " + words;
}

void readEntry(SessionFile &file, SessionEntry &entry, bool writerLives)
{
    Database &database = file.database;
    auto stored = readInfo(database);
    if (!stored) {
        entry.problem = stored.error().text();
        return;
    }
    const model::SessionInfo &info = stored->info;
    entry.command = model::commandText(info.config,
        info.config.attachPid ? textOf(database,
            "SELECT s.text FROM image i JOIN string s ON s.id = i.command_line WHERE i.process = 0 ORDER BY i.id LIMIT "
            "1")
                              : std::string());
    entry.host = info.host;
    entry.startWallNs = info.startWallNs;
    entry.duration = info.duration;
    entry.state = info.state != SessionState::Complete && !writerLives ? SessionState::Unfinished : info.state;
    const auto tags = valueOf(database, "tags"), verdicts = valueOf(database, "verdicts"),
               note = valueOf(database, "note");
    entry.tagsAreKnown = tags.has_value();
    for (const auto *value : {&tags, &verdicts, &note})
        if (!*value)
            entry.problem = value->error().text();
    entry.tags = linesOf(tags ? *tags : "");
    entry.verdicts = linesOf(verdicts ? *verdicts : "");
    if (std::string stability = soakVerdict(database); !stability.empty())
        entry.verdicts.push_back(std::move(stability));
    entry.note = note ? *note : "";
    entry.buildId = textOf(database,
        "SELECT b.text FROM image i JOIN module m ON m.path = i.executable JOIN string b ON b.id = m.build_id"
        " WHERE i.process = 0 ORDER BY i.id DESC LIMIT 1");
}

Result<void> checkThatItCanChange(const std::string &path, const SealKeyPointer &key)
{
    Damage damage;
    const auto checked = openSessionFile(path, damage, key);
    if (!checked)
        return checked.error();
    if (!damage.isUsable("session"))
        return Error("Cannot change " + path + ": what it says about itself is damaged");
    return {};
}

/// Opens for writing as little as is needed, with nothing run that the file brings along.
Result<Database> openToChange(const std::string &path, const SealKeyPointer &key)
{
    auto database = Database::open(path, OpenMode::ReadWrite, key);
    if (!database)
        return database;
    sqlite3_db_config(database->handle(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(database->handle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(database->handle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    return database;
}

Result<void> put(Database &database, std::string_view key, const std::string &value, std::size_t longest = kLongestText)
{
    if (value.size() > longest)
        return Error(fmt::format("{} may have {} bytes, and these are {}", key, longest, value.size()));
    auto statement = database.prepare(value.empty() ? "DELETE FROM session WHERE key = ?"
                                                    : "INSERT OR REPLACE INTO session (key, value) VALUES (?, ?)");
    if (!statement)
        return statement.error();
    return value.empty() ? statement->run(key) : statement->run(key, std::string_view(value));
}

Result<std::string> changedTags(const std::string &before, const EntryChange &change)
{
    std::vector<std::string> tags = linesOf(before);
    for (const std::string &tag : change.removedTags)
        tags.erase(std::remove(tags.begin(), tags.end(), tag), tags.end());
    for (const std::string &tag : change.addedTags) {
        if (tag.empty() || tag.find_first_of("\n,") != std::string::npos)
            return Error("\"" + tag + "\" is no tag: it is empty, or has a comma or a line break in it");
        tags.push_back(tag);
    }
    std::sort(tags.begin(), tags.end());
    tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
    std::string text;
    for (const std::string &tag : tags)
        text += (text.empty() ? "" : "\n") + tag;
    return text;
}

std::string changedVerdicts(const std::string &before, const std::vector<std::string> &added)
{
    constexpr std::size_t kMost = 20;
    std::vector<std::string> verdicts = linesOf(before);
    for (const std::string &verdict : added)
        for (std::string &line : linesOf(verdict))
            verdicts.push_back(std::move(line));
    if (verdicts.size() > kMost)
        verdicts.erase(verdicts.begin(), verdicts.end() - kMost);
    std::string text;
    for (const std::string &verdict : verdicts)
        text += (text.empty() ? "" : "\n") + verdict;
    return text;
}

/// Changes the file at `path` itself.
Result<void> changeIn(const std::string &path, const EntryChange &change, const SealKeyPointer &key)
{
    auto database = openToChange(path, key);
    if (!database)
        return database.error();
    auto transaction = Transaction::begin(*database, Transaction::Kind::Write);
    if (!transaction)
        return transaction.error();
    const auto before = valueOf(*database, "tags");
    if (!before)
        return before.error();
    const auto tags = changedTags(*before, change);
    if (!tags)
        return tags.error();
    if (auto done = put(*database, "tags", *tags); !done)
        return done;
    if (change.note)
        if (auto done = put(*database, "note", *change.note); !done)
            return done;
    if (!change.addedVerdicts.empty()) {
        const auto told = valueOf(*database, "verdicts");
        if (!told)
            return told.error();
        if (auto done = put(*database, "verdicts", changedVerdicts(*told, change.addedVerdicts)); !done)
            return done;
    }
    if (change.doneAdvice)
        if (auto done = put(*database, "advice_done", *change.doneAdvice, kLongestAdvice); !done)
            return done;
    if (auto done = transaction->commit(); !done)
        return done;
    // Of an unfinished recording the log was just brought in: its file must not say any more that it has one.
    leaveLog(*database);
    return {};
}

/// Brings the log of a sealed session that was left unfinished into its main file, by way of the log alone: what is interrupted begins again.
Result<void> foldLeftLog(const std::string &path, const SealKeyPointer &key)
{
    if (!hasFilledLog(path))
        return {};
    auto database = openToChange(path, key);
    if (!database)
        return database.error();
    if (auto readable = database->integer("SELECT count(*) FROM sqlite_schema"); !readable)
        return readable.error();
    return foldLog(*database) ? Result<void>()
                              : Error("Cannot change " + path + ": another program reads it; try again later");
}

} // namespace

SessionEntry describeSession(const std::string &path, const SealKeyPointer &key)
{
    SessionEntry entry;
    std::error_code failure;
    entry.path = std::filesystem::absolute(path, failure).lexically_normal().string();
    entry.fileBytes = sizeOf(path);
    entry.isSealed = isSealed(path);
    const bool writerLives = WriterLock::isHeld(path);
    struct stat status = {};
    if (::stat(path.c_str(), &status) == 0)
        entry.startWallNs = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
    if (entry.isSealed && !key) {
        entry.command = "(sealed)";
        entry.tagsAreKnown = false;
        entry.state = writerLives ? SessionState::Recording
            : hasFilledLog(path)  ? SessionState::Unfinished
                                  : SessionState::Complete;
        return entry;
    }
    Damage damage;
    auto file = openSessionFile(path, damage, key);
    if (!file)
        entry.problem = file.error().text();
    else
        readEntry(*file, entry, writerLives);
    return entry;
}

Result<std::vector<SessionEntry>> sessionsIn(
    const std::string &folder, FolderFiles wanted, const std::function<SealKeyPointer(const std::string &path)> &keyOf)
{
    std::error_code failure;
    std::filesystem::directory_iterator files(folder.empty() ? "." : folder, failure);
    if (failure)
        return Error("Cannot read the folder " + folder + ": " + failure.message());
    std::vector<SessionEntry> entries;
    for (; files != std::filesystem::directory_iterator(); files.increment(failure)) {
        if (failure)
            return Error("Cannot read the folder " + folder + ": " + failure.message());
        const std::string path = files->path().string();
        if (!files->is_regular_file(failure))
            continue;
        if (path.ends_with(kEnding) || (wanted == FolderFiles::AnySessions && isSessionFile(path)))
            entries.push_back(describeSession(path, keyOf && isSealed(path) ? keyOf(path) : SealKeyPointer()));
    }
    std::sort(entries.begin(), entries.end(), [](const SessionEntry &a, const SessionEntry &b) {
        return std::pair(-a.startWallNs, a.path) < std::pair(-b.startWallNs, b.path);
    });
    return entries;
}

Result<std::string> doneAdviceIn(const std::string &path, const SealKeyPointer &key)
{
    Damage damage;
    auto file = openSessionFile(path, damage, key);
    if (!file)
        return file.error();
    return valueOf(file->database, "advice_done", kLongestAdvice);
}

Result<void> changeEntry(const std::string &path, const EntryChange &change, const SealKeyPointer &key)
{
    if (WriterLock::isHeld(path))
        return Error("Cannot change " + path + ": it is being recorded; change it when that has ended");
    if (auto done = checkThatItCanChange(path, key); !done)
        return done;
    if (!isSealed(path))
        return changeIn(path, change, {});
    // The journal of a sealed file is in memory: a change in place that is interrupted would leave it torn.
    if (auto done = foldLeftLog(path, key); !done)
        return done;
    return replaceFile(path, [&](const std::string &copy) { return changeIn(copy, change, key); });
}

namespace {

Result<void> checkThatItIsFinished(const std::string &path)
{
    if (WriterLock::isHeld(path))
        return Error(path + " stays: it is being recorded");
    return hasFilledLog(path) ? Error(path + " stays: its recording is unfinished") : Result<void>();
}

} // namespace

Result<void> checkThatItCanGo(const std::string &path)
{
    if (auto done = checkThatItIsFinished(path); !done || isSealed(path))
        return done;
    Damage damage;
    auto file = openSessionFile(path, damage, {});
    if (!file)
        return file.error().within(path + " stays");
    auto check = file->database.prepare("PRAGMA quick_check(1)");
    bool isWhole = damage.text().empty() && check;
    if (isWhole) {
        const auto row = check->step();
        isWhole = row && *row && check->text(0) == "ok";
    }
    return isWhole ? Result<void>()
                   : Error(path + " stays: it is damaged; remove it by hand if nobody needs what is left");
}

Result<void> removeSession(const std::string &path)
{
    if (auto done = checkThatItIsFinished(path); !done)
        return done;
    if (::unlink(path.c_str()) != 0)
        return model::systemError("Cannot remove " + path, errno);
    ::unlink(walPath(path).c_str());
    ::unlink(shmPath(path).c_str());
    return {};
}

} // namespace storage

// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/follow/follow_copy.h"

#include "storage/finished_file.h"
#include "storage/info_rows.h"
#include "storage/log_mode.h"
#include "storage/new_file.h"
#include "storage/scan_writer.h"
#include "storage/schema.h"
#include "storage/session_file.h"
#include "storage/writer_lock.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <map>

namespace storage {

namespace {

using model::Error;
using model::Result;

bool exists(const std::string &path)
{
    struct stat status = {};
    return ::stat(path.c_str(), &status) == 0;
}

} // namespace

struct FollowCopy::Private
{
    std::string path;
    SealKeyPointer key;
    FollowDecoder decoder;
    std::map<std::string, std::string> declarations;
    std::optional<Database> database;
    std::optional<WriterLock> lock;
    std::optional<Transaction> transaction;
    Statement insert;
    std::string table; ///< that rows are for
    std::uint32_t columns = 0;
    std::vector<bool> isBlob; ///< by column
    std::int64_t batches = 0;
    bool hasScans = false; ///< came in this batch
    std::optional<FollowEnd> end;

    Result<void> begin(const FollowHello &hello);
    Result<void> makeNew(const FollowHello &hello);
    Result<void> checkOld(const FollowHello &hello);
    Result<void> openLog();
    Result<void> needTransaction(const std::string &name);
    Result<void> chooseTable(const FollowTable &chosen);
    Result<void> addRow(const FollowRow &row);
    Result<void> expire(const FollowExpiry &expiry);
    Result<void> commit();
    Result<void> take(const FollowMessage &message);
};

Result<void> FollowCopy::Private::makeNew(const FollowHello &hello)
{
    auto made = NewFile::make(path);
    if (!made)
        return made.error();
    auto opened = Database::open(path, OpenMode::ReadWrite, key);
    if (!opened)
        return opened.error();
    database = std::move(*opened);
    auto done = createSchema(*database, static_cast<int>(hello.version));
    if (done)
        done = openLog();
    if (done)
        made->release();
    else
        database.reset();
    return done;
}

Result<void> FollowCopy::Private::checkOld(const FollowHello &hello)
{
    if (WriterLock::isHeld(path))
        return Error("Cannot write " + path + ": another program writes it");
    Damage damage;
    auto old = openSessionFile(path, damage, key);
    if (!old)
        return old.error();
    const auto stored = readInfo(old->database);
    const auto version = old->database.integer("PRAGMA user_version");
    if (!stored || !version || !damage.text().empty())
        return Error("Cannot go on with " + path + ": it is damaged; choose another name");
    if (stored->uuid != hello.uuid || *version != hello.version)
        return Error("Cannot go on with " + path + ": it holds another recording; choose another name");
    return {};
}

Result<void> FollowCopy::Private::openLog()
{
    if (auto done = useLog(*database, path); !done)
        return done;
    if (auto done = database->execute("PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=16777216"); !done)
        return done;
    auto taken = WriterLock::take(path);
    if (!taken)
        return taken.error();
    lock = std::move(*taken);
    return {};
}

Result<void> FollowCopy::Private::begin(const FollowHello &hello)
{
    if (database)
        return Error("The stream is damaged: it begins twice");
    if (hello.version < 1 || hello.version > schemaVersion())
        return Error(
            fmt::format("Cannot copy the session: it has format {}, and this program knows formats up to {}; update "
                        "Genesis Profiler here",
                hello.version, schemaVersion()));
    if (hello.isSealed && !key)
        return Error("Cannot copy the session in clear: the original is sealed; add --seal");
    auto tables = tableDeclarations(static_cast<int>(hello.version));
    if (!tables)
        return tables.error();
    declarations = std::move(*tables);
    if (!exists(path))
        return makeNew(hello);
    if (auto done = checkOld(hello); !done)
        return done;
    auto opened = Database::open(path, OpenMode::ReadWrite, key);
    if (!opened)
        return opened.error();
    database = std::move(*opened);
    return openLog();
}

Result<void> FollowCopy::Private::needTransaction(const std::string &name)
{
    if (!database)
        return Error("The stream is damaged: it does not say which recording it is");
    if (!declarations.contains(name))
        return Error("The stream is damaged: \"" + name + "\" is no table of a session");
    if (transaction)
        return {};
    auto begun = Transaction::begin(*database, Transaction::Kind::Write);
    if (!begun)
        return begun.error();
    transaction.emplace(std::move(*begun));
    return {};
}

Result<void> FollowCopy::Private::chooseTable(const FollowTable &chosen)
{
    if (auto done = needTransaction(chosen.name); !done)
        return done;
    // The name is one of the format's by now.
    const auto columnCount = database->integer("SELECT count(*) FROM pragma_table_info('" + chosen.name + "')");
    if (!columnCount)
        return columnCount.error();
    if (*columnCount != chosen.columns)
        return Error("The stream is damaged: table " + chosen.name + " has another number of columns");
    if (chosen.kind == FollowTable::Kind::Whole)
        if (auto done = database->execute(("DELETE FROM " + chosen.name).c_str()); !done)
            return done;
    std::string places;
    for (std::uint32_t i = 0; i < chosen.columns; ++i)
        places += i == 0 ? "?" : ", ?";
    auto prepared = database->prepare("INSERT OR REPLACE INTO " + chosen.name + " VALUES (" + places + ")");
    if (!prepared)
        return prepared.error();
    insert = std::move(*prepared);
    table = chosen.name;
    hasScans = hasScans || table == "scan";
    columns = chosen.columns;
    isBlob.clear();
    auto types = database->prepare("SELECT type FROM pragma_table_info('" + table + "') ORDER BY cid");
    if (!types)
        return types.error();
    for (auto type = types->step(); type && *type; type = types->step())
        isBlob.push_back(types->text(0) == "BLOB");
    return {};
}

Result<void> FollowCopy::Private::addRow(const FollowRow &row)
{
    if (table.empty() || row.values.size() != columns)
        return Error("The stream is damaged: a row belongs to no table");
    // The recorder is on another machine: nobody there answers from here.
    const auto *name = std::get_if<std::string>(&row.values.front());
    if (table == "session" && name && (*name == "control_address" || *name == "recorder_pid"))
        return {};
    for (std::size_t i = 0; i < row.values.size(); ++i) {
        const int position = static_cast<int>(i);
        if (const auto *integer = std::get_if<std::int64_t>(&row.values[i]))
            insert.bindInteger(position, *integer);
        else if (const auto *real = std::get_if<double>(&row.values[i]))
            insert.bindReal(position, *real);
        else if (const auto *text = std::get_if<std::string>(&row.values[i]))
            i < isBlob.size() && isBlob[i] ? insert.bindBlob(position, *text) : insert.bindText(position, *text);
        else
            insert.bindNull(position);
    }
    return insert.run();
}

Result<void> FollowCopy::Private::expire(const FollowExpiry &expiry)
{
    if (auto done = needTransaction(expiry.table); !done)
        return done;
    const std::string column = expiry.table == "tick" ? "id" : "tick";
    const std::int64_t begin = expiry.least / kTicksPerLevel * kTicksPerLevel;
    auto remove
        = database->prepare("DELETE FROM " + expiry.table + " WHERE " + column + " >= ? AND " + column + " < ?");
    if (!remove)
        return remove.error();
    return remove->run(begin, expiry.least);
}

Result<void> FollowCopy::Private::commit()
{
    table.clear();
    insert = {};
    if (!transaction)
        return {};
    // As the recording does with its own.
    if (std::exchange(hasScans, false))
        if (auto done = thinScans(*database); !done)
            return done;
    auto done = transaction->commit();
    transaction.reset();
    batches += done ? 1 : 0;
    return done;
}

Result<void> FollowCopy::Private::take(const FollowMessage &message)
{
    if (end)
        return Error("The stream is damaged: it goes on behind its end");
    if (const auto *hello = std::get_if<FollowHello>(&message))
        return begin(*hello);
    if (const auto *chosen = std::get_if<FollowTable>(&message))
        return chooseTable(*chosen);
    if (const auto *row = std::get_if<FollowRow>(&message))
        return addRow(*row);
    if (const auto *expiry = std::get_if<FollowExpiry>(&message))
        return expire(*expiry);
    if (const auto *last = std::get_if<FollowEnd>(&message)) {
        end = *last;
        return {};
    }
    return commit();
}

FollowCopy::FollowCopy(std::string path, SealKeyPointer key)
    : d(std::make_unique<Private>())
{
    d->path = std::move(path);
    d->key = std::move(key);
}
FollowCopy::FollowCopy(FollowCopy &&) noexcept = default;
FollowCopy &FollowCopy::operator=(FollowCopy &&) noexcept = default;
FollowCopy::~FollowCopy() = default;

Result<void> FollowCopy::feed(std::string_view bytes)
{
    auto done = d->decoder.feed(bytes, [this](const FollowMessage &message) { return d->take(message); });
    if (!done) {
        d->insert = {};
        d->transaction.reset();
    }
    return done;
}

bool FollowCopy::hasEnded() const { return d->end.has_value(); }

bool FollowCopy::isComplete() const { return d->end && d->end->isComplete; }

std::int64_t FollowCopy::batches() const { return d->batches; }

Result<void> FollowCopy::finish()
{
    d->insert = {};
    d->transaction.reset();
    if (!d->database)
        return {};
    Result<void> done;
    if (isComplete())
        done = finishFile(d->path, std::move(*d->database), std::move(*d->lock));
    else
        leaveLog(*d->database);
    d->database.reset();
    d->lock.reset();
    return done;
}

} // namespace storage

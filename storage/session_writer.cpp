// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/session_writer.h"

#include "storage/batch_writer.h"
#include "storage/end_reserve.h"
#include "storage/finished_file.h"
#include "storage/info_rows.h"
#include "storage/level_writer.h"
#include "storage/log_mode.h"
#include "storage/new_file.h"
#include "storage/retention.h"
#include "storage/schema.h"
#include "storage/soak_writer.h"
#include "storage/table_writer.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

namespace storage {

namespace {

using model::Result;

constexpr std::int64_t kPageBytes = 4096 + 128; ///< with its head in the log, sealed or not
constexpr std::int64_t kInfoPages = 3;   ///< of updateInfo() at most, beside long texts: one, or what it splits into
constexpr std::int64_t kEndUpdates = 2;  ///< of the info: that the recording stops, and that it is closed
constexpr std::int64_t kKeptUpdates = 3; ///< these, and when it began to fail
constexpr std::int64_t kRowPages = 40;   ///< kept for the last rows: a tick in which everything happens changes some 30

/// What one updateInfo() takes of the log. Long texts have pages of their own; arguments are written once.
std::int64_t infoBytes(const model::SessionInfo &info)
{
    std::size_t texts = 0;
    for (const std::string *text : {&info.config.workingDirectory, &info.cpuNote, &info.cpuMissing, &info.activityNote})
        texts += text->size();
    return kPageBytes * (kInfoPages + 2 * static_cast<std::int64_t>(texts) / 4096);
}

std::int64_t randomNumber()
{
    std::int64_t value = 0;
    if (::getrandom(&value, sizeof value, 0) != static_cast<ssize_t>(sizeof value))
        value = static_cast<std::int64_t>(::getpid());
    return value & 0x7fff'ffff'ffff'ffff;
}

Result<void> initialise(Database &database, const model::SessionInfo &info)
{
    if (auto done = migrate(database); !done)
        return done;
    auto transaction = Transaction::begin(database, Transaction::Kind::Write);
    if (!transaction)
        return transaction.error();
    if (auto done = writeInfo(database, info); !done)
        return done;
    if (auto done = writeArguments(database, info.config.command); !done)
        return done;
    if (auto done = writeSessionValue(database, "uuid", randomNumber()); !done)
        return done;
    if (auto done = writeSessionValue(database, kBucketRatesKey, 1); !done)
        return done;
    if (auto done = writeSessionValue(database, "revision", 0); !done)
        return done;
    return transaction->commit();
}

} // namespace

struct SessionWriter::Private
{
    std::string path;
    SealKeyPointer key;
    std::optional<Database> database; ///< empty once finished
    std::optional<WriterLock> lock;
    TableWriter tables;
    BatchWriter batches;
    SoakWriter soak;
    LevelWriter levels;
    Retention retention;
    Statement setValue;
    std::int64_t revision = 0;
    std::int64_t tick = 0;
    model::Timestamp end;       ///< of the last tick
    int failures = 0;           ///< writes that failed in a row
    std::int64_t infoBytes = 0; ///< of the log, for each update of the info
    bool isEnding = false;
    bool saysUnwritten = false;       ///< what could not be written
    std::vector<std::string> command; ///< as it is stored

    Result<void> open();
    Result<void> prepare(const model::SessionInfo &info);
    Result<void> closeBuckets(const model::EventBatch &batch);
    Result<void> writeRows(const model::EventBatch &batch, model::TableBuilder &builder);
    Result<void> requireOpen() const;
    std::int64_t keptBytes() const;
    void makeRoom();
};

Result<void> SessionWriter::Private::open()
{
    auto opened = Database::open(path, OpenMode::ReadWrite, key);
    if (!opened)
        return opened.error();
    database = std::move(*opened);
    const std::string id = fmt::format("PRAGMA application_id={}", kApplicationId);
    if (auto done = database->execute(id.c_str()); !done)
        return done;
    if (auto done = useLog(*database, path); !done)
        return done;
    if (auto done = database->execute("PRAGMA synchronous=FULL; PRAGMA journal_size_limit=16777216"); !done)
        return done;
    auto taken = WriterLock::take(path);
    if (!taken)
        return taken.error();
    lock = std::move(*taken);
    return {};
}

Result<void> SessionWriter::Private::prepare(const model::SessionInfo &info)
{
    auto tableWriter = TableWriter::prepare(*database);
    if (!tableWriter)
        return tableWriter.error();
    tables = std::move(*tableWriter);
    auto batchWriter = BatchWriter::prepare(*database);
    if (!batchWriter)
        return batchWriter.error();
    batches = std::move(*batchWriter);
    auto soakWriter = SoakWriter::prepare(*database);
    if (!soakWriter)
        return soakWriter.error();
    soak = std::move(*soakWriter);
    auto levelWriter = LevelWriter::prepare(*database, info.config.budget.has_value());
    if (!levelWriter)
        return levelWriter.error();
    levels = std::move(*levelWriter);
    auto rules = Retention::prepare(*database, info.config.budget);
    if (!rules)
        return rules.error();
    retention = std::move(*rules);
    return prepareAll(*database, {{&setValue, "INSERT OR REPLACE INTO session (key, value) VALUES (?, ?)"}});
}

Result<void> SessionWriter::Private::requireOpen() const
{
    if (!database)
        return model::Error("Cannot write " + path + ": the session is finished");
    return {};
}

/// So much is kept free behind what is written.
std::int64_t SessionWriter::Private::keptBytes() const
{
    return isEnding ? kEndUpdates * infoBytes : kKeptUpdates * infoBytes + kRowPages * kPageBytes;
}

/// A log that cannot grow is folded in: what it holds more than once, or in place of pages that are there, gives room for the next try. Not at
/// each failure, as what does not fit is copied in vain.
void SessionWriter::Private::makeRoom()
{
    if (failures++ % 16 != 0)
        return;
    [[maybe_unused]] const auto busy = database->integer("PRAGMA wal_checkpoint(TRUNCATE)");
    // Before others take the room.
    [[maybe_unused]] const auto done = keepEnd(path, keptBytes());
}

/// What comes before a tick: the buckets that it ends, and what has become too old.
Result<void> SessionWriter::Private::closeBuckets(const model::EventBatch &batch)
{
    if (!levels.closesBefore(batch.span.begin))
        return {};
    if (auto done = levels.closeBefore(batch.span.begin, tick); !done)
        return done;
    return retention.step(*database, end);
}

Result<void> SessionWriter::Private::writeRows(const model::EventBatch &batch, model::TableBuilder &builder)
{
    auto transaction = Transaction::begin(*database, Transaction::Kind::Write);
    if (!transaction)
        return transaction.error();
    if (auto done = tables.write(builder, revision + 1); !done)
        return done;
    if (!isEmpty(batch)) {
        if (auto done = closeBuckets(batch); !done)
            return done;
        if (auto done = batches.write(batch, tick + 1, revision + 1); !done)
            return done;
    }
    if (!batch.soak.isEmpty()) // needs no tick to stand in
        if (auto done = soak.write(batch.soak, revision + 1); !done)
            return done;
    // What could not be written was merged into this tick, and neither may be seen with the other.
    if (saysUnwritten && !isEmpty(batch))
        if (auto done = database->execute("DELETE FROM session WHERE key GLOB 'unwritten_*'"); !done)
            return done;
    // Only what leaves room for the end may stay, and only in the log does it show how much that is. Where it does not, the log has got as long
    // as it took to find out, and what is written next has that room.
    if (auto done = database->flush(); !done)
        return done;
    if (auto done = keepEnd(path, keptBytes()); !done)
        return done;
    if (auto done = setValue.run(std::string_view("revision"), revision + 1); !done)
        return done;
    const model::Timestamp last = std::max(end, batch.span.end);
    if (auto done = setValue.run(std::string_view("duration_ns"), last.ns); !done)
        return done;
    return transaction->commit();
}

SessionWriter::SessionWriter(std::unique_ptr<Private> p)
    : d(std::move(p))
{
}
SessionWriter::SessionWriter(SessionWriter &&) noexcept = default;
SessionWriter &SessionWriter::operator=(SessionWriter &&) noexcept = default;
SessionWriter::~SessionWriter() = default;

Result<SessionWriter> SessionWriter::create(const std::string &path, const model::SessionInfo &info, SealKeyPointer key)
{
    auto made = NewFile::make(path);
    if (!made)
        return made.error();
    auto d = std::make_unique<Private>();
    d->path = path;
    d->key = std::move(key);
    d->infoBytes = infoBytes(info);
    d->command = info.config.command;
    auto done = d->open();
    if (done)
        done = initialise(*d->database, info);
    if (done)
        done = d->prepare(info);
    if (!done)
        return done.error();
    // The main file alone then says what it is, should its log get lost.
    [[maybe_unused]] const auto busy = d->database->integer("PRAGMA wal_checkpoint(PASSIVE)");
    // A session that could not tell of its first tick that there was no room for it is not begun.
    done = keepEnd(path, d->keptBytes());
    if (!done && foldLog(*d->database))
        done = keepEnd(path, d->keptBytes());
    if (!done)
        return done.error();
    made->release();
    return SessionWriter(std::move(d));
}

Result<void> SessionWriter::write(const model::EventBatch &batch, model::TableBuilder &tables)
{
    if (auto open = d->requireOpen(); !open)
        return open;
    auto done = d->writeRows(batch, tables);
    if (!done) {
        d->makeRoom();
        if (d->isEnding) // nobody comes to try again
            done = d->writeRows(batch, tables);
    }
    if (!done)
        return done;
    d->failures = 0;
    d->tables.committed(tables.tables());
    ++d->revision;
    if (!isEmpty(batch)) {
        d->saysUnwritten = false;
        if (d->levels.closesBefore(batch.span.begin))
            d->retention.committed();
        d->levels.committed(batch.span.begin, ++d->tick);
    }
    d->end = std::max(d->end, batch.span.end);
    return {};
}

void SessionWriter::expectEnd()
{
    d->isEnding = true;
    d->failures = 0;
}

Result<void> SessionWriter::updateInfo(const model::SessionInfo &info)
{
    if (auto open = d->requireOpen(); !open)
        return open;
    auto transaction = Transaction::begin(*d->database, Transaction::Kind::Write);
    if (!transaction)
        return transaction.error();
    model::SessionInfo stored = info;
    stored.duration = std::max(info.duration, d->end - model::Timestamp{});
    if (auto done = writeInfo(*d->database, stored); !done)
        return done;
    if (info.config.command != d->command)
        if (auto done = writeArguments(*d->database, info.config.command); !done)
            return done;
    if (auto done = d->setValue.run(std::string_view("revision"), d->revision + 1); !done)
        return done;
    if (auto done = transaction->commit(); !done)
        return done;
    d->command = info.config.command;
    d->saysUnwritten = info.unwritten.has_value();
    d->infoBytes = infoBytes(info);
    ++d->revision;
    return {};
}

Result<void> SessionWriter::finish(const model::SessionInfo &info)
{
    auto written = updateInfo(info);
    if (!written && d->database && foldLog(*d->database))
        written = updateInfo(info); // a log that may not grow has room again
    d->tables = {};
    d->batches = {};
    d->soak = {};
    d->levels = {};
    d->retention = {};
    d->setValue = {};
    releaseEnd(d->path); // to fold the log in, where it helps
    // A file that cannot be told its end still stands by itself.
    auto done = finishFile(d->path, std::move(*d->database), std::move(*d->lock));
    d->database.reset();
    d->lock.reset();
    return written ? done : written;
}

const std::string &SessionWriter::path() const { return d->path; }

} // namespace storage

// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/session_reader.h"

#include "model/analysis/soak_places.h"
#include "storage/age_loader.h"
#include "storage/alert_loader.h"
#include "storage/area_loader.h"
#include "storage/scan_loader.h"
#include "storage/series_loader.h"
#include "storage/session_file.h"
#include "storage/snapshot_builder.h"
#include "storage/soak_loader.h"
#include "storage/writer_lock.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace storage {

namespace {

using model::Result;
using model::SessionState;

constexpr const char *kLogIsMissing
    = "The recorder did not end in order and the file's -wal is not beside it: the "
      "newest part of the recording may be missing. If the file was moved, move the one of its "
      "old name that ends in -wal too, and rename it alike; if it is recorded still, "
      "it is whole once the recording ends.";
constexpr const char *kInfoIsDamaged
    = "What the session says about itself is damaged; command and times may be missing.";

/// Whether the budget that was asked for holds.
void noteBudget(model::Snapshot &snapshot)
{
    const auto &budget = snapshot.info.config.budget;
    if (!budget)
        return;
    const double periods = static_cast<double>(snapshot.info.duration.ns) / static_cast<double>(budget->period.ns);
    const double allowed = static_cast<double>(budget->bytes) * std::max(1.0, periods);
    // While it is recorded its log comes on top, and what was merged leaves room that is used again.
    if (static_cast<double>(snapshot.fileBytes) <= allowed || snapshot.info.state != SessionState::Complete)
        return;
    snapshot.coarsened += fmt::format("{}The session takes {:.1f} MB, more than its budget of {:.1f} MB allows.",
        snapshot.coarsened.empty() ? "" : " ", static_cast<double>(snapshot.fileBytes) / 1e6, allowed / 1e6);
}

} // namespace

struct SessionReader::Private
{
    std::string path;
    SealKeyPointer key;
    std::optional<SessionFile> file; ///< closed while the recorder wants the file for itself
    Damage damage;
    LoadedSession session;
    std::shared_ptr<const model::HeapAges> ages;         ///< as of session.ages.revision; shared by snapshots
    SessionState writtenState = SessionState::Recording; ///< as the recorder stored it
    std::shared_ptr<const model::SoakRecord> viewedSoak; ///< of `afterWarmup`
    std::shared_ptr<const model::Snapshot> afterWarmup;
    std::int64_t dataVersion = -1;
    bool isLoaded = false;

    Result<void> open();
    Result<bool> load();
    Result<void> loadRows();
    Result<bool> haveLevelsChanged();
    void forgetTimes();
    Result<std::shared_ptr<model::Snapshot>> build(const model::Selection &selection, const std::stop_token &stop);
    Result<bool> reloadIfReplaced();
    Result<void> loadAges();
    Result<void> addAfterWarmup(model::Snapshot &snapshot, const std::stop_token &stop);
    SessionState stateOf(SessionState stored) const;
    bool hasChanged();
};

Result<void> SessionReader::Private::open()
{
    Damage found;
    auto opened = openSessionFile(path, found, key);
    if (!opened)
        return opened.error();
    file = std::move(*opened);
    damage = std::move(found);
    dataVersion = -1;
    return {};
}

/// A session whose recorder is gone without having said so is unfinished.
SessionState SessionReader::Private::stateOf(SessionState stored) const
{
    return stored != SessionState::Complete && !WriterLock::isHeld(path) ? SessionState::Unfinished : stored;
}

/// Whether another connection wrote since the last call.
bool SessionReader::Private::hasChanged()
{
    const auto version = file->database.integer("PRAGMA data_version");
    return !version || std::exchange(dataVersion, *version) != *version;
}

Result<void> SessionReader::Private::loadRows()
{
    auto stored = readInfo(file->database);
    if (!stored) {
        if (file->canGrow)
            return stored.error();
        damage.note(kInfoIsDamaged);
        stored = StoredInfo{};
        stored->info.state = SessionState::Complete;
    }
    if (isLoaded && stored->uuid != session.stored.uuid) {
        session = {}; // another session stands at the path now
        isLoaded = false;
        return loadRows();
    }
    const auto format = file->database.integer("PRAGMA user_version");
    if (!format)
        return format.error();
    session.format = *format;
    const auto changed = haveLevelsChanged();
    if (!changed)
        return changed.error();
    if (*changed)
        forgetTimes();
    if (auto done = loadLevels(file->database, damage, session.format, session.levels); !done)
        return done;
    const std::int64_t known = isLoaded ? session.stored.revision : -1;
    LoadContext context{file->database, damage, known, std::max(file->bytes, sizeOf(path))};
    // What rows mean that are loaded now; the rest of what is stored holds when all of them are.
    session.stored.hasMeanRates = stored->hasMeanRates;
    session.stored.info.config.tick = stored->info.config.tick;
    if (auto done = loadTables(context, session); !done)
        return done;
    const auto firstNew = loadSeries(context, session);
    if (!firstNew)
        return firstNew.error();
    if (auto done = loadCosts(context, session, *firstNew); !done)
        return done;
    if (auto done = loadAlerts(context, session); !done)
        return done;
    if (auto done = loadLeakClaims(context, session); !done)
        return done;
    if (auto done = loadScans(context, session); !done)
        return done;
    if (auto done = loadSoak(context, session); !done)
        return done;
    if (auto done = loadAreas(context, session, *firstNew); !done)
        return done;
    session.stored = std::move(*stored);
    writtenState = session.stored.info.state;
    if (!session.ticks.isEmpty())
        session.stored.info.duration = session.ticks.at(session.ticks.size() - 1).span.end - model::Timestamp{};
    isLoaded = true;
    return {};
}

/// Rows that were written since the last poll are of stacks that are not loaded yet, and left for the next time.
Result<void> SessionReader::Private::loadAges()
{
    if (ages && session.ages.revision == session.stored.revision)
        return {};
    auto transaction = Transaction::begin(file->database, Transaction::Kind::Read);
    if (!transaction)
        return transaction.error();
    if (auto done = storage::loadAges(file->database, damage, session); !done)
        return done;
    ages = heapAges(session);
    return {};
}

/// Whether the recorder let finer levels expire since they were loaded.
Result<bool> SessionReader::Private::haveLevelsChanged()
{
    LevelRows levels;
    Damage known = damage;
    if (auto done = loadLevels(file->database, known, session.format, levels); !done)
        return done.error();
    return isLoaded && levels != session.levels;
}

/// Everything that refers to positions of ticks is loaded anew: they are not what they were.
void SessionReader::Private::forgetTimes()
{
    LoadedSession kept;
    kept.stored = std::move(session.stored);
    kept.format = session.format;
    kept.tables = std::move(session.tables);
    kept.stackDepths = std::move(session.stackDepths);
    kept.peaks = std::move(session.peaks);
    kept.alerts = std::move(session.alerts);
    kept.leakClaims = std::move(session.leakClaims);
    kept.ages = std::move(session.ages);
    kept.scans = std::move(session.scans);
    kept.lastScan = session.lastScan;
    kept.soak = std::move(session.soak);
    kept.phases = std::move(session.phases);
    session = std::move(kept);
}

/// Loads what is new in one transaction, which ends here.
Result<bool> SessionReader::Private::load()
{
    const std::int64_t before = isLoaded ? session.stored.revision : -1;
    const SessionState stateBefore = session.stored.info.state;
    if (hasChanged() || !isLoaded) {
        auto transaction = Transaction::begin(file->database, Transaction::Kind::Read);
        if (!transaction)
            return transaction.error();
        if (auto done = loadRows(); !done)
            return done.error();
    }
    session.stored.info.state = stateOf(writtenState);
    if (session.stored.info.state == SessionState::Unfinished && file->logIsMissing)
        damage.note(kLogIsMissing);
    if (session.stored.info.state == SessionState::Stopping)
        file.reset(); // the recorder folds its log in as soon as nobody else has the file open
    return session.stored.revision != before || session.stored.info.state != stateBefore;
}

/// A finished session takes the place of the one that was recorded: goes on with that file, and the same rows.
Result<bool> SessionReader::Private::reloadIfReplaced()
{
    const auto now = identityOf(path);
    if (file && (!now || *now == file->identity))
        return false;
    const SessionState before = session.stored.info.state;
    if (auto done = open(); !done)
        return done.error();
    auto changed = load();
    if (!changed)
        return changed;
    return *changed || session.stored.info.state != before;
}

/// In one transaction, in which the rows are still there that the session was loaded with; else it is loaded anew.
Result<std::shared_ptr<model::Snapshot>> SessionReader::Private::build(
    const model::Selection &selection, const std::stop_token &stop)
{
    auto transaction = Transaction::begin(file->database, Transaction::Kind::Read);
    if (!transaction)
        return transaction.error();
    const auto changed = haveLevelsChanged();
    if (!changed)
        return changed.error();
    if (*changed)
        if (auto done = loadRows(); !done)
            return done.error();
    return buildSnapshot(file->database, damage, session, selection, stop);
}

/// Made anew where the test went on.
Result<void> SessionReader::Private::addAfterWarmup(model::Snapshot &snapshot, const std::stop_token &stop)
{
    if (!snapshot.soak || !snapshot.soak->plan || snapshot.selection != model::Selection())
        return {};
    if (!afterWarmup || viewedSoak != snapshot.soak) {
        auto view = build({.time = model::soakGrowthSpan(snapshot)}, stop);
        if (!view)
            return view.error();
        afterWarmup = std::move(*view);
        viewedSoak = snapshot.soak;
    }
    snapshot.afterWarmup = afterWarmup;
    return {};
}

SessionReader::SessionReader(std::unique_ptr<Private> p)
    : d(std::move(p))
{
}
SessionReader::SessionReader(SessionReader &&) noexcept = default;
SessionReader &SessionReader::operator=(SessionReader &&) noexcept = default;
SessionReader::~SessionReader() = default;

Result<SessionReader> SessionReader::open(const std::string &path, SealKeyPointer key)
{
    auto d = std::make_unique<Private>();
    d->path = path;
    d->key = std::move(key);
    if (auto done = d->open(); !done)
        return done.error();
    SessionReader reader(std::move(d));
    if (auto loaded = reader.poll(); !loaded)
        return loaded.error();
    return reader;
}

Result<bool> SessionReader::poll()
{
    auto replaced = d->reloadIfReplaced();
    if (!replaced || *replaced || !d->file)
        return replaced;
    auto changed = d->load();
    if (!changed || d->session.stored.info.state != SessionState::Unfinished)
        return changed;
    // The recorder may have finished between reading its state and looking for it.
    replaced = d->reloadIfReplaced();
    if (!replaced)
        return replaced;
    return *changed || *replaced;
}

Result<std::shared_ptr<const model::Snapshot>> SessionReader::snapshot(
    const model::Selection &selection, std::stop_token stop, Parts parts)
{
    if (stop.stop_requested())
        return model::Error("Reading " + d->path + ": stopped on request");
    if (!d->file)
        if (auto done = d->open(); !done)
            return done.error();
    auto snapshot = d->build(selection, stop);
    if (!snapshot)
        return snapshot.error();
    if (parts == Parts::WithAges) {
        const std::string before = d->damage.text();
        if (auto done = d->loadAges(); !done)
            return done.error();
        if (const std::string after = d->damage.text(); after != before)
            (*snapshot)->damage = after;
        (*snapshot)->heapAges = d->ages;
    }
    (*snapshot)->info = d->session.stored.info;
    (*snapshot)->file = d->path;
    (*snapshot)->fileBytes = sizeOf(d->path);
    noteBudget(**snapshot);
    if (parts == Parts::WithAges)
        if (auto done = d->addAfterWarmup(**snapshot, stop); !done)
            return done.error();
    return std::shared_ptr<const model::Snapshot>(std::move(*snapshot));
}

const model::SessionInfo &SessionReader::info() const { return d->session.stored.info; }

const std::string &SessionReader::path() const { return d->path; }

} // namespace storage

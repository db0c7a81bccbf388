// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/session_controller.h"

#include "storage/session_reader.h"
#include "ui/file_path.h"

#include <sys/prctl.h>

#include <atomic>
#include <mutex>
#include <optional>

namespace app {

/// The reader of the open session. Jobs share it; the mutex lets one of them use it at a time.
struct SessionController::Session
{
    std::mutex mutex;
    std::string path;
    std::optional<storage::SecretText> passphrase; ///< until the key is made of it
    std::optional<storage::SessionReader> reader;  ///< empty until the first job opened it
    storage::SealKeyPointer key;
    bool hasShown = false;          ///< a snapshot was made
    std::atomic<bool> isOld = true; ///< what is shown lacks something that was read; any thread
};

/// What a job found.
struct SessionController::Reading
{
    enum class Passphrase { NotNeeded, Missing, Wrong };

    std::shared_ptr<Session> session;
    std::string failure; ///< a sentence; empty: none
    bool isOpened = false;
    Passphrase passphrase = Passphrase::NotNeeded;
    storage::SealKeyPointer key;                     ///< of a sealed session that was just opened
    std::shared_ptr<const model::Snapshot> snapshot; ///< null: nothing changed
};

namespace {

constexpr const char *kWrongPassphrase = "wrong passphrase";

/// The key of a sealed session, none of another one.
model::Result<storage::SealKeyPointer> keyOfSession(
    const std::string &path, const std::optional<storage::SecretText> &passphrase)
{
    if (!storage::isSealed(path))
        return storage::SealKeyPointer();
    if (!passphrase)
        return model::Error(kWrongPassphrase);
    return storage::SealKey::unlock(path, *passphrase);
}

/// The text where it is locked and wiped; from then on this process leaves no core dump. Copies on the way are overwritten.
storage::SecretText secretOf(const QString &text)
{
    ::prctl(PR_SET_DUMPABLE, 0);
    QByteArray bytes = text.toUtf8();
    storage::SecretText secret = storage::SecretText::of({bytes.constData(), static_cast<std::size_t>(bytes.size())});
    bytes.fill('\0');
    return secret;
}

} // namespace

SessionController::SessionController(QObject *parent)
    : QObject(parent)
{
    constexpr int kIntervalMs = 250;
    m_timer.setInterval(kIntervalMs);
    connect(&m_timer, &QTimer::timeout, this, [this] {
        if (!m_isHeld && !m_job.isRunning())
            read(Demand::WhenChanged);
    });
    connect(&m_job, &ui::BackgroundJob::started, this, [this] { Q_EMIT busyChanged(true); });
    connect(&m_job, &ui::BackgroundJob::finished, this, [this] { Q_EMIT busyChanged(false); });
}

SessionController::~SessionController() = default;

void SessionController::open(const QString &path, const QString &passphrase)
{
    close();
    m_path = path;
    m_session = std::make_shared<Session>();
    m_session->path = ui::pathBytes(path);
    if (!passphrase.isEmpty())
        m_session->passphrase = secretOf(passphrase);
    read(Demand::Always);
}

void SessionController::close()
{
    m_timer.stop();
    m_job.cancel();
    m_apartJob.cancel();
    m_session.reset();
    m_path.clear();
    m_key.reset();
    m_snapshot.reset();
    m_selection = {};
    m_isHeld = false;
    m_isFailing = false;
}

void SessionController::setSelection(const model::Selection &selection)
{
    if (selection == m_selection)
        return;
    m_selection = selection;
    // Back to what is shown, as after cancelling: there is nothing to read.
    if (m_snapshot && m_snapshot->selection == selection && !isGrowing())
        m_job.cancel();
    else if (m_session)
        read(Demand::Always);
}

void SessionController::readApart(const model::Selection &selection)
{
    using Made = std::shared_ptr<const model::Snapshot>;
    if (!m_session)
        return Q_EMIT apartReady(nullptr);
    m_apartJob.run(
        [session = m_session, selection](std::stop_token stop) -> std::optional<Made> {
            const std::lock_guard lock(session->mutex);
            if (stop.stop_requested())
                return std::nullopt;
            if (!session->reader)
                return Made();
            auto made = session->reader->snapshot(selection, stop, storage::SessionReader::Parts::Usual);
            if (stop.stop_requested())
                return std::nullopt;
            return made ? *made : Made();
        },
        [this](const Made &made) { Q_EMIT apartReady(made); });
}

void SessionController::setHeld(bool isHeld)
{
    m_isHeld = isHeld;
    if (isHeld && m_isReadingRest)
        m_job.cancel();
    if (!isHeld && m_session)
        read(Demand::Always);
}

void SessionController::cancel() { m_job.cancel(); }

bool SessionController::isGrowing() const
{
    return m_snapshot
        && (m_snapshot->info.state == model::SessionState::Recording
            || m_snapshot->info.state == model::SessionState::Paused
            || m_snapshot->info.state == model::SessionState::Stopping);
}

void SessionController::read(Demand demand)
{
    m_job.run(
        [session = m_session, selection = m_selection, demand](std::stop_token stop) -> std::optional<Reading> {
            const std::lock_guard lock(session->mutex);
            Reading reading{.session = session, .isOpened = session->reader.has_value()};
            reading.key = session->key; // a run before this one may have opened it, and been cancelled
            if (stop.stop_requested())
                return std::nullopt;
            if (!session->reader) {
                const auto key = keyOfSession(session->path, session->passphrase);
                if (!key && key.error().text().ends_with(kWrongPassphrase)) {
                    reading.passphrase
                        = session->passphrase ? Reading::Passphrase::Wrong : Reading::Passphrase::Missing;
                    return reading;
                }
                auto opened = key ? storage::SessionReader::open(session->path, *key)
                                  : model::Result<storage::SessionReader>(key.error());
                session->passphrase.reset();
                if (!opened) {
                    reading.failure = opened.error().text();
                    return reading;
                }
                session->reader.emplace(std::move(*opened));
                reading.key = session->key = *key;
                reading.isOpened = true;
            }
            const auto changed = session->reader->poll();
            if (!changed) {
                reading.failure = changed.error().text();
                return reading;
            }
            if (*changed)
                session->isOld = true; // until the result has arrived: this run may fail or be cancelled
            if (!session->isOld && demand == Demand::WhenChanged)
                return reading;
            // What only one page needs does not delay the first screen.
            using Parts = storage::SessionReader::Parts;
            const Parts parts = session->hasShown ? Parts::WithAges : Parts::Usual;
            auto made = session->reader->snapshot(selection, stop, parts);
            if (stop.stop_requested())
                return std::nullopt;
            if (made)
                reading.snapshot = *made, session->hasShown = true;
            else
                reading.failure = made.error().text();
            return reading;
        },
        [this](const Reading &reading) { take(reading); });
}

void SessionController::take(const Reading &reading)
{
    if (reading.session != m_session)
        return;
    m_isReadingRest = false;
    m_key = reading.key;
    if (reading.passphrase != Reading::Passphrase::NotNeeded) {
        const QString path = m_path;
        close();
        Q_EMIT passphraseWanted(path, reading.passphrase == Reading::Passphrase::Wrong);
        return;
    }
    if (!reading.failure.empty()) {
        const QString sentence = QString::fromStdString(reading.failure);
        if (!m_snapshot) {
            const QString path = m_path;
            close();
            Q_EMIT openFailed(path, sentence);
            return;
        }
        m_isFailing = true;
        Q_EMIT readFailed(sentence);
        return;
    }
    if (m_isFailing) {
        m_isFailing = false;
        Q_EMIT readFailed({});
    }
    if (!reading.snapshot)
        return;
    m_snapshot = reading.snapshot;
    m_session->isOld = false;
    if (isGrowing())
        m_timer.start();
    else
        m_timer.stop();
    Q_EMIT snapshotReady(m_snapshot);
    if (!m_isHeld && !m_snapshot->heapAges && m_snapshot->info.config.heap != model::HeapMode::Off) {
        m_isReadingRest = true;
        read(Demand::Always);
    }
}

} // namespace app

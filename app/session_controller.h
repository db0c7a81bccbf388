// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"
#include "storage/seal/seal_key.h"
#include "ui/background_job.h"

#include <QObject>
#include <QString>
#include <QTimer>

#include <memory>

namespace app {

/// Reads the open session, saved or still growing: four times a second while it is recorded, and whenever the selection changes. The
/// reader works in the job pool, one job at a time. Lives in the GUI thread.
class SessionController : public QObject
{
    Q_OBJECT

public:
    explicit SessionController(QObject *parent = nullptr);
    ~SessionController() override;

    /// Opens the session at `path` instead of the one that is open; snapshotReady() or openFailed() follows.
    /// A sealed one makes passphraseWanted() follow; then open it with the passphrase.
    void open(const QString &path, const QString &passphrase = {});
    void close();

    /// Makes snapshots for `selection` from now on; the one on its way is given up.
    void setSelection(const model::Selection &selection);

    /// Makes a snapshot of another selection beside the one that is shown: apartReady() follows, for the last one that was asked for.
    void readApart(const model::Selection &selection);

    /// While held, growth of the session is read but not shown.
    void setHeld(bool isHeld);

    /// Gives up the snapshot on its way; the last one stays.
    void cancel();

    bool isOpen() const { return m_session != nullptr; }
    bool isBusy() const { return m_job.isRunning(); }
    /// The last snapshot; null before the first.
    const std::shared_ptr<const model::Snapshot> &snapshot() const { return m_snapshot; }
    /// Of the session that was opened last; empty after close().
    const QString &path() const { return m_path; }
    /// Of the open session, once it was opened; null: it is not sealed.
    const storage::SealKeyPointer &key() const { return m_key; }

Q_SIGNALS:
    void snapshotReady(std::shared_ptr<const model::Snapshot> snapshot);
    /// What readApart() asked for; null: it could not be made.
    void apartReady(std::shared_ptr<const model::Snapshot> snapshot);
    void openFailed(const QString &path, const QString &sentence);
    /// The session at `path` is sealed, and none or a wrong passphrase was given; nothing is open now.
    void passphraseWanted(const QString &path, bool wasWrong);
    /// A session that was open could not be read further; what was read stays on screen. Empty: it can be read again.
    void readFailed(const QString &sentence);
    void busyChanged(bool isBusy);

private:
    struct Session;
    struct Reading;
    enum class Demand { WhenChanged, Always };

    void read(Demand demand);
    void take(const Reading &reading);
    bool isGrowing() const;

    std::shared_ptr<Session> m_session;
    QString m_path;
    storage::SealKeyPointer m_key;
    model::Selection m_selection;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    QTimer m_timer;
    bool m_isHeld = false;
    bool m_isFailing = false;
    bool m_isReadingRest = false; ///< the job on its way adds to a snapshot what its first reading left out
    ui::BackgroundJob m_apartJob;
    ui::BackgroundJob m_job; ///< last: destroyed first, and waits for its work
};

} // namespace app

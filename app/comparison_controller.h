// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/session_controller.h"
#include "ui/pages/compare_page.h"

#include <QObject>

namespace app {

/// Reads the session that the open one is compared with, and hands it to the page; one that is still recorded is followed. Lives in the GUI thread.
class ComparisonController : public QObject
{
    Q_OBJECT

public:
    using Role = ui::ComparePage::Role;

    /// `page` must outlive it.
    explicit ComparisonController(ui::ComparePage &page, QObject *parent = nullptr);

    /// Compares the open session with the one at `path`.
    void compareWith(const QString &path, Role role = Role::ByTime, const QString &passphrase = {});

    bool isBusy() const { return m_session.isBusy(); }

Q_SIGNALS:
    /// The session at `path` is sealed; then compareWith() with its passphrase, or giveUp().
    void passphraseWanted(const QString &path, bool wasWrong);
    /// It could not be read; the page says so.
    void failed(const QString &sentence);

public:
    void giveUp(const QString &sentence);
    Role role() const { return m_role; }

private:
    ui::ComparePage &m_page;
    Role m_role = Role::ByTime;
    SessionController m_session; ///< of the other session
};

} // namespace app

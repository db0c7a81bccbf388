// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/comparison_controller.h"

#include "ui/file_path.h"

namespace app {

ComparisonController::ComparisonController(ui::ComparePage &page, QObject *parent)
    : QObject(parent)
    , m_page(page)
{
    connect(&page, &ui::ComparePage::otherWanted, this, [this](const QString &path) { compareWith(path); });
    connect(&page, &ui::ComparePage::otherTimeWanted, &m_session, &SessionController::setSelection);
    connect(&page, &ui::ComparePage::otherDropped, &m_session, &SessionController::close);
    connect(&m_session, &SessionController::snapshotReady, this,
        [this](const std::shared_ptr<const model::Snapshot> &snapshot) {
            m_page.setOther(snapshot, m_role);
            Q_EMIT arrived(snapshot);
        });
    connect(&m_session, &SessionController::openFailed, this,
        [this](const QString &, const QString &sentence) { giveUp(sentence); });
    connect(
        &m_session, &SessionController::passphraseWanted, this,
        [this](const QString &path, bool wasWrong) { Q_EMIT passphraseWanted(path, wasWrong); }, Qt::QueuedConnection);
}

void ComparisonController::compareWith(const QString &path, Role role, const QString &passphrase)
{
    m_role = role;
    m_page.setOtherWaiting(path);
    m_session.open(ui::absolutePath(path), passphrase);
}

void ComparisonController::giveUp(const QString &sentence)
{
    m_page.setOtherFailed(sentence);
    Q_EMIT failed(sentence);
}

} // namespace app

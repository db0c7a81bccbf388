// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/recent_session.h"
#include "model/snapshot.h"

#include <QWidget>

#include <memory>
#include <vector>

class QLabel;
class QPushButton;
class QVBoxLayout;

namespace ui {

class Card;

/// Asks what the open session is to be compared with: a session of the list, a file, or a time of itself.
class CompareChooser : public QWidget
{
    Q_OBJECT

public:
    explicit CompareChooser(QWidget *parent = nullptr);

    /// The open session; those of the same program stand first in the list.
    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot);
    void setRecent(std::vector<model::RecentSession> sessions);
    /// Why the last choice did not work; empty: it did.
    void setProblem(const QString &sentence);

Q_SIGNALS:
    void sessionChosen(const QString &path);
    void fileWanted();
    void holdWanted(); ///< the selected time is to be held as one side

private:
    void showRecent();
    void showHold();

    std::shared_ptr<const model::Snapshot> m_snapshot;
    std::vector<model::RecentSession> m_sessions;
    QLabel *m_problem = nullptr;
    Card *m_recent = nullptr;
    QVBoxLayout *m_rows = nullptr;
    QLabel *m_holdSentence = nullptr;
    QPushButton *m_hold = nullptr;
    QString m_listed; ///< file and program that the list was made for
};

} // namespace ui

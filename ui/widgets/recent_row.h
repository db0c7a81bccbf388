// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/recent_session.h"

#include <QPushButton>

namespace ui {

/// A session of the list of recent ones: name, when, how long, tags and note. Enter clicks it as Space does. One whose file is gone cannot be clicked.
class RecentRow : public QPushButton
{
    Q_OBJECT

public:
    /// `action`: what a click does, with %1 for the path: "Open %1".
    RecentRow(const model::RecentSession &session, const QString &action, QWidget *parent = nullptr);

    const QString &path() const { return m_path; }

protected:
    void keyPressEvent(QKeyEvent *event) override;

private:
    QString m_path;
};

/// "today 12:07", "2026-11-23 12:07".
QString whenText(std::int64_t wallNs);

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <QFrame>
#include <QTimer>

#include <memory>

class QLabel;

namespace ui {

class ElidedLabel;
class StateDot;

/// The last line of the window: what was lost, whether names were taken out, how whole the stacks are, what recording costs, and the file.
class StatusLine : public QFrame
{
    Q_OBJECT

public:
    explicit StatusLine(QWidget *parent = nullptr);

    /// Whether the session is encrypted with a passphrase; said with the next snapshot.
    void setSealed(bool isSealed) { m_isSealed = isSealed; }
    void setSnapshot(const std::shared_ptr<const model::Snapshot> &snapshot);
    /// Says in place of the file's name, for some seconds, what has just been done. `details`: its tool tip.
    void say(const QString &what, const QString &details);

private:
    void showFile();

    StateDot *m_dot;
    QLabel *m_losses;
    QLabel *m_redacted;
    QLabel *m_stacks;
    QLabel *m_recorder;
    ElidedLabel *m_file;
    QString m_fileText, m_fileDetails;
    QTimer m_saying; ///< runs while something else stands in its place
    bool m_isSealed = false;
};

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/session_info.h"
#include "ui/background_job.h"

#include <QObject>
#include <QString>

namespace app {

/// Sends the window's commands to the recorder of a session, in the job pool. Lives in the GUI thread.
class RecordingRemote : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;

    /// Ends the recording; the session says so when it has ended.
    void stop(const model::SessionInfo &info);
    void mark(const model::SessionInfo &info, const QString &text, model::Duration ago);
    /// Has the program scanned for lost memory; scanEnded() follows, and the session holds what was found.
    void scan(const model::SessionInfo &info);

    /// Ends the recording and waits until the session is whole, at most some seconds: for the end of the program.
    void stopAndWait(const model::SessionInfo &info);

Q_SIGNALS:
    void failed(const QString &sentence);
    void scanEnded();

private:
    ui::BackgroundJob m_stopJob;
    ui::BackgroundJob m_markJob;
    ui::BackgroundJob m_scanJob;
};

} // namespace app

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/launch_request.h"

#include <QObject>
#include <QTemporaryDir>
#include <QTimer>

#include <memory>

class QSocketNotifier;

namespace app {

/// Starts the recorder, `genprof` beside this program, in a session of its own: it goes on when the window ends. Tells when its file
/// can be opened, and what it said when it failed. Lives in the GUI thread.
class CaptureController : public QObject
{
    Q_OBJECT

public:
    /// `recorder`: path of genprof.
    explicit CaptureController(const QString &recorder, QObject *parent = nullptr);
    ~CaptureController() override;

    /// Starts to record into `output`, whose folder is made. sessionStarted() or failed() follows.
    void start(const ui::LaunchRequest &request, const QString &output);

    /// Whether a recorder that this object started still runs.
    bool isRecording() const { return m_recorderPid != 0; }
    const QString &output() const { return m_output; }

Q_SIGNALS:
    /// The session at `path` can be opened; it is being recorded.
    void sessionStarted(const QString &path);
    /// Nothing was recorded; why.
    void failed(const QString &sentence);
    /// The recorder has ended. `message`: what it said on its way, if that was not only its progress.
    void ended(const QString &message);

private:
    bool launch(const ui::LaunchRequest &request);
    void watch();
    void look();
    void onExit();
    QString said() const;

    QString m_recorder;
    QString m_output;
    qint64 m_recorderPid = 0;
    int m_pidDescriptor = -1;
    bool m_hasStarted = false;
    std::unique_ptr<QSocketNotifier> m_exit;
    std::unique_ptr<QTemporaryDir> m_folder; ///< for what the recorder says
    QTimer m_timer;                          ///< looks for the file
};

} // namespace app

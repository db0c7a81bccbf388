// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/capture_controller.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QProcessEnvironment>
#include <QSocketNotifier>

#include <sys/syscall.h>
#include <unistd.h>

namespace app {

using namespace Qt::StringLiterals;

CaptureController::CaptureController(const QString &recorder, QObject *parent)
    : QObject(parent)
    , m_recorder(recorder)
{
    constexpr int kIntervalMs = 100;
    m_timer.setInterval(kIntervalMs);
    connect(&m_timer, &QTimer::timeout, this, &CaptureController::look);
}

CaptureController::~CaptureController()
{
    m_exit.reset();
    if (m_pidDescriptor >= 0)
        ::close(m_pidDescriptor);
    // The recorder goes on and still writes there: its messages have to outlive this object.
    if (m_folder && isRecording())
        m_folder->setAutoRemove(false);
}

void CaptureController::start(const ui::LaunchRequest &request, const QString &output)
{
    if (isRecording()) {
        Q_EMIT failed(tr("Another recording runs. Stop it first, or record from a terminal."));
        return;
    }
    m_output = output;
    m_hasStarted = false;
    m_folder = std::make_unique<QTemporaryDir>();
    if (QFileInfo::exists(output)) {
        Q_EMIT failed(tr("%1 exists already. Choose another name.").arg(output));
        return;
    }
    if (!QDir().mkpath(QFileInfo(output).absolutePath())) {
        Q_EMIT failed(
            tr("Cannot make the folder %1. Choose another place to save.").arg(QFileInfo(output).absolutePath()));
        return;
    }
    if (!QFileInfo(m_recorder).isExecutable()) {
        Q_EMIT failed(tr("The recorder %1 is missing. Install Genesis Profiler again.").arg(m_recorder));
        return;
    }
    if (launch(request))
        watch();
    else
        Q_EMIT failed(tr("The recorder %1 could not be started. Is the working folder readable?").arg(m_recorder));
}

bool CaptureController::launch(const ui::LaunchRequest &request)
{
    QProcess recorder;
    recorder.setProgram(m_recorder);
    recorder.setArguments(ui::recorderArguments(request, m_output));
    recorder.setStandardInputFile(QProcess::nullDevice());
    recorder.setStandardErrorFile(m_folder->filePath(u"messages"_s));
    if (!request.attachPid) {
        if (!request.directory.isEmpty())
            recorder.setWorkingDirectory(request.directory);
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        for (const QString &entry : ui::environmentEntries(request.environment))
            environment.insert(entry.section(u'=', 0, 0), entry.section(u'=', 1));
        recorder.setProcessEnvironment(environment);
    }
    return recorder.startDetached(&m_recorderPid);
}

void CaptureController::watch()
{
    // A pidfd tells the end of a process that is not our child, and cannot be mistaken for another one with its number.
    m_pidDescriptor = static_cast<int>(::syscall(SYS_pidfd_open, m_recorderPid, 0));
    if (m_pidDescriptor < 0) {
        onExit(); // it has ended already
        return;
    }
    m_exit = std::make_unique<QSocketNotifier>(m_pidDescriptor, QSocketNotifier::Read);
    connect(m_exit.get(), &QSocketNotifier::activated, this, &CaptureController::onExit, Qt::QueuedConnection);
    m_timer.start();
}

void CaptureController::look()
{
    if (m_hasStarted || !QFileInfo::exists(m_output))
        return;
    m_hasStarted = true;
    m_timer.stop();
    Q_EMIT sessionStarted(m_output);
}

QString CaptureController::said() const
{
    QFile file(m_folder->filePath(u"messages"_s));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    constexpr qint64 kMostBytes = 4096;
    if (file.size() > kMostBytes)
        file.seek(file.size() - kMostBytes);
    QString words = QString::fromUtf8(file.readAll()).trimmed();
    return words.remove(u"genprof: "_s);
}

void CaptureController::onExit()
{
    if (m_exit)
        m_exit->setEnabled(false);
    m_timer.stop();
    if (m_pidDescriptor >= 0)
        ::close(m_pidDescriptor);
    m_pidDescriptor = -1;
    m_recorderPid = 0;
    look(); // a program that ended at once has left its session behind
    const QString message = said();
    // A recorder that could not run the command takes its session away again.
    if (!m_hasStarted || !QFileInfo::exists(m_output))
        Q_EMIT failed(message.isEmpty() ? tr("The recorder ended without a word and without a session.") : message);
    else
        Q_EMIT ended(message);
}

} // namespace app

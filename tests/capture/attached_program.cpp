// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/capture/attached_program.h"

#include <QFile>
#include <QtGlobal>

namespace {

constexpr int kLimitMs = 30'000;

} // namespace

QString AttachedProgram::target(const char *name)
{
    return qEnvironmentVariable("GENESIS_BUILD_DIR") + QStringLiteral("/tests/targets/") + QString::fromLatin1(name);
}

AttachedProgram::AttachedProgram(const QString &program, const QStringList &arguments, const QStringList &environment)
{
    m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    if (!environment.isEmpty())
        m_process.setEnvironment(QProcess::systemEnvironment() + environment);
    m_process.start(program, arguments);
    if (!m_process.waitForStarted(kLimitMs) || readLine().isEmpty())
        qWarning("%s did not start", qPrintable(program));
}

AttachedProgram::~AttachedProgram()
{
    if (!isRunning())
        return;
    m_process.closeWriteChannel();
    if (!m_process.waitForFinished(5000)) {
        m_process.kill();
        m_process.waitForFinished(kLimitMs);
    }
}

QByteArray AttachedProgram::ask(const QByteArray &line)
{
    m_process.write(line + '\n');
    m_process.waitForBytesWritten(kLimitMs);
    return readLine();
}

QByteArray AttachedProgram::readLine()
{
    while (!m_process.canReadLine())
        if (!m_process.waitForReadyRead(kLimitMs))
            return {};
    return m_process.readLine().trimmed();
}

int AttachedProgram::waitForEnd()
{
    m_process.closeWriteChannel();
    if (!m_process.waitForFinished(kLimitMs) || m_process.exitStatus() != QProcess::NormalExit)
        return -1;
    return m_process.exitCode();
}

QByteArray mappedFiles(qint32 pid)
{
    QFile file(QStringLiteral("/proc/%1/maps").arg(pid));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    QByteArray kept;
    for (const QByteArray &line : file.readAll().split('\n'))
        if (line.contains('/') && !line.contains("genesis_heaptracer"))
            kept += line + '\n';
    return kept;
}

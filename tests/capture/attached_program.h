// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QProcess>
#include <QString>
#include <QStringList>

/// A program that runs while a test attaches to it. Starts it and waits for its first line; ends it with its scope.
class AttachedProgram
{
public:
    explicit AttachedProgram(
        const QString &program, const QStringList &arguments = {}, const QStringList &environment = {});
    ~AttachedProgram();

    /// A program of tests/targets.
    static QString target(const char *name);

    bool isRunning() const { return m_process.state() == QProcess::Running; }
    qint32 pid() const { return static_cast<qint32>(m_process.processId()); }
    /// Writes a line, and returns the line that the program answers with; empty if none comes within 30 s.
    QByteArray ask(const QByteArray &line);
    QByteArray readLine();
    /// Its exit status; −1 if it was ended by a signal or does not end within 30 s.
    int waitForEnd();

private:
    QProcess m_process;
};

/// /proc/PID/maps with only what a program's own doing does not change: files and their protections.
QByteArray mappedFiles(qint32 pid);

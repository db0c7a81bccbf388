// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QProcess>
#include <QString>
#include <QStringList>
#include <QTemporaryDir>

#include <memory>

namespace tests {

/// How a program ended and what it printed.
struct Ran
{
    int exitCode = -1; ///< −1: ended by a signal, or not in time
    QByteArray out;
    QByteArray err;
};

/// Runs genprof of this build in a folder of its own. All waits end after 60 s.
class GenprofRunner
{
public:
    GenprofRunner();

    static QString program();
    /// A program of tests/targets.
    static QString target(const QString &name);
    /// Debian's redis-tools hold the server too: it takes its part from the name by which it is called. Empty if there is none.
    QString redisServer() const;

    QString path(const QString &name) const { return m_directory.filePath(name); }
    QString session() const { return path(QStringLiteral("test.gprof-session")); }

    /// Runs any program to its end, with `input` as its stdin.
    Ran run(const QString &program, const QStringList &arguments, const QByteArray &input = {}) const;
    Ran genprof(const QStringList &arguments, const QByteArray &input = {}) const;

    /// `genprof record -o session() OPTIONS -- COMMAND`.
    Ran record(const QStringList &options, const QStringList &command, const QByteArray &input = {}) const;

    /// The same without waiting: returns once it can be controlled.
    std::unique_ptr<QProcess> startRecording(const QStringList &options, const QStringList &command) const;
    /// Starts genprof without waiting for anything.
    std::unique_ptr<QProcess> start(const QStringList &arguments) const;

    /// `genprof ctl session() …`.
    Ran control(const QStringList &command) const;
    /// Answer to `status`; empty if there is none.
    QJsonObject status() const;
    /// Waits until `status` says something; its answer.
    QJsonObject waitForStatus() const;

    /// What `genprof doctor` says is denied, for this machine or for the process `pid`; empty where `id` works, if with less. For tests that skip:
    /// what fails although the machine allows it is a failure.
    QString deniedBecause(const QString &id, qint64 pid = 0) const;

    /// A report as JSON; empty, with a warning, when it is none.
    QJsonObject report(const QString &what, const QStringList &options = {}) const;

private:
    QTemporaryDir m_directory;
};

/// Reads what a program prints on its read channel until there is a whole line that contains `word`; all that was read.
QByteArray readUntil(QProcess &process, const QByteArray &word);

/// Waits for its end; its exit code, −1 if it was killed or is late.
int waitForExit(QProcess &process);

/// Whether a process is there and no zombie.
bool isRunning(qint64 pid);

/// The processes of a summary whose image ran `executable` (the file's name).
int countImages(const QJsonObject &summary, const QString &executable);

/// The number of allocations that stacks with this leaf module made, and what else they add up to.
struct HeapCounts
{
    qint64 allocations = 0;
    qint64 allocatedBytes = 0;
    qint64 frees = 0;
    qint64 liveBytes = 0;
    qint64 liveBlocks = 0;
};
HeapCounts countsOfModule(const QJsonObject &heap, const QString &module);

/// The figure after `key` in "… key N …"; −1 if there is none.
qint64 figure(const QByteArray &text, const QByteArray &key);

} // namespace tests

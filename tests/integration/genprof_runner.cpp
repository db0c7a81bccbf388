// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QProcessEnvironment>
#include <QStandardPaths>
#include <QTest>

namespace tests {

namespace {

constexpr int kDeadlineMs = 60'000;

QString buildDirectory() { return qEnvironmentVariable("GENESIS_BUILD_DIR"); }

} // namespace

GenprofRunner::GenprofRunner()
{
    // Sessions of tests are not to appear among the user's own.
    qputenv("XDG_STATE_HOME", m_directory.path().toUtf8());
}

QString GenprofRunner::program() { return buildDirectory() + QStringLiteral("/bin/genprof"); }

QString GenprofRunner::target(const QString &name)
{
    return buildDirectory() + QStringLiteral("/tests/targets/") + name;
}

std::unique_ptr<QProcess> GenprofRunner::start(const QStringList &arguments) const
{
    auto process = std::make_unique<QProcess>();
    process->setWorkingDirectory(m_directory.path());
    process->start(program(), arguments);
    process->waitForStarted();
    return process;
}

QString GenprofRunner::redisServer() const
{
    QString server = QStandardPaths::findExecutable(QStringLiteral("redis-server"));
    const QString tool = QStandardPaths::findExecutable(QStringLiteral("redis-check-rdb"));
    if (!server.isEmpty() || tool.isEmpty())
        return server;
    server = path(QStringLiteral("redis-server"));
    return QFile::exists(server) || QFile::link(tool, server) ? server : QString();
}

Ran GenprofRunner::run(const QString &program, const QStringList &arguments, const QByteArray &input) const
{
    QProcess process;
    process.setWorkingDirectory(m_directory.path());
    process.start(program, arguments);
    process.write(input);
    process.closeWriteChannel();
    Ran ran;
    ran.exitCode = waitForExit(process);
    ran.out = process.readAllStandardOutput();
    ran.err = process.readAllStandardError();
    return ran;
}

Ran GenprofRunner::genprof(const QStringList &arguments, const QByteArray &input) const
{
    return run(program(), arguments, input);
}

Ran GenprofRunner::record(const QStringList &options, const QStringList &command, const QByteArray &input) const
{
    const Ran ran = genprof(QStringList{QStringLiteral("record"), QStringLiteral("-o"), session()} + options
            + QStringList{QStringLiteral("--")} + command,
        input);
    if (!ran.err.isEmpty())
        qInfo("%s", ran.err.trimmed().constData());
    return ran;
}

std::unique_ptr<QProcess> GenprofRunner::startRecording(const QStringList &options, const QStringList &command) const
{
    auto process = start(QStringList{QStringLiteral("record"), QStringLiteral("-o"), session()} + options
        + QStringList{QStringLiteral("--")} + command);
    if (waitForStatus().isEmpty())
        qWarning("the recorder does not answer: %s", process->readAllStandardError().constData());
    return process;
}

Ran GenprofRunner::control(const QStringList &command) const
{
    return genprof(QStringList{QStringLiteral("ctl"), session()} + command);
}

QJsonObject GenprofRunner::status() const
{
    const Ran ran = control({QStringLiteral("status"), QStringLiteral("--json")});
    if (ran.exitCode != 0)
        return {};
    return QJsonDocument::fromJson(ran.out).object().value(QStringLiteral("status")).toObject();
}

QJsonObject GenprofRunner::waitForStatus() const
{
    QElapsedTimer timer;
    timer.start();
    while (timer.elapsed() < kDeadlineMs) {
        const QJsonObject answer = status();
        if (!answer.isEmpty())
            return answer;
    }
    return {};
}

QString GenprofRunner::deniedBecause(const QString &id, qint64 pid) const
{
    QStringList arguments{QStringLiteral("doctor"), QStringLiteral("--json")};
    if (pid > 0)
        arguments << QString::number(pid);
    const Ran ran = genprof(arguments);
    for (const QJsonValue item : QJsonDocument::fromJson(ran.out)[QStringLiteral("capabilities")].toArray())
        if (item[QStringLiteral("id")].toString() == id)
            return item[QStringLiteral("level")].toString() == QStringLiteral("denied")
                ? item[QStringLiteral("sentence")].toString()
                : QString();
    qWarning("genprof doctor does not know %s: %s", qPrintable(id), (ran.out + ran.err).constData());
    return {};
}

/// The stacks with their frames written out, leaf first.
static QJsonObject withFrames(QJsonObject report)
{
    const QJsonArray frames = report.value(QStringLiteral("frames")).toArray();
    const QJsonArray nodes = report.value(QStringLiteral("nodes")).toArray();
    QJsonArray stacks = report.value(QStringLiteral("stacks")).toArray();
    for (qsizetype i = 0; i < stacks.size() && !nodes.isEmpty(); ++i) {
        QJsonObject stack = stacks[i].toObject();
        QJsonArray ofStack;
        for (int node = stack.value(QStringLiteral("node")).toInt(-1); node >= 0; node = nodes[node][0].toInt(-1))
            ofStack << frames[nodes[node][1].toInt()];
        stack.insert(QStringLiteral("frames"), ofStack);
        stacks[i] = stack;
    }
    if (!stacks.isEmpty())
        report.insert(QStringLiteral("stacks"), stacks);
    return report;
}

QJsonObject GenprofRunner::report(const QString &what, const QStringList &options) const
{
    const Ran ran = genprof(QStringList{QStringLiteral("report"), session(), QStringLiteral("--what"), what,
                                QStringLiteral("--format"), QStringLiteral("json")}
        + options);
    QJsonParseError error{};
    const QJsonDocument document = QJsonDocument::fromJson(ran.out, &error);
    if (ran.exitCode != 0 || !document.isObject()) {
        qWarning("no report: %s %s", qPrintable(error.errorString()), ran.err.constData());
        return {};
    }
    return withFrames(document.object());
}

QByteArray readUntil(QProcess &process, const QByteArray &word)
{
    QByteArray all;
    QElapsedTimer timer;
    timer.start();
    while (timer.elapsed() < kDeadlineMs) {
        all += process.readAll();
        const qsizetype place = all.indexOf(word);
        if (place >= 0 && all.indexOf('\n', place) >= 0)
            break;
        if (!process.waitForReadyRead(1000) && process.state() == QProcess::NotRunning)
            break;
    }
    return all;
}

bool isRunning(qint64 pid)
{
    QFile stat(QStringLiteral("/proc/%1/stat").arg(pid));
    return stat.open(QIODevice::ReadOnly) && !stat.readAll().contains(") Z");
}

int waitForExit(QProcess &process)
{
    if (process.state() != QProcess::NotRunning && !process.waitForFinished(kDeadlineMs)) {
        qWarning("%s did not end in time", qPrintable(process.program()));
        process.kill();
        process.waitForFinished();
        return -1;
    }
    return process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
}

int countImages(const QJsonObject &summary, const QString &executable)
{
    int count = 0;
    for (const QJsonValue process : summary.value(QStringLiteral("processes")).toArray())
        for (const QJsonValue image : process[QStringLiteral("images")].toArray())
            count += QFileInfo(image[QStringLiteral("executable")].toString()).fileName() == executable ? 1 : 0;
    return count;
}

HeapCounts countsOfModule(const QJsonObject &heap, const QString &module)
{
    HeapCounts counts;
    for (const QJsonValue stack : heap.value(QStringLiteral("stacks")).toArray()) {
        const QString leaf = stack[QStringLiteral("frames")].toArray().first()[QStringLiteral("module")].toString();
        if (QFileInfo(leaf).fileName() != module)
            continue;
        counts.allocations += stack[QStringLiteral("allocations")].toInteger();
        counts.allocatedBytes += stack[QStringLiteral("allocated_bytes")].toInteger();
        counts.frees += stack[QStringLiteral("frees")].toInteger();
        counts.liveBytes += stack[QStringLiteral("live_bytes")].toInteger();
        counts.liveBlocks += stack[QStringLiteral("live_blocks")].toInteger();
    }
    return counts;
}

qint64 figure(const QByteArray &text, const QByteArray &key)
{
    const QList<QByteArray> words = text.simplified().split(' ');
    const qsizetype place = words.indexOf(key);
    return place >= 0 && place + 1 < words.size() ? words.at(place + 1).toLongLong() : -1;
}

} // namespace tests

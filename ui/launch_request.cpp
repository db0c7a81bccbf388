// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/launch_request.h"

#include <QFileInfo>
#include <QObject>
#include <QProcess>
#include <QRegularExpression>

namespace ui {

using namespace Qt::StringLiterals;

QStringList recorderArguments(const LaunchRequest &request, const QString &output)
{
    const bool isAttach = request.attachPid.has_value();
    QStringList all{isAttach ? u"attach"_s : u"record"_s};
    all << u"-o"_s << output;
    all << u"--heap"_s << request.heap;
    all << u"--cpu"_s << (request.cpuHz > 0 ? QString::number(request.cpuHz) : u"off"_s);
    if (request.systemCalls)
        all << u"--syscalls"_s;
    if (request.waits)
        all << u"--waits"_s;
    if (!request.followsChildren)
        all << u"--children"_s << u"ignore"_s;
    if (request.tickMs != 1000)
        all << u"--tick"_s << QString::number(request.tickMs);
    if (!request.duration.trimmed().isEmpty())
        all << u"--duration"_s << request.duration.trimmed();
    if (isAttach)
        return all << QString::number(*request.attachPid);
    return all << u"--"_s << request.program.trimmed() << QProcess::splitCommand(request.arguments);
}

QStringList environmentEntries(const QString &text)
{
    QStringList entries;
    for (const QString &entry : QProcess::splitCommand(QString(text).replace(u'\n', u' ')))
        entries << entry;
    return entries;
}

QString requestProblem(const LaunchRequest &request)
{
    if (!request.attachPid && request.program.trimmed().isEmpty())
        return QObject::tr("Name the program to record.");
    if (request.heap == u"off"_s && request.cpuHz == 0 && request.tickMs == 0)
        return QObject::tr("Choose something to capture.");
    static const QRegularExpression kVariable(u"^[A-Za-z_][A-Za-z0-9_]*=.*$"_s);
    for (const QString &entry : environmentEntries(request.environment))
        if (!kVariable.match(entry).hasMatch())
            return QObject::tr("“%1” is no variable: write NAME=VALUE.").arg(entry);
    if (!request.attachPid && !request.directory.isEmpty() && !QFileInfo(request.directory).isDir())
        return QObject::tr("There is no folder “%1”.").arg(request.directory);
    return {};
}

QString shellQuoted(const QStringList &arguments)
{
    static const QRegularExpression kPlain(u"^[A-Za-z0-9_@%+=:,./-]+$"_s);
    QStringList quoted;
    for (const QString &argument : arguments)
        quoted << (kPlain.match(argument).hasMatch() ? argument
                                                     : u"'"_s + QString(argument).replace(u"'"_s, u"'\\''"_s) + u"'"_s);
    return quoted.join(u' ');
}

QString shellCommand(const LaunchRequest &request, const QString &output)
{
    QString command;
    if (!request.attachPid && !request.directory.isEmpty())
        command += u"cd "_s + shellQuoted({request.directory}) + u" && "_s;
    if (!request.attachPid)
        for (const QString &entry : environmentEntries(request.environment)) {
            const qsizetype split = entry.indexOf(u'=') + 1;
            command += entry.left(split) + shellQuoted({entry.mid(split)}) + u' ';
        }
    return command + shellQuoted(QStringList{u"genprof"_s} + recorderArguments(request, output));
}

QString sessionFileName(const LaunchRequest &request, const QString &when)
{
    QString name
        = request.attachPid ? u"pid-%1"_s.arg(*request.attachPid) : QFileInfo(request.program.trimmed()).fileName();
    if (name.isEmpty())
        name = u"session"_s;
    return u"%1-%2.gprof-session"_s.arg(name, when);
}

} // namespace ui

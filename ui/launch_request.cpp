// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/launch_request.h"

#include <QFileInfo>
#include <QObject>
#include <QRegularExpression>

#include <optional>
#include <utility>

namespace ui {

using namespace Qt::StringLiterals;

namespace {

/// Words as a shell separates and quotes them; nothing is expanded. Nothing where a quote is not closed.
std::optional<QStringList> shellWords(const QString &text)
{
    QStringList words;
    QString word;
    bool isWord = false; // an empty one in quotes is one, too
    QChar quote;
    for (qsizetype i = 0; i < text.size(); ++i) {
        const QChar c = text[i];
        const QChar next = i + 1 < text.size() ? text[i + 1] : QChar();
        const bool isEscape = c == u'\\' && (quote.isNull() || (quote == u'"' && u"\"\\$`"_s.contains(next)));
        if (c == quote) {
            quote = {};
        } else if (quote.isNull() && (c == u'\'' || c == u'"')) {
            quote = c;
            isWord = true;
        } else if (isEscape && !next.isNull()) {
            word += next;
            isWord = true;
            ++i;
        } else if (quote.isNull() && c.isSpace()) {
            if (isWord)
                words << std::exchange(word, {});
            isWord = false;
        } else {
            word += c;
            isWord = true;
        }
    }
    if (!quote.isNull())
        return std::nullopt;
    if (isWord)
        words << word;
    return words;
}

} // namespace

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
    return all << u"--"_s << request.program.trimmed() << shellWords(request.arguments).value_or(QStringList());
}

QStringList environmentEntries(const QString &text) { return shellWords(text).value_or(QStringList()); }

QString requestProblem(const LaunchRequest &request)
{
    if (!request.attachPid && request.program.trimmed().isEmpty())
        return QObject::tr("Name the program to record.");
    if (request.heap == u"off"_s && request.cpuHz == 0 && request.tickMs == 0)
        return QObject::tr("Choose something to capture.");
    for (const auto &[what, words] : {std::pair{QObject::tr("the arguments"), request.arguments},
             {QObject::tr("the environment"), request.environment}})
        if (!request.attachPid && !shellWords(words)) // an attached process has been given its own
            return QObject::tr("A quote in %1 is not closed.").arg(what);
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

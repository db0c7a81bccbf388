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
    else if (request.untilAllEnd)
        all << u"--until-all-end"_s;
    if (request.tickMs != 1000)
        all << u"--tick"_s << QString::number(request.tickMs);
    if (!request.duration.trimmed().isEmpty())
        all << u"--duration"_s << request.duration.trimmed();
    if (isAttach)
        return all << QString::number(*request.attachPid);
    return all << u"--"_s << request.program.trimmed() << shellWords(request.arguments).value_or(QStringList());
}

QStringList environmentEntries(const QString &text) { return shellWords(text).value_or(QStringList()); }

namespace {

/// As the recorder reads it: "90s", "1h30m", "90".
bool isLengthOfTime(const QString &words)
{
    static const QRegularExpression kLength(
        u"^(?:[0-9]+(?:\\.[0-9]+)?(?:ns|us|ms|sec|s|min|m|h|d))+$|^[0-9]+(?:\\.[0-9]+)?$"_s);
    static const QRegularExpression kMore(u"[1-9]"_s);
    return kLength.match(words).hasMatch() && kMore.match(words).hasMatch();
}

std::pair<RequestField, QString> problemOf(const LaunchRequest &request)
{
    const bool isLaunch = !request.attachPid; // an attached process has been given all of its own
    if (isLaunch && request.program.trimmed().isEmpty())
        return {RequestField::Program, QObject::tr("Name the program to record.")};
    if (request.heap == u"off"_s && request.cpuHz == 0 && request.tickMs == 0)
        return {RequestField::Capture, QObject::tr("Choose something to capture.")};
    const QString open = QObject::tr("A quote in %1 is not closed.");
    if (isLaunch && !shellWords(request.arguments))
        return {RequestField::Arguments, open.arg(QObject::tr("the arguments"))};
    if (isLaunch && !shellWords(request.environment))
        return {RequestField::Environment, open.arg(QObject::tr("the environment"))};
    static const QRegularExpression kVariable(u"^[A-Za-z_][A-Za-z0-9_]*=.*$"_s);
    for (const QString &entry : environmentEntries(request.environment))
        if (isLaunch && !kVariable.match(entry).hasMatch())
            return {RequestField::Environment, QObject::tr("“%1” is no variable: write NAME=VALUE.").arg(entry)};
    if (isLaunch && !request.directory.isEmpty() && !QFileInfo(request.directory).isDir())
        return {RequestField::Directory, QObject::tr("There is no folder “%1”.").arg(request.directory)};
    if (const QString words = request.duration.trimmed(); !words.isEmpty() && !isLengthOfTime(words))
        return {RequestField::Duration,
            QObject::tr("Stop after: “%1” is no length of time. Write it like 90s, 10m, 1h30m or 48h.").arg(words)};
    return {};
}

} // namespace

QString requestProblem(const LaunchRequest &request) { return problemOf(request).second; }

RequestField fieldAtFault(const LaunchRequest &request) { return problemOf(request).first; }

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
    // Processes may call themselves what they like: "nginx: worker process", "kworker/0:1".
    static const QRegularExpression kOdd(u"[^A-Za-z0-9_.+-]+"_s);
    static const QRegularExpression kOddEnds(u"^[-._]+|_+$"_s);
    QString name = request.attachPid ? QString(request.attachName).replace(kOdd, u"_"_s).remove(kOddEnds)
                                     : QFileInfo(request.program.trimmed()).fileName();
    if (name.isEmpty() && request.attachPid)
        name = u"pid-%1"_s.arg(*request.attachPid);
    if (name.isEmpty())
        name = u"session"_s;
    return u"%1-%2.gprof-session"_s.arg(name, when);
}

} // namespace ui

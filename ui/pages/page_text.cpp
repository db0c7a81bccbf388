// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/page_text.h"

#include "model/aggregate/activity_totals.h"
#include "model/base/format_units.h"
#include "ui/shown_time.h"
#include "ui/text.h"

#include <QObject>
#include <QStringList>

#include <algorithm>
#include <array>

namespace ui {

namespace {

/// Of what ends programs, numbered as on the host of the recording, which is Linux on x86-64; null for others.
const char *signalName(int signal)
{
    static constexpr std::array<const char *, 16> kNames{nullptr, "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP",
        "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM"};
    if (signal > 0 && static_cast<std::size_t>(signal) < kNames.size())
        return kNames[static_cast<std::size_t>(signal)];
    return signal == 24 ? "SIGXCPU" : signal == 25 ? "SIGXFSZ" : signal == 31 ? "SIGSYS" : nullptr;
}

} // namespace

QString timeText(const model::Snapshot &snapshot, model::TimeRange selected)
{
    const model::SessionInfo &info = snapshot.info;
    const auto clock = [&info](model::Timestamp when) {
        return text(model::formatMoment(when, info.duration, info.startWallNs, info.utcOffset));
    };
    const model::TimeRange shown = shownTime(snapshot, selected);
    return clock(shown.begin) + QStringLiteral(" – ") + clock(shown.end);
}

QString threadText(const model::ProgramTables &tables, model::ThreadId thread)
{
    const model::Thread &wanted = tables.threads.at(thread.index());
    const QString name = text(tables.text(wanted.name));
    if (name.isEmpty())
        return QObject::tr("thread %1").arg(wanted.tid);
    const auto same = std::count_if(tables.threads.begin(), tables.threads.end(),
        [&wanted](const model::Thread &other) { return other.name == wanted.name; });
    return same > 1 ? QObject::tr("thread %1 (%2)").arg(name).arg(wanted.tid) : QObject::tr("thread %1").arg(name);
}

QString selectionText(const model::Snapshot &snapshot, ByThread byThread)
{
    const model::SessionInfo &info = snapshot.info;
    QStringList parts;
    if (snapshot.selection.time)
        parts << timeText(snapshot, *snapshot.selection.time);
    else
        parts << QObject::tr("whole recording, %1").arg(text(model::formatDuration(info.duration)));
    const auto &process = snapshot.selection.process;
    if (process && process->index() < snapshot.tables->processes.size())
        parts << QObject::tr("pid %1").arg(snapshot.tables->processes[process->index()].pid);
    else if (snapshot.tables->processes.size() > 1)
        parts << QObject::tr("all %1 processes").arg(snapshot.tables->processes.size());
    const auto &thread = snapshot.selection.thread;
    if (thread && thread->index() < snapshot.tables->threads.size())
        parts << (byThread == ByThread::Yes ? QObject::tr("CPU of %1").arg(threadText(*snapshot.tables, *thread))
                                            : QObject::tr("all threads"));
    return parts.join(QStringLiteral(" · "));
}

QString allThreadsText(const model::Snapshot &snapshot)
{
    return snapshot.selection.thread ? QObject::tr(" · all threads") : QString();
}

ChartContent newContent(const model::Snapshot &snapshot, model::Unit unit)
{
    ChartContent content;
    content.unit = unit;
    content.range = snapshot.span;
    content.gaps = snapshot.gaps;
    if (!snapshot.tickEnds.empty())
        content.firstTick = snapshot.tickEnds.front();
    content.startWallNs = snapshot.info.startWallNs;
    content.utcOffset = snapshot.info.utcOffset;
    return content;
}

QString shortLabel(const model::SeriesSource &source)
{
    const QString label = text(model::seriesInfo(source).label);
    const qsizetype comma = label.indexOf(QLatin1String(", "));
    return comma < 0 ? label.toLower() : label.mid(comma + 2);
}

QString waitStatusText(int status)
{
    // As in <sys/wait.h>, which is not for a window: the low seven bits are the signal, 0 means that it exited.
    const int signal = status & 0x7f;
    if (signal == 0)
        return QObject::tr("exit %1").arg((status >> 8) & 0xff);
    const char *name = signalName(signal);
    return name != nullptr ? QObject::tr("killed by %1").arg(QLatin1StringView(name))
                           : QObject::tr("killed by signal %1").arg(signal);
}

QString ownStacksText(const model::Snapshot &snapshot, model::CostSource source)
{
    const model::OwnStacks stacks = model::ownStacks(snapshot, source);
    if (stacks.all - stacks.copied <= stacks.all / 100)
        return {};
    return QObject::tr(" · stack copied of %1, the others by place")
        .arg(text(model::formatShareOf(stacks.copied, stacks.all)));
}

} // namespace ui

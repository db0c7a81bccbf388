// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/page_text.h"

#include "model/base/format_units.h"
#include "ui/text.h"

#include <QObject>
#include <QStringList>

#include <algorithm>

namespace ui {

QString timeText(const model::Snapshot &snapshot, model::TimeRange selected)
{
    const model::SessionInfo &info = snapshot.info;
    const auto clock = [&info](model::Timestamp when) {
        return text(model::formatMoment(when, info.duration, info.startWallNs, info.utcOffset));
    };
    const model::TimeRange shown = snapshot.selection.time == selected ? snapshot.span : selected;
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

} // namespace ui

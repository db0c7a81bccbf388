// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/page_text.h"

#include "model/base/format_units.h"
#include "ui/text.h"

#include <QObject>
#include <QStringList>

namespace ui {

QString selectionText(const model::Snapshot &snapshot)
{
    const model::SessionInfo &info = snapshot.info;
    QStringList parts;
    if (snapshot.selection.time)
        parts << text(model::formatMoment(snapshot.span.begin, info.duration, info.startWallNs, info.utcOffset))
                + QStringLiteral(" – ")
                + text(model::formatMoment(snapshot.span.end, info.duration, info.startWallNs, info.utcOffset));
    else
        parts << QObject::tr("whole recording, %1").arg(text(model::formatDuration(info.duration)));
    const auto &process = snapshot.selection.process;
    if (process && process->index() < snapshot.tables->processes.size())
        parts << QObject::tr("pid %1").arg(snapshot.tables->processes[process->index()].pid);
    else if (snapshot.tables->processes.size() > 1)
        parts << QObject::tr("all %1 processes").arg(snapshot.tables->processes.size());
    const auto &thread = snapshot.selection.thread;
    if (thread && thread->index() < snapshot.tables->threads.size())
        parts << QObject::tr("CPU of thread %1").arg(snapshot.tables->threads[thread->index()].tid);
    return parts.join(QStringLiteral(" · "));
}

ChartContent newContent(const model::Snapshot &snapshot, model::Unit unit)
{
    ChartContent content;
    content.unit = unit;
    content.range = snapshot.span;
    content.gaps = snapshot.gaps;
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

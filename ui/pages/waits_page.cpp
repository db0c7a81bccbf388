// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/waits_page.h"

#include "model/aggregate/activity_totals.h"
#include "model/report/activity_report.h"
#include "ui/text.h"

namespace ui {

using model::CostKind;

WaitsPage::WaitsPage(Selection &selection, QWidget *parent)
    : CostPage(selection,
        {{CostKind::Blocked, tr("Blocked")}, {CostKind::WaitLock, tr("Locks")}, {CostKind::WaitIo, tr("I/O")},
            {CostKind::WaitMemory, tr("Memory")}, {CostKind::WaitCondition, tr("Threads")},
            {CostKind::WaitEvents, tr("Events")}, {CostKind::WaitSleep, tr("Sleep")},
            {CostKind::WaitChild, tr("Processes")}, {CostKind::WaitProcessor, tr("Processor")},
            {CostKind::WaitTime, tr("All")}},
        Token::Wait, parent)
{
}

QString WaitsPage::wholeText(const model::Snapshot &snapshot) const
{
    return tr("%1 of %2 waiting")
        .arg(text(model::formatDuration({model::activityTotal(snapshot, shownCost())})),
            text(model::formatDuration({model::activityTotal(snapshot, CostKind::WaitTime)})));
}

QString WaitsPage::emptyText(const model::Snapshot &snapshot) const
{
    if (model::activityTotal(snapshot, shownCost()) != 0)
        return {};
    if (!snapshot.info.config.waits)
        return tr(
            "Waits were not recorded.\nRecord with “waits” or with --waits to see where threads do not run, and what "
            "they wait for.");
    if (!snapshot.info.activityNote.empty())
        return tr("No wait was recorded.\n%1").arg(text(snapshot.info.activityNote));
    return tr("No thread waits for this in what is selected.");
}

void WaitsPage::writeStacks(std::ostream &out, const model::Snapshot &snapshot) const
{
    model::writeActivityCsv(out, snapshot, model::CostSource::Wait);
}

} // namespace ui

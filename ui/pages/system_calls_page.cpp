// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/system_calls_page.h"

#include "model/aggregate/activity_totals.h"
#include "model/base/format_counted.h"
#include "model/report/activity_report.h"
#include "ui/pages/page_text.h"
#include "ui/text.h"

namespace ui {

using model::CostKind;

SystemCallsPage::SystemCallsPage(Selection &selection, QWidget *parent)
    : CostPage(selection,
        {{CostKind::SystemCalls, tr("Calls")}, {CostKind::SystemCallTime, tr("Time")},
            {CostKind::SystemCallErrors, tr("Failed")}, {CostKind::SystemCallBytes, tr("Bytes")}},
        Token::Cpu, parent)
{
}

QString SystemCallsPage::wholeText(const model::Snapshot &snapshot) const
{
    return tr("%1, %2 in them")
               .arg(text(model::formatCounted(model::activityTotal(snapshot, CostKind::SystemCalls), "call")),
                   text(model::formatDuration({model::activityTotal(snapshot, CostKind::SystemCallTime)})))
        + ownStacksText(snapshot, model::CostSource::SystemCall);
}

QString SystemCallsPage::emptyText(const model::Snapshot &snapshot) const
{
    if (model::activityTotal(snapshot, shownCost()) != 0)
        return {};
    if (!snapshot.info.config.systemCalls)
        return tr(
            "System calls were not recorded.\nRecord with “system calls” or with --syscalls to see which are made, "
            "and by whom.");
    if (!snapshot.info.activityNote.empty())
        return tr("No system call was recorded.\n%1").arg(text(snapshot.info.activityNote));
    return tr("Nothing of this kind falls into what is selected.");
}

void SystemCallsPage::writeStacks(std::ostream &out, const model::Snapshot &snapshot) const
{
    model::writeActivityCsv(out, snapshot, model::CostSource::SystemCall);
}

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/cpu_page.h"

#include "model/aggregate/unseen_cpu.h"
#include "model/analysis/coverage.h"
#include "model/base/format_counted.h"
#include "model/report/csv_report.h"
#include "ui/text.h"

namespace ui {

CpuPage::CpuPage(Selection &selection, QWidget *parent)
    : CostPage(selection, {{model::CostKind::CpuTime, tr("CPU time")}}, Token::Cpu, parent)
{
}

QString CpuPage::wholeText(const model::Snapshot &snapshot) const
{
    const model::CpuSummary &sum = snapshot.cpuSummary;
    const QString whole
        = tr("%1 in %2")
              .arg(text(model::formatDuration({sum.timeNs})), text(model::formatCounted(sum.samples, "sample")));
    const std::int64_t missed = model::missedSamples(snapshot);
    return whole + (sum.lost ? tr(" · ") + text(model::lostSamplesWords(snapshot)) : QString())
        + (missed ? tr(" · ") + text(model::lossWords(model::LossKind::SamplesMissed, missed)) : QString());
}

model::Trust CpuPage::subtitleTrust() const
{
    const model::Snapshot *shown = snapshot();
    return shown && shown->cpuSummary.lost + model::missedSamples(*shown) > 0 ? model::coverage(*shown).cpu
                                                                              : model::Trust::Whole;
}

QString CpuPage::emptyText(const model::Snapshot &snapshot) const
{
    if (!snapshot.cpu.empty())
        return {};
    if (snapshot.info.config.cpuHz == 0)
        return tr(
            "CPU samples were not taken in this recording.\nRecord with “Why is it slow?” or with --cpu 199 to see "
            "where the time goes.");
    if (snapshot.info.cpuEvent.empty() && !snapshot.info.cpuNote.empty())
        return tr("No CPU sample was taken.\n%1").arg(text(snapshot.info.cpuNote));
    if (!snapshot.selection.time && model::missedSamples(snapshot) > 0)
        return tr(
            "No CPU sample was taken: %1 were due, but their threads ended before.\nSample more often (--cpu 999) to "
            "see where short threads and processes spend their time.")
            .arg(text(model::formatCount(model::missedSamples(snapshot))));
    if (!snapshot.selection.time)
        return tr(
            "No CPU sample was taken: the program used next to no CPU time.\nThis page shows which functions run, "
            "and who calls them.");
    return tr(
        "No CPU sample falls into the selected time: the program was waiting.\nSelect a longer time, or clear the "
        "selection with Esc.");
}

void CpuPage::writeStacks(std::ostream &out, const model::Snapshot &snapshot) const
{
    model::writeCpuStacksCsv(out, snapshot);
}

} // namespace ui

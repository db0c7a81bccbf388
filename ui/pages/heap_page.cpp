// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/heap_page.h"

#include "model/aggregate/sampling_error.h"
#include "model/aggregate/temporary_blocks.h"
#include "model/report/csv_report.h"
#include "model/report/session_words.h"
#include "ui/pages/page_text.h"
#include "ui/text.h"

namespace ui {

using model::CostKind;

HeapPage::HeapPage(Selection &selection, QWidget *parent)
    : CostPage(selection,
        {{CostKind::Live, tr("Live")}, {CostKind::Peak, tr("Peak")}, {CostKind::Allocated, tr("Allocated")},
            {CostKind::Temporary, tr("Temporary")}, {CostKind::Allocations, tr("Count")}},
        Token::Memory, parent)
{
}

QString HeapPage::wholeText(const model::Snapshot &snapshot) const
{
    return amountText(snapshot) + allThreadsText(snapshot); // stacks of memory are kept without
}

QString HeapPage::amountText(const model::Snapshot &snapshot) const
{
    const model::HeapSummary &sum = snapshot.heapSummary;
    const auto amount = [](std::int64_t bytes, std::int64_t blocks) {
        const QString much = text(model::formatBytes(static_cast<double>(bytes)));
        return blocks == 1
            ? tr("%1 in 1 block").arg(much)
            : tr("%1 in %2 blocks").arg(much, text(model::formatShortCount(static_cast<double>(blocks))));
    };
    // A sampled heap: what the estimate may be, in place of a number that looks exact.
    if (const auto error = model::errorOf(snapshot, shownCost()))
        return tr("%1, sampled (95 %: %2)")
            .arg(shownCost() == CostKind::Live ? amount(sum.liveBytes, sum.liveBlocks)
                                               : amount(sum.allocatedBytes, sum.allocations),
                text(model::intervalText(*error, shownCost())));
    switch (shownCost()) {
    case CostKind::Live:
        // What processes held as they ended was not held at one moment: it may be more than the highest.
        return amount(sum.liveBytes, sum.liveBlocks) + text(model::endsText(snapshot));
    case CostKind::Peak:
        return (sum.peakIsBound ? tr("at most ") : QString()) + amount(sum.peakBytes, sum.peakBlocks)
            + tr(" at %1").arg(text(model::formatMoment(
                sum.peakWhen, snapshot.info.duration, snapshot.info.startWallNs, snapshot.info.utcOffset)))
            + (sum.peakIsExact ? QString() : tr(" (composition at the end of that tick)"));
    case CostKind::Temporary: {
        const std::int64_t temporaries = model::temporariesAmong(sum.allocations, sum.temporaries);
        return tr("%1, %2 of all allocations")
            .arg(text(model::formatCount(temporaries)), text(model::formatShareOf(temporaries, sum.allocations)));
    }
    default:
        return amount(sum.allocatedBytes, sum.allocations);
    }
}

QString HeapPage::emptyText(const model::Snapshot &snapshot) const
{
    if (!snapshot.heap.empty())
        return {};
    if (snapshot.info.config.heap == model::HeapMode::Off)
        return tr("The heap was not traced in this recording.\nRecord with “Is it leaking?” or with --heap full to see "
                  "every allocation with its stack.");
    for (const model::Image &image : snapshot.tables->images) {
        if (const std::string &note = snapshot.tables->text(image.heapNote); !note.empty())
            return tr("No allocation was seen.\n%1").arg(text(note));
    }
    return tr(
        "No allocation was seen in the selected time.\nThis page shows who allocates, who keeps, and what is only "
        "temporary.");
}

void HeapPage::writeStacks(std::ostream &out, const model::Snapshot &snapshot) const
{
    model::writeHeapStacksCsv(out, snapshot, shownCost());
}

} // namespace ui

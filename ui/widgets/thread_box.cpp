// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/thread_box.h"

#include "model/base/format_units.h"
#include "ui/selection.h"
#include "ui/text.h"

#include <QSignalBlocker>

#include <algorithm>
#include <numeric>

namespace ui {

namespace {

constexpr std::size_t kMostListed = 50;

std::vector<std::int64_t> costsByThread(const model::Snapshot &snapshot, model::CostKind kind)
{
    std::vector<std::int64_t> costs(snapshot.tables->threads.size(), 0);
    const auto add = [&](const auto &rows) {
        for (const auto &row : rows)
            costs[row.thread.index()] += model::costOf(row, kind);
    };
    if (model::costInfo(kind).source == model::CostSource::Cpu)
        add(snapshot.cpu);
    else
        add(snapshot.activities);
    return costs;
}

} // namespace

ThreadBox::ThreadBox(Selection &selection, QWidget *parent)
    : QComboBox(parent)
    , m_selection(selection)
{
    setAccessibleName(tr("Thread"));
    setToolTip(tr("What this thread did, alone; the heap is not kept by thread"));
    setSizeAdjustPolicy(QComboBox::AdjustToContents);
    setMaximumWidth(260);
    connect(this, &QComboBox::activated, this, [this](int row) {
        const QVariant thread = itemData(row);
        m_selection.setThread(
            thread.isValid() ? std::optional(model::ThreadId(thread.toUInt())) : std::optional<model::ThreadId>());
    });
}

void ThreadBox::showThreads(const model::Snapshot &snapshot, model::CostKind kind)
{
    const model::ProgramTables &tables = *snapshot.tables;
    const bool isByThread = model::costInfo(kind).source != model::CostSource::Heap;
    if (isByThread && (!snapshot.selection.thread || m_costs.empty() || m_kind != kind || m_file != snapshot.file)) {
        m_costs = costsByThread(snapshot, kind);
        m_kind = kind;
        m_file = snapshot.file;
    }
    std::vector<std::uint32_t> order;
    for (std::uint32_t i = 0; i < m_costs.size(); ++i)
        if (m_costs[i] > 0)
            order.push_back(i);
    std::stable_sort(
        order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) { return m_costs[a] > m_costs[b]; });
    const std::int64_t all = std::accumulate(m_costs.begin(), m_costs.end(), std::int64_t{0});
    const QSignalBlocker blocker(this);
    clear();
    addItem(tr("All threads"));
    for (std::size_t i = 0; i < order.size(); ++i) {
        const bool isChosen = snapshot.selection.thread && snapshot.selection.thread->index() == order[i];
        if (i >= kMostListed && !isChosen)
            continue;
        const model::Thread &thread = tables.threads[order[i]];
        addItem(tr("%1 · %2 · %3")
                    .arg(text(tables.text(thread.name)), QString::number(thread.tid),
                        text(model::formatShareOf(m_costs[order[i]], all))),
            order[i]);
        if (isChosen)
            setCurrentIndex(count() - 1);
    }
    setEnabled(isByThread && count() > 1);
}

} // namespace ui

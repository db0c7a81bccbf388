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
    const std::optional<model::ThreadId> chosen = snapshot.selection.thread;
    const bool isByThread = model::costInfo(kind).source != model::CostSource::Heap;
    const bool isOther = m_kind != kind || m_file != snapshot.file || m_costs.size() > tables.threads.size();
    if (isByThread && (!chosen || m_costs.empty() || isOther)) {
        m_costs = costsByThread(snapshot, kind);
        m_kind = kind;
        m_file = snapshot.file;
        m_of = snapshot.selection;
    }
    std::vector<std::uint32_t> order;
    for (std::uint32_t i = 0; i < m_costs.size(); ++i)
        if (m_costs[i] > 0)
            order.push_back(i);
    std::stable_sort(
        order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) { return m_costs[a] > m_costs[b]; });
    order.resize(std::min(order.size(), kMostListed));
    if (chosen && chosen->index() < tables.threads.size()
        && std::find(order.begin(), order.end(), chosen->index()) == order.end())
        order.push_back(static_cast<std::uint32_t>(chosen->index()));
    // Of another time or process the shares were others, which a snapshot of one thread does not tell.
    const bool hasShares
        = m_of.time == snapshot.selection.time && m_of.process == snapshot.selection.process && isByThread;
    const std::int64_t all = std::accumulate(m_costs.begin(), m_costs.end(), std::int64_t{0});
    const QSignalBlocker blocker(this);
    clear();
    addItem(tr("All threads"));
    for (const std::uint32_t i : order) {
        const model::Thread &thread = tables.threads[i];
        QString words = tr("%1 · %2").arg(text(tables.text(thread.name)), QString::number(thread.tid));
        if (hasShares && i < m_costs.size())
            words = tr("%1 · %2").arg(words, text(model::formatShareOf(m_costs[i], all)));
        addItem(words, i);
        if (chosen && chosen->index() == i)
            setCurrentIndex(count() - 1);
    }
    setEnabled(isByThread && count() > 1);
}

} // namespace ui

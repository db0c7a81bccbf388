// SPDX-License-Identifier: GPL-3.0-or-later
// What a HotPage is asked for: the cost and the thread. What it answers stands in hot_page.cpp.
#include "model/base/format_units.h"
#include "ui/pages/hot_page.h"
#include "ui/text.h"
#include "ui/widgets/labels.h"

#include <QButtonGroup>
#include <QComboBox>
#include <QHBoxLayout>
#include <QSignalBlocker>

#include <algorithm>
#include <array>
#include <numeric>

namespace ui {

using model::CostKind;

namespace {

constexpr std::array kCosts{CostKind::CpuTime, CostKind::Allocations, CostKind::Allocated, CostKind::Temporary,
    CostKind::Peak, CostKind::Live, CostKind::SystemCalls, CostKind::SystemCallTime, CostKind::Blocked};

} // namespace

QString HotPage::costLabel(CostKind kind)
{
    switch (kind) {
    case CostKind::CpuTime:
        return tr("CPU time");
    case CostKind::Allocations:
        return tr("Allocations");
    case CostKind::Allocated:
        return tr("Allocated");
    case CostKind::Temporary:
        return tr("Temporary");
    case CostKind::Peak:
        return tr("Peak");
    case CostKind::SystemCalls:
        return tr("System calls");
    case CostKind::SystemCallTime:
        return tr("Time in calls");
    case CostKind::Blocked:
        return tr("Blocked");
    default:
        return tr("Live");
    }
}

void HotPage::setUpControls(QBoxLayout *column)
{
    constexpr std::size_t kInFirstRow = 6; // where there is no room for all in one
    m_controls = new QBoxLayout(QBoxLayout::LeftToRight);
    m_controls->setSpacing(8);
    auto *first = new QHBoxLayout;
    auto *line = new QHBoxLayout;
    for (QHBoxLayout *row : {first, line}) {
        row->setSpacing(8);
        m_controls->addLayout(row, row == line ? 1 : 0);
    }
    m_costButtons = new QButtonGroup(this);
    for (std::size_t i = 0; i < kCosts.size(); ++i) {
        auto *button = new QPushButton(costLabel(kCosts[i]));
        button->setCheckable(true);
        button->setChecked(kCosts[i] == m_kind);
        m_costButtons->addButton(button, static_cast<int>(i));
        (i < kInFirstRow ? first : line)->addWidget(button);
    }
    first->addStretch();
    line->addStretch(1);
    m_threads = new QComboBox;
    m_threads->setAccessibleName(tr("Thread"));
    m_threads->setToolTip(tr("CPU time of this thread only; the heap is not kept by thread"));
    m_threads->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_threads->setMaximumWidth(260);
    line->addWidget(m_threads);
    column->addLayout(m_controls);
    connect(m_costButtons, &QButtonGroup::idClicked, this, [this](int id) {
        m_isChosen = true;
        showCost(kCosts[static_cast<std::size_t>(id)]);
    });
    connect(m_threads, &QComboBox::activated, this, [this](int row) {
        const QVariant thread = m_threads->itemData(row);
        m_selection.setThread(
            thread.isValid() ? std::optional(model::ThreadId(thread.toUInt())) : std::optional<model::ThreadId>());
    });
}

/// A session without samples opens at the first cost that it has.
void HotPage::chooseWhatIsThere()
{
    const bool hasCpu = m_snapshot->info.config.cpuHz > 0;
    for (std::size_t i = 0; i < kCosts.size(); ++i) {
        const model::CostSource source = model::costInfo(kCosts[i]).source;
        const bool isThere = model::isRecorded(m_snapshot->info, source);
        auto *button = m_costButtons->button(static_cast<int>(i));
        button->setEnabled(isThere);
        // What has to be asked for takes no room where it was not.
        button->setVisible(isThere || source == model::CostSource::Heap || source == model::CostSource::Cpu);
    }
    if (m_isChosen)
        return;
    m_kind
        = hasCpu && (!m_snapshot->cpu.empty() || m_snapshot->heap.empty()) ? CostKind::CpuTime : CostKind::Allocations;
    for (std::size_t i = 0; i < kCosts.size(); ++i)
        m_costButtons->button(static_cast<int>(i))->setChecked(kCosts[i] == m_kind);
}

void HotPage::showThreads()
{
    const model::ProgramTables &tables = *m_snapshot->tables;
    if (!m_snapshot->selection.thread || m_threadTimes.empty()) {
        m_threadTimes.assign(tables.threads.size(), 0);
        for (const model::CpuCost &row : m_snapshot->cpu)
            m_threadTimes[row.thread.index()] += row.timeNs;
    }
    std::vector<std::uint32_t> order;
    for (std::uint32_t i = 0; i < m_threadTimes.size(); ++i)
        if (m_threadTimes[i] > 0)
            order.push_back(i);
    std::stable_sort(order.begin(), order.end(),
        [this](std::uint32_t a, std::uint32_t b) { return m_threadTimes[a] > m_threadTimes[b]; });
    const std::int64_t all = std::accumulate(m_threadTimes.begin(), m_threadTimes.end(), std::int64_t{0});
    const QSignalBlocker blocker(m_threads);
    m_threads->clear();
    m_threads->addItem(tr("All threads"));
    for (const std::uint32_t i : order) {
        const model::Thread &thread = tables.threads[i];
        m_threads->addItem(tr("%1 · %2 · %3")
                               .arg(text(tables.text(thread.name)), QString::number(thread.tid),
                                   text(model::formatShareOf(m_threadTimes[i], all))),
            i);
        if (m_snapshot->selection.thread && m_snapshot->selection.thread->index() == i)
            m_threads->setCurrentIndex(m_threads->count() - 1);
    }
    m_threads->setEnabled(model::costInfo(m_kind).source != model::CostSource::Heap && !order.empty());
}

void HotPage::showCost(CostKind kind)
{
    m_isChosen = true;
    m_kind = kind;
    for (std::size_t i = 0; i < kCosts.size(); ++i)
        m_costButtons->button(static_cast<int>(i))->setChecked(kCosts[i] == kind);
    m_threads->setEnabled(model::costInfo(kind).source != model::CostSource::Heap && m_threads->count() > 1);
    rebuild();
    Q_EMIT subtitleChanged();
}

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
// What a HotPage is asked for: the cost and the thread. What it answers stands in hot_page.cpp.
#include "ui/pages/hot_page.h"
#include "ui/text.h"
#include "ui/widgets/thread_box.h"

#include <QButtonGroup>
#include <QHBoxLayout>
#include <QPushButton>

#include <array>

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
    m_threads = new ThreadBox(m_selection);
    line->addWidget(m_threads);
    column->addLayout(m_controls);
    connect(m_costButtons, &QButtonGroup::idClicked, this, [this](int id) {
        m_isChosen = true;
        showCost(kCosts[static_cast<std::size_t>(id)]);
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

void HotPage::showCost(CostKind kind)
{
    m_isChosen = true;
    m_kind = kind;
    for (std::size_t i = 0; i < kCosts.size(); ++i)
        m_costButtons->button(static_cast<int>(i))->setChecked(kCosts[i] == kind);
    if (m_snapshot)
        m_threads->showThreads(*m_snapshot, m_kind);
    rebuild();
    Q_EMIT subtitleChanged();
}

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/process_menu.h"

#include "model/base/format_units.h"
#include "model/report/session_words.h"
#include "ui/selection.h"
#include "ui/text.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <tuple>

namespace ui {

namespace {

constexpr std::size_t kMostListed = 20;

std::vector<std::int64_t> costsByProcess(const model::Snapshot &snapshot, model::CostKind kind)
{
    const model::ProgramTables &tables = *snapshot.tables;
    std::vector<std::int64_t> costs(tables.processes.size(), 0);
    const auto add = [&costs](model::ProcessId process, std::int64_t cost) {
        if (process.isValid() && process.index() < costs.size())
            costs[process.index()] += cost;
    };
    if (kind == model::CostKind::CpuTime)
        for (const model::CpuCost &row : snapshot.cpu)
            add(tables.threads.at(row.thread.index()).process, model::costOf(row, kind));
    else
        for (const model::HeapCost &row : snapshot.heap)
            if (row.image.isValid())
                add(tables.images.at(row.image.index()).process, model::costOf(row, kind));
    return costs;
}

} // namespace

ProcessMenu::ProcessMenu(Selection &selection, QWidget *parent)
    : QMenu(parent)
    , m_selection(selection)
{
}

void ProcessMenu::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    m_snapshot = std::move(snapshot);
    if (!m_snapshot || m_snapshot->file != m_file)
        m_costs.clear();
    if (m_snapshot && m_snapshot->tables->processes.size() > 1)
        keepCosts();
}

void ProcessMenu::keepCosts()
{
    const bool isOfAll = !m_snapshot->selection.process && !m_snapshot->selection.thread;
    if (!isOfAll)
        return;
    m_kind = m_snapshot->cpu.empty() ? model::CostKind::Live : model::CostKind::CpuTime;
    m_costs = costsByProcess(*m_snapshot, m_kind);
    m_of = m_snapshot->selection;
    m_file = m_snapshot->file;
}

bool ProcessMenu::hasCosts() const
{
    return m_of.time == m_snapshot->selection.time
        && std::any_of(m_costs.begin(), m_costs.end(), [](std::int64_t cost) { return cost != 0; });
}

QString ProcessMenu::costText(std::size_t process) const
{
    if (process >= m_costs.size())
        return {};
    if (m_kind != model::CostKind::CpuTime)
        return text(model::formatBytes(static_cast<double>(m_costs[process])));
    const std::int64_t all = std::accumulate(m_costs.begin(), m_costs.end(), std::int64_t{0});
    return text(model::formatShareOf(m_costs[process], all));
}

std::vector<model::ProcessId> ProcessMenu::order() const
{
    const auto &processes = m_snapshot->tables->processes;
    std::vector<model::ProcessId> all;
    for (std::size_t i = 0; i < processes.size(); ++i)
        all.emplace_back(i);
    const bool isByCost = hasCosts();
    const model::Timestamp now{m_snapshot->info.duration.ns};
    const auto rank = [&](model::ProcessId id) {
        const model::Process &process = processes[id.index()];
        const std::int64_t cost = isByCost && id.index() < m_costs.size() ? m_costs[id.index()] : 0;
        return std::tuple(cost, !process.end.has_value(), process.end.value_or(now) - process.start);
    };
    std::stable_sort(all.begin(), all.end(), [&](auto one, auto other) { return rank(one) > rank(other); });
    return all;
}

void ProcessMenu::addProcess(const QString &name, std::optional<model::ProcessId> process)
{
    QAction *action = addAction(name, this, [this, process] { m_selection.setProcess(process); });
    action->setCheckable(true);
    action->setChecked(m_selection.current().process == process);
}

void ProcessMenu::fill()
{
    clear();
    if (!m_snapshot)
        return;
    const auto &processes = m_snapshot->tables->processes;
    const auto count = [](std::size_t many) { return text(model::formatCount(static_cast<std::int64_t>(many))); };
    const bool isByCost = hasCosts();
    // What follows a tab stands at the right edge.
    const QString heading = !isByCost        ? QString()
        : m_kind == model::CostKind::CpuTime ? QLatin1Char('\t') + tr("CPU time")
                                             : QLatin1Char('\t') + tr("live heap");
    addProcess(tr("All %1 processes").arg(count(processes.size())) + heading, std::nullopt);
    addSeparator();
    const std::vector<model::ProcessId> all = order();
    const std::size_t listed = std::min(all.size(), kMostListed);
    const bool isLive = m_snapshot->info.state == model::SessionState::Recording
        || m_snapshot->info.state == model::SessionState::Paused;
    for (std::size_t i = 0; i < listed; ++i) {
        QString name = text(model::processText(*m_snapshot, all[i])).replace(QLatin1Char('&'), QLatin1String("&&"));
        if (isLive && processes[all[i].index()].end)
            name = tr("%1, ended").arg(name);
        addProcess(isByCost ? name + QLatin1Char('\t') + costText(all[i].index()) : name, all[i]);
    }
    if (listed == all.size())
        return;
    addSeparator();
    addAction(tr("%1 more, in Capture").arg(count(all.size() - listed)), this, &ProcessMenu::restWanted);
}

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/snapshot.h"

#include <QMenu>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ui {

class Selection;

/// Narrows a session down to one process: lists those with the greatest share of the CPU time first, or where none was sampled those with the
/// most live heap; of a session without either those that run, and then those that lived longest. GUI thread.
class ProcessMenu : public QMenu
{
    Q_OBJECT

public:
    /// `selection` is read and set, and outlives the menu.
    explicit ProcessMenu(Selection &selection, QWidget *parent = nullptr);

    /// What is listed when the menu is filled next. Of a snapshot of one process alone the costs of the others stand as the last one of all had
    /// them; none are shown where that was of another time.
    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot);

    /// Makes the entries anew; a menu that is open keeps those that it has.
    void fill();

Q_SIGNALS:
    void restWanted(); ///< those that are not listed

private:
    void keepCosts();
    bool hasCosts() const;
    QString costText(std::size_t process) const;
    std::vector<model::ProcessId> order() const;
    void addProcess(const QString &name, std::optional<model::ProcessId> process);

    Selection &m_selection;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    std::vector<std::int64_t> m_costs; ///< by process, of the newest snapshot of all of them
    model::CostKind m_kind = model::CostKind::CpuTime;
    model::Selection m_of; ///< what that snapshot was made for
    std::string m_file;
};

} // namespace ui

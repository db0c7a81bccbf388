// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/snapshot.h"

#include <QComboBox>

#include <cstdint>
#include <vector>

namespace ui {

class Selection;

/// Narrows a session down to one thread: lists those that have a cost, the dearest first, each with its share of it. GUI thread.
class ThreadBox : public QComboBox
{
    Q_OBJECT

public:
    /// `selection` is read and set, and outlives the box.
    explicit ThreadBox(Selection &selection, QWidget *parent = nullptr);

    /// Lists the threads of `snapshot` by `kind`. Of a snapshot of one thread alone the others stand as the last one of
    /// all threads had them; without shares where that was of another time or process.
    void showThreads(const model::Snapshot &snapshot, model::CostKind kind);

private:
    Selection &m_selection;
    std::vector<std::int64_t> m_costs; ///< by thread, of the newest snapshot of all of them
    model::Selection m_of;             ///< what that snapshot was made for
    model::CostKind m_kind = model::CostKind::CpuTime;
    std::string m_file;
};

} // namespace ui

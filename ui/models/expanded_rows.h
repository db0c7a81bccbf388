// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/ids.h"

#include <QHash>
#include <QString>

#include <vector>

class QTreeView;

namespace ui {

/// Which rows of a tree of functions are open and which one is current, by the names on their way, so that they outlive a
/// replacement of the model's content.
class ExpandedRows
{
public:
    /// Notes the state of `view`.
    void save(const QTreeView &view);
    /// Opens what was noted and still exists. Returns the stacks (see StackRole) of open rows whose names are gone: a function may
    /// have got its own since.
    std::vector<model::StackId> restore(QTreeView &view) const;
    bool isEmpty() const { return m_paths.isEmpty(); } ///< no row was open

private:
    QHash<QString, QVariant> m_paths; ///< the stack of each, see StackRole
    QString m_current;
    bool m_isChosen = false; ///< the current row is selected, and not only where the keys begin
    int m_scroll = 0;
};

} // namespace ui

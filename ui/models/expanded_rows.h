// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QSet>
#include <QString>

class QTreeView;

namespace ui {

/// Which rows of a tree of functions are open and which one is current, by the names on their way, so that they outlive a
/// replacement of the model's content.
class ExpandedRows
{
public:
    /// Notes the state of `view`.
    void save(const QTreeView &view);
    /// Opens what was noted and still exists.
    void restore(QTreeView &view) const;

private:
    QSet<QString> m_paths;
    QString m_current;
    bool m_isChosen = false; ///< the current row is selected, and not only where the keys begin
    int m_scroll = 0;
};

} // namespace ui

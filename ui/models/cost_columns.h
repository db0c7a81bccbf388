// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"

#include <QString>
#include <Qt>

#include <cstdint>
#include <vector>

namespace ui {

/// Item data roles that the models of costs share.
enum CostRole {
    ShareRole = Qt::UserRole + 1, ///< double 0–1: length of the bar in the cell; absent: no bar
    SortRole,                     ///< what a column sorts by
    NodeRole,                     ///< index of the call tree node
    StackRole,                    ///< value of the StackId; absent: none
    FullTextRole,                 ///< the whole name, for copying
    SourceRole,                   ///< "file:line"; absent if unknown
};

/// Which figure of a node a column shows.
enum class CostPart { Total, Self };

/// A column of figures in a tree or table of functions.
struct CostColumn
{
    std::size_t cost = 0; ///< index into the costs that the tree was made with
    CostPart part = CostPart::Total;
    bool asShare = false; ///< as a share of everything instead of a number
    bool hasBar = false;
};

/// A number for a cell. Bytes, counts and times keep their own unit in the cell, because the rows of a tree span many orders of magnitude.
QString costText(std::int64_t value, model::Unit unit);

/// The columns that a page shows for `kind`: costs the tree has to be made with, the kind itself first, and how they are shown.
struct CostView
{
    std::vector<model::CostKind> kinds;
    std::vector<CostColumn> columns;
};
CostView costViewFor(model::CostKind kind);

/// Header of a column: "Live bytes", "Self", "Share".
QString columnTitle(const CostView &view, const CostColumn &column);

} // namespace ui

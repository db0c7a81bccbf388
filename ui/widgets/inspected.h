// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/stack_text.h"
#include "ui/selection.h"

#include <QString>

#include <vector>

namespace ui {

/// A line of the inspector: "Live", "1.5 MiB · 12 blocks".
struct InspectedFigure
{
    QString label;
    QString value;
};

/// What the inspector says of a stack or of a row: all its figures are of the same stacks, none stands there twice.
struct Inspected
{
    QString caption; ///< which stacks the figures are of
    std::vector<InspectedFigure> figures;
    QString framesCaption;               ///< which of them `lines` are; empty: the only one
    std::vector<model::StackLine> lines; ///< leaf first
    std::size_t chosenLine = 0;          ///< of the function that was chosen
};

/// `what` within a snapshot whose tables have its stack. O(stack nodes + rows).
Inspected inspect(const model::Snapshot &snapshot, const InspectedStack &what);

} // namespace ui

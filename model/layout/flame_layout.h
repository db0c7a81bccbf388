// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/call_tree.h"
#include "model/compare/difference_tree.h"

#include <optional>
#include <vector>

namespace model {

/// A rectangle of a flame graph: `x` and `width` in pixels from the left edge, `row` in rows from the root's.
struct FlameRect
{
    NodeId node; ///< of a remainder: the parent whose small children it stands for
    float x = 0;
    float width = 0;
    std::uint32_t row = 0;
    std::uint32_t merged = 0; ///< 0: the node itself; else this many children too narrow to draw, drawn as one
    std::int64_t total = 0;
};

struct FlameOptions
{
    double widthPx = 800;
    double leastWidthPx = 1.0; ///< narrower children of one parent are merged
    NodeId zoom = NodeId(0u);  ///< fills the width; its callers stand above it, as wide
    std::size_t column = 0;    ///< which of the tree's costs gives the width
};

/// Rectangles of a flame graph, by row, then from left to right. Paint them as they stand.
struct FlameLayout
{
    std::vector<FlameRect> rects;
    std::uint32_t rows = 0;
    double widthPx = 0;
    std::uint32_t hidden = 0; ///< nodes too narrow to draw, merged ones included; what lies below them is not counted

    /// Index of the rectangle at a place; empty where there is none.
    std::optional<std::size_t> at(double x, std::uint32_t row) const;
};

/// Lays out what is above 0; nodes with a total of 0 or less have no width. O(drawn rectangles). Pure.
FlameLayout flameLayout(const CallTree &tree, const FlameOptions &options);
/// The same of two sessions: a node's width is its weight, the mean of before and after.
FlameLayout flameLayout(const DifferenceTree &tree, const FlameOptions &options);

} // namespace model

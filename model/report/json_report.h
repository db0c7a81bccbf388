// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/report/row_range.h"
#include "model/snapshot.h"

#include <iosfwd>

namespace model {

// One JSON object each, UTF-8, keys in snake_case with unit suffix, integers exact, ended by a newline. `selection` says which
// time and process it is about. Bytes that are no UTF-8 (names, paths) are replaced. They never fail; check the stream.

/// Command, pid, start, duration, ticks; heap, cpu, stacks, losses; processes and images; gaps and marks.
void writeSummaryJson(std::ostream &out, const Snapshot &snapshot);
/// All metrics of all processes within the selection, as columns.
void writeMetricsJson(std::ostream &out, const Snapshot &snapshot);
// Stacks are a tree, because they share most of their frames: a row of `stacks` has `node`, the position of its leaf in `nodes`; a node is
// [parent, frame], positions in `nodes` (before the node's own; −1 for an outermost frame) and in `frames`. With jq the frames of the heaviest
// stack, leaf first: . as $d | [.nodes as $n | .stacks[0].node | recurse($n[.][0]; . >= 0) | $d.frames[$n[.][1]]]

// `stack_count` says how many stacks there are in all, of which those within `range` are written.

/// Totals and the stacks, heaviest by `kind` first; those of a program that read alike, down to lines and addresses, are one row, as in CSV.
void writeHeapJson(std::ostream &out, const Snapshot &snapshot, CostKind kind, RowRange range = {});
/// Totals, functions, and stacks, heaviest first.
void writeCpuJson(std::ostream &out, const Snapshot &snapshot, RowRange range = {});
/// Every kind of loss with its count, and where it happened.
void writeLossesJson(std::ostream &out, const Snapshot &snapshot);

} // namespace model

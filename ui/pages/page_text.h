// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/snapshot.h"
#include "ui/charts/chart_content.h"

#include <QString>

namespace ui {

/// Whether what is shown follows the selected thread; what is not kept by thread does not, and says so.
enum class ByThread { Yes, No };

/// Which part of the recording a snapshot shows: "12:07:10 – 12:33:44 · pid 4127", "whole recording, 41 min · all processes".
QString selectionText(const model::Snapshot &snapshot, ByThread byThread = ByThread::Yes);

/// " · all threads" where one is selected: said by what is not kept by thread. Else empty.
QString allThreadsText(const model::Snapshot &snapshot);

/// The selected time, as whole ticks where `snapshot` was made for it: "12:07:10 – 12:33:44".
QString timeText(const model::Snapshot &snapshot, model::TimeRange selected);

/// "thread requests", "thread requests (4637)" where others are called so too, "thread 4637" without a name.
QString threadText(const model::ProgramTables &tables, model::ThreadId thread);

/// How a process ended, by its wait status as Linux numbers it: "exit 2", "killed by SIGSEGV", "killed by signal 40".
QString waitStatusText(int status);

/// A chart over the snapshot's span with its clock and gaps, without lines.
ChartContent newContent(const model::Snapshot &snapshot, model::Unit unit);

/// A name short enough for a line's end: "user" for the CPU time in user mode.
QString shortLabel(const model::SeriesSource &source);

/// Behind what was counted of system calls or waits: " · stack copied of 12 %, the others by place"; empty where nearly all stacks were.
QString ownStacksText(const model::Snapshot &snapshot, model::CostSource source);

} // namespace ui

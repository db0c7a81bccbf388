// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/ids.h"
#include "model/base/time_range.h"

#include <optional>

namespace model {

/// How one looks at a session: what every page and report is filtered by. Absent means all.
struct Selection
{
    std::optional<TimeRange> time;
    std::optional<ProcessId> process;
    std::optional<ThreadId> thread; ///< CPU, system calls and waits; the heap is not kept by thread

    friend bool operator==(const Selection &, const Selection &) = default;
};

} // namespace model

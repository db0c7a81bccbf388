// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/metrics.h"

namespace model {

/// Whether the metric says what a process did in a time, as a mean over it; else it is what was there at the end of it. What belongs to the
/// machine or the control group is no rate of a process.
constexpr bool isRate(Metric metric)
{
    return !isSharedByProcesses(metric) && metricInfo(metric).unit != MetricUnit::Bytes
        && metricInfo(metric).unit != MetricUnit::Count;
}

} // namespace model

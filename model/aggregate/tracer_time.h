// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/function_index.h"
#include "model/snapshot.h"

#include <memory>

namespace model {

/// Whether the tracer, or the kernel for it, was at work on a stack.
bool isTracersOwn(FunctionIndex &index, StackId stack);

/// A snapshot, and what was taken out of it.
struct WithoutTracer
{
    std::shared_ptr<const Snapshot> snapshot; ///< the same one where there was nothing to take out
    std::int64_t tracerNs = 0;
};

/// The snapshot without the CPU samples of the tracer in the program: what it costs to record is no cost of the program. cpuSummary stays. Pure.
WithoutTracer withoutTracer(std::shared_ptr<const Snapshot> snapshot);

} // namespace model

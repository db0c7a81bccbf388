// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/soak_watch.h"
#include "tests/support/metric_series.h"

namespace tests {

/// A made-up stability test on virtual time.
struct SoakShape
{
    MetricShape
        memory; ///< of anonymous memory, of 100 MiB; resident memory is 20 MiB of files more. Its hours are 48ths of the test
    double heapGrowth = -1; ///< of the live heap over the test; −1: as the memory
    double stepHours = 0;   ///< when all jumps by `step`
    double step = 0;        ///< share
    double restartHours
        = 0; ///< when the machine is booted, and target and recorder are started again an hour later; 0: never
    double killHours = 0;      ///< when the recorder dies and is started again, while the target runs on; 0: never
    double gapHours = 0;       ///< how long that takes
    double clockJumpHours = 0; ///< by which the wall clock is set meanwhile
    double lossHours = 0;      ///< when a heap event is lost; 0: never
    double tracerBytes = 0;    ///< resident, of ours; of a half a recorder that was started again does not know
    bool isHeapTraced = true;  ///< else it was asked for, and could not be
    model::HeapMode heapMode = model::HeapMode::Full;
    std::int64_t heapPeriodBytes = 512 * 1024;
    model::Duration length = model::SoakPlan().length;
    double periodHours = 0; ///< of a cycle that is declared, in 48ths of the test; 0: none
    model::StopEarly stopEarly = model::StopEarly::Both;
    model::SoakOutcome expected = model::SoakOutcome::Stable;
};

/// What the session holds at its end.
struct VirtualSoak
{
    model::SoakRecord stored;
};

/// Runs it: a tick a 2,880th of the test (or as short as recordings have them) through a SoakWatch, as genprof soak does.
VirtualSoak virtualSoak(const SoakShape &shape, model::Random &random);

} // namespace tests

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/target/host_facts.h"
#include "model/capabilities.h"

namespace capture {

/// What a recording can and cannot do here, each with the way out: cpu_sampling, cpu_hardware, kernel_frames, sample_buffer,
/// heap_tracing, attach, cgroup_metrics, process_watch. A pure function of the facts.
model::Capabilities judgeHost(const HostFacts &facts);

/// The same for this machine as it is now. Takes about a millisecond.
model::Capabilities probeHost();

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/target/host_facts.h"
#include "capture/target/process_facts.h"
#include "model/capabilities.h"

#include <string>

namespace capture {

/// Whether the heap of a running process can be traced, each obstacle with the way out: attach_process, attach_permission,
/// attach_debugger, attach_program, attach_container, attach_allocator, attach_seccomp. What the facts do not tell is Unknown. A pure function of the facts.
model::Capabilities judgeAttach(const ProcessFacts &process, const HostFacts &host);

/// The same for a process as it is now. Stops nothing.
model::Capabilities probeAttach(std::int32_t pid, const std::string &tracerPath);

/// attach_children: which of the processes that descend from it now could not be traced with it. Stops nothing.
model::Capability probeDescendants(std::int32_t pid, const std::string &tracerPath);

/// The first thing that forbids it, with the way out, as one sentence; empty if nothing does.
std::string attachObstacle(const model::Capabilities &capabilities);
/// The same, if it lies in what the program is, or in where it runs: no other way to start it would help.
std::string attachObstacleByNature(const model::Capabilities &capabilities);

} // namespace capture

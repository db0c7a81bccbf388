// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/snapshot.h"

#include <string>

namespace model {

/// The stacks of a source as pprof, speedscope, Grafana Pyroscope and others read them: a profile.proto message, not compressed
/// (github.com/google/pprof, proto/profile.proto). Each row of the snapshot is a sample, with the costs of the source as its values (of the heap
/// alloc_objects, alloc_space, inuse_objects, inuse_space as in other heap profiles, and what was live at the peak) and its process and thread as
/// labels. Of sampled heaps the values are the estimates. Addresses are those of the modules' files, of calls rather than
/// of where they return to; all functions are named, so readers need no program. What was lost is among the comments. `shown` is the cost that
/// readers show first; its source is what is written.
std::string pprofProfile(const Snapshot &snapshot, CostKind shown);

} // namespace model

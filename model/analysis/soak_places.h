// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/leak_detector.h"
#include "model/snapshot.h"

#include <optional>
#include <string>
#include <vector>

namespace model {

/// A place of the program whose live bytes grew during a stability test.
struct SoakPlace
{
    std::string function;
    std::string where;  ///< "session.cpp:214"; empty if unknown
    std::string reason; ///< what speaks for it, as a sentence with numbers
    ImageId image;
    StackId stack;
    bool isLeak = false; ///< the leak rule accuses it; else it only moves with the memory
};

/// What of this leg lies behind the warm-up of its segment: the selection in which growth is looked for. Nothing where there is no test.
std::optional<TimeRange> soakGrowthSpan(const Snapshot &snapshot);

/// The places that grew in this leg: first what the leak rule accuses (where `heapAges` is there), then the stacks whose live bytes move with the
/// anonymous memory in the selected time; without one, after the warm-up (Snapshot::afterWarmup). At most `most`. Pure.
std::vector<SoakPlace> soakPlaces(const Snapshot &snapshot, std::size_t most = 5);

} // namespace model

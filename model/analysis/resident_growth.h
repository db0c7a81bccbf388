// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/forecast.h"
#include "model/snapshot.h"

#include <optional>
#include <string>
#include <string_view>

namespace model {

/// Growth of resident memory that the live heap does not explain.
struct ResidentGrowth
{
    double bytes = 0;        ///< of the part that grew most, between the first and the last reading
    std::string_view key;    ///< of that part, see memoryParts()
    std::string_view label;  ///< and for people
    double perHour = 0;      ///< of all of it
    std::string mappedBy;    ///< of mappings: the function that holds most of those made in the time; empty: not known
    double mappedBytes = 0;  ///< so much of them
    bool isFinished = false; ///< the command ended by itself after a short time
    /// Of memory that processes share: what it grew by where each page counts once; empty where that is not known, or is no question.
    std::optional<double> onceBytes;
    bool isSharedByMany
        = false; ///< the part is shared memory of more than one process, whose pages count for each of them
};

/// What grew most in resident memory beside the heap, where that grows at all and the part by 4 MiB and a twentieth; `resident` is the forecast of
/// the resident memory, which needs longer to see a direction than this does. Parts are compared at moments at which pages were read. Pure.
std::optional<ResidentGrowth> residentGrowth(const Snapshot &snapshot, const Forecast &resident);

/// Whether growth that was found is nothing but pages that more and more processes touch: counted once it is less than half.
bool isCountedAgain(const ResidentGrowth &growth);

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "model/snapshot.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// By what costs are divided before two sessions are compared.
enum class PerWork : std::uint8_t {
    Nothing, ///< costs as they are
    Second,  ///< of the selected time
    Mark,    ///< each mark with a text within the selected time: a request done, a frame drawn
    Phase,   ///< each phase with a name that ended within it
    Counter, ///< what a counter of the recording went up by within it; see workCounters()
};

/// Something that is counted in every recording, by which costs can be divided.
struct WorkCounter
{
    std::string_view key;   ///< as on the command line: "read_mib"
    std::string_view label; ///< for people, one of them: "MiB read"
};
/// All of them, in the order of a list.
std::span<const WorkCounter> workCounters();

struct Normalisation
{
    PerWork per = PerWork::Nothing;
    std::string name; ///< of the marks or phases; key of the counter

    friend bool operator==(const Normalisation &, const Normalisation &) = default;
};

/// How much work a session did within its selection; 1 for PerWork::Nothing. Fails where there was none, and says what there is.
Result<double> workOf(const Snapshot &snapshot, const Normalisation &normalisation);

/// What of a session costs can be divided by: its marks and phases within the selection, and the counters that went up; each once.
std::vector<Normalisation> possibleWork(const Snapshot &snapshot);

/// "", "per second", "per mark \"request\"", "per MiB read".
std::string perWorkText(const Normalisation &normalisation);

} // namespace model

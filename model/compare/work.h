// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "model/snapshot.h"

#include <cstdint>
#include <string>

namespace model {

/// By what costs are divided before two sessions are compared.
enum class PerWork : std::uint8_t {
    Nothing, ///< costs as they are
    Second,  ///< of the selected time
    Mark,    ///< each mark with a text within the selected time: a request done, a frame drawn
    Phase,   ///< each phase with a name that ended within it
};

struct Normalisation
{
    PerWork per = PerWork::Nothing;
    std::string name; ///< of the marks or phases
};

/// How much work a session did within its selection; 1 for PerWork::Nothing. Fails where there was none, and says what there is.
Result<double> workOf(const Snapshot &snapshot, const Normalisation &normalisation);

/// "", "per second", "per mark \"request\"".
std::string perWorkText(const Normalisation &normalisation);

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QtGlobal>

#include <algorithm>

namespace tests {

/// How many rounds a fuzzer makes that makes `usual` ones in a fraction of a second: GENESIS_FUZZ_TIMES as many, if that is set. They go on
/// where the usual ones end, so the first of them are always the same.
inline unsigned fuzzRounds(unsigned usual)
{
    return usual * static_cast<unsigned>(std::clamp(qEnvironmentVariableIntValue("GENESIS_FUZZ_TIMES"), 1, 100'000));
}

} // namespace tests

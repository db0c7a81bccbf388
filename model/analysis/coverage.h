// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <string>
#include <vector>

namespace model {

enum class Trust : std::uint8_t {
    Whole,   ///< everything that was asked for was seen
    Minor,   ///< something is missing that changes no answer by more than about 1 %
    Partial, ///< answers that depend on it are lower bounds or guesses
};

/// One thing that is not whole.
struct CoverageItem
{
    Trust trust = Trust::Minor;
    std::string what;   ///< "12 heap events dropped"
    std::string effect; ///< what this means for the results: "live bytes may be off by their size"
    bool isLoss = true; ///< else all is there, but something has no name
};

/// How far the results can be trusted.
struct Coverage
{
    Trust heap = Trust::Whole;
    Trust cpu = Trust::Whole;
    double wholeStacks = 1;          ///< share of the distinct stacks that reached the thread's start
    std::vector<CoverageItem> items; ///< worst first
    std::string sentence;            ///< "No events lost; 99.6 % of 5,214 stacks are whole."

    Trust worst() const { return heap > cpu ? heap : cpu; }
};

/// "Nothing was written from 0:12.3 on (the disk is full): 6.51 s with 61,234 heap events and 120 CPU samples are missing"; empty: all is there.
std::string unwrittenText(const SessionInfo &info);

/// Weighs losses, stack quality, gaps, images without heap, and damage of the file. Pure.
Coverage coverage(const Snapshot &snapshot);

} // namespace model

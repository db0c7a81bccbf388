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
    std::string what;   ///< "Heap events dropped: 12"
    std::string effect; ///< what this means for the results: "live bytes may be off by their size"
    bool isLoss = true; ///< else all is there, but something has no name
    std::string shortly
        = {}; ///< "12 heap events lost": `what` where there is little room; empty: it stands in lists only
    bool isOfStacks = false; ///< callers are missing, costs are not
};

/// How far the results can be trusted.
struct Coverage
{
    Trust heap = Trust::Whole;
    Trust cpu = Trust::Whole;
    Trust stacks = Trust::Whole;
    double wholeStacks = 1;          ///< share of the distinct stacks that reached the thread's start
    std::vector<CoverageItem> items; ///< worst first
    std::string sentence;            ///< "No events lost; 99.6 % of 5,214 stacks are whole."

    /// Of heap, CPU and all that is missing: what decides whether somebody is warned.
    Trust worst() const;
};

/// "Nothing was written from 0:12.3 on (the disk is full): 6.51 s with 61,234 heap events and 120 CPU samples are missing"; empty: all is there.
std::string unwrittenText(const SessionInfo &info);

/// "12 heap events lost", "3 CPU samples lost"; empty for kinds that take nothing from what was seen.
std::string lossWords(LossKind kind, std::int64_t count);

/// What was lost, in a few words.
struct LossNotice
{
    std::string words;          ///< "12 heap events lost · 3 CPU samples lost", or "no events lost"
    Trust trust = Trust::Whole; ///< Partial: is shown as a warning
};

/// The same words and the same severity wherever a recording is shown. Stacks that are not whole are not among them: see Coverage::stacks.
LossNotice lossNotice(const Snapshot &snapshot, const Coverage &coverage);

/// Weighs losses, stack quality, gaps, images without heap, and damage of the file. Pure.
Coverage coverage(const Snapshot &snapshot);

} // namespace model

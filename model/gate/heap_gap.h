// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <string>

namespace model {

/// What the heap figures of a recorded command lack, as sentences.
struct HeapGap
{
    std::string why;    ///< why they are not the command's; empty where they are
    std::string beside; ///< whose allocations are in none of them all the same; empty: nobody's
};

/// The figures are the command's where the program that its process ended as was traced (the last of those that it became by exec), and where programs that
/// were not ran for less than half of the recorded time: a wrapper that was traced says nothing of what it started. Programs beside that, such as
/// a short static helper, are only told.
HeapGap heapGap(const Snapshot &snapshot);

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/scan/memory_scanner.h"

#include <chrono>
#include <string>

namespace capture {

/// What became of a wish to scan.
struct ScanStart
{
    int begun = 0;     ///< processes that were stopped and copied; their results come later
    std::string error; ///< why others, or all, were not; a sentence, or empty
};

/// Who can scan the recorded processes for lost memory. Capture thread.
class ScanSource
{
public:
    virtual ~ScanSource() = default;

    /// Stops each traced process for as long as it takes to copy what may be pointers, one after the other.
    virtual ScanStart beginScan(const ScanParameters &parameters) = 0;
    /// Whether processes are about to end and wait to be looked through, which scanEnds() does: blocks of any age are judged.
    virtual bool hasEnds() const = 0;
    virtual ScanStart scanEnds() = 0;
    /// Whether some have to be looked through again, which scanAgain() does, as their copy ended before it was read: while they stand still.
    virtual bool hasUnread() const = 0;
    virtual ScanStart scanAgain() = 0;
    /// Whether results are there to be collected.
    virtual bool hasScans() const = 0;
    /// Whether results are still to come, or to be collected.
    virtual bool isScanning() const = 0;
    /// Waits until all results are there to be collected, at most so long.
    virtual void waitForScans(std::chrono::milliseconds limit) = 0;
};

} // namespace capture

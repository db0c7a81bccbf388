// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/leak_detector.h"

namespace model {

/// Fills title, evidence and caution of an item from its other members.
void tellLeak(const Snapshot &snapshot, LeakItem &item);

/// Fills sentence and notes of a report whose other members are complete.
void tellLeaks(const Snapshot &snapshot, LeakReport &report);

/// So many buckets as a length of time that people read.
std::string ageText(std::size_t buckets, Duration bucket);

} // namespace model

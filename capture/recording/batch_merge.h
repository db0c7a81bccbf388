// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/event_batch.h"

namespace capture {

/// Appends `next`, which follows `batch` in time, so that the result says of both spans together what the two said one by one:
/// deltas are added by key, levels are the later ones, rates are means weighted by time, peaks are the later ones. The size of
/// the result is bounded by what is distinct, not by how often one merges.
void mergeInto(model::EventBatch &batch, model::EventBatch next);

} // namespace capture

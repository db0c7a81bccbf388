// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/activity_rule_list.h"

#include <array>

namespace model {

std::span<const ActivityRule *const> activityRules()
{
    static constexpr std::array kRules{
        &kSmallTransfersRule, &kRepeatedLookupsRule, &kSyncedWritesRule, &kLockWaitsRule, &kSleepingWorkRule};
    return kRules;
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

std::span<const WorkRule *const> workRules()
{
    static constexpr std::array kRules{&kUnoptimisedBuildRule, &kRegexCompiledRule, &kStreamConstructionRule,
        &kExceptionsRule, &kStringConcatenationRule, &kFrontInsertionRule, &kContainerGrowthRule, &kCopiedObjectsRule,
        &kNumberParsingRule, &kDateConversionRule, &kFormattingRule, &kFlushedWritesRule, &kDynamicCastsRule,
        &kClockReadsRule, &kStringLengthRule, &kLinearSearchRule, &kTreeContainerRule, &kReferenceCountingRule,
        &kLockContentionRule, &kBusyWaitingRule, &kPollingRule, &kReallocGrowthRule, &kClearingMemoryRule,
        &kPageFaultsRule, &kAllocatorTimeRule, &kCopyTimeRule};
    return kRules;
}

} // namespace model

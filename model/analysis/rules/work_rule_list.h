// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/rules/rule_data.h"

namespace model {

// Each is defined in the file of its name.
extern const WorkRule kUnoptimisedBuildRule;
extern const WorkRule kRegexCompiledRule;
extern const WorkRule kStreamConstructionRule;
extern const WorkRule kExceptionsRule;
extern const WorkRule kStringConcatenationRule;
extern const WorkRule kFrontInsertionRule;
extern const WorkRule kContainerGrowthRule;
extern const WorkRule kCopiedObjectsRule;
extern const WorkRule kNumberParsingRule;
extern const WorkRule kDateConversionRule;
extern const WorkRule kFormattingRule;
extern const WorkRule kFlushedWritesRule;
extern const WorkRule kDynamicCastsRule;
extern const WorkRule kClockReadsRule;
extern const WorkRule kStringLengthRule;
extern const WorkRule kLinearSearchRule;
extern const WorkRule kTreeContainerRule;
extern const WorkRule kReferenceCountingRule;
extern const WorkRule kLockContentionRule;
extern const WorkRule kBusyWaitingRule;
extern const WorkRule kPollingRule;
extern const WorkRule kReallocGrowthRule;
extern const WorkRule kClearingMemoryRule;
extern const WorkRule kPageFaultsRule;
extern const WorkRule kAllocatorTimeRule;
extern const WorkRule kCopyTimeRule;

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace model {

/// The plausible speed-up of what a rule advises, as the factor by which the place gets faster.
struct SpeedUp
{
    double least = 1;
    double most = 1;
};

/// What every rule is: its words, and what experience says of its advice. A rule is a file in this folder.
struct RuleData
{
    std::string_view key;   ///< snake_case: "regex_compiled"
    std::string_view label; ///< for people: "Regular expressions compiled again and again"
    /// A sentence; {place} is the function or program, {share} its share with interval, {what} what the rule fills in.
    std::string_view title;
    SpeedUp speedUp;       ///< of the work that it is about
    double confidence = 0; ///< 0 to 1, before the evidence
    int effort = 1;        ///< 1 a line, 2 a local rewrite, 4 a data structure, 8 the architecture
    std::string_view advice;
    std::string_view check;
    std::string_view caution; ///< what could make it wrong; may be empty
};

/// Which stacks count.
enum class WorkOn : std::uint8_t {
    Stack,       ///< such a function stands anywhere on the stack: all work that it causes
    Library,     ///< and no code of the program's own below it: callbacks are not its work
    CalledByOwn, ///< and the program's own code calls it directly
    NotInlined,  ///< it is the leaf, and a real function where an optimiser leaves none
};

/// How far a rule may speak beside others at the same place: the work of a stack is that of the first rule that finds it.
enum class WorkDepth : std::uint8_t {
    Cause,   ///< says why the work is done
    Symptom, ///< says what kind of work it is: silent where a cause was found at the place
};

/// A rule that knows a kind of work by the functions on CPU stacks. Patterns: '*' is any text; one with a '(' is matched against the
/// whole name, others against shortFunctionName().
struct WorkRule
{
    RuleData data;
    std::span<const std::string_view> functions; ///< empty: the allocator's, see isAllocator()
    /// Some of them must be seen as well, at the same place, in `leastMarkerShare` of the time; empty: no more is asked.
    std::span<const std::string_view> markers;
    double leastMarkerShare = 0;
    double leastShare = 0.05; ///< of the CPU time, lower end of the 95 % interval
    WorkOn on = WorkOn::Stack;
    WorkDepth depth = WorkDepth::Cause;
    std::int64_t leastThreads = 1; ///< that were sampled
    bool isAboutProgram = false;   ///< the place is the module, not a function
};

/// All of them: causes first, the more special before the more general.
std::span<const WorkRule *const> workRules();

// Rules of other kinds of evidence have code of their own beside this data.
extern const RuleData kGrowingStackRule;
extern const RuleData kTemporaryAllocationsRule;
extern const RuleData kRetainedMemoryRule;
extern const RuleData kPageFaultRateRule;
extern const RuleData kProcessChurnRule;

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/stack_costs.h"
#include "model/aggregate/stack_text.h"
#include "model/analysis/rules.h"
#include "model/analysis/rules/rule_data.h"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// Whether `text` is `pattern`, in which '*' stands for any text.
bool matchesPattern(std::string_view pattern, std::string_view text);

/// CPU time that a rule found on behalf of one place.
struct WorkPlace
{
    StackLine line; ///< the function, and where in it
    StackId heaviest;
    std::int64_t timeNs = 0;
    std::int64_t markerNs = 0; ///< of it with one of the rule's markers
    std::int64_t heaviestNs = 0;
    std::map<std::string, std::int64_t> functions; ///< time by the outermost matching function
    std::vector<std::uint32_t> rows;               ///< of WorkFinder::costs()
};

/// Finds kinds of work on CPU stacks. Each stack's time is counted for one rule only: what was claimed is not found again. The tracer's
/// own time is in no figure.
class WorkFinder
{
public:
    explicit WorkFinder(const RuleInput &input);

    /// CPU time of the program, without the tracer's.
    std::int64_t allNs() const { return m_allNs; }
    std::int64_t tracerNs() const { return m_tracerNs; }
    std::int64_t threads() const { return m_threads; }

    /// The places of a rule's work that is not claimed yet, in descending order of time.
    std::vector<WorkPlace> find(const WorkRule &rule);
    void claim(const WorkPlace &place);

    /// CPU time at a function of the program's own, with what it calls of libraries; and of that, what the allocator takes. Claimed or not.
    struct TimeAt
    {
        std::int64_t allNs = 0;
        std::int64_t allocatorNs = 0;
    };
    TimeAt timeAt(const std::string &function, const std::string &modulePath);

private:
    struct Hit
    {
        std::size_t outermost = 0; ///< position in the stack's places of the outermost matching function
        bool hasMarker = false;
    };

    bool isTracer(FunctionId function) const;
    bool isTracersOwn() const;
    bool isOwn(FunctionId function);
    std::optional<Hit> hitOf(
        const WorkRule &rule, std::vector<signed char> &isWanted, std::vector<signed char> &isMarker);
    std::optional<std::size_t> placeAbove(std::size_t position);
    bool matches(std::span<const std::string_view> patterns, FunctionId function, std::vector<signed char> &known);

    const RuleInput &m_input;
    StackCosts m_costs;
    std::vector<bool> m_isClaimed;       ///< by row of m_costs
    std::vector<signed char> m_own;      ///< by function; -1: not known yet
    std::vector<std::uint32_t> m_places; ///< of the row that is looked at, leaf first
    std::int64_t m_allNs = 0;
    std::int64_t m_tracerNs = 0;
    std::int64_t m_threads = 0;
};

} // namespace model

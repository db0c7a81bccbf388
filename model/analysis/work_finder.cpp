// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/work_finder.h"

#include "model/aggregate/own_code.h"
#include "model/aggregate/stack_functions.h"

#include <algorithm>
#include <set>

namespace model {

namespace {

constexpr std::string_view kInternalPrefix = "__GI_"; ///< of glibc's own calls of what it exports

} // namespace

bool matchesPattern(std::string_view pattern, std::string_view text)
{
    // Greedy with one way back: the last '*' takes one character more each time the rest does not fit.
    std::size_t at = 0;
    std::size_t in = 0;
    std::size_t star = std::string_view::npos;
    std::size_t retry = 0;
    while (in < text.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            star = at++;
            retry = in;
        } else if (at < pattern.size() && pattern[at] == text[in]) {
            ++at, ++in;
        } else if (star != std::string_view::npos) {
            at = star + 1;
            in = ++retry;
        } else {
            return false;
        }
    }
    return std::all_of(
        pattern.begin() + static_cast<std::ptrdiff_t>(at), pattern.end(), [](char c) { return c == '*'; });
}

WorkFinder::WorkFinder(const RuleInput &input)
    : m_input(input)
    , m_costs(stackCosts(input.snapshot, {CostKind::CpuTime}))
    , m_isClaimed(m_costs.stacks.size())
{
    std::set<std::uint32_t> threads;
    for (const CpuCost &row : input.snapshot.cpu)
        threads.insert(row.thread.value);
    m_threads = static_cast<std::int64_t>(threads.size());
    for (std::size_t row = 0; row < m_costs.stacks.size(); ++row) {
        const std::int64_t cost = m_costs.of(row)[0];
        stackPlaces(input.functions, m_costs.stacks[row], m_places);
        if (isTracersOwn()) {
            m_isClaimed[row] = true;
            m_tracerNs += cost;
        } else {
            m_allNs += cost;
        }
    }
}

bool WorkFinder::isTracer(FunctionId function) const { return isTracerCode(m_input.functions, function); }

/// Whether the tracer itself, or the kernel for it, was at work.
bool WorkFinder::isTracersOwn() const
{
    for (const std::uint32_t place : m_places) {
        const FunctionId function = m_input.functions.place(place).function;
        if (FunctionIndex::isEnd(function))
            return false;
        if (isTracer(function))
            return true;
        if (!isKernelCode(m_input.functions, function))
            return false;
    }
    return false;
}

bool WorkFinder::isOwn(FunctionId function)
{
    if (m_own.size() < m_input.functions.size())
        m_own.resize(m_input.functions.size(), -1);
    signed char &state = m_own[function.index()];
    if (state < 0)
        state = isOwnCode(m_input.functions, function) && !isAllocator(m_input.functions.name(function))
                && !isAllocatorWrapper(m_input.functions.name(function)) && !isTracer(function)
            ? 1
            : 0;
    return state == 1;
}

bool WorkFinder::matches(
    std::span<const std::string_view> patterns, FunctionId function, std::vector<signed char> &known)
{
    if (FunctionIndex::isEnd(function))
        return false;
    if (known.size() < m_input.functions.size())
        known.resize(m_input.functions.size(), -1);
    signed char &state = known[function.index()];
    if (state >= 0)
        return state == 1;
    const std::string name = m_input.functions.name(function);
    if (patterns.empty())
        return (state = isAllocator(name) ? 1 : 0) == 1;
    std::string shortName = shortFunctionName(name);
    if (shortName.starts_with(kInternalPrefix))
        shortName.erase(0, kInternalPrefix.size());
    const bool isMatch = std::any_of(patterns.begin(), patterns.end(), [&](std::string_view pattern) {
        return matchesPattern(pattern, pattern.find('(') != std::string_view::npos ? name : shortName);
    });
    state = isMatch ? 1 : 0;
    return isMatch;
}

std::optional<WorkFinder::Hit> WorkFinder::hitOf(
    const WorkRule &rule, std::vector<signed char> &isWanted, std::vector<signed char> &isMarker)
{
    std::optional<Hit> hit;
    const auto functionAt = [this](std::size_t i) { return m_input.functions.place(m_places[i]).function; };
    for (std::size_t i = 0; i < m_places.size(); ++i) {
        const FunctionId function = functionAt(i);
        const bool isHit = matches(rule.functions, function, isWanted);
        const bool isMarked = !rule.markers.empty() && matches(rule.markers, function, isMarker);
        if (rule.on == WorkOn::NotInlined) {
            if (i == 0 && isHit && !m_input.functions.place(m_places[0]).isInlined)
                hit = Hit{0, false};
            break;
        }
        if (isHit || isMarked) {
            const bool hadMarker = hit && hit->hasMarker;
            if (isHit)
                hit = Hit{i, hadMarker || isMarked};
            else if (hit)
                hit->hasMarker = true;
            continue;
        }
        // The program's own code: callbacks on the way up to the work, or who asked for it.
        if (isOwn(function) && (hit || rule.on != WorkOn::Stack))
            break;
    }
    if (hit && rule.on == WorkOn::CalledByOwn) {
        std::size_t caller = hit->outermost + 1;
        while (caller < m_places.size() && isTracer(functionAt(caller)))
            ++caller;
        if (caller >= m_places.size() || !isOwn(functionAt(caller)))
            return std::nullopt;
    }
    return hit;
}

/// The function that a reader can change: the next one above of the program's own that somebody wrote.
std::optional<std::size_t> WorkFinder::placeAbove(std::size_t position)
{
    for (std::size_t i = position + 1; i < m_places.size(); ++i) {
        const FunctionId function = m_input.functions.place(m_places[i]).function;
        if (isOwn(function) && !isSpecialMember(shortFunctionName(m_input.functions.name(function))))
            return i;
    }
    return std::nullopt;
}

std::vector<WorkPlace> WorkFinder::find(const WorkRule &rule)
{
    std::vector<signed char> isWanted;
    std::vector<signed char> isMarker;
    std::map<std::uint32_t, WorkPlace> byPlace;
    for (std::size_t row = 0; row < m_costs.stacks.size(); ++row) {
        if (m_isClaimed[row])
            continue;
        stackPlaces(m_input.functions, m_costs.stacks[row], m_places);
        const std::optional<Hit> hit = hitOf(rule, isWanted, isMarker);
        if (!hit)
            continue;
        const std::optional<std::size_t> above = rule.isAboutProgram ? hit->outermost : placeAbove(hit->outermost);
        if (!above)
            continue;
        const FunctionPlace &at = m_input.functions.place(m_places[*above]);
        const Function &function = m_input.functions.function(at.function);
        WorkPlace &place = byPlace[rule.isAboutProgram ? function.module.value : at.function.value];
        const std::int64_t cost = m_costs.of(row)[0];
        place.timeNs += cost;
        place.markerNs += hit->hasMarker ? cost : 0;
        place.functions[shortFunctionName(
            m_input.functions.name(m_input.functions.place(m_places[hit->outermost]).function))]
            += cost;
        place.rows.push_back(static_cast<std::uint32_t>(row));
        if (cost > place.heaviestNs) {
            place.heaviestNs = cost;
            place.heaviest = m_costs.stacks[row];
            place.line = {.function = at.function,
                .name = rule.isAboutProgram ? std::string() : m_input.functions.name(at.function),
                .moduleName = std::string(m_input.functions.moduleName(at.function)),
                .modulePath = std::string(m_input.functions.modulePath(at.function)),
                .file = rule.isAboutProgram ? std::string() : m_input.snapshot.tables->text(at.file),
                .line = at.line};
        }
    }
    std::vector<WorkPlace> places;
    for (auto &[key, place] : byPlace)
        places.push_back(std::move(place));
    std::stable_sort(
        places.begin(), places.end(), [](const WorkPlace &a, const WorkPlace &b) { return a.timeNs > b.timeNs; });
    return places;
}

void WorkFinder::claim(const WorkPlace &place)
{
    for (const std::uint32_t row : place.rows)
        m_isClaimed[row] = true;
}

WorkFinder::TimeAt WorkFinder::timeAt(const std::string &function, const std::string &modulePath)
{
    TimeAt time;
    std::vector<signed char> isWanted;
    for (std::size_t row = 0; row < m_costs.stacks.size(); ++row) {
        stackPlaces(m_input.functions, m_costs.stacks[row], m_places);
        if (isTracersOwn())
            continue;
        bool isBelow = false;
        for (const std::uint32_t position : m_places) {
            const FunctionId at = m_input.functions.place(position).function;
            isBelow = isBelow || matches({}, at, isWanted);
            if (!isOwn(at) || isSpecialMember(shortFunctionName(m_input.functions.name(at))))
                continue;
            if (m_input.functions.name(at) == function && m_input.functions.modulePath(at) == modulePath) {
                time.allNs += m_costs.of(row)[0];
                time.allocatorNs += isBelow ? m_costs.of(row)[0] : 0;
            }
            break;
        }
    }
    return time;
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/function_table.h"
#include "model/aggregate/own_code.h"
#include "model/aggregate/stack_costs.h"
#include "model/aggregate/stack_functions.h"
#include "model/analysis/hot_paths.h"
#include "model/analysis/rules.h"
#include "model/analysis/share_interval.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace model {

namespace {

constexpr std::int64_t kLeastSamples = 100;
constexpr double kHotShare = 0.05; ///< lower end of the interval
constexpr std::size_t kMostHotFunctions = 3;
constexpr double kLibraryShare = 0.05;
constexpr SpeedUp kRewrite{1.1, 2};
constexpr SpeedUp kFewerCalls{1.3, 4};

constexpr std::array kCopyBeginnings{std::to_array<std::string_view>({"__memcpy", "__memmove", "__mempcpy", "memcpy",
    "memmove", "__GI_memcpy", "__GI_memmove", "__strcpy", "__strncpy"})};

bool isCopy(std::string_view name)
{
    return std::any_of(
        kCopyBeginnings.begin(), kCopyBeginnings.end(), [name](std::string_view b) { return name.starts_with(b); });
}

bool lacksSamples(const RuleInput &input, std::string_view what, Recommendations &found)
{
    const std::int64_t samples = input.snapshot.cpuSummary.samples;
    if (samples >= kLeastSamples)
        return false;
    found.notLookedAt.push_back(input.snapshot.info.config.cpuHz == 0
            ? fmt::format("{}: CPU samples were not recorded.", what)
            : fmt::format("{}: needs {} CPU samples, there are {}.", what, kLeastSamples, formatCount(samples)));
    return true;
}

Interval percent(const Interval &share) { return {share.low * 100, share.high * 100}; }

std::string shareText(double share, const Interval &interval)
{
    return fmt::format("{} ({:.1f}–{:.1f})", formatShare(share), interval.low * 100, interval.high * 100);
}

Evidence samplesEvidence(std::int64_t samples)
{
    return {"samples", static_cast<double>(samples), {}, Unit::Count, formatCount(samples)};
}

Recommendation hotFunction(const RuleInput &input, const FunctionTable &table, const HotFunction &hot)
{
    const std::string name = shortFunctionName(table.functions->name(hot.function));
    const std::string share = shareText(hot.selfShare, hot.selfShare95);
    const std::string where = shortPlace(input.snapshot.tables->text(hot.file), hot.line);
    Recommendation item{.rule = Rule::HotFunction,
        .title = fmt::format("{} takes {} of the CPU time in its own code", name, share),
        .place = name,
        .where = where,
        .module = std::string(table.functions->moduleName(hot.function)),
        .cost = CostKind::CpuTime,
        .gainKind = GainKind::CpuShare,
        .gain = amdahl(hot.selfShare95, kRewrite),
        .confidence = std::min(0.9, 0.5 + hot.selfShare),
        .effort = 2,
        .advice
        = fmt::format("Call {} less often, or give it less to do{}: its callers are on the CPU page, bottom-up.", name,
            where.empty() ? "" : " around " + where),
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = "A share says where time goes, not how much of it can be saved."};
    item.evidence.push_back({"own share", hot.selfShare * 100, percent(hot.selfShare95), Unit::Percent, share});
    item.evidence.push_back({"with what it calls", hot.totalShare * 100, percent(hot.totalShare95), Unit::Percent,
        shareText(hot.totalShare, hot.totalShare95)});
    item.evidence.push_back(
        samplesEvidence(std::llround(hot.selfShare * static_cast<double>(input.snapshot.cpuSummary.samples))));
    return item;
}

/// CPU time in functions of a kind, whoever called them, and who called most.
struct LibraryTime
{
    std::int64_t timeNs = 0;
    std::int64_t heaviestNs = 0;
    StackId heaviest;
    std::map<std::string, std::int64_t> callers; ///< shortened names of own functions
};

template <typename IsWanted> LibraryTime libraryTime(const RuleInput &input, const StackCosts &costs, IsWanted isWanted)
{
    LibraryTime result;
    std::vector<std::uint32_t> places;
    std::vector<signed char> known;
    for (std::size_t row = 0; row < costs.stacks.size(); ++row) {
        stackPlaces(input.functions, costs.stacks[row], places);
        known.resize(input.functions.size(), -1);
        const bool isOn = std::any_of(places.begin(), places.end(), [&](std::uint32_t place) {
            const FunctionId function = input.functions.place(place).function;
            signed char &state = known[function.index()];
            if (state < 0)
                state = isWanted(input.functions.name(function)) ? 1 : 0;
            return state == 1;
        });
        if (!isOn)
            continue;
        const std::int64_t cost = costs.of(row)[0];
        result.timeNs += cost;
        result.callers[shortFunctionName(ownLine(input.functions, costs.stacks[row]).name)] += cost;
        if (cost > result.heaviestNs) {
            result.heaviestNs = cost;
            result.heaviest = costs.stacks[row];
        }
    }
    return result;
}

struct LibraryRule
{
    Rule rule;
    std::string_view what;
    std::string_view advice;
};

void addLibraryTime(const RuleInput &input, const LibraryRule &rule, const LibraryTime &time, Recommendations &found)
{
    const CpuSummary &cpu = input.snapshot.cpuSummary;
    const double share = cpu.timeNs > 0 ? static_cast<double>(time.timeNs) / static_cast<double>(cpu.timeNs) : 0;
    const std::int64_t samples = std::llround(share * static_cast<double>(cpu.samples));
    const Interval interval = wilsonInterval(samples, cpu.samples);
    if (interval.low < kLibraryShare)
        return;
    const auto heaviest = std::max_element(
        time.callers.begin(), time.callers.end(), [](const auto &a, const auto &b) { return a.second < b.second; });
    const std::string text = shareText(share, interval);
    Recommendation item{.rule = rule.rule,
        .title = fmt::format("{} takes {} of the CPU time, most of it for {}", rule.what, text, heaviest->first),
        .place = heaviest->first,
        .where = {},
        .module = {},
        .stack = time.heaviest,
        .cost = CostKind::CpuTime,
        .gainKind = GainKind::CpuShare,
        .gain = amdahl(interval, kFewerCalls),
        .confidence = 0.7,
        .effort = 2,
        .advice = std::string(rule.advice),
        .check = "Record the same work again: its share should fall."};
    const StackLine own = ownLine(input.functions, time.heaviest);
    item.where = shortPlace(own.file, own.line);
    item.module = own.moduleName;
    item.evidence.push_back({"share", share * 100, percent(interval), Unit::Percent, text});
    item.evidence.push_back({"share of " + heaviest->first + " in it",
        100 * static_cast<double>(heaviest->second) / static_cast<double>(time.timeNs), {}, Unit::Percent,
        formatShareOf(heaviest->second, time.timeNs)});
    item.evidence.push_back(samplesEvidence(samples));
    found.items.push_back(std::move(item));
}

} // namespace

Interval amdahl(const Interval &share, SpeedUp speedUp)
{
    return {share.low * (1 - 1 / speedUp.least), share.high * (1 - 1 / speedUp.most)};
}

bool findHotFunctions(const RuleInput &input, Recommendations &found)
{
    if (lacksSamples(input, "Hot functions", found))
        return true;
    const std::optional<FunctionTable> table = functionTable(input.snapshot, CostKind::CpuTime, input.stop);
    if (!table)
        return false;
    std::size_t count = 0;
    for (const HotFunction &hot : hotFunctions(*table, input.snapshot.cpuSummary.samples)) {
        const std::string name = table->functions->name(hot.function);
        const bool isTracer = table->functions->moduleName(hot.function).find("heaptracer") != std::string_view::npos;
        const bool isOthers = FunctionIndex::isEnd(hot.function) || isTracer || isAllocator(name) || isCopy(name);
        if (isOthers || hot.selfShare95.low < kHotShare || count == kMostHotFunctions)
            continue;
        found.items.push_back(hotFunction(input, *table, hot));
        ++count;
    }
    return true;
}

bool findLibraryTime(const RuleInput &input, Recommendations &found)
{
    if (lacksSamples(input, "Time in malloc, free and copies", found))
        return true;
    const StackCosts costs = stackCosts(input.snapshot, {CostKind::CpuTime});
    addLibraryTime(input,
        {Rule::AllocatorTime, "Allocating and freeing",
            "Allocate less often: reuse objects, reserve containers, keep small things by value; then think of an "
            "arena or a pool."},
        libraryTime(input, costs, isAllocator), found);
    if (input.stop.stop_requested())
        return false;
    addLibraryTime(input,
        {Rule::CopyTime, "Copying memory",
            "Move instead of copying, pass views or references, and reserve containers so that growing does not copy "
            "them."},
        libraryTime(input, costs, isCopy), found);
    return !input.stop.stop_requested();
}

} // namespace model

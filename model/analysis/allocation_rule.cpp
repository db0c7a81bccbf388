// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/own_code.h"
#include "model/aggregate/stack_functions.h"
#include "model/aggregate/temporary_blocks.h"
#include "model/aggregate/unrecorded_heap.h"
#include "model/analysis/rules.h"
#include "model/analysis/share_interval.h"
#include "model/analysis/work_finder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace model {

namespace {

constexpr double kHotShare = 0.05;           ///< of all allocations: the place is hot
constexpr double kTemporaryShare = 0.1;      ///< of the place's allocations
constexpr std::int64_t kLeastCount = 10'000; ///< fewer are soon made
constexpr std::int64_t kLeastSamples = 100;
constexpr double kEveryStackShare = 0.001; ///< stacks with fewer of all temporaries are not looked up
constexpr std::size_t kMostItems = 5;

constexpr double kNearlyAll = 0.9;     ///< of a program's allocations: its main, or what stands for it
constexpr double kAboutAverage = 1.25; ///< times as temporary as all other allocations: nothing special
constexpr double kWidestGain = 10;     ///< times the least

struct Place
{
    StackLine line;
    const HeapCost *heaviest = nullptr;
    std::int64_t allocations = 0;
    std::int64_t temporaries = 0;
    std::int64_t temporaryBytes = 0;
    std::int64_t throughLibraries = 0; ///< of its allocations: it calls a library that allocates
    std::set<std::uint32_t> images;

    /// Where temporaryBytes are of more, some were allocated before the selected time.
    std::int64_t temporariesMade() const { return temporariesAmong(allocations, temporaries); }
};

/// What the samples say of a place; nothing where there are too few.
struct CpuAt
{
    Interval allocator; ///< share of malloc and free there
    Interval all;       ///< share of the place with what it calls of libraries
};

std::optional<CpuAt> cpuAt(const RuleInput &input, const Place &place)
{
    const CpuSummary &cpu = input.snapshot.cpuSummary;
    if (cpu.samples < kLeastSamples || cpu.timeNs <= 0)
        return std::nullopt;
    WorkFinder finder(input);
    const WorkFinder::TimeAt time = finder.timeAt(place.line.name, place.line.modulePath);
    const double samplesPerNs = static_cast<double>(cpu.samples) / static_cast<double>(cpu.timeNs);
    const auto samplesIn
        = [samplesPerNs](std::int64_t ns) { return std::llround(samplesPerNs * static_cast<double>(ns)); };
    const std::int64_t all = samplesIn(finder.allNs());
    return CpuAt{wilsonInterval(samplesIn(time.allocatorNs), all), wilsonInterval(samplesIn(time.allNs), all)};
}

Recommendation itemFor(const RuleInput &input, const Place &place)
{
    const HeapSummary &all = input.snapshot.heapSummary;
    const auto temporaries = static_cast<double>(place.temporariesMade());
    const double shareOfAll = temporaries / static_cast<double>(all.allocations);
    const double rate = temporaries / std::max(input.snapshot.span.length().seconds(), 1e-3);
    const double meanBytes = static_cast<double>(place.temporaryBytes) / static_cast<double>(place.temporaries);
    Recommendation item = itemOf(kTemporaryAllocationsRule, shortFunctionName(place.line.name),
        fmt::format("{} of all allocations, {}", formatShareOf(place.allocations, all.allocations),
            formatShareOf(place.temporariesMade(), place.allocations)));
    item.where = shortPlace(place.line.file, place.line.line);
    item.module = place.line.moduleName;
    item.stack = place.heaviest->stack;
    item.image = place.heaviest->image;
    item.cost = CostKind::Temporary;
    item.depth = 1;
    item.check = fmt::format(
        "Record again: allocations per second should fall by up to {}, which are the temporary ones of this place.",
        formatShare(shareOfAll));
    if (const std::optional<CpuAt> cpu = cpuAt(input, place)) {
        const Interval &share = cpu->allocator;
        item.gainKind = GainKind::CpuShare;
        item.gain = amdahl({share.low, cpu->all.high}, kTemporaryAllocationsRule.speedUp); // blocks are filled too
        item.evidence.push_back({"CPU time of malloc and free there", (share.low + share.high) * 50,
            Interval{share.low * 100, share.high * 100}, Unit::Percent,
            fmt::format("{:.1f}–{:.1f} %", share.low * 100, share.high * 100)});
        addWholeOfPlace(cpu->all, item);
    } else {
        item.gainKind = GainKind::AllocationShare;
        item.gain = {shareOfAll * 0.5, shareOfAll};
        item.caution
            = "Fewer allocations make the program faster only where it spends time in malloc and free, which needs "
              "--cpu 999 to say.";
    }
    item.evidence.push_back(
        {"temporary allocations", temporaries, {}, Unit::Count, formatCount(place.temporariesMade())});
    item.evidence.push_back({"share of its allocations", 100 * temporaries / static_cast<double>(place.allocations), {},
        Unit::Percent, formatShareOf(place.temporariesMade(), place.allocations)});
    // Its title speaks of all that the place allocates: this is of the temporary ones alone.
    item.evidence.push_back(
        {"temporary, of all allocations", 100 * shareOfAll, {}, Unit::Percent, formatShare(shareOfAll)});
    item.evidence.push_back({"rate", rate, {}, Unit::PerSecond, formatValue(rate, Unit::PerSecond)});
    item.evidence.push_back({"mean size", meanBytes, {}, Unit::Bytes, formatBytes(meanBytes)});
    return item;
}

/// Whether the function at `position` calls a library that allocates, rather than an allocator or the language's own library, which are what it
/// allocates with.
bool isThroughLibraries(const FunctionIndex &functions, const std::vector<StackLine> &lines, std::size_t position)
{
    const auto isOther = [&](const StackLine &line) {
        return callerKind(functions, line.function) == CallerKind::Library
            && line.modulePath != lines[position].modulePath && !line.moduleName.starts_with("libstdc++.")
            && !line.moduleName.starts_with("libc++.") && !line.moduleName.starts_with("libc.so");
    };
    return std::any_of(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(position), isOther);
}

/// Whether nearly everything that its program allocates descends from a place, most of it by way of libraries: no place that can be changed.
bool isRootOfAll(const RuleInput &input, const Place &place)
{
    if (2 * place.throughLibraries < place.allocations)
        return false;
    std::int64_t all = 0, descending = 0;
    std::vector<std::uint32_t> places;
    for (const HeapCost &row : input.snapshot.heap) {
        if (!place.images.contains(row.image.value))
            continue;
        all += row.allocations;
        stackPlaces(input.functions, row.stack, places);
        const bool isBelow = std::any_of(places.begin(), places.end(),
            [&](std::uint32_t at) { return input.functions.place(at).function == place.line.function; });
        descending += isBelow ? row.allocations : 0;
    }
    return static_cast<double>(descending) >= kNearlyAll * static_cast<double>(all);
}

/// Whether an item says next to nothing: a place like all others, and a gain of which only the order of magnitude is known.
bool isVague(const RuleInput &input, const Place &place, const Recommendation &item)
{
    const HeapSummary &all = input.snapshot.heapSummary;
    const std::int64_t others = all.allocations - place.allocations;
    if (static_cast<double>(others) < (1 - kNearlyAll) * static_cast<double>(all.allocations))
        return false; // there is no average beside it
    const double average = static_cast<double>(all.temporaries - place.temporaries) / static_cast<double>(others);
    const double own = static_cast<double>(place.temporariesMade()) / static_cast<double>(place.allocations);
    return own <= kAboutAverage * average && item.gain.high > kWidestGain * item.gain.low;
}

} // namespace

bool findTemporaryAllocations(const RuleInput &input, Recommendations &found)
{
    const HeapSummary &all = input.snapshot.heapSummary;
    if (!isHeapRecorded(input.snapshot)) {
        found.notLookedAt.emplace_back("Temporary allocations: the heap was not recorded.");
        return true;
    }
    if (input.snapshot.selection.thread) {
        found.notLookedAt.emplace_back("Temporary allocations: the heap is not kept by thread; look at all of them.");
        return true;
    }
    std::map<std::string, Place> places;
    const auto least = static_cast<double>(all.allocations) * kEveryStackShare;
    for (const HeapCost &row : input.snapshot.heap) {
        if (input.stop.stop_requested())
            return false;
        if (static_cast<double>(row.allocations) < least || row.allocations == 0)
            continue;
        const std::vector<StackLine> lines = stackLines(input.functions, row.stack);
        const std::size_t position = callerPosition(input.functions, lines);
        const StackLine line = lines.empty() ? StackLine() : lines[position];
        Place &place = places[line.modulePath + '\n' + line.name];
        if (place.heaviest == nullptr || row.temporaries > place.heaviest->temporaries) {
            place.heaviest = &row;
            place.line = line;
        }
        place.allocations += row.allocations;
        place.temporaries += row.temporaries;
        place.temporaryBytes += row.temporaryBytes;
        place.throughLibraries += isThroughLibraries(input.functions, lines, position) ? row.allocations : 0;
        place.images.insert(row.image.value);
    }
    std::vector<const Place *> hot;
    for (const auto &[key, place] : places) {
        const double share = static_cast<double>(place.allocations) / static_cast<double>(all.allocations);
        const double temporary = static_cast<double>(place.temporaries) / static_cast<double>(place.allocations);
        if (share >= kHotShare && temporary >= kTemporaryShare && place.temporariesMade() >= kLeastCount)
            hot.push_back(&place);
    }
    std::stable_sort(
        hot.begin(), hot.end(), [](const Place *a, const Place *b) { return a->temporaries > b->temporaries; });
    std::erase_if(hot, [&input](const Place *place) { return isRootOfAll(input, *place); });
    hot.resize(std::min(hot.size(), kMostItems));
    for (const Place *place : hot)
        if (Recommendation item = itemFor(input, *place); !isVague(input, *place, item))
            found.items.push_back(std::move(item));
    return true;
}

} // namespace model

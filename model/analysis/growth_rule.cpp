// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/heap_modes.h"
#include "model/aggregate/own_code.h"
#include "model/aggregate/unrecorded_heap.h"
#include "model/analysis/coverage.h"
#include "model/analysis/forecast_words.h"
#include "model/analysis/leak_detector.h"
#include "model/analysis/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace model {

namespace {

constexpr std::size_t kLeastMoments = 8;
constexpr double kLeastSeconds = 5;
constexpr double kLeastShare = 0.01;       ///< of the live heap: what grew in the time that was looked at
constexpr double kLeastBytes = 256 * 1024; ///< and at least this
constexpr double kLeastLost = 1024;        ///< bytes: what a scan found lost, and libraries lose as they are loaded
constexpr double kLeastTau = 0.5;
constexpr Duration kLeastForSlow = Duration::fromMs(600'000); ///< to find nothing in less says little
constexpr double kFinished = 0.25; ///< so much less is said of a program that ended by itself
constexpr double kStopped
    = 0.2; ///< the second half grows less than this part of the first: start-up, or a cache that is full
constexpr double kSlowing = 0.6; ///< the second half grows less than this part of the first: may be a cache that fills

/// All stacks that allocate at one place of the program's own code, in images that ended in the same step or still live: one cause, one item.
/// What ended before keeps nothing any more, so a place that many programs have in turn is not judged by their sum.
struct Place
{
    StackLine line;
    StackId heaviest;
    ImageId image;
    std::int64_t heaviestGrowth = 0;
    std::size_t stacks = 0;
    std::size_t first = 0, end = 0; ///< the moments at which any of the images lived
    std::vector<double> liveBytes;  ///< at these
    std::int64_t frees = 0;
    std::int64_t allocations = 0;
    bool isFinished = true; ///< all of the images ended by themselves
    bool isCutOff = false;  ///< one of them, after the selected time
    Duration lived;         ///< the longest of the images
};

/// Trend of a place, without the first sixth of the time (start-up) and the last (blocks too young to be freed yet).
struct Growth
{
    RobustTrend trend; ///< bytes per hour
    double grownBytes = 0;
    bool isSlowing = false;
};

Growth growthOf(const std::vector<Timestamp> &moments, const std::vector<double> &bytes)
{
    const std::size_t cut = bytes.size() / 6;
    const std::size_t end = bytes.size() - cut;
    std::vector<double> hours;
    std::vector<double> values;
    for (std::size_t i = cut; i < end; ++i) {
        hours.push_back(moments[i].seconds() / 3600);
        values.push_back(bytes[i]);
    }
    Growth growth{robustTrend(hours, values), values.back() - values.front(), false};
    const std::size_t half = values.size() / 2;
    const std::span<const double> x(hours);
    const std::span<const double> y(values);
    const double first = robustTrend(x.first(half), y.first(half)).slope;
    const double second = robustTrend(x.subspan(half), y.subspan(half)).slope;
    growth.isSlowing = second < kSlowing * first;
    if (second <= kStopped * std::max(first, 0.0))
        growth.grownBytes = 0;
    return growth;
}

/// The first moment at which an image lived, and one behind the last.
std::pair<std::size_t, std::size_t> momentsOf(const Snapshot &snapshot, const Image &image)
{
    const std::vector<Timestamp> &all = snapshot.growthTimes;
    const auto index = [&all](Timestamp when) {
        return static_cast<std::size_t>(std::lower_bound(all.begin(), all.end(), when) - all.begin());
    };
    const std::size_t end = image.end ? std::min(index(*image.end) + 1, all.size()) : all.size();
    return {std::min(index(image.start), end - 1), end};
}

/// Whether an image ended without being asked to: before the recording did, or as the command that the recording was of.
bool hasFinished(const Snapshot &snapshot, const Image &image, bool isBeforeEnd)
{
    if (!image.end)
        return false;
    const SessionInfo &info = snapshot.info;
    return isBeforeEnd
        || (info.endReason.starts_with(kCommandEnded) && info.exitStatus.value_or(0) == 0
            && snapshot.tables->processes.at(image.process.index()).waitStatus.value_or(0) == 0);
}

std::vector<Place> placesOf(const RuleInput &input)
{
    const Snapshot &snapshot = input.snapshot;
    std::map<std::uint64_t, const HeapCost *> rows;
    const auto key = [](ImageId image, StackId stack) { return (std::uint64_t{image.value} << 32) | stack.value; };
    for (const HeapCost &row : snapshot.heap)
        rows[key(row.image, row.stack)] = &row;
    const std::size_t moments = snapshot.growthTimes.size();
    std::map<std::pair<std::string, std::size_t>, Place> places;
    for (const HeapGrowth &row : snapshot.heapGrowth) {
        if (row.liveBytes.size() != moments || row.liveBytes.empty())
            continue;
        const Image &image = snapshot.tables->images.at(row.image.index());
        const auto [first, end] = momentsOf(snapshot, image);
        const StackLine line = callerLine(input.functions, row.stack);
        Place &place = places[{line.modulePath + '\n' + line.name, end}];
        place.liveBytes.resize(moments);
        for (std::size_t i = 0; i < end; ++i)
            place.liveBytes[i] += static_cast<double>(row.liveBytes[i]);
        const std::int64_t grown = row.liveBytes[end - 1] - row.liveBytes.front();
        if (place.stacks == 0 || grown > place.heaviestGrowth) {
            place.line = line;
            place.heaviest = row.stack;
            place.image = row.image;
            place.heaviestGrowth = grown;
        }
        place.first = place.stacks++ == 0 ? first : std::min(place.first, first);
        place.end = end;
        place.isFinished = place.isFinished && hasFinished(snapshot, image, end < moments);
        place.isCutOff = place.isCutOff || (snapshot.selection.time && image.end && snapshot.span.end < *image.end);
        place.lived = std::max(place.lived, image.end.value_or(snapshot.span.end) - image.start);
        if (const auto known = rows.find(key(row.image, row.stack)); known != rows.end()) {
            place.frees += known->second->frees;
            place.allocations += known->second->allocations;
        }
    }
    std::vector<Place> found;
    for (auto &[name, place] : places) {
        place.liveBytes = {place.liveBytes.begin() + static_cast<std::ptrdiff_t>(place.first),
            place.liveBytes.begin() + static_cast<std::ptrdiff_t>(place.end)};
        found.push_back(std::move(place));
    }
    return found;
}

double confidenceOf(const Growth &growth, const Coverage &trust, Duration seen)
{
    const double minutes = seen.seconds() / 60;
    double confidence = minutes < 1 ? 0.4 : minutes < 10 ? 0.6 : 0.8;
    confidence *= growth.isSlowing ? 0.6 : 1;
    return trust.heap == Trust::Partial ? confidence * 0.6 : confidence;
}

std::string cautionOf(const Growth &growth, const Place &place, const Coverage &trust)
{
    std::string text;
    if (growth.isSlowing)
        text = "It grows more slowly towards the end: a cache or a buffer that is still filling looks like this. ";
    if (place.frees > 0)
        text += "Part of what it allocates is freed, so blocks that simply live longer than the recording look like "
                "this too. ";
    if (trust.heap == Trust::Partial)
        text += "Heap events are incomplete, and a lost free looks like growth. ";
    if (!text.empty())
        text.pop_back();
    return text;
}

double keptBy(const Place &place) { return place.liveBytes.back() - place.liveBytes.front(); }

/// Work that is done and over looks like growth, and so does a leak in a short test. What it held is gone either way, if not in the selected time.
void tellAsWork(const Snapshot &snapshot, const Place &place, const std::string &name, Recommendation &item)
{
    item.endedAfter = place.lived;
    item.title = fmt::format("{} kept {}{}", name, formatBytes(keptBy(place)),
        place.isCutOff ? fmt::format(" in the {} selected", formatDuration(snapshot.span.length()))
                       : fmt::format(", until its program ended after {}", formatDuration(place.lived)));
    item.advice = fmt::format("Where the program is to run for longer, look at who should free what {} allocates. "
                              "Where it builds up what it works on, and ends with it, there is nothing to change.",
        name);
    item.check = "Record a longer run: what a leak keeps goes on growing, what the work needs does not.";
    item.confidence *= kFinished;
}

Recommendation itemFor(const RuleInput &input, const Place &place, const Growth &growth, const Coverage &trust)
{
    const RobustTrend &trend = growth.trend;
    const std::string name = shortFunctionName(place.line.name);
    const std::string rate = rateText(trend.slope, trend.slope90, Unit::Bytes);
    Recommendation item = itemOf(kGrowingStackRule, name, rate);
    item.where = shortPlace(place.line.file, place.line.line);
    item.module = place.line.moduleName;
    item.stack = place.heaviest;
    item.image = place.image;
    item.cost = CostKind::Growth;
    item.gainKind = GainKind::BytesPerHour;
    item.gain = trend.slope90;
    item.confidence = confidenceOf(growth, trust, input.snapshot.span.length());
    item.caution = cautionOf(growth, place, trust);
    if (place.isFinished && place.lived < kLeastForSlow)
        tellAsWork(input.snapshot, place, name, item);
    item.evidence.push_back({"growth", trend.slope, trend.slope90, Unit::BytesPerHour, rate});
    const double kept = keptBy(place);
    const bool isOver = item.endedAfter && !place.isCutOff;
    item.evidence.push_back({std::string(kKeptInTime), kept, {}, Unit::Bytes, formatBytes(kept)});
    item.evidence.push_back({std::string(isOver ? kLeftAtEnd : "live at the end"), place.liveBytes.back(), {},
        Unit::Bytes, formatBytes(place.liveBytes.back())});
    const auto share
        = place.allocations > 0 ? static_cast<double>(place.frees) / static_cast<double>(place.allocations) : 0;
    item.evidence.push_back(
        {"freed of what it allocated", share * 100, {}, Unit::Percent, formatShareOf(place.frees, place.allocations)});
    item.evidence.push_back({"stacks", static_cast<double>(place.stacks), {}, Unit::Count,
        formatCount(static_cast<std::int64_t>(place.stacks))});
    return item;
}

Recommendation itemFor(const Snapshot &snapshot, const LeakItem &leak)
{
    const bool isSure = leak.tier == LeakTier::Growing || leak.tier == LeakTier::Lost;
    // A scan proves more than the ages do, but what the ages prove by themselves holds without a second scan.
    const LeakTest &test = leak.stacks.front().test;
    const bool isConfirmed = leak.isConfirmed || (test.leaks() && test.buckets >= kConfirmedLeakBuckets);
    double confidence = isSure && isConfirmed ? 0.9 : isSure ? 0.6 : 0.5;
    confidence *= coverage(snapshot).heap == Trust::Partial ? 0.6 : 1;
    Recommendation item = itemOf(kGrowingStackRule, leak.place, {});
    item.title = leak.title;
    item.where = leak.where;
    item.module = leak.module;
    item.stack = leak.stacks.front().stack;
    item.image = leak.image;
    item.cost = CostKind::Growth;
    item.gainKind = GainKind::BytesPerHour;
    item.gain = {std::max(leak.bytesPerHour95.low, 0.0), leak.bytesPerHour95.high};
    item.confidence = confidence;
    item.check = "Record again for as long: fewer of its blocks should stay for good.";
    item.caution = leak.caution;
    if (leak.tier == LeakTier::Lost && !test.isEnough) {
        const BlockSum &most = leak.held.bytes > leak.lost.bytes ? leak.held : leak.lost;
        item.label = "Lost memory";
        item.gainKind = GainKind::Bytes;
        item.gain = {static_cast<double>(std::min(leak.lost.bytes, leak.held.bytes)), static_cast<double>(most.bytes)};
        item.advice = fmt::format("No pointer leads to these blocks any more: free what {} allocates where its last "
                                  "pointer goes.",
            leak.place);
        item.check = "Scan again (--scan-at-exit): nothing of it should be lost.";
        item.evidence.push_back({std::string(kLostByScan), static_cast<double>(most.bytes), {}, Unit::Bytes,
            formatBytes(static_cast<double>(most.bytes))});
        item.evidence.push_back(
            {"blocks", static_cast<double>(most.blocks), {}, Unit::Count, formatCount(most.blocks)});
        return item;
    }
    item.evidence.push_back({"growth", leak.bytesPerHour, leak.bytesPerHour95, Unit::BytesPerHour,
        rateText(leak.bytesPerHour, leak.bytesPerHour95, Unit::Bytes)});
    item.evidence.push_back({"live at the end", static_cast<double>(leak.liveBytes), {}, Unit::Bytes,
        formatBytes(static_cast<double>(leak.liveBytes))});
    item.evidence.push_back(
        {"stay for good", leak.leakShare * 100, Interval{leak.leakShare95.low * 100, leak.leakShare95.high * 100},
            Unit::Percent, shareText(leak.leakShare, leak.leakShare95) + " of its blocks"});
    item.evidence.push_back({"stacks", static_cast<double>(leak.stacks.size()), {}, Unit::Count,
        formatCount(static_cast<std::int64_t>(leak.stacks.size()))});
    return item;
}

/// By image and function.
using LostPlaces = std::map<std::pair<std::uint32_t, std::string>, double>;

/// What scans found lost where no history says more; how many bytes at which place, with what hangs on them: mostly the same place's.
LostPlaces addLost(const Snapshot &snapshot, const LeakReport &leaks, Recommendations &found)
{
    LostPlaces places;
    for (const LeakItem &leak : leaks.items)
        if (leak.tier == LeakTier::Lost && static_cast<double>(leak.held.bytes) >= kLeastLost) {
            found.items.push_back(itemFor(snapshot, leak));
            places[{leak.image.value, leak.function}]
                += static_cast<double>(std::max(leak.lost.bytes, leak.held.bytes));
        }
    return places;
}

/// Whether that says all that is to be said of a place: it lost most of what it kept, and enough to be told of.
bool isToldAsLost(const Snapshot &snapshot, const LostPlaces &lost, const Place &place)
{
    constexpr double kMost = 0.5;
    const auto found = lost.find({place.image.value, place.line.name});
    const double kept = place.liveBytes.empty() ? 0 : place.liveBytes.back() - place.liveBytes.front();
    return found != lost.end() && found->second >= kMost * kept
        && found->second >= 2 * kLeastShare * memoryHeld(snapshot);
}

/// What makes all that is said of growth doubtful; empty if nothing does.
std::string doubtOf(const Snapshot &snapshot)
{
    return coverage(snapshot).heap == Trust::Partial ? "heap events are incomplete" : "";
}

GrowthLook lookOf(const Snapshot &snapshot, const LeakReport &leaks)
{
    GrowthLook look{leaks.tested, static_cast<std::int64_t>(snapshot.heap.size()),
        formatBytes(static_cast<double>(leaks.foldedBelow)) + " in 24 hours", doubtOf(snapshot)};
    if (look.limit.empty() && leaks.tooMany > 0)
        look.limit = fmt::format("{} stacks were not followed, as there were too many", formatCount(leaks.tooMany));
    if (look.limit.empty() && leaks.buckets < kConfirmedLeakBuckets)
        look.limit = fmt::format("that is confirmed after {}",
            formatDuration({leaks.bucket.ns * static_cast<std::int64_t>(kConfirmedLeakBuckets)}));
    return look;
}

} // namespace

bool findGrowingStacks(const RuleInput &input, Recommendations &found)
{
    const Snapshot &snapshot = input.snapshot;
    if (std::optional<std::string> why = whyNoHeap(snapshot)) {
        why->front() = 't';
        found.notLookedAt.push_back("Growth: " + *why);
        return true;
    }
    // How blocks age says more than sums do, but only of the whole recording, and after a while.
    LostPlaces lost;
    if ((snapshot.heapAges || !snapshot.scans.empty()) && !snapshot.selection.time) {
        const std::shared_ptr<const LeakReport> leaks = leaksOf(snapshot, input.stop);
        if (!leaks)
            return false;
        if (leaks->state == LeakReport::State::Done) {
            for (const LeakItem &leak : leaks->items)
                if (leak.tier != LeakTier::Idle)
                    found.items.push_back(itemFor(snapshot, leak));
            found.growth = lookOf(snapshot, *leaks);
            return true;
        }
        lost = addLost(snapshot, *leaks, found);
    }
    if (snapshot.growthTimes.size() < kLeastMoments || snapshot.span.length().seconds() < kLeastSeconds) {
        found.notLookedAt.push_back(fmt::format("Growth: needs {} ticks and {} s of heap recording, there {} in {}.",
            kLeastMoments, kLeastSeconds,
            snapshot.growthTimes.size() == 1 ? "is 1 tick" : fmt::format("are {} ticks", snapshot.growthTimes.size()),
            formatDuration(snapshot.span.length())));
        return true;
    }
    if (const auto steps = heapStepsIn(snapshot, snapshot.span); !steps.empty()) {
        found.notLookedAt.push_back(
            fmt::format("Growth: how the heap was recorded changed at {}, and live memory is not compared "
                        "across that; select the time after it.",
                formatOffset(steps.back().when, true)));
        return true;
    }
    const Coverage trust = coverage(snapshot);
    // What is live at the end counts programs that ended, each at its end; the peak is of what was there together.
    const HeapSummary &heap = snapshot.heapSummary;
    const double least
        = std::max(kLeastBytes, kLeastShare * static_cast<double>(std::min(heap.liveBytes, heap.peakBytes)));
    const std::string seen = formatDuration(snapshot.span.length());
    found.growth = GrowthLook{0, static_cast<std::int64_t>(snapshot.heap.size()),
        fmt::format("{} in {}", formatBytes(least), seen), doubtOf(snapshot)};
    if (found.growth->limit.empty() && snapshot.span.length() < kLeastForSlow)
        found.growth->limit = fmt::format("what grows slowly does not show in {}", seen);
    for (const Place &place : placesOf(input)) {
        if (input.stop.stop_requested())
            return false;
        const std::vector<Timestamp> &all = snapshot.growthTimes;
        const Timestamp begin = place.first > 0 ? all[place.first - 1] : snapshot.span.begin;
        if (place.liveBytes.size() < kLeastMoments || (all[place.end - 1] - begin).seconds() < kLeastSeconds)
            continue; // came and went, or came just now
        found.growth->tested += static_cast<std::int64_t>(place.stacks);
        const std::vector<Timestamp> moments(all.begin() + static_cast<std::ptrdiff_t>(place.first),
            all.begin() + static_cast<std::ptrdiff_t>(place.end));
        const Growth growth = growthOf(moments, place.liveBytes);
        if (growth.trend.slope90.low > 0 && growth.trend.tau >= kLeastTau && growth.grownBytes >= least
            && !isToldAsLost(snapshot, lost, place))
            found.items.push_back(itemFor(input, place, growth, trust));
    }
    return true;
}

} // namespace model

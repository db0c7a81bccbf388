// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/summary.h"

#include "model/aggregate/heap_modes.h"
#include "model/aggregate/memory_parts.h"
#include "model/aggregate/own_code.h"
#include "model/aggregate/resident_peak.h"
#include "model/aggregate/sampling_error.h"
#include "model/aggregate/temporary_blocks.h"
#include "model/aggregate/unrecorded_heap.h"
#include "model/aggregate/unseen_cpu.h"
#include "model/analysis/forecast_words.h"
#include "model/analysis/growth_card.h"
#include "model/analysis/hot_paths.h"
#include "model/analysis/judged_forecast.h"
#include "model/analysis/known_limits.h"
#include "model/analysis/resident_growth.h"
#include "model/analysis/rules.h"
#include "model/analysis/rules/rule_data.h"
#include "model/base/format_counted.h"
#include "model/base/format_interval.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>

namespace model {

namespace {

constexpr std::int64_t kLeastSamples = 30; ///< for an answer: below, an interval of a share spans nearly everything
constexpr double kShareWorthTelling = 0.05;
constexpr double kStandsOut = 0.05; ///< of the CPU time, at least: less is no headline

/// Whether `one` runs out before `other` does, as far as can be seen.
bool isSooner(const Forecast &one, const Forecast &other)
{
    constexpr double kWorthTelling = 0.05;
    if (!one.timeToLimit || one.timeToLimit->reachedWithinHorizon < kWorthTelling)
        return false;
    if (other.isGrowing && !one.isGrowing)
        return false; // what goes up and down may get there too, but it is not what happens
    if (!other.timeToLimit || other.timeToLimit->reachedWithinHorizon < kWorthTelling)
        return true;
    const std::optional<Duration> mine = one.timeToLimit->median, its = other.timeToLimit->median;
    return mine && its ? *mine < *its
                       : mine || one.timeToLimit->reachedWithinHorizon > other.timeToLimit->reachedWithinHorizon;
}

/// Of what has a limit and is within sight of it, what runs out first: resident memory where nothing is sooner. Returns nothing when `stop` was
/// requested.
std::optional<Forecast> nearestForecast(const Snapshot &snapshot, const Forecast &resident, const std::stop_token &stop)
{
    constexpr double kInSight = 0.05; ///< of the limit: a forecast reaches no farther than a few times what was seen
    Forecast nearest = resident;
    for (const Metric metric :
        {Metric::VirtualSize, Metric::CgroupMemory, Metric::Threads, Metric::OpenFiles, Metric::DiskUsed}) {
        const std::optional<KnownLimit> limit = knownLimit(snapshot, metric);
        if (!limit)
            continue;
        const TimeSeries series = judgedSeries(snapshot, metric, snapshot.span, limit->process);
        const std::optional<SeriesPoint> last = series.last();
        if (!last || last->value < kInSight * limit->limit.value)
            continue;
        ForecastOptions options{.limit = limit->limit};
        if (snapshot.selection.time)
            options.history = snapshot.span;
        std::optional<Forecast> ahead = forecast(series, options, stop);
        if (!ahead)
            return std::nullopt;
        if (isSooner(*ahead, nearest))
            nearest = std::move(*ahead);
    }
    return nearest;
}

SummaryCard forecastCard(const Snapshot &snapshot, const Forecast &ahead)
{
    SummaryCard card{.title = "Forecast",
        .state = CardState::Unknown, // until a limit was looked at, a direction is neither good nor bad
        .number = kNotKnown,
        .sentence = ahead.verdict,
        .page = CardPage::Forecast,
        .action = "Show the forecast",
        .spark = overWholeTicks(timeSeries(snapshot, ahead.source), snapshot)};
    if (ahead.state != ForecastState::NotEnoughData) {
        card.qualifier = ahead.label; // a number means nothing without what it is of
        card.number = "no trend";
    }
    if (ahead.state != ForecastState::NotEnoughData && (ahead.isGrowing || ahead.isShrinking)) {
        const auto [rate, bounds]
            = splitInterval(rateText(ahead.trend.slope, ahead.trend.slope90, seriesInfo(ahead.source).unit));
        card.number = (ahead.isGrowing ? "+" : "") + rate;
        card.qualifier += ", " + bounds;
    }
    if (!ahead.timeToLimit)
        return card;
    const TimeToLimit &time = *ahead.timeToLimit;
    if (time.median) {
        card.number = formatDuration(*time.median);
        card.qualifier
            = (time.q05 && time.q95 ? formatInterval(*time.q05, *time.q95)
                                    : fmt::format("{} – beyond {}", time.q05 ? formatDuration(*time.q05) : "?",
                                        formatDuration(ahead.horizon)))
            + (ahead.source == SeriesSource(Metric::Rss) || !ahead.limit ? " to the limit of resident memory"
                                                                         : " to the " + ahead.limit->name);
    }
    if (time.reachedWithinHorizon >= 0.5)
        card.state = CardState::Danger;
    else
        card.state = time.reachedWithinHorizon >= 0.05 ? CardState::Warn : CardState::Ok;
    if (card.state == CardState::Ok) // and beyond that nothing was looked at
        card.qualifier = fmt::format("{}, for the next {}", ahead.label, formatDuration(ahead.horizon));
    return card;
}

/// Why there is no sample. No sample is no proof that there was nothing to sample.
std::string noSamplesSentence(const Snapshot &snapshot)
{
    constexpr Duration kWorthTelling = Duration::fromMs(20);
    if (snapshot.tickEnds.empty())
        return "No tick of the recording is stored.";
    // With an event, the note says how samples are taken; without one, why there are none.
    if (snapshot.info.cpuEvent.empty() && !snapshot.info.cpuNote.empty())
        return snapshot.info.cpuNote;
    if (!snapshot.info.cpuMissing.empty())
        return snapshot.info.cpuMissing;
    const std::vector<Image> &images = snapshot.tables->images;
    const std::optional<ProcessId> &shown = snapshot.selection.process;
    for (const LossTotal &loss : snapshot.losses)
        if (loss.kind == LossKind::ProcessesMissed && loss.image.index() < images.size()
            && (!shown || images[loss.image.index()].process == *shown))
            return fmt::format("Of {}: {}.", snapshot.tables->text(images[loss.image.index()].executable), loss.detail);
    if (const std::int64_t missed = missedSamples(snapshot); missed > 0)
        return fmt::format("{} due of threads that ended before one was taken, about {} of CPU time. Sample faster "
                           "(--cpu 9999).",
            formatCounted(missed, "sample") + (missed == 1 ? " was" : " were"),
            formatDuration(missedCpuTime(snapshot)));
    if (const auto used = kernelCpuTime(snapshot); used && *used >= kWorthTelling)
        return fmt::format("The kernel counts {} of CPU time, but no sample was taken of it. Record for longer, or "
                           "sample faster (--cpu 999).",
            formatDuration(*used));
    return {};
}

/// "parse, reader.cpp:52": who of the program's own code stacks work for that are `wanted`, by the heaviest stacks.
std::string ownerOf(const Snapshot &snapshot,
    const std::function<bool(const FunctionIndex &, const std::vector<StackLine> &)> &isWanted)
{
    constexpr std::size_t kMostStacks = 200;
    std::vector<const CpuCost *> rows;
    for (const CpuCost &row : snapshot.cpu)
        rows.push_back(&row);
    const auto count = static_cast<std::ptrdiff_t>(std::min(rows.size(), kMostStacks));
    std::partial_sort(rows.begin(), rows.begin() + count, rows.end(),
        [](const CpuCost *a, const CpuCost *b) { return a->timeNs > b->timeNs; });
    FunctionIndex index(snapshot.tables);
    std::map<std::string, std::int64_t> callers;
    for (std::ptrdiff_t i = 0; i < count; ++i) {
        std::vector<StackLine> lines = stackLines(index, rows[static_cast<std::size_t>(i)]->stack);
        if (lines.empty() || !isWanted(index, lines))
            continue;
        // What stands between the program and its malloc works for nobody.
        std::erase_if(lines, [&index](const StackLine &line) { return isTracerCode(index, line.function); });
        if (lines.empty())
            continue;
        const StackLine &own = lines[ownPosition(index, lines)];
        if (isOwnCode(index, own.function))
            callers[shortFunctionName(own.name) + (own.file.empty() ? "" : ", " + shortPlace(own.file, own.line))]
                += rows[static_cast<std::size_t>(i)]->timeNs;
    }
    const auto most = std::max_element(
        callers.begin(), callers.end(), [](const auto &a, const auto &b) { return a.second < b.second; });
    return most == callers.end() ? std::string() : most->first;
}

/// ", above all for parse, reader.cpp:52", of a function of a library; empty for own code.
std::string worksFor(const Snapshot &snapshot, const FunctionTable &table, FunctionId function)
{
    if (isOwnCode(*table.functions, function))
        return {};
    const std::string name = table.functions->name(function), module(table.functions->moduleName(function));
    const std::string owner = ownerOf(snapshot, [&](const FunctionIndex &, const std::vector<StackLine> &lines) {
        return lines.front().name == name && lines.front().moduleName == module;
    });
    return owner.empty() ? owner : ", above all for " + owner;
}

/// The same of what the kernel does, but for the tracer.
std::string kernelWorksFor(const Snapshot &snapshot)
{
    const std::string owner = ownerOf(snapshot, [](const FunctionIndex &index, const std::vector<StackLine> &lines) {
        return isKernelCode(index, lines.front().function) && !isTracerCode(index, lines.front().function);
    });
    return owner.empty() ? owner : ", above all for " + owner;
}

/// What a card of CPU time is made of.
struct CpuAnswer
{
    const FunctionTable &table;
    HotFunction hot;        ///< the hottest that a programmer can change
    bool isOfKernel;        ///< there is none such
    double kernelShare = 0; ///< without what it does for the tracer
    double tracerShare = 0;
    SampleBase samples;
    Duration known; ///< CPU time

    /// Of what was taken; where much was missed the least that it can be.
    std::string shareText(double ofTaken) const
    {
        const auto taken = static_cast<double>(samples.taken), missed = static_cast<double>(samples.missed);
        return samples.isThin() ? "≥ " + formatShare(ofTaken * taken / (taken + missed)) : formatShare(ofTaken);
    }
    std::string name() const { return shortFunctionName(table.functions->name(hot.function)); }
    std::string number(double share, const Interval &interval) const
    {
        return samples.isThin() ? "≥ " + formatShare(interval.low) : formatShare(share);
    }
    static std::string text(const Interval &interval)
    {
        return formatInterval(interval.low * 100, interval.high * 100, Unit::Percent);
    }
};

/// Where no function stands out: the kernel, if it has much of the time, or that it is so.
void tellSpread(const Snapshot &snapshot, const CpuAnswer &answer, SummaryCard &card)
{
    constexpr double kMuch = 0.25;
    const Interval kernel = shareInterval(answer.kernelShare, answer.samples);
    const std::string time = formatDuration(answer.known), name = answer.name(),
                      most
        = fmt::format("{} ({})", formatShare(answer.hot.selfShare), CpuAnswer::text(answer.hot.selfShare95));
    card.state = CardState::Ok;
    card.qualifier.clear();
    if (kernel.low >= kMuch) {
        card.number = answer.number(answer.kernelShare, kernel);
        card.qualifier = CpuAnswer::text(kernel);
        card.sentence = fmt::format("of {} CPU time is spent in the kernel{}", time, kernelWorksFor(snapshot));
        if (!answer.isOfKernel)
            card.sentence
                += fmt::format("; no function of the program stands out, the first is {} with {}", name, most);
    } else if (answer.samples.isThin()) {
        card.number = kNotKnown;
        card.state = CardState::Unknown;
        card.sentence = fmt::format("Too much of {} CPU time was not sampled to say in which function it is spent; of "
                                    "what was, most is in {} itself, {}",
            time, name, formatShare(answer.hot.selfShare));
    } else {
        card.number = "spread out";
        card.sentence = fmt::format(
            "No function stands out: of {} CPU time the most, {}, is spent in {} itself", time, most, name);
        if (answer.kernelShare > answer.hot.selfShare)
            card.sentence += fmt::format("; {} in the kernel", formatShare(answer.kernelShare));
    }
}

void tellHottest(const Snapshot &snapshot, const CpuAnswer &answer, SummaryCard &card)
{
    const HotFunction &hot = answer.hot;
    card.number = answer.number(hot.selfShare, hot.selfShare95);
    card.qualifier = CpuAnswer::text(hot.selfShare95);
    const std::string place = shortPlace(snapshot.tables->text(hot.file), hot.line);
    card.sentence = fmt::format("of {} CPU time is spent in {} itself{}{}", formatDuration(answer.known), answer.name(),
        place.empty() ? "" : " (" + place + ")", worksFor(snapshot, answer.table, hot.function));
    if (!answer.isOfKernel && answer.kernelShare > hot.selfShare)
        card.sentence += fmt::format("; {} in the kernel", answer.shareText(answer.kernelShare));
    card.state = hot.selfShare95.low >= 0.25 ? CardState::Warn : CardState::Ok;
}

std::optional<SummaryCard> cpuCard(const Snapshot &snapshot, const std::stop_token &stop)
{
    if (snapshot.info.config.cpuHz == 0)
        return std::nullopt;
    SummaryCard card{.title = "CPU",
        .state = CardState::Unknown,
        .number = "no samples",
        .sentence = "The program used next to no CPU time.",
        .page = CardPage::Cpu,
        .action = "Show hot functions",
        .spark = overWholeTicks(timeSeries(snapshot, CpuQuantity::Used), snapshot)};
    const std::optional<FunctionTable> table = functionTable(snapshot, CostKind::CpuTime, stop);
    if (!table || table->rows.empty() || table->all <= 0) {
        if (std::string why = noSamplesSentence(snapshot); !why.empty())
            card.sentence = std::move(why);
        return card;
    }
    if (snapshot.cpuSummary.samples < kLeastSamples) {
        const std::int64_t missed = missedSamples(snapshot);
        card.number = kNotKnown;
        card.sentence = fmt::format("{} of CPU time in {}{}: too few to say where it goes. Record for longer, or "
                                    "sample faster (--cpu 999).",
            formatDuration({table->all}), formatCounted(snapshot.cpuSummary.samples, "sample"),
            missed > 0 ? " (" + lossWords(LossKind::SamplesMissed, missed) + ")" : "");
        return card;
    }
    const std::vector<HotFunction> all = hotFunctions(*table, sampleBase(snapshot), table->rows.size());
    // What a programmer can change; the kernel does what it does for somebody, and the tracer is no part of the program.
    const auto isOfProgram = [&](const HotFunction &each) {
        return !isKernelCode(*table->functions, each.function) && !isTracerCode(*table->functions, each.function);
    };
    const auto first = std::find_if(all.begin(), all.end(), isOfProgram);
    const SampleBase samples = sampleBase(snapshot);
    CpuAnswer answer{.table = *table,
        .hot = first != all.end() ? *first : all.front(),
        .isOfKernel = first == all.end(),
        .samples = samples,
        .known = {table->all + (samples.isThin() ? missedCpuTime(snapshot).ns : 0)}};
    for (const HotFunction &each : all) {
        const bool isTracer = isTracerCode(*table->functions, each.function);
        answer.tracerShare += isTracer ? each.selfShare : 0;
        answer.kernelShare += !isTracer && isKernelCode(*table->functions, each.function) ? each.selfShare : 0;
    }
    if (answer.hot.selfShare95.low < kStandsOut)
        tellSpread(snapshot, answer, card);
    else
        tellHottest(snapshot, answer, card);
    if (answer.tracerShare >= kShareWorthTelling)
        card.sentence += fmt::format("; {} in the tracer", answer.shareText(answer.tracerShare));
    card.sentence += '.';
    if (samples.isThin())
        card.sentence += ' ' + missedSamplesText(snapshot);
    return card;
}

std::optional<SummaryCard> allocationsCard(const Snapshot &snapshot, const Recommendations &found)
{
    const HeapSummary &heap = snapshot.heapSummary;
    if (heap.allocations == 0)
        return std::nullopt;
    const double rate = static_cast<double>(heap.allocations) / std::max(snapshot.span.length().seconds(), 1e-3);
    SummaryCard card{.title = "Allocations",
        .number = formatShareOf(temporariesAmong(heap.allocations, heap.temporaries), heap.allocations),
        .qualifier = "of " + formatValue(rate, Unit::PerSecond) + " are temporary",
        .sentence = "No place is worth changing for these alone.",
        .page = CardPage::HeatMap,
        .action = "Show sizes over time",
        .spark = overWholeTicks(timeSeries(snapshot, HeapQuantity::AllocationRate), snapshot)};
    if (snapshot.selection.thread) {
        card.state = CardState::Unknown;
        card.sentence = "The heap is not kept by thread: this is of all of them.";
        return card;
    }
    const Recommendation *first = firstOf(found, kTemporaryAllocationsRule.key);
    if (first == nullptr)
        return card;
    card.state = CardState::Warn;
    card.sentence = first->title + '.';
    card.page = CardPage::Recommendations;
    card.action = "Show advice";
    return card;
}

std::string peakSentence(const Snapshot &snapshot)
{
    const HeapSummary &heap = snapshot.heapSummary;
    const auto bytes = static_cast<double>(heap.peakBytes);
    if (std::optional<std::string> why = whyNoHeap(snapshot))
        return *why;
    if (snapshot.heapSeries.empty())
        return "Nothing of the heap was recorded.";
    if (const auto error = peakError(snapshot))
        return fmt::format("The live heap was about {} at its highest (95 %: {}), as it is sampled.",
            formatBytes(bytes), intervalText(*error, CostKind::Live));
    return fmt::format("The live heap was {}{} at its highest, in {}.", heap.peakIsBound ? "at most " : "",
        formatBytes(bytes), formatCounted(heap.peakBlocks, "block"));
}

std::optional<SummaryCard> memoryCard(const Snapshot &snapshot, const Recommendations &found)
{
    const TimeSeries rss = timeSeries(snapshot, Metric::Rss);
    const std::optional<double> most = residentPeak(snapshot);
    if (!most)
        return std::nullopt;
    SummaryCard card{.title = "Memory",
        .number = formatBytes(*most),
        .qualifier = "resident at most",
        .sentence = peakSentence(snapshot),
        .page = CardPage::Heap,
        .cost = CostKind::Peak,
        .action = "Show the heap",
        .spark = overWholeTicks(rss, snapshot)};
    constexpr double kMuchLess = 0.8;
    if (const std::optional<double> once = shareCountedOnce(snapshot); once && *once < kMuchLess)
        card.sentence = fmt::format("Pages that processes share count for each of them; once, it is about {}. ",
                            formatBytes(*most * *once))
            + card.sentence;
    // Of a program that ended before it was looked at again. Where it was, it had more than it touched.
    constexpr double kNearlyMost = 0.95;
    const auto peak = static_cast<double>(snapshot.heapSummary.peakBytes);
    const auto seen = judgedSeries(snapshot, HeapQuantity::LiveBytes, snapshot.span).extent(snapshot.span);
    const bool isRead = seen && seen->greatest >= kNearlyMost * peak;
    if (!isHeapSampled(snapshot) && !isRead && *most < peak) {
        card.number = "not known";
        card.qualifier.clear();
        card.state = CardState::Unknown;
        card.sentence = "Resident memory was not read while the program had most. " + card.sentence;
    }
    if (const Recommendation *retained = firstOf(found, kRetainedMemoryRule.key)) {
        card.state = CardState::Warn;
        card.sentence = retained->title + '.';
        card.page = CardPage::Recommendations;
        card.action = "Show advice";
    }
    return card;
}

SummaryCard captureCard(const Snapshot &snapshot, const Coverage &trust)
{
    const Trust worst = trust.worst(); // a function without a name is no gap
    const std::int64_t events = snapshot.heapSummary.allocations + snapshot.heapSummary.frees;
    return {.title = "Capture",
        .state = worst == Trust::Partial ? CardState::Warn : CardState::Ok,
        .number = worst == Trust::Partial ? "partial"
            : worst == Trust::Whole       ? "whole"
                                          : "nearly whole",
        .qualifier = fmt::format("{} heap events, {} CPU samples", formatShortCount(static_cast<double>(events)),
            formatShortCount(static_cast<double>(snapshot.cpuSummary.samples))),
        .sentence = trust.sentence,
        .page = CardPage::Losses,
        .action = "Show what was recorded",
        .spark = std::nullopt};
}

/// What grows only because the same pages count for more and more processes does not run out.
void addSharing(const Forecast &nearest, const ResidentGrowth &other, SummaryCard &ahead)
{
    if (!isCountedAgain(other) || nearest.source != SeriesSource(Metric::Rss))
        return;
    if (ahead.state == CardState::Warn || ahead.state == CardState::Danger)
        ahead.state = CardState::Unknown;
    ahead.sentence
        += fmt::format(" Shared pages count for each process that has them; counted once, memory grew by {}.",
            formatBytes(std::max(*other.onceBytes, 0.0)));
}

/// Nothing is good about what cannot be seen, and nothing is known where all is gone.
void addDamage(const Snapshot &snapshot, std::vector<SummaryCard> &cards)
{
    if (snapshot.damage.empty())
        return;
    for (SummaryCard &card : cards) {
        const bool isGrowth = card.title == "Growth", isCpu = card.title == "CPU";
        const bool isGone
            = (isGrowth && card.number == kNothingGrows && snapshot.heap.empty() && card.state != CardState::Danger)
            || (isCpu && snapshot.cpuSummary.samples == 0 && !snapshot.info.cpuEvent.empty());
        if (isGone && !snapshot.selection.time) {
            card.number = kNotKnown;
            card.qualifier.clear();
            card.sentence = "The file is damaged, and nothing that would tell is left of it.";
        } else if ((isGrowth || isCpu) && (card.state == CardState::Ok || card.state == CardState::Unknown)) {
            card.sentence += " The file is damaged: this is about what is left of it.";
        }
        if (card.state == CardState::Ok)
            card.state = CardState::Unknown;
    }
}

} // namespace

std::optional<Summary> summary(const Snapshot &snapshot, std::stop_token stop)
{
    std::optional<Recommendations> found = recommendations(snapshot, stop);
    ForecastOptions options{.limit = memoryLimit(snapshot, Metric::Rss)};
    if (snapshot.selection.time)
        options.history = snapshot.span;
    std::optional<Forecast> ahead = judgedForecast(snapshot, Metric::Rss, {}, options, stop);
    if (!found || !ahead)
        return std::nullopt;
    const std::optional<Forecast> nearest = nearestForecast(snapshot, *ahead, stop);
    if (!nearest)
        return std::nullopt;
    Summary result{.recommendations = std::move(*found), .forecast = std::move(*ahead), .coverage = coverage(snapshot)};
    const auto add = [&result](std::optional<SummaryCard> card) {
        if (card)
            result.cards.push_back(std::move(*card));
    };
    const std::optional<ResidentGrowth> other = residentGrowth(snapshot, result.forecast);
    if (snapshot.info.config.heap != HeapMode::Off) {
        add(growthCard(snapshot, result.recommendations, other));
    }
    SummaryCard forecasted = forecastCard(snapshot, *nearest);
    if (other)
        addSharing(*nearest, *other, forecasted);
    add(std::move(forecasted));
    add(cpuCard(snapshot, stop));
    add(allocationsCard(snapshot, result.recommendations));
    add(memoryCard(snapshot, result.recommendations));
    add(captureCard(snapshot, result.coverage));
    addDamage(snapshot, result.cards);
    if (stop.stop_requested())
        return std::nullopt;
    return result;
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/call_tree.h"
#include "model/aggregate/heap_modes.h"
#include "model/aggregate/own_code.h"
#include "model/aggregate/sampling_error.h"
#include "model/aggregate/stack_costs.h"
#include "model/aggregate/temporary_blocks.h"
#include "model/aggregate/unrecorded_heap.h"
#include "model/aggregate/unseen_cpu.h"
#include "model/analysis/hot_paths.h"
#include "model/base/format_counted.h"
#include "model/report/distinct_names.h"
#include "model/report/session_words.h"
#include "model/report/text_parts.h"
#include "model/report/text_report.h"
#include "model/report/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <ostream>

namespace model {

namespace {

constexpr std::size_t kHotNameColumns = 28;
constexpr std::size_t kUsualFunctions = 20;

/// Where bytes were sampled: how, and what that means for the numbers.
void writeSampling(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    if (!isHeapSampled(snapshot))
        return;
    const auto interval = [&](CostKind kind) {
        const auto error = errorOf(snapshot, kind);
        return error ? intervalText(*error, kind) : std::string();
    };
    // Those recorded are not all samples where only a part of the time was sampled: they are not counted apart.
    const std::string how = isHeapPartlySampled(snapshot)
        ? fmt::format("Recorded {}: what was sampled is an estimate, and so is what is live. The peak was {}.",
            partlySampledWords(snapshot), isPeakSampled(snapshot) ? "estimated too" : "counted")
        : fmt::format("Sampled: one allocation each {} on average, {} in all; every number is an estimate.",
            formatBytes(static_cast<double>(longestPeriod(snapshot))), formatCount(sampleCount(snapshot)));
    writeWrapped(out,
        fmt::format("{} With 95 % certainty {} were allocated in {} blocks, and {} are live.", how,
            interval(CostKind::Allocated), interval(CostKind::Allocations), interval(CostKind::Live)),
        options.columns, 2);
}

/// A stack's interval behind its cost; empty where the cost is exact.
std::vector<std::string> intervalTexts(const Snapshot &snapshot, const StackCosts &costs, CostKind kind)
{
    std::vector<std::string> texts(costs.stacks.size());
    if (!isHeapSampled(snapshot))
        return texts;
    std::map<std::uint32_t, HeapCost> sums; // over images
    for (const HeapCost &row : snapshot.heap) {
        HeapCost &sum = sums[row.stack.value];
        sum.liveBytes += row.liveBytes, sum.liveVariance += row.liveVariance;
        sum.liveBlocks += row.liveBlocks, sum.liveBlockVariance += row.liveBlockVariance;
        sum.allocatedBytes += row.allocatedBytes, sum.allocatedVariance += row.allocatedVariance;
        sum.allocations += row.allocations, sum.allocationVariance += row.allocationVariance;
    }
    for (std::size_t i = 0; i < texts.size(); ++i)
        if (const auto error = errorOf(sums[costs.stacks[i].value], kind, longestPeriod(snapshot)))
            texts[i] = " (" + intervalText(*error, kind) + ")";
    return texts;
}

void writeHeapTotals(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    const HeapSummary &heap = snapshot.heapSummary;
    TextTable table({{}, {"", Align::Right}, {"", Align::Right}, {}});
    table.row(
        {"Allocated", formatBytes(static_cast<double>(heap.allocatedBytes)), formatCount(heap.allocations), "blocks"});
    table.row({"Freed", formatBytes(static_cast<double>(heap.freedBytes)), formatCount(heap.frees), "blocks"});
    table.row({"Live at the end", formatBytes(static_cast<double>(heap.liveBytes)), formatCount(heap.liveBlocks),
        "blocks" + endsText(snapshot)});
    if (options.area) {
        table.row({"Peak", formatBytes(static_cast<double>(heap.peakBytes)), "", "the sum of each area's own"});
        return table.write(out, options.columns, 2);
    }
    table.row({"Peak", formatBytes(static_cast<double>(heap.peakBytes)), formatCount(heap.peakBlocks),
        fmt::format("blocks then, at {}{}", formatOffset(heap.peakWhen, true), heap.peakIsExact ? "" : " or nearby")});
    const std::int64_t temporaries = temporariesAmong(heap.allocations, heap.temporaries);
    table.row({"Temporary", formatShareOf(temporaries, heap.allocations), formatCount(temporaries),
        "blocks freed before the next one"});
    table.write(out, options.columns, 2);
}

/// Second number beside a stack's cost: of bytes how many blocks, of counts how many bytes.
CostKind companionOf(CostKind kind)
{
    switch (kind) {
    case CostKind::Live:
    case CostKind::Growth:
        return CostKind::LiveBlocks;
    case CostKind::LiveBlocks:
        return CostKind::Live;
    case CostKind::Peak:
        return CostKind::PeakBlocks;
    case CostKind::PeakBlocks:
        return CostKind::Peak;
    case CostKind::Temporary:
    case CostKind::TemporaryBytes:
        return kind == CostKind::Temporary ? CostKind::TemporaryBytes : CostKind::Temporary;
    case CostKind::Allocations:
    case CostKind::Frees:
        return CostKind::Allocated;
    default:
        return CostKind::Allocations;
    }
}

std::string costText(std::int64_t cost, CostKind kind)
{
    const bool isBytes = costInfo(kind).unit == Unit::Bytes;
    return isBytes ? formatBytes(static_cast<double>(cost)) : formatCount(cost) + (cost == 1 ? " block" : " blocks");
}

void writeHotPaths(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    const std::optional<CallTree> tree = callTree(snapshot, {CostKind::CpuTime});
    const std::vector<HotPath> paths = hotPaths(*tree, 5);
    if (paths.empty())
        return;
    writeHeading(out, "Where most of it flows");
    for (const HotPath &path : paths) {
        const std::size_t first = path.fork > 0 ? path.fork - 1 : 0; // where it leaves a path that was written already
        for (std::size_t i = first; i < path.nodes.size(); ++i) {
            const std::string share = formatShareOf(tree->total(path.nodes[i]), tree->all());
            const std::string indent(std::min<std::size_t>(i - first, 20), ' ');
            std::string name = shortFunctionName(tree->name(path.nodes[i]));
            if (i < path.fork)
                name = (i > 0 ? "… " : "") + name + " (as above)";
            out << fmt::format("  {:>7}  {}{}\n", share, indent, elided(name, options.columns - 12 - indent.size()));
        }
        const CallNode &last = tree->node(path.nodes.back());
        const std::string place = shortPlace(snapshot.tables->text(last.file), last.line);
        out << fmt::format("           {}{}\n",
            path.endsInSelf ? "spends it in its own code" : "splits into small parts",
            place.empty() ? "" : ", " + place);
    }
}

} // namespace

void writeHeapText(std::ostream &out, const Snapshot &snapshot, CostKind kind, const TextReportOptions &options)
{
    writeTitle(out, snapshot, options);
    writeHeading(out, !options.area ? "Heap" : *options.area == AreaKind::Pool ? "Pools" : "Mappings");
    if (snapshot.info.config.heap == HeapMode::Off) {
        writeWrapped(out, "The heap was not recorded (--heap off).", options.columns, 2);
        return;
    }
    if (const auto why = options.area ? std::nullopt : whyNoHeap(snapshot)) {
        writeWrapped(out, *why, options.columns, 2);
        writeTrust(out, snapshot, options);
        return;
    }
    writeHeapTotals(out, snapshot, options);
    writeSampling(out, snapshot, options);
    if (options.area && (kind == CostKind::Peak || kind == CostKind::PeakBlocks)) {
        writeWrapped(out,
            "Whose they were at the peak is not kept. Choose the time of the peak (--to TIME --cost live), or --cost "
            "allocated.",
            options.columns, 2);
        writeTrust(out, snapshot, options);
        return;
    }
    const CostKind companion = companionOf(kind);
    const StackCosts costs = stackCosts(snapshot, {kind, companion});
    std::vector<std::size_t> order(costs.stacks.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::erase_if(order, [&costs](std::size_t row) { return costs.of(row)[0] <= 0; });
    std::stable_sort(
        order.begin(), order.end(), [&costs](std::size_t a, std::size_t b) { return costs.of(a)[0] > costs.of(b)[0]; });
    std::int64_t all = 0;
    for (const std::size_t row : order)
        all += costs.of(row)[0];
    writeHeading(out,
        fmt::format("{} by stack, {} of {}", costInfo(kind).label,
            formatCount(static_cast<std::int64_t>(std::min(order.size(), options.stacks))),
            formatCount(static_cast<std::int64_t>(order.size()))));
    FunctionIndex index(snapshot.tables);
    const std::vector<std::string> intervals = intervalTexts(snapshot, costs, kind);
    for (std::size_t i = 0; i < std::min(order.size(), options.stacks); ++i) {
        const auto cost = costs.of(order[i]);
        const StackLine own = callerLine(index, costs.stacks[order[i]]);
        const std::string head = fmt::format("{}{:>3}  {}{}  {}  {}  ", i == 0 ? "" : "\n", i + 1,
            costText(cost[0], kind), intervals[order[i]], formatShareOf(cost[0], all), costText(cost[1], companion));
        out << head << elided(shortFunctionName(own.name), options.columns - std::min(options.columns, textWidth(head)))
            << '\n';
        writeFrames(out, index, costs.stacks[order[i]], options.columns);
    }
    writeTrust(out, snapshot, options);
}

void writeCpuText(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    writeTitle(out, snapshot, options);
    writeHeading(out, "CPU");
    if (snapshot.info.config.cpuHz == 0) {
        writeWrapped(out, "CPU samples were not recorded (--cpu off).", options.columns, 2);
        return;
    }
    const CpuSummary &cpu = snapshot.cpuSummary;
    writeWrapped(out,
        fmt::format("{} at {} Hz ({}), {} of CPU time; {}.", formatCounted(cpu.samples, "sample"),
            snapshot.info.config.cpuHz, snapshot.info.cpuEvent.empty() ? "no event" : snapshot.info.cpuEvent,
            formatDuration({cpu.timeNs}), lostSamplesText(snapshot)),
        options.columns, 2);
    if (!snapshot.info.cpuNote.empty())
        writeWrapped(out, snapshot.info.cpuNote, options.columns, 2);
    if (const std::string missed = missedSamplesText(snapshot); !missed.empty())
        writeWrapped(out, missed, options.columns, 2);
    const FunctionTable functions = *functionTable(snapshot, CostKind::CpuTime);
    const std::vector<HotFunction> hot
        = hotFunctions(functions, sampleBase(snapshot), mostRows(options, kUsualFunctions));
    if (!hot.empty()) {
        writeHeading(out, "Functions by their own time (95 % interval); equal ranks are ties");
        TextTable table({{"", Align::Right}, {"self", Align::Right}, {"interval", Align::Right},
            {"total", Align::Right}, {"function"}, {"place"}});
        const std::vector<NamedRow> rows = namedRows(*functions.functions, hot);
        const std::vector<std::string> names = distinctNames(rows, kHotNameColumns);
        for (std::size_t i = 0; i < hot.size(); ++i)
            table.row({std::to_string(hot[i].rank), formatShare(hot[i].selfShare),
                fmt::format("{:.1f}–{:.1f}", hot[i].selfShare95.low * 100, hot[i].selfShare95.high * 100),
                formatShare(hot[i].totalShare), names[i], rows[i].place});
        table.write(out, options.columns, 2);
    }
    writeHotPaths(out, snapshot, options);
    writeTrust(out, snapshot, options);
}

} // namespace model

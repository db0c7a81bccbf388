// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/own_code.h"
#include "model/aggregate/process_images.h"
#include "model/aggregate/stack_text.h"
#include "model/report/lost_report.h"
#include "model/report/text_parts.h"
#include "model/report/text_table.h"
#include "model/scan_reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace model {

namespace {

constexpr std::size_t kMostHolders = 10;

std::string bytesText(std::int64_t bytes) { return formatBytes(static_cast<double>(bytes)); }

const BlockSum &sumOf(const ReachSums &sums, ReachClass reach) { return sums[static_cast<std::size_t>(reach)]; }

std::string blocksText(std::int64_t blocks) { return formatCount(blocks) + (blocks == 1 ? " block" : " blocks"); }

constexpr std::array<std::pair<ReachClass, std::string_view>, kReachClassCount> kMeanings{{
    {ReachClass::Directly, "nothing points to them"},
    {ReachClass::Indirectly, "only lost blocks point to them"},
    {ReachClass::Possibly, "only by pointers into the middle"},
    {ReachClass::Reachable, "pointers lead to them"},
    {ReachClass::Unjudged, "too young, or before lost events"},
}};

void writeClasses(std::ostream &out, const MemoryScan &scan, const TextReportOptions &options)
{
    TextTable table({{}, {"", Align::Right}, {"", Align::Right}, {}});
    for (const auto &[reach, meaning] : kMeanings) {
        const BlockSum &sum = sumOf(scan.sums, reach);
        if (sum.blocks > 0 || reach != ReachClass::Unjudged)
            table.row({std::string(reachClassLabel(reach)), bytesText(sum.bytes), blocksText(sum.blocks),
                std::string(meaning)});
    }
    if (scan.confirms != 0)
        table.row({"Confirmed", bytesText(scan.confirmed.bytes), blocksText(scan.confirmed.blocks),
            fmt::format("lost in scan {} too", scan.confirms)});
    table.write(out, options.columns, 2);
}

std::string lostStackHead(const ScannedStack &stack, bool hasConfirmation)
{
    const BlockSum &direct = sumOf(stack.sums, ReachClass::Directly);
    const BlockSum &indirect = sumOf(stack.sums, ReachClass::Indirectly);
    std::string text = fmt::format(
        "{} lost in {}", bytesText(direct.bytes + indirect.bytes), blocksText(direct.blocks + indirect.blocks));
    if (direct.blocks == 0)
        text += ", behind other lost ones";
    else if (stack.held.blocks > direct.blocks + indirect.blocks)
        text += fmt::format(", holds {}", bytesText(stack.held.bytes));
    if (hasConfirmation)
        text += fmt::format(", {} confirmed", bytesText(stack.confirmed.bytes));
    return text;
}

void writeLostStacks(std::ostream &out, FunctionIndex &index, const MemoryScan &scan, const TextReportOptions &options)
{
    std::size_t count = 0, shown = 0;
    for (const ScannedStack &stack : scan.stacks)
        count += isLost(stack) ? 1 : 0;
    if (count == 0)
        return;
    writeHeading(out, fmt::format("Lost by stack, {} of {}", std::min(count, options.stacks), count));
    for (const ScannedStack &stack : scan.stacks) {
        if (!isLost(stack) || shown == options.stacks)
            continue;
        const std::string head
            = fmt::format("{}{:>3}  {}  ", shown == 0 ? "" : "\n", shown + 1, lostStackHead(stack, scan.confirms != 0));
        const StackLine own = callerLine(index, stack.stack);
        out << head
            << elided(shortFunctionName(own.name),
                   std::max<std::size_t>(8, options.columns - std::min(options.columns, textWidth(head))))
            << '\n';
        writeFrames(out, index, stack.stack, options.columns);
        ++shown;
    }
}

void writePossible(std::ostream &out, FunctionIndex &index, const MemoryScan &scan, const TextReportOptions &options)
{
    TextTable table({{"bytes", Align::Right}, {"blocks", Align::Right}, {"possibly lost, by function"}});
    std::map<std::pair<std::string, std::string>, BlockSum> byFunction; // module and name
    for (const ScannedStack &stack : scan.stacks) {
        const BlockSum &sum = sumOf(stack.sums, ReachClass::Possibly);
        if (sum.blocks == 0)
            continue;
        const StackLine line = callerLine(index, stack.stack);
        BlockSum &all = byFunction[{line.modulePath, shortFunctionName(line.name)}];
        all.bytes += sum.bytes;
        all.blocks += sum.blocks;
    }
    std::vector<std::pair<std::string, BlockSum>> rows;
    for (auto &[function, sum] : byFunction)
        rows.emplace_back(function.second, sum);
    std::stable_sort(
        rows.begin(), rows.end(), [](const auto &a, const auto &b) { return a.second.bytes > b.second.bytes; });
    for (std::size_t i = 0; i < std::min(rows.size(), options.stacks); ++i)
        table.row({bytesText(rows[i].second.bytes), formatCount(rows[i].second.blocks), rows[i].first});
    if (table.isEmpty())
        return;
    out << '\n';
    table.write(out, options.columns, 2);
}

void writeHolders(std::ostream &out, FunctionIndex &index, const MemoryScan &scan, const TextReportOptions &options)
{
    if (scan.paths.empty())
        return;
    writeHeading(out, "Who holds most: what would go with a block, and the way to it");
    for (std::size_t i = 0; i < std::min({scan.paths.size(), options.stacks, kMostHolders}); ++i) {
        const HolderPath &path = scan.paths[i];
        const std::string head
            = fmt::format("  {:>9}  {}, ", bytesText(path.retained.bytes), blocksText(path.retained.blocks));
        out << head
            << elided(shortFunctionName(callerLine(index, path.stack).name),
                   std::max<std::size_t>(8, options.columns - std::min(options.columns, textWidth(head))))
            << '\n';
        writeWrapped(out, holderText(index, path), options.columns, 13, 2);
    }
    if (const std::string rest = restOfHeldText(scan); !rest.empty())
        writeWrapped(out, rest, options.columns, 2);
}

} // namespace

bool isLost(const ScannedStack &stack)
{
    return sumOf(stack.sums, ReachClass::Directly).blocks + sumOf(stack.sums, ReachClass::Indirectly).blocks > 0;
}

std::vector<std::shared_ptr<const MemoryScan>> lastScans(const Snapshot &snapshot)
{
    std::vector<std::shared_ptr<const MemoryScan>> last;
    for (const auto &scan : snapshot.scans) {
        std::erase_if(last, [&](const auto &other) { return other->image == scan->image; });
        last.push_back(scan);
    }
    return last;
}

std::string scannedText(const Snapshot &snapshot, const MemoryScan &scan)
{
    const ProgramTables &tables = *snapshot.tables;
    if (!scan.image.isValid() || scan.image.index() >= tables.images.size())
        return "a process";
    const Image &row = tables.images[scan.image.index()];
    return fmt::format("{}, process {}", tables.programName(row), tables.processes[row.process.index()].pid);
}

std::string restOfHeldText(const MemoryScan &scan)
{
    constexpr std::int64_t kWorthTelling = 5; // a fifth
    const std::int64_t all
        = sumOf(scan.sums, ReachClass::Reachable).bytes + sumOf(scan.sums, ReachClass::Possibly).bytes;
    std::int64_t told = 0;
    for (const HolderPath &path : scan.paths)
        told += path.retained.bytes;
    if (all - told <= all / kWorthTelling)
        return {};
    return fmt::format( // some may be part of others: it is more rather than less
        "At least {} of the {} that are reachable go with none of these: several blocks lead to each, as in a tree "
        "whose nodes know their parents, or they are in many small parts.",
        bytesText(all - told), bytesText(all));
}

std::string scanSentence(const Snapshot &snapshot, const MemoryScan &scan)
{
    const BlockSum lost = scan.lost();
    const std::int64_t held
        = sumOf(scan.sums, ReachClass::Reachable).blocks + sumOf(scan.sums, ReachClass::Possibly).blocks;
    const std::int64_t unjudged = sumOf(scan.sums, ReachClass::Unjudged).blocks;
    if (lost.blocks == 0 && held == 0)
        return fmt::format("Nothing can be said yet: none of {} could be judged.", blocksText(unjudged));
    if (const BlockSum possible = sumOf(scan.sums, ReachClass::Possibly); lost.blocks == 0 && possible.blocks > 0)
        return fmt::format("Pointers lead to {} that could be judged, but to {} in {} only into the middle: "
                           "possibly lost{}.",
            held == 1 ? std::string("the one block") : "all " + blocksText(held), bytesText(possible.bytes),
            blocksText(possible.blocks),
            unjudged > 0 ? fmt::format("; {} could not be judged", blocksText(unjudged)) : std::string());
    if (lost.blocks == 0)
        return fmt::format("Pointers lead to {} that could be judged{}.",
            held == 1 ? std::string("the one block") : "all " + blocksText(held),
            unjudged > 0 ? fmt::format("; {} could not be", blocksText(unjudged)) : std::string(": nothing is lost"));
    const std::string text = fmt::format("{} in {} are lost", bytesText(lost.bytes), blocksText(lost.blocks));
    if (scan.confirms == 0 && hasEnded(*snapshot.tables, scan.image))
        return text + ", as one scan says; two at least 30 s apart, in a longer run, would confirm that.";
    if (scan.confirms == 0)
        return text + "; a second scan at least 30 s later would confirm that.";
    if (scan.confirmed == lost)
        return text + ", as they were in an earlier scan.";
    return fmt::format(
        "{}, {} of them since an earlier scan that found them lost too.", text, bytesText(scan.confirmed.bytes));
}

std::string scanProofText(const MemoryScan &scan)
{
    if (scan.proof == ScanProof::Complete)
        return "All blocks were known, so what is called lost is lost"
               " (unless its pointer is hidden: in the kernel, in a device, packed or encoded).";
    return "This is a lower bound: memory between known blocks counts as holding whatever it seems to point to. "
        + scanLimits(scan.limits).limits + ".";
}

std::string scanCostText(const MemoryScan &scan)
{
    std::string text = fmt::format("It stood still for {} ({}); {} were looked through, which took {} more beside it.",
        formatDuration({scan.stopNs}),
        scan.threads == 1 ? "1 thread" : fmt::format("{} threads", formatCount(scan.threads)),
        bytesText(scan.scannedBytes), formatDuration({scan.analysisNs}));
    if (scan.interruptedCalls > 0)
        text += fmt::format(" {} of its waiting calls ended with EINTR.", formatCount(scan.interruptedCalls));
    const ScanLimits said = scanLimits(scan.limits);
    if (!said.reading.empty())
        text += " " + said.reading + ".";
    if (scan.proof == ScanProof::Complete && !said.limits.empty())
        text += " " + said.limits + ".";
    if (scan.minAgeNs > 0)
        text += fmt::format(" What looks lost and is younger than {} is not judged.", formatDuration({scan.minAgeNs}));
    return text;
}

std::string holderText(FunctionIndex &index, const HolderPath &path)
{
    std::vector<std::pair<std::string, std::int64_t>> steps; // neighbours of one function are one
    for (const HolderStep &step : path.way) {
        std::string name = shortFunctionName(callerLine(index, step.stack).name);
        if (steps.empty() || steps.back().first != name)
            steps.emplace_back(std::move(name), 0);
        steps.back().second += step.blocks;
    }
    std::string text = path.root;
    for (const auto &[name, blocks] : steps)
        text += " → " + (blocks > 1 ? formatCount(blocks) + " × " : std::string()) + name;
    return text;
}

void writeLostText(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    writeTitle(out, snapshot, options);
    const auto scans = lastScans(snapshot);
    if (scans.empty()) {
        writeHeading(out, "Lost memory");
        writeWrapped(out,
            "This recording holds no scan for lost memory. \"genprof ctl FILE scan\" makes one while it is recorded, "
            "\"genprof record --scan-every 10m\" makes them by itself.",
            options.columns, 2);
        return;
    }
    FunctionIndex index(snapshot.tables);
    for (const auto &scan : scans) {
        writeHeading(out,
            fmt::format("Lost memory of {}, scan {} at {}", scannedText(snapshot, *scan), scan->id,
                formatOffset(scan->when, true)));
        writeWrapped(out, scanSentence(snapshot, *scan), options.columns, 2);
        writeClasses(out, *scan, options);
        writeWrapped(out, scanProofText(*scan), options.columns, 2);
        writeWrapped(out, scanCostText(*scan), options.columns, 2);
        writeLostStacks(out, index, *scan, options);
        writePossible(out, index, *scan, options);
        writeHolders(out, index, *scan, options);
    }
    writeTrust(out, snapshot, options);
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/base/format_units.h"
#include "model/report/leak_report.h"
#include "model/report/session_words.h"
#include "model/report/text_parts.h"
#include "model/report/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>

namespace model {

namespace {

constexpr std::size_t kLineColumns = 36;
constexpr std::size_t kMostIdle = 5;

/// Live bytes over time as one line of blocks, from 0 to the greatest.
std::string sparkline(const std::vector<AgeBucket> &buckets)
{
    constexpr std::array<const char *, 8> kBlocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    std::int64_t most = 1;
    for (const AgeBucket &bucket : buckets)
        most = std::max(most, bucket.liveBytes);
    std::string line;
    const std::size_t columns = std::min(kLineColumns, buckets.size());
    for (std::size_t i = 0; i < columns; ++i) {
        const std::int64_t value = buckets[(i + 1) * buckets.size() / columns - 1].liveBytes;
        line += kBlocks[static_cast<std::size_t>(
            std::clamp(static_cast<double>(value) / static_cast<double>(most) * 7.99, 0.0, 7.0))];
    }
    return line;
}

void writeLine(std::ostream &out, const LeakStack &stack)
{
    if (!stack.ages || stack.ages->buckets.empty())
        return;
    const StackAges &ages = *stack.ages;
    // From the end of the first bucket to that of the last.
    out << fmt::format("     live  {}  {} → {} in {}\n", sparkline(ages.buckets),
        formatBytes(static_cast<double>(ages.buckets.front().liveBytes)),
        formatBytes(static_cast<double>(ages.buckets.back().liveBytes)),
        formatDuration({ages.bucket.ns * static_cast<std::int64_t>(ages.buckets.size() - 1)}));
}

void writeNeighbours(std::ostream &out, const LeakItem &item, const TextReportOptions &options)
{
    if (item.neighbourCount == 0)
        return;
    std::int64_t live = 0;
    for (const LeakNeighbour &other : item.neighbours)
        live += other.liveBytes;
    writeWrapped(out,
        fmt::format("{} other {} through it {} under no suspicion; {} live in the largest.",
            formatCount(item.neighbourCount), item.neighbourCount == 1 ? "stack" : "stacks",
            item.neighbourCount == 1 ? "is" : "are", formatBytes(static_cast<double>(live))),
        options.columns, 5);
}

void writeItem(std::ostream &out, const Snapshot &snapshot, FunctionIndex &functions, const LeakItem &item,
    std::size_t number, const TextReportOptions &options)
{
    if (number > 1)
        out << '\n';
    writeWrapped(out, fmt::format("{:>2}. {}{}", number, item.title, item.where.empty() ? "" : ", " + item.where),
        options.columns, 1, 4);
    if (snapshot.tables->images.size() > 1)
        out << fmt::format("     pid {}, {}\n", pidOf(snapshot, item.image), programOf(snapshot, item.image));
    writeLine(out, item.stacks.front());
    for (const std::string &sentence : item.evidence)
        writeWrapped(out, sentence, options.columns, 5);
    writeNeighbours(out, item, options);
    if (!item.caution.empty())
        writeWrapped(out, "! " + item.caution, options.columns, 5, 2);
    if (item.stacks.size() > 1)
        out << fmt::format(
            "     the {} of {} stacks:\n", item.tier == LeakTier::Lost ? "first" : "fastest", item.stacks.size());
    writeFrames(out, functions, item.stacks.front().stack, options.columns);
}

} // namespace

void writeLeaksText(
    std::ostream &out, const Snapshot &snapshot, const LeakReport &report, const TextReportOptions &options)
{
    writeTitle(out, snapshot, options);
    writeHeading(out, "Leaks");
    writeWrapped(out, report.sentence, options.columns, 2);
    for (const std::string &note : report.notes)
        writeWrapped(out, "· " + note, options.columns, 2, 2);
    FunctionIndex functions(snapshot.tables);
    for (const LeakTier tier : {LeakTier::Lost, LeakTier::Growing, LeakTier::CouldBeCache, LeakTier::Idle}) {
        const std::size_t most = tier == LeakTier::Idle ? std::min(kMostIdle, options.stacks) : options.stacks;
        std::size_t number = 0;
        for (const LeakItem &item : report.items) {
            if (item.tier != tier)
                continue;
            if (number++ == 0)
                writeHeading(out, leakTierLabel(tier));
            if (number <= most)
                writeItem(out, snapshot, functions, item, number, options);
        }
        if (number > most)
            out << fmt::format("  … and {} more (--top, or --format json)\n", number - most);
    }
    writeTrust(out, snapshot, options);
}

} // namespace model

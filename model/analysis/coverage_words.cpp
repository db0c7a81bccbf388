// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/coverage.h"
#include "model/base/format_counted.h"

#include <fmt/format.h>

#include <algorithm>

namespace model {

Trust Coverage::worst() const
{
    Trust worst = std::max(heap, cpu);
    for (const CoverageItem &item : items)
        if (item.isLoss)
            worst = std::max(worst, item.trust);
    return worst;
}

std::string lossWords(LossKind kind, std::int64_t count)
{
    switch (kind) {
    case LossKind::EventsDropped:
        return formatCounted(count, "heap event") + " lost";
    case LossKind::SamplesLost:
        return formatCounted(count, "CPU sample") + " lost";
    case LossKind::SamplesThrottled:
        return "CPU sampling throttled " + formatCounted(count, "time");
    case LossKind::BadRecords:
        return formatCounted(count, "damaged record");
    case LossKind::ActivityLost:
        return formatCounted(count, "record") + " of calls and waits lost";
    case LossKind::ProcessesMissed:
        return fmt::format("{} {} too short to measure", formatCount(count), count == 1 ? "process" : "processes");
    case LossKind::SamplesMissed:
        return formatCounted(count, "CPU sample") + " not taken";
    default:
        return {};
    }
}

LossNotice lossNotice(const Snapshot &snapshot, const Coverage &coverage)
{
    if (!snapshot.damage.empty()) // what it says of losses is not whole either
        return {"the file is damaged", Trust::Partial};
    constexpr std::size_t kMostParts = 2;
    Trust trust = std::max(coverage.heap, coverage.cpu), said = Trust::Whole;
    std::vector<std::string> parts; // worst first, as the items are
    for (const CoverageItem &item : coverage.items) {
        if (!item.isLoss || item.isOfStacks)
            continue;
        trust = std::max(trust, item.trust);
        if (item.shortly.empty())
            continue;
        said = std::max(said, item.trust);
        parts.push_back(parts.size() < kMostParts ? item.shortly : "more");
    }
    parts.resize(std::min(parts.size(), kMostParts + 1));
    if (trust == Trust::Partial && said != Trust::Partial)
        parts.insert(parts.begin(), "recorded in part");
    LossNotice notice{.words = parts.empty() ? "no events lost" : parts.front(), .trust = trust};
    for (std::size_t i = 1; i < parts.size(); ++i)
        notice.words += " · " + parts[i];
    return notice;
}

std::string unwrittenText(const SessionInfo &info)
{
    if (!info.unwritten)
        return {};
    const Unwritten &end = *info.unwritten;
    const std::string from = formatOffset(end.from, true);
    const std::string why = end.reason.empty() ? std::string() : fmt::format(" ({})", end.reason);
    if (isBeingRecorded(info))
        return fmt::format("Nothing is written since {}{}", from, why);
    std::string missing = end.length.ns > 0 ? formatDuration(end.length) : "how much came later is not known";
    std::vector<std::string> parts;
    if (end.length.ns > 0 && info.config.heap != HeapMode::Off)
        parts.push_back(formatCounted(end.heapEvents, "heap event"));
    if (end.length.ns > 0 && info.config.cpuHz > 0)
        parts.push_back(formatCounted(end.cpuSamples, "CPU sample"));
    for (std::size_t i = 0; i < parts.size(); ++i)
        missing += (i == 0 ? " with " : " and ") + parts[i];
    return fmt::format(
        "Nothing was written from {} on{}: {}{}", from, why, missing, end.length.ns > 0 ? " are missing" : "");
}

} // namespace model

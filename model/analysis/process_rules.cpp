// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules.h"
#include "model/analysis/share_interval.h"

#include <fmt/format.h>

#include <algorithm>

namespace model {

namespace {

constexpr Duration kShortLife = Duration::fromMs(1000);
constexpr std::int64_t kLeastProcesses = 50;
constexpr double kLeastRate = 10; ///< a second
constexpr std::int64_t kLeastSamples = 100;
constexpr double kLeastShare = 0.1; ///< of the CPU time in short-lived processes, lower end

struct Children
{
    std::int64_t count = 0;
    std::vector<bool> isShort; ///< by process
    ProcessId parent;          ///< of most of them
};

Children shortLived(const Snapshot &snapshot)
{
    const std::vector<Process> &processes = snapshot.tables->processes;
    Children children{.isShort = std::vector<bool>(processes.size())};
    std::vector<std::int64_t> byParent(processes.size());
    for (std::size_t i = 0; i < processes.size(); ++i) {
        const Process &process = processes[i];
        const bool isStarted = process.parent.isValid() && snapshot.span.begin < process.start;
        if (!isStarted || !process.end || *process.end - process.start > kShortLife)
            continue;
        children.isShort[i] = true;
        ++children.count;
        ++byParent.at(process.parent.index());
    }
    if (children.count > 0)
        children.parent = ProcessId(
            static_cast<std::uint32_t>(std::max_element(byParent.begin(), byParent.end()) - byParent.begin()));
    return children;
}

/// Samples that were due but not taken of threads that ended between two: those of short-lived processes, by their share of the threads that were
/// so short. Of a process that lives for less than the period there is hardly another trace.
std::int64_t missedSamples(const Snapshot &snapshot, const Children &children)
{
    std::int64_t ofChildren = 0;
    std::int64_t all = 0;
    for (const Thread &thread : snapshot.tables->threads)
        if (thread.end && *thread.end - thread.start <= kShortLife) {
            ++all;
            ofChildren += children.isShort.at(thread.process.index()) ? 1 : 0;
        }
    std::int64_t missed = 0;
    for (const LossTotal &loss : snapshot.losses)
        missed += loss.kind == LossKind::SamplesMissed ? loss.count : 0;
    return all > 0 ? missed * ofChildren / all : 0;
}

std::string programOf(const Snapshot &snapshot, ProcessId process)
{
    std::string name = "the process";
    for (const Image &image : snapshot.tables->images)
        if (image.process == process)
            if (const std::string_view file = snapshot.tables->programName(image); !file.empty())
                name = file;
    return name;
}

} // namespace

bool findProcessChurn(const RuleInput &input, Recommendations &found)
{
    const Snapshot &snapshot = input.snapshot;
    const Children children = shortLived(snapshot);
    const double rate = static_cast<double>(children.count) / std::max(snapshot.span.length().seconds(), 1e-3);
    if (children.count < kLeastProcesses || rate < kLeastRate)
        return true;
    const std::string program = programOf(snapshot, children.parent);
    std::int64_t samples = missedSamples(snapshot, children);
    const std::int64_t all = snapshot.cpuSummary.samples + samples;
    if (all < kLeastSamples) {
        found.notLookedAt.push_back(
            fmt::format("Processes for small tasks: {} starts {} a second, what they cost needs --cpu 999 to say.",
                program, formatCount(static_cast<std::int64_t>(rate))));
        return true;
    }
    for (const CpuCost &row : snapshot.cpu) {
        const Image &image = snapshot.tables->images.at(row.image.index());
        if (children.isShort[image.process.index()])
            samples += row.samples;
    }
    const Interval share = wilsonInterval(samples, all);
    if (share.low < kLeastShare)
        return true;
    const std::string text = shareText(static_cast<double>(samples) / static_cast<double>(all), share);
    Recommendation item = itemOf(kProcessChurnRule, program,
        fmt::format("{} short-lived processes a second, which take {} of the CPU time",
            formatCount(static_cast<std::int64_t>(rate)), text));
    item.gainKind = GainKind::CpuShare;
    item.gain = amdahl(share, kProcessChurnRule.speedUp);
    item.evidence.push_back({"processes", static_cast<double>(children.count), {}, Unit::Count,
        fmt::format("{} that lived less than {}", formatCount(children.count), formatDuration(kShortLife))});
    item.evidence.push_back({"their share of the CPU time", (share.low + share.high) * 50,
        Interval{share.low * 100, share.high * 100}, Unit::Percent, text});
    found.items.push_back(std::move(item));
    return !input.stop.stop_requested();
}

} // namespace model

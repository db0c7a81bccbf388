// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/activity_totals.h"
#include "model/aggregate/own_code.h"
#include "model/aggregate/unseen_cpu.h"
#include "model/analysis/rules.h"
#include "model/analysis/rules/activity_rule_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <tuple>

namespace model {

namespace {

constexpr std::size_t kMostPlaces = 3;                 ///< of one rule
constexpr std::int64_t kLeastTimeNs = 20'000'000;      ///< less is not worth changing
constexpr Duration kLeastSpan = Duration::fromMs(500); ///< shorter recordings say little about rates
constexpr double kWorthTelling = 0.05;                 ///< so much more of its time without what is no part of it
constexpr double kBusyShare = 0.2;                     ///< of the CPU time, of a thread that does the work
constexpr double kRestingShare = 0.9; ///< who sleeps that long, with nobody to wait for, works at a pace

/// What a rule found at one function of the program's own.
struct Place
{
    StackLine line;
    StackId heaviest;
    std::int64_t heaviestNs = -1;
    ActivityTotal total;
    std::set<std::uint32_t> threads;
    std::map<Activity, std::int64_t> counts;
};

bool isOf(const ActivityRule &rule, Activity activity)
{
    if (rule.waitClass)
        return activity.isWait() && activity.waitClass() == *rule.waitClass;
    return !activity.isWait()
        && std::find(rule.calls.begin(), rule.calls.end(), systemCallName(activity.value)) != rule.calls.end();
}

/// Threads that do the program's work: the first of each process, and who has a fifth of the CPU time.
class BusyThreads
{
public:
    explicit BusyThreads(const Snapshot &snapshot)
        : m_snapshot(snapshot)
    {
        for (const CpuCost &row : snapshot.cpu)
            m_timeNs[row.thread.value] += row.timeNs;
        m_allNs = snapshot.cpuSummary.timeNs;
        if (snapshot.selection.thread) // what the others did was sampled too, but is not selected
            m_allNs = std::max(m_allNs, kernelCpuTimeOfProcesses(snapshot).ns);
    }
    /// Whether nobody else does anything that these threads could wait for.
    bool areAlone(const std::set<std::uint32_t> &threads) const
    {
        constexpr double kLeastOthers = 0.05;
        if (m_allNs <= 0)
            return threads.size() == m_snapshot.tables->threads.size();
        std::int64_t others = m_allNs;
        for (const auto &[thread, timeNs] : m_timeNs)
            others -= threads.contains(thread) ? timeNs : 0;
        return static_cast<double>(others) < kLeastOthers * static_cast<double>(m_allNs);
    }
    bool contains(ThreadId id) const
    {
        const auto time = m_timeNs.find(id.value);
        const std::int64_t timeNs = time == m_timeNs.end() ? 0 : time->second;
        if (m_allNs > 0)
            return static_cast<double>(timeNs) >= kBusyShare * static_cast<double>(m_allNs);
        const Thread &thread = m_snapshot.tables->threads.at(id.index());
        return thread.tid == m_snapshot.tables->processes.at(thread.process.index()).pid;
    }

private:
    const Snapshot &m_snapshot;
    std::int64_t m_allNs = 0; ///< of all threads
    std::map<std::uint32_t, std::int64_t> m_timeNs;
};

/// Threads that ask for events once for at most a hundred of the rule's calls.
std::set<std::uint32_t> conversing(const Snapshot &snapshot, const ActivityRule &rule)
{
    static constexpr std::array kEventCalls = std::to_array<std::string_view>(
        {"epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select", "pselect6", "io_uring_enter"});
    constexpr std::int64_t kMostCallsAnEvent = 100;
    std::map<std::uint32_t, std::int64_t> events, calls;
    for (const ActivityCost &row : snapshot.activities) {
        if (isOf(rule, row.activity))
            calls[row.thread.value] += row.count;
        else if (!row.activity.isWait()
            && std::find(kEventCalls.begin(), kEventCalls.end(), systemCallName(row.activity.value))
                != kEventCalls.end())
            events[row.thread.value] += row.count;
    }
    std::set<std::uint32_t> found;
    for (const auto &[thread, count] : events)
        if (count * kMostCallsAnEvent >= calls[thread])
            found.insert(thread);
    return found;
}

std::vector<Place> placesOf(const RuleInput &input, const ActivityRule &rule, const BusyThreads &busy)
{
    const std::set<std::uint32_t> left
        = rule.isSilentOfEvents ? conversing(input.snapshot, rule) : std::set<std::uint32_t>();
    std::map<std::pair<std::string, std::string>, Place> sums;
    for (const ActivityCost &row : input.snapshot.activities) {
        if (!isOf(rule, row.activity) || (rule.onBusyThreads && !busy.contains(row.thread)))
            continue;
        if (left.contains(row.thread.value))
            continue;
        StackLine line = ownLine(input.functions, row.stack);
        if (isSpecialMember(shortFunctionName(line.name)))
            line = callerLine(input.functions, row.stack);
        if (line.name.empty() || !isOwnCode(input.functions, line.function))
            continue;
        Place &place = sums[{line.name, line.modulePath}];
        place.total += row;
        place.threads.insert(row.thread.value);
        place.counts[row.activity] += row.count;
        if (row.timeNs > place.heaviestNs) {
            place.heaviestNs = row.timeNs;
            place.heaviest = row.stack;
            place.line = std::move(line);
        }
    }
    std::vector<Place> places;
    for (auto &[key, place] : sums)
        places.push_back(std::move(place));
    std::stable_sort(
        places.begin(), places.end(), [](const Place &a, const Place &b) { return a.total.timeNs > b.total.timeNs; });
    return places;
}

/// How long threads ran their own code, and were in system calls or waited for something.
class ThreadTimes
{
public:
    explicit ThreadTimes(const Snapshot &snapshot)
        : m_isKnown(snapshot.cpuSummary.samples >= kLeastSamples)
    {
        for (const CpuCost &row : snapshot.cpu)
            if (!isInKernel(*snapshot.tables, row.stack))
                m_timesNs[row.thread.value] += row.timeNs;
        // Most waits are within calls.
        const bool hasCalls = snapshot.info.config.systemCalls;
        for (const ActivityCost &row : snapshot.activities) {
            const bool isForProcessor = row.activity.isWait() && row.activity.waitClass() == WaitClass::Processor;
            if (row.activity.isWait() != hasCalls && !isForProcessor)
                m_timesNs[row.thread.value] += row.timeNs;
        }
    }

    /// Together; nothing where too few samples tell how long they ran.
    std::optional<double> of(const std::set<std::uint32_t> &threads) const
    {
        if (!m_isKnown)
            return std::nullopt;
        double sum = 0;
        for (const std::uint32_t thread : threads)
            if (const auto found = m_timesNs.find(thread); found != m_timesNs.end())
                sum += static_cast<double>(found->second);
        return sum;
    }

private:
    static bool isInKernel(const ProgramTables &tables, StackId stack)
    {
        if (isRoot(stack))
            return false;
        const Frame &frame = tables.frames.at(tables.stacks.at(stack.index()).frame.index());
        return tables.modules.at(frame.module.index()).kind == ModuleKind::Kernel;
    }

    static constexpr std::int64_t kLeastSamples = 20;
    bool m_isKnown = false;
    std::map<std::uint32_t, std::int64_t> m_timesNs;
};

/// The time in which the threads of a place lived, within what is selected.
double livedNs(const Snapshot &snapshot, const Place &place)
{
    double sum = 0;
    for (const std::uint32_t id : place.threads) {
        const Thread &thread = snapshot.tables->threads.at(id);
        const Timestamp begin = std::max(thread.start, snapshot.span.begin);
        const Timestamp end = std::min(thread.end.value_or(snapshot.span.end), snapshot.span.end);
        sum += static_cast<double>(std::max<std::int64_t>((end - begin).ns, 0));
    }
    return std::max(sum, 1.0);
}

/// `share`: from what was recorded up to what is left of the threads' time without waiting for a processor and for the recording of each call.
Recommendation itemFor(const ActivityRule &rule, const Place &place, const Interval &share, double rate)
{
    Recommendation item = itemOf(rule.data, shortFunctionName(place.line.name), formatShare(share.low));
    item.where = shortPlace(place.line.file, place.line.line);
    item.module = place.line.moduleName;
    item.stack = place.heaviest;
    item.cost = rule.waitClass ? static_cast<CostKind>(
                    static_cast<std::size_t>(CostKind::WaitLock) + static_cast<std::size_t>(*rule.waitClass))
                               : CostKind::SystemCallTime;
    item.gainKind = GainKind::TimeShare;
    item.gain = amdahl(share, rule.data.speedUp);
    const ActivityTotal &total = place.total;
    const std::string more = share.high == share.low
        ? std::string()
        : fmt::format("; {} without its waits for a processor and without the recording", formatShare(share.high));
    item.evidence.push_back({"share of its threads' time", share.low * 100, Interval{share.low * 100, share.high * 100},
        Unit::Percent, formatShare(share.low) + more});
    item.evidence.push_back({rule.waitClass ? "waits" : "calls", static_cast<double>(total.count), {}, Unit::Count,
        fmt::format("{}, {} a second", formatCount(total.count), formatCount(static_cast<std::int64_t>(rate)))});
    item.evidence.push_back({"time in them", static_cast<double>(total.timeNs) / 1e9, {}, Unit::Count,
        fmt::format("{}, {} each", formatDuration({total.timeNs}),
            formatDuration({total.timeNs / std::max<std::int64_t>(total.count, 1)}))});
    if (total.bytes > 0)
        item.evidence.push_back({"bytes a call", static_cast<double>(total.bytes) / static_cast<double>(total.count),
            {}, Unit::Bytes, formatBytes(static_cast<double>(total.bytes) / static_cast<double>(total.count))});
    if (total.errors > 0)
        item.evidence.push_back({"failed", static_cast<double>(total.errors), {}, Unit::Count,
            fmt::format("{}, {}", formatCount(total.errors), formatShareOf(total.errors, total.count))});
    const auto most = std::max_element(
        place.counts.begin(), place.counts.end(), [](const auto &a, const auto &b) { return a.second < b.second; });
    if (!rule.waitClass)
        item.evidence.push_back({"most of them", static_cast<double>(most->second), {}, Unit::Count,
            fmt::format("{} ({})", activityKey(most->first), formatShareOf(most->second, total.count))});
    return item;
}

void apply(const RuleInput &input, const ActivityRule &rule, Recommendations &found)
{
    const double seconds = std::max(input.snapshot.span.length().seconds(), 1e-3);
    const BusyThreads busy(input.snapshot);
    const ThreadTimes times(input.snapshot);
    std::size_t count = 0;
    for (const Place &place : placesOf(input, rule, busy)) {
        const ActivityTotal &total = place.total;
        const double rate = static_cast<double>(total.count) / seconds;
        const double share = static_cast<double>(total.timeNs) / livedNs(input.snapshot, place);
        const double bytes
            = static_cast<double>(total.bytes) / static_cast<double>(std::max<std::int64_t>(total.count, 1));
        const bool isEnough = total.count >= rule.leastCalls && rate >= rule.leastRate && total.timeNs >= kLeastTimeNs
            && share >= rule.leastShare && (rule.mostBytesPerCall == 0 || bytes < rule.mostBytesPerCall);
        const bool isAtRest = rule.onBusyThreads && share >= kRestingShare && busy.areAlone(place.threads);
        if (!isEnough || isAtRest || count++ == kMostPlaces)
            continue;
        const double low = std::min(share, 1.0);
        const auto busyNs = times.of(place.threads);
        double most = busyNs ? static_cast<double>(total.timeNs) / std::max(*busyNs, 1.0) : low;
        if (most - low < kWorthTelling)
            most = low; // no gain of more than what is told
        found.items.push_back(itemFor(rule, place, {low, std::clamp(most, low, 1.0)}, rate));
    }
}

/// What the kernel counts for everybody, where calls and waits themselves were not recorded.
std::string cheapCount(const Snapshot &snapshot, std::initializer_list<Metric> metrics, const char *what)
{
    double most = 0;
    for (const MetricSeries &series : snapshot.metrics)
        for (const MetricValues &values : series.values) {
            double sum = 0;
            for (const Metric metric : metrics)
                sum += static_cast<double>(values.get(metric).value_or(0));
            most = std::max(most, sum);
        }
    return most >= 1 ? fmt::format(" (there are up to {} {} a second)", formatCount(std::int64_t(most)), what)
                     : std::string();
}

} // namespace

bool findActivity(const RuleInput &input, Recommendations &found)
{
    const Snapshot &snapshot = input.snapshot;
    const CaptureConfig &config = snapshot.info.config;
    const auto has = [&snapshot](bool isWait) {
        return std::any_of(snapshot.activities.begin(), snapshot.activities.end(),
            [isWait](const ActivityCost &row) { return row.activity.isWait() == isWait; });
    };
    if (!config.systemCalls || (!has(false) && !snapshot.info.activityNote.empty()))
        found.notLookedAt.push_back(
            fmt::format("Small reads and writes, files looked up again and again, waiting for the disk: needs "
                        "--syscalls to say{}.",
                cheapCount(snapshot, {Metric::ReadCalls, Metric::WriteCalls}, "reads and writes")));
    if (!config.waits || (!has(true) && !snapshot.info.activityNote.empty()))
        found.notLookedAt.push_back(
            fmt::format("Waiting for locks, sleeping in the way of work: needs --waits to say{}.",
                cheapCount(snapshot, {Metric::VoluntarySwitches}, "waits")));
    if (snapshot.activities.empty())
        return true;
    if (snapshot.span.length() < kLeastSpan) {
        found.notLookedAt.push_back("System calls and waits: needs half a second of recording.");
        return true;
    }
    for (const ActivityRule *rule : activityRules()) {
        if (input.stop.stop_requested())
            return false;
        apply(input, *rule, found);
    }
    return true;
}

} // namespace model

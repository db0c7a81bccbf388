// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/prometheus_report.h"

#include "model/aggregate/call_tree.h"
#include "model/aggregate/heap_modes.h"
#include "model/aggregate/process_images.h"
#include "model/aggregate/stack_text.h"
#include "model/aggregate/time_series.h"
#include "model/aggregate/unrecorded_heap.h"
#include "model/analysis/forecast.h"
#include "model/analysis/hot_paths.h"
#include "model/analysis/known_limits.h"
#include "model/analysis/series_blocks.h"
#include "model/base/utf8.h"
#include "model/report/session_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace model {

namespace {

constexpr std::size_t kMostProcesses = 64;
constexpr std::size_t kMostPaths = 10;
constexpr std::uint32_t kPaths = 500;      ///< of a forecast: its median needs no more
constexpr double kMilliPercents = 100'000; ///< of a core
constexpr std::size_t kMostPathBytes = 400;
constexpr std::size_t kMostBlocks = 120;
constexpr std::size_t kLeastBlocks = 12; ///< as the forecast needs to see a direction
constexpr Duration kTrendTime = Duration::fromMs(3'600'000);

using Labels = std::vector<std::pair<std::string_view, std::string>>;

/// A label's value as the exposition format wants it: UTF-8, with backslash, quote and line break escaped.
std::string labelValue(std::string_view text)
{
    std::string value;
    while (!text.empty()) {
        const std::size_t length = utf8Length(text);
        if (length == 0)
            value += kReplacementCharacter;
        else if (text[0] == '\\' || text[0] == '"')
            value += {'\\', text[0]};
        else if (text[0] == '\n')
            value += "\\n";
        else
            value += text.substr(0, length);
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return value;
}

/// One metric: its head, then its samples. Nothing is written of a metric without samples.
class Family
{
public:
    Family(std::ostream &out, std::string_view name, std::string_view type, std::string_view help)
        : m_out(out)
        , m_name(name)
        , m_head(fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help))
    {
    }

    void add(double value, const Labels &labels = {})
    {
        std::string text;
        for (const auto &[key, label] : labels)
            text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", key, labelValue(label));
        m_out << std::exchange(m_head, {}) << m_name << (text.empty() ? "" : '{' + text + '}')
              << fmt::format(" {:.10g}\n", value);
    }

private:
    std::ostream &m_out;
    std::string_view m_name;
    std::string m_head;
};

class PrometheusReport
{
public:
    PrometheusReport(std::ostream &out, const Snapshot &snapshot)
        : m_out(out)
        , m_snapshot(snapshot)
        , m_isLive(snapshot.info.state != SessionState::Complete && snapshot.info.state != SessionState::Unfinished)
    {
        findProcesses();
    }

    void write()
    {
        if (m_isLive) {
            writeMemory();
            writeGrowth();
            writeLimits();
            writeCpu();
        }
        writeCpuTime();
        writeHotPaths();
        writeHeap();
        writeRecording();
    }

private:
    struct Shown
    {
        ProcessId id;
        Labels labels;         ///< pid and process
        bool isTraced = false; ///< what it runs now tells of its heap: what it held before it executed that is gone
    };

    void findProcesses()
    {
        const ProgramTables &tables = *m_snapshot.tables;
        const std::vector<std::vector<ImageId>> images = imagesByProcess(tables);
        const std::int32_t main = mainPid(m_snapshot);
        for (std::size_t i = 0; i < tables.processes.size() && m_processes.size() < kMostProcesses; ++i) {
            const Process &process = tables.processes[i];
            if (images[i].empty() || (m_isLive ? process.end.has_value() : process.pid != main))
                continue;
            const Image &image = tables.images[images[i].back().index()];
            m_processes.push_back({ProcessId(i),
                {{"pid", std::to_string(process.pid)}, {"process", std::string(tables.programName(image))}},
                isTraced(image)});
        }
    }

    static bool isTraced(const Image &image)
    {
        return image.heap == HeapState::Full || image.heap == HeapState::Inherited || image.heap == HeapState::Attached;
    }

    /// Of those that run now: others' last level is none.
    double liveBlocks() const
    {
        const ProgramTables &tables = *m_snapshot.tables;
        const bool isAny = std::any_of(tables.images.begin(), tables.images.end(), [&](const Image &image) {
            return isTraced(image) && !image.end && !tables.processes[image.process.index()].end;
        });
        const auto last = isAny ? timeSeries(m_snapshot, HeapQuantity::LiveBlocks).last() : std::nullopt;
        return last ? last->value : 0;
    }

    static Labels with(Labels labels, std::string_view key, std::string value)
    {
        labels.emplace_back(key, std::move(value));
        return labels;
    }

    void writeMemory()
    {
        Family family(m_out, "genesis_memory_usage_bytes", "gauge",
            "Memory of a process: resident and its parts, swap, and traced blocks that are live.");
        constexpr std::array<std::pair<std::string_view, Metric>, 5> kKinds{
            {{"resident", Metric::Rss}, {"anonymous", Metric::Anonymous}, {"file", Metric::FileBacked},
                {"shared", Metric::Shared}, {"swap", Metric::Swap}}};
        for (const Shown &process : m_processes) {
            for (const auto &[kind, metric] : kKinds)
                if (const auto last = timeSeries(m_snapshot, metric, process.id).last())
                    family.add(last->value, with(process.labels, "kind", std::string(kind)));
            if (!process.isTraced)
                continue;
            if (const auto last = timeSeries(m_snapshot, HeapQuantity::LiveBytes, process.id).last())
                family.add(last->value, with(process.labels, "kind", "live_heap"));
        }
    }

    void writeGrowth()
    {
        Family family(
            m_out, "genesis_memory_growth_rate", "gauge", "Robust trend of the last hour in bytes per second.");
        for (const Shown &process : m_processes) {
            const auto add = [&](const SeriesSource &source, std::string_view kind) {
                if (const auto slope = slopeOf(timeSeries(m_snapshot, source, process.id)))
                    family.add(*slope, with(process.labels, "kind", std::string(kind)));
            };
            add(Metric::Rss, "resident");
            if (process.isTraced)
                add(HeapQuantity::LiveBytes, "live_heap");
        }
    }

    /// What memory may not exceed, and when it will: "resident" of all processes, "virtual" of the process that is nearest.
    void writeLimits()
    {
        std::vector<std::pair<std::string, double>> times;
        Family limits(m_out, "genesis_memory_limit_bytes", "gauge", "What memory of a kind may not exceed.");
        constexpr std::array<std::pair<std::string_view, Metric>, 2> kKinds{
            {{"resident", Metric::Rss}, {"virtual", Metric::VirtualSize}}};
        for (const auto &[kind, metric] : kKinds) {
            const std::optional<KnownLimit> limit = knownLimit(m_snapshot, metric);
            if (!limit)
                continue;
            limits.add(limit->limit.value, {{"kind", std::string(kind)}, {"limit", limit->limit.name}});
            ForecastOptions options{.limit = limit->limit};
            options.paths = kPaths;
            const std::optional<Forecast> ahead
                = forecast(judgedSeries(m_snapshot, metric, m_snapshot.span, limit->process), options);
            if (ahead && ahead->timeToLimit && ahead->timeToLimit->median)
                times.emplace_back(kind, ahead->timeToLimit->median->seconds());
        }
        Family family(m_out, "genesis_time_to_limit_seconds", "gauge",
            "Forecast of the time until memory reaches its limit; absent where it will not within the time that can be "
            "seen.");
        for (const auto &[kind, seconds] : times)
            family.add(seconds, {{"kind", kind}});
    }

    /// Per second; empty where there is too little data.
    std::optional<double> slopeOf(const TimeSeries &series) const
    {
        const TimeRange range{std::max(m_snapshot.span.begin, m_snapshot.span.end - kTrendTime), m_snapshot.span.end};
        const SeriesBlocks blocks = seriesBlocks(series, range, kMostBlocks);
        if (blocks.values.size() < kLeastBlocks)
            return std::nullopt;
        std::vector<double> times;
        for (std::size_t i = 0; i < blocks.values.size(); ++i)
            times.push_back(blocks.endOf(i).seconds());
        return robustTrend(times, blocks.values).slope;
    }

    void writeCpu()
    {
        Family family(
            m_out, "genesis_cpu_usage_percent", "gauge", "CPU of a process in percent of one core, in the last tick.");
        for (const Shown &process : m_processes)
            if (const auto last = timeSeries(m_snapshot, CpuQuantity::Used, process.id).last())
                family.add(last->value, process.labels);
        Family threads(m_out, "genesis_threads", "gauge", "Threads of a process.");
        for (const Shown &process : m_processes)
            if (const auto last = timeSeries(m_snapshot, Metric::Threads, process.id).last())
                threads.add(last->value, process.labels);
    }

    /// Of all processes, also of those that ended.
    void writeCpuTime()
    {
        double seconds = 0;
        for (const MetricSeries &series : m_snapshot.metrics) {
            Timestamp before = m_snapshot.tables->processes.at(series.process.index()).start;
            for (std::size_t i = 0; i < series.times.size(); ++i) {
                const std::optional<std::int64_t> user = series.values[i].get(Metric::CpuUser),
                                                  system = series.values[i].get(Metric::CpuSystem);
                const double share = static_cast<double>(user.value_or(0) + system.value_or(0)) / kMilliPercents;
                seconds += share * std::max((series.times[i] - before).seconds(), 0.0);
                before = series.times[i];
            }
        }
        Family(m_out, "genesis_cpu_seconds_total", "counter", "CPU time of all recorded processes.").add(seconds);
    }

    void writeHotPaths()
    {
        const std::optional<CallTree> tree = callTree(m_snapshot, {CostKind::CpuTime});
        if (!tree)
            return;
        Family family(m_out, "genesis_hot_path_duration_seconds", "gauge",
            "CPU time that went through one of the hottest call paths, since the recording began.");
        std::vector<std::pair<Labels, std::int64_t>>
            told; // names are short ones, so that two paths may have all in common
        for (const HotPath &path : hotPaths(*tree, kMostPaths)) {
            std::string names;
            for (auto node = path.nodes.rbegin(); node != path.nodes.rend(); ++node) {
                std::string name = shortFunctionName(tree->name(*node));
                if (names.size() + name.size() > kMostPathBytes) { // the innermost ones tell paths apart
                    names = "…;" + names;
                    break;
                }
                names = names.empty() ? std::move(name) : std::move(name) + ';' + names;
            }
            const CallNode &last = tree->node(path.nodes.back());
            Labels labels{{"function", shortFunctionName(tree->name(path.nodes.back()))},
                {"place", shortPlace(std::string(m_snapshot.tables->text(last.file)), last.line)},
                {"path", std::move(names)}};
            const auto same
                = std::find_if(told.begin(), told.end(), [&labels](const auto &each) { return each.first == labels; });
            if (same != told.end())
                same->second += path.total;
            else
                told.emplace_back(std::move(labels), path.total);
        }
        for (const auto &[labels, total] : told)
            family.add(Duration{total}.seconds(), labels);
    }

    void writeHeap()
    {
        if (!isHeapRecorded(m_snapshot))
            return;
        const HeapSummary &heap = m_snapshot.heapSummary;
        const auto add = [this](std::string_view name, std::string_view type, std::string_view help, auto value) {
            Family(m_out, name, type, help).add(static_cast<double>(value));
        };
        add("genesis_heap_allocations_total", "counter", "Blocks allocated by all processes.", heap.allocations);
        add("genesis_heap_allocated_bytes_total", "counter", "Bytes allocated by all processes.", heap.allocatedBytes);
        add("genesis_heap_frees_total", "counter", "Blocks freed by all processes.", heap.frees);
        if (m_isLive)
            add("genesis_heap_live_blocks", "gauge", "Traced blocks that are live, of all processes that run.",
                liveBlocks());
    }

    void writeRecording()
    {
        Family alerts(m_out, "genesis_alert_firing", "gauge", "1 while the condition of an alert holds.");
        for (const AlertEvent &alert : m_snapshot.alerts)
            if (!alert.ended && m_isLive)
                alerts.add(1, {{"rule", alert.rule}});
        Family losses(m_out, "genesis_losses_total", "counter", "What was not seen, by kind.");
        const std::array<std::int64_t, kLossKindCount> counts = lossCounts(m_snapshot);
        for (std::size_t kind = 0; kind < counts.size(); ++kind)
            losses.add(
                static_cast<double>(counts[kind]), {{"kind", std::string(lossKey(static_cast<LossKind>(kind)))}});
        Family(m_out, "genesis_recorder_cpu_seconds_total", "counter", "CPU time that the recorder used.")
            .add(Duration{m_snapshot.recorderCpuNs}.seconds());
        if (m_isLive)
            Family(m_out, "genesis_recorder_memory_bytes", "gauge", "Resident memory of the recorder.")
                .add(static_cast<double>(m_snapshot.recorderRssBytes));
        Family(m_out, "genesis_last_tick_timestamp_seconds", "gauge", "When the newest tick ended, since 1970.")
            .add(std::floor(Duration{m_snapshot.info.startWallNs}.seconds() + m_snapshot.info.duration.seconds()));
        Family(m_out, "genesis_recording_duration_seconds", "gauge", "Recorded time.")
            .add(m_snapshot.info.duration.seconds());
        Family(m_out, "genesis_recording_state", "gauge", "1 for the state the recording is in.")
            .add(1, {{"state", std::string(stateKey(m_snapshot.info.state))}});
    }

    std::ostream &m_out;
    const Snapshot &m_snapshot;
    bool m_isLive; ///< something records: gauges of now mean something
    std::vector<Shown> m_processes;
};

} // namespace

void writePrometheus(std::ostream &out, const Snapshot &snapshot) { PrometheusReport(out, snapshot).write(); }

} // namespace model

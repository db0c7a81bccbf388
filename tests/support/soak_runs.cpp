// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/soak_runs.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

namespace tests {

using namespace model;

namespace {

constexpr double kBytes = 100.0 * 1024 * 1024;
constexpr double kFileBytes = 20.0 * 1024 * 1024;
constexpr std::int64_t kBegin = 1'700'000'000'000'000'000;
constexpr std::int64_t kBoot = 90'000'000'000'000;

/// The run of one process: what its memory is minute by minute.
struct Run
{
    std::vector<double> memory, heap;
};

Run newRun(const SoakShape &shape, Random &random)
{
    Run run;
    run.memory = metricSeries(shape.memory, random);
    MetricShape heap = shape.memory;
    heap.growth = shape.heapGrowth < 0 ? heap.growth : shape.heapGrowth;
    heap.noise = std::min(heap.noise, 0.0005);
    run.heap = metricSeries(heap, random);
    if (shape.step > 0)
        for (std::size_t i = static_cast<std::size_t>(shape.stepHours * 60); i < run.memory.size(); ++i) {
            run.memory[i] += shape.step;
            run.heap[i] += shape.step;
        }
    return run;
}

ProgramTables tablesOf(HeapState heap)
{
    ProgramTables tables;
    tables.strings.resize(1);
    tables.processes.resize(1);
    tables.images.resize(1);
    tables.images[0].process = ProcessId(0u);
    tables.images[0].heap = heap;
    return tables;
}

EventBatch tick(const Run &run, std::size_t minute, Timestamp begin, Timestamp end, bool hasHeap)
{
    EventBatch batch;
    batch.span = {begin, end};
    const double memory = run.memory[std::min(minute, run.memory.size() - 1)] * kBytes;
    MetricValues values;
    values.set(Metric::Anonymous, static_cast<std::int64_t>(memory));
    values.set(Metric::Rss, static_cast<std::int64_t>(memory + kFileBytes));
    batch.metrics.push_back({ProcessId(0u), values});
    if (hasHeap)
        batch.heapTicks.push_back({.image = ImageId(0u),
            .liveBytes = static_cast<std::int64_t>(run.heap[std::min(minute, run.heap.size() - 1)] * kBytes)});
    return batch;
}

/// A recorder from when it is started until it ends, is killed, or its target is.
class Recorder
{
public:
    /// `afterNs`: since the first one began.
    Recorder(const SoakShape &shape, SoakRecord &stored, std::uint32_t segment, std::int64_t afterNs, bool tracesHeap)
        : m_shape(shape)
        , m_stored(stored)
        , m_tracesHeap(tracesHeap)
        , m_goesOn(firstLegOf(stored.legs, segment) != nullptr)
        , m_tables(tablesOf(!tracesHeap ? HeapState::Off
                  : shape.isHeapTraced  ? HeapState::Full
                                        : HeapState::NotTraced))
    {
        CaptureConfig config;
        config.heap = tracesHeap ? shape.heapMode : HeapMode::Off;
        config.heapPeriodBytes = shape.heapPeriodBytes;
        SoakLeg leg;
        leg.id = static_cast<std::uint32_t>(stored.legs.size());
        leg.segment = segment;
        const double jumpNs = leg.id > 0 ? shape.clockJumpHours * static_cast<double>(shape.length.ns) / 48 : 0;
        leg.beganWallNs = kBegin + afterNs + std::llround(jumpNs);
        leg.boot = segment == 0 ? "first boot" : "second boot";
        leg.beganBootNs = segment == 0 ? kBoot + afterNs : kBoot / 1000; // the clock begins anew with the machine
        m_watch.emplace(stored, leg, config);
        SoakRecord first = m_watch->firstRows();
        stored = {};
        stored.merge(std::move(first));
    }

    /// Runs from `from` to `until` (hours of the segment) or to the end; whether it is over.
    bool run(const Run &run, double from, double until)
    {
        const std::int64_t partNs = m_shape.length.ns / kSoakParts;
        const std::int64_t step = std::max(partNs, soakTick(m_shape.length).ns);
        const double hour = static_cast<double>(partNs) * 60;
        const std::int64_t fromNs = std::llround(from * hour);
        for (std::int64_t t = fromNs; static_cast<double>(t) < until * hour; t += step) {
            EventBatch batch
                = tick(run, static_cast<std::size_t>(t / partNs), {t - fromNs}, {t - fromNs + step}, m_tracesHeap);
            addTracer(batch);
            if (m_shape.lossHours > 0 && !m_hasLost && static_cast<double>(t) >= m_shape.lossHours * hour) {
                m_hasLost = true;
                batch.losses.push_back({LossKind::EventsDropped, {}, 1, {}});
            }
            m_watch->evaluate(batch, m_tables);
            m_stored.merge(std::move(batch.soak));
            if (m_watch->isOver() || m_watch->isDecided()) {
                m_stored.merge(m_watch->finish({}, {}, {}));
                return true;
            }
        }
        return false;
    }

private:
    void addTracer(EventBatch &batch) const
    {
        if (m_shape.tracerBytes == 0)
            return;
        const auto bytes = static_cast<std::int64_t>(m_shape.tracerBytes);
        const std::int64_t known = m_goesOn ? bytes / 2 : bytes;
        MetricValues &values = batch.metrics[0].values;
        for (const Metric metric : {Metric::Rss, Metric::Anonymous})
            values.set(metric, values.get(metric).value_or(0) + bytes);
        const std::int64_t unknown = bytes - known + (m_goesOn ? static_cast<std::int64_t>(kBytes) : 0);
        batch.memoryParts.push_back({.process = ProcessId(0u), .tracer = known, .unknown = unknown});
    }

    const SoakShape &m_shape;
    SoakRecord &m_stored;
    bool m_tracesHeap;
    bool m_goesOn; ///< with a process that an earlier one saw
    bool m_hasLost = false;
    ProgramTables m_tables;
    std::optional<SoakWatch> m_watch;
};

} // namespace

VirtualSoak virtualSoak(const SoakShape &shape, Random &random)
{
    VirtualSoak soak;
    SoakPlan plan;
    plan.length = shape.length;
    plan.stopEarly = shape.stopEarly;
    plan.checkpoint = {shape.length.ns / 288};
    const double hourNs = static_cast<double>(shape.length.ns) / 48;
    plan.period = {std::llround(shape.periodHours * hourNs)};
    soak.stored.plan = plan;
    const bool tracesHeap = shape.killHours == 0 && shape.heapMode != HeapMode::Off;
    const double first = shape.killHours > 0 ? shape.killHours : shape.restartHours > 0 ? shape.restartHours : 100;
    const Run run = newRun(shape, random);
    if (Recorder(shape, soak.stored, 0, 0, tracesHeap).run(run, 0, first) || first == 100)
        return soak;
    // Ticks of the second recorder stand where those of the first would have.
    const double part = 1.0 / 60;
    const double again = shape.killHours > 0 ? std::ceil(shape.killHours / part - 1e-9) * part + shape.gapHours : 0;
    if (shape.killHours > 0) {
        Recorder(shape, soak.stored, 0, static_cast<std::int64_t>(again * hourNs + 0.5), false).run(run, again, 100);
        return soak;
    }
    const Run restarted = newRun(shape, random);
    Recorder(shape, soak.stored, 1, static_cast<std::int64_t>((first + 1) * hourNs), tracesHeap).run(restarted, 0, 100);
    return soak;
}

} // namespace tests

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/event_batch.h"
#include "model/session_info.h"
#include "model/tables/table_builder.h"
#include "storage/session_reader.h"
#include "storage/session_writer.h"

#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <random>

/// Makes sessions with something in every table; what each tick holds follows from its number alone.
class SampleSession
{
public:
    static constexpr std::int64_t kTickNs = 1'000'000'000;

    SampleSession()
    {
        m_info.config.command = {"/usr/bin/demo", "--name", "two words", ""};
        m_info.config.workingDirectory = "/srv";
        m_info.config.cpuHz = 99;
        m_info.config.systemCalls = true;
        m_info.config.waits = true;
        m_info.config.children = model::ChildMode::Ignore;
        m_info.config.duration = model::Duration::fromMs(5000);
        m_info.startWallNs = 1'700'000'000'000'000'000;
        m_info.utcOffset = "+02:00";
        m_info.host = "host";
        m_info.kernel = "Linux 6.1.0 x86_64";
        m_info.cpuCount = 2;
        m_info.recorderVersion = "0.1.0";
        m_info.recorderPid = 4127;
        m_info.controlAddress = "/run/user/1000/genprof-1.sock";
        m_info.cpuEvent = "cpu-clock";
        m_info.cpuNote = "no hardware counters";
        m_info.cpuMissing = "Not sampled: worker (12): another user";
        m_info.activityNote = "no stacks";
        addProgram();
    }

    model::SessionInfo &info() { return m_info; }
    model::TableBuilder &tables() { return m_tables; }

    /// Batch `number`, counted from 0. Stack s of 1 … stacks gets s allocations of 100 bytes each, and every second one is freed.
    model::EventBatch batch(int number, int stacks = 3)
    {
        model::EventBatch batch;
        batch.span = {{number * kTickNs}, {(number + 1) * kTickNs}};
        model::MetricValues values;
        for (std::size_t i = 0; i + 1 < model::kMetricCount; ++i)
            values.set(static_cast<model::Metric>(i), static_cast<std::int64_t>(i) * 1000 + number);
        batch.metrics.push_back({m_process, values});
        addHeap(batch, number, stacks);
        batch.cpu.push_back({m_thread, m_image, stackAt(number % stacks), 2 + number, 10'000'000});
        batch.cpu.push_back({m_otherThread, m_image, stackAt(0), 1, 10'000'000});
        // The stack s makes s + 1 calls a tick; one thread waits for a lock for a tenth of it.
        for (int s = 0; s < stacks; ++s)
            batch.activities.push_back({m_thread, m_image, stackAt(s), model::Activity::call(0), s + 1, 1000 * (s + 1),
                s % 2, 10 * (s + 1), 1, number % 2});
        batch.activities.push_back({m_otherThread, m_image, stackAt(0), model::Activity::wait(model::WaitClass::Lock),
            1, kTickNs / 10, 0, 0, 1, 0});
        batch.losses.push_back({model::LossKind::EventsDropped, m_image, number, "ring"});
        batch.losses.push_back({model::LossKind::SamplesLost, {}, 1, ""});
        batch.marks.push_back({{number * kTickNs + 7}, model::MarkKind::User, "mark " + std::to_string(number)});
        batch.gaps.push_back({{{number * kTickNs}, {number * kTickNs + 5}}, model::GapKind::Paused});
        addAreas(batch, number);
        if (number > 0)
            batch.alerts.push_back(alert(number - 1, model::Timestamp{number * kTickNs + 2}));
        // Each tick one stack is accused; the accusation of the tick before is withdrawn.
        if (number > 0)
            batch.leakClaims.push_back({m_image, stackAt((number - 1) % stacks), static_cast<std::uint32_t>(number - 1),
                {(number - 1) * kTickNs}, 50, 10, model::Timestamp{number * kTickNs}});
        batch.leakClaims.push_back(
            {m_image, stackAt(number % stacks), static_cast<std::uint32_t>(number), {number * kTickNs}, 50, 50, {}});
        if (number == 0)
            batch.heapModes.push_back({m_image, {0}, 1, model::HeapModeCause::Begin});
        batch.disk = number == 0 ? "/" : number == 1 ? "/data" : "";
        batch.alerts.push_back(alert(number, {}));
        batch.scans.push_back(scan(number));
        batch.soak = soak(number);
        batch.recorderCpuNs = 1000;
        batch.recorderRssBytes = 4096 * (number + 1);
        return batch;
    }

    /// The stack of this number: its frames are made at first use, so tables grow with the recording.
    model::StackId stackAt(int number)
    {
        const model::FrameId outer = m_tables.frame(m_module, 0x1000, model::FrameKind::ReturnAddress);
        const auto address = 0x2000 + 16 * static_cast<std::uint64_t>(number);
        const model::FrameId leaf = m_tables.frame(m_module, address, model::FrameKind::ReturnAddress);
        const auto end = number % 5 == 4 ? model::StackEnd::Truncated : model::StackEnd::ReachedStart;
        const model::StackId stack = m_tables.stack(m_tables.stack(model::TableBuilder::root(end), outer), leaf);
        m_tables.setSymbols(leaf, model::FrameSymbols::State::Resolved,
            {{m_tables.string("inlined" + std::to_string(number)), m_tables.string("demo.h"), 3},
                {m_tables.string("leaf" + std::to_string(number)), m_tables.string("demo.cpp"), 40}});
        m_tables.setSymbols(
            outer, model::FrameSymbols::State::Resolved, {{m_tables.string("main"), m_tables.string("demo.cpp"), 10}});
        return stack;
    }

    model::ImageId image() const { return m_image; }
    model::ProcessId process() const { return m_process; }
    model::ThreadId thread() const { return m_thread; }

    /// Writes `ticks` batches to a new session at `path`, without finishing it.
    model::Result<storage::SessionWriter> begin(const std::string &path, int ticks, int stacks = 3)
    {
        auto writer = storage::SessionWriter::create(path, m_info);
        for (int i = 0; writer && i < ticks; ++i)
            if (auto done = writer->write(batch(i, stacks), m_tables); !done)
                return done.error();
        return writer;
    }

    /// Writes a finished session.
    model::Result<void> make(const std::string &path, int ticks, int stacks = 3)
    {
        auto writer = begin(path, ticks, stacks);
        if (!writer)
            return writer.error();
        m_info.state = model::SessionState::Complete;
        m_info.exitStatus = 0;
        m_info.endReason = "target ended";
        return writer->finish(m_info);
    }

    /// A stability test that begins with the first tick and makes a point a tick.
    model::SoakRecord soak(int number)
    {
        model::SoakRecord soak;
        if (number == 0) {
            soak.plan = model::SoakPlan{model::Duration::fromMs(3'600'000), 0.25, model::StopEarly::Fail,
                model::Duration::fromMs(5000), 1'700'000'000'000'000'000, model::Duration::fromMs(600'000)};
            soak.legs = {{0, 0, 1'700'000'000'000'000'000, 4127, 99, "boot", "demo.part1.gprof-session"},
                {1, 0, 1'700'000'000'100'000'000, 4127, 99, "boot", "", 86'400'000'000'000}};
            soak.exclusions = {{0, model::SoakQuantity::LiveHeap, "it is not recorded."}};
        }
        soak.loads = {{0, "load --user demo", number + 1, number / 2, "ended with status 1"}};
        soak.points = {{0, model::SoakQuantity::Rss, number, 1e6 + number, 0.5}};
        soak.checks = {{0, model::SoakQuantity::Rss, number, 1, 0.01, -INFINITY, INFINITY, 2.5, 20}};
        return soak;
    }

    /// A scan a tick, which finds as many blocks lost as its number says.
    model::MemoryScan scan(int number)
    {
        model::MemoryScan scan;
        scan.id = static_cast<std::uint32_t>(number) + 1;
        scan.image = m_image;
        scan.when = {number * kTickNs + 500};
        scan.proof = number % 2 == 0 ? model::ScanProof::Complete : model::ScanProof::LowerBound;
        scan.limits = number % 2 == 0 ? "" : "attached";
        scan.confirms = static_cast<std::uint32_t>(number);
        scan.stopNs = 1'000'000 + number;
        scan.analysisNs = 2;
        scan.scannedBytes = 3;
        scan.unreadableBytes = 4;
        scan.threads = 5;
        scan.missedThreads = 6;
        scan.interruptedCalls = 7;
        scan.minAgeNs = 8;
        for (std::size_t i = 0; i < model::kReachClassCount; ++i)
            scan.sums[i] = {number + static_cast<std::int64_t>(i), 100 * (number + static_cast<std::int64_t>(i))};
        scan.confirmed = {1, 10};
        model::ScannedStack first{stackAt(1), scan.sums, {2, 20}, {3, 30}, {4, 40}};
        model::ScannedStack second{stackAt(0), {}, {}, {}, {5, 50}};
        scan.stacks = {first, second};
        scan.paths = {{stackAt(1), {6, 60}, "variables of demo", {{stackAt(0), 1}, {stackAt(1), 9}}},
            {stackAt(0), {7, 70}, "stack of thread 1", {{stackAt(0), 1}}}};
        return scan;
    }

private:
    void addProgram()
    {
        m_process = m_tables.addProcess({.pid = 4128, .start = {10}});
        const auto child = m_tables.addProcess({.pid = 4129, .parent = m_process, .start = {20}});
        m_tables.changeProcess(child).end = model::Timestamp{30};
        m_tables.changeProcess(child).waitStatus = 256;
        m_image = m_tables.addImage({.process = m_process,
            .epoch = 0,
            .executable = m_tables.string("/usr/bin/demo"),
            .commandLine = m_tables.string("demo --name"),
            .start = {10},
            .heap = model::HeapState::Full,
            .heapNote = model::StringId(0u)});
        m_otherImage = m_tables.addImage({.process = child,
            .epoch = 1,
            .executable = m_tables.string("/usr/bin/static"),
            .commandLine = m_tables.string("static"),
            .start = {20},
            .end = model::Timestamp{30},
            .heap = model::HeapState::NotTraced,
            .heapNote = m_tables.string("it is statically linked")});
        m_thread
            = m_tables.addThread({.process = m_process, .tid = 4128, .name = m_tables.string("demo"), .start = {10}});
        m_otherThread = m_tables.addThread({.process = m_process,
            .tid = 4130,
            .name = m_tables.string("worker"),
            .start = {15},
            .end = model::Timestamp{99}});
        m_module = m_tables.module("/usr/bin/demo", "ab12", model::ModuleKind::File);
    }

    /// Fires in tick `number` and ends in the next.
    static model::AlertEvent alert(int number, std::optional<model::Timestamp> end)
    {
        return {static_cast<std::uint32_t>(number), "rule " + std::to_string(number), "rss_bytes", "memory above 1 KiB",
            {number * kTickNs}, {number * kTickNs + 1}, end, 2000.5, 3000, 1024, model::Unit::Bytes};
    }

    /// A pool that grows by two blocks of 50 bytes a tick and shrinks by one, a mapping of the first tick, a phase a tick that ends in the
    /// next, and what is resident.
    void addAreas(model::EventBatch &batch, int number)
    {
        const model::StringId arena = m_tables.string("arena"), anonymous = m_tables.string("anonymous");
        batch.areas.push_back({m_image, model::AreaKind::Pool, arena, stackAt(0), 2, 100, 1, 50});
        batch.areaTicks.push_back(
            {m_image, model::AreaKind::Pool, arena, 50 * (number + 1), number + 1, 50 * (number + 2)});
        if (number == 0) {
            batch.areas.push_back({m_image, model::AreaKind::Mapping, anonymous, stackAt(1), 1, 4096, 0, 0});
            batch.areaTicks.push_back({m_image, model::AreaKind::Mapping, anonymous, 4096, 1, 4096});
        }
        const auto phase = [&](int of) {
            return model::Phase{
                static_cast<std::uint32_t>(of), m_thread, 0, "phase " + std::to_string(of), {of * kTickNs + 3}, {}};
        };
        if (number > 0) {
            batch.phases.push_back(phase(number - 1));
            batch.phases.back().end = model::Timestamp{number * kTickNs + 1};
        }
        batch.phases.push_back(phase(number));
        batch.memoryParts.push_back({m_process, 100 + number, 20, 30, 40, 50, 60, 70, number % 2 == 0});
    }

    void addHeap(model::EventBatch &batch, int number, int stacks)
    {
        model::HeapTick tick{.image = m_image};
        for (int s = 0; s < stacks; ++s) {
            model::HeapDelta delta{.image = m_image,
                .stack = stackAt(s),
                .allocations = s + 1,
                .allocatedBytes = 100 * (s + 1),
                .frees = (s + 1) / 2,
                .freedBytes = 100 * ((s + 1) / 2),
                .temporaries = 1,
                .temporaryBytes = 100};
            if (s % 2 == 1)
                batch.heapSampling.push_back(
                    {m_image, delta.stack, {1, 0.5, 2500.0 * (s + 1), 0.25, 1250.0 * s}, 4096});
            tick.allocations += delta.allocations;
            tick.allocatedBytes += delta.allocatedBytes;
            tick.frees += delta.frees;
            tick.freedBytes += delta.freedBytes;
            tick.temporaries += delta.temporaries;
            batch.heap.push_back(delta);
            batch.heapPeakRows.push_back(
                {m_image, delta.stack, (delta.allocatedBytes - delta.freedBytes) * (number + 1),
                    (delta.allocations - delta.frees) * (number + 1)});
        }
        m_live += tick.allocatedBytes - tick.freedBytes;
        m_blocks += tick.allocations - tick.frees;
        tick.liveBytes = tick.mostLiveBytes = m_live;
        tick.liveBlocks = m_blocks;
        tick.leastLiveBytes = m_live - tick.allocatedBytes;
        batch.heapTicks.push_back(tick);
        batch.heapPeaks.push_back({m_image, batch.span.end, m_live, m_blocks});
        batch.heapSizes.push_back({m_image, 12, tick.allocations, tick.allocatedBytes});
        batch.heapLifetimes.push_back({m_image, 3, tick.frees, tick.freedBytes});
    }

    model::SessionInfo m_info;
    model::TableBuilder m_tables;
    model::ProcessId m_process;
    model::ImageId m_image, m_otherImage;
    model::ThreadId m_thread, m_otherThread;
    model::ModuleId m_module;
    std::int64_t m_live = 0, m_blocks = 0;
};

/// Fails the test with the text of the error, where there is one.
#define VERIFY_RESULT(result)                                                                                          \
    do {                                                                                                               \
        const auto &verified = (result);                                                                               \
        QVERIFY2(verified.has_value(), verified.has_value() ? "" : verified.error().text().c_str());                   \
    } while (false)

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/proc/proc_instrument.h"
#include "tests/capture/fake_proc.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tests {

inline constexpr std::int64_t kSecond = 1'000'000'000;

/// An instrument over a made-up /proc with a clock that stands still until told.
struct ProcFixture
{
    FakeProc proc;
    model::TableBuilder builder;
    model::ProcessTable table{builder};
    std::int64_t clockNs = 0;
    std::int64_t stepNs = 0; ///< by which the clock moves at each look
    std::function<capture::KnownMemory(std::int32_t pid)>
        knownMemory; ///< what the heap's instrument tells; may be empty
    std::unique_ptr<capture::ProcInstrument> instrument;

    void start(std::vector<std::int32_t> roots, capture::RootOrigin origin = capture::RootOrigin::Launched)
    {
        capture::ProcOptions options;
        options.roots = std::move(roots);
        options.origin = origin;
        options.procRoot = proc.root();
        options.cgroupRoot = proc.cgroupRoot();
        options.knownMemory = knownMemory;
        // The system booted ten seconds before the recording: start ticks below 1000 are before it.
        options.clock = {[this] { return clockNs += stepNs; }, [this] { return clockNs + 10 * kSecond; }, 100};
        instrument = std::make_unique<capture::ProcInstrument>(options, table);
        instrument->start(model::Timestamp{clockNs});
    }
    model::EventBatch tickAfter(std::int64_t ns)
    {
        clockNs += ns;
        model::EventBatch batch;
        instrument->collect(model::Timestamp{clockNs}, batch);
        return batch;
    }
    const model::Process &process(model::ProcessId id) const { return builder.tables().processes.at(id.index()); }
    std::string executableOf(int pid) const
    {
        return builder.tables().text(builder.tables().images.at(table.currentImage(pid).index()).executable);
    }
};

inline std::int64_t valueOf(const model::MetricsRow &row, model::Metric metric)
{
    return row.values.get(metric).value_or(-1);
}

} // namespace tests

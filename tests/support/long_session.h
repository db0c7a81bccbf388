// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/event_batch.h"
#include "model/tables/table_builder.h"

#include <random>
#include <vector>

namespace tests {

/// What a made session is like.
struct LongSessionShape
{
    int stacks = 5000;        ///< heap stacks, each of 12 to 30 frames
    int changedStacks = 300;  ///< of them in a tick: half among the tenth that is busiest, half anywhere
    int cpuStacks = 800;      ///< of 3 to 30 frames; the n-th is sampled as often as 1/n
    int cpuSamples = 99;      ///< in a second, over all threads
    bool hasActivity = false; ///< a system call and a wait with each stack that is sampled
    int threads = 4;
    int metrics = 20; ///< that can be read
    std::int64_t tickNs = 1'000'000'000;
    int tickLengths = 1;    ///< a tick takes one to so many times tickNs
    bool isSampled = false; ///< heap rows are estimates, each with its variances
    bool hasAreas = false;  ///< two pools and a kind of mapping that change in each tenth tick
    bool hasLosses = false; ///< some samples are lost in each seventh tick
};

/// Makes a recording of any length on virtual time, tick by tick: a server with a constant set of stacks and of live blocks that varies
/// by the hour, and a few stacks that leak. The same seed makes the same session.
class LongSession
{
public:
    explicit LongSession(LongSessionShape shape = {}, unsigned seed = 1);

    /// What the next tick adds.
    model::EventBatch next();

    model::TableBuilder &tables() { return m_tables; }

private:
    struct HeapStack
    {
        model::StackId id;
        std::int64_t blockBytes = 0, liveBlocks = 0;
        bool leaks = false;
    };

    void makeProgram();
    std::vector<model::StackId> makeStacks(int count, int leastFrames, int mostFrames, const char *name);
    void addMetrics(model::EventBatch &batch);
    void addHeap(model::EventBatch &batch);
    void addPeak(model::EventBatch &batch, const model::HeapTick &tick, const std::vector<int> &changed);
    void addCpu(model::EventBatch &batch);
    void addAreas(model::EventBatch &batch);
    std::vector<int> changedStacks();
    int below(int end) { return static_cast<int>(m_random() % static_cast<unsigned>(end)); }

    LongSessionShape m_shape;
    std::mt19937 m_random;
    model::TableBuilder m_tables;
    model::ProcessId m_process;
    model::ImageId m_image;
    std::vector<model::ThreadId> m_threads;
    std::vector<HeapStack> m_heap;
    std::vector<model::StackId> m_cpu;
    std::vector<double> m_cpuWeights;
    model::Timestamp m_now;
    std::int64_t m_tick = 0, m_liveBytes = 0, m_liveBlocks = 0, m_peakBytes = 0, m_areaBytes = 0;
};

} // namespace tests

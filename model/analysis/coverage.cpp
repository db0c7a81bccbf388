// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/coverage.h"

#include "model/aggregate/activity_totals.h"
#include "model/aggregate/sampling_error.h"
#include "model/aggregate/stack_costs.h"
#include "model/aggregate/time_series.h"
#include "model/aggregate/unrecorded_heap.h"
#include "model/aggregate/unseen_cpu.h"
#include "model/analysis/unnamed_code.h"
#include "model/analysis/untraced_programs.h"
#include "model/base/format_counted.h"
#include "model/kernel_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace model {

namespace {

/// A loss that changes answers by more than this share makes them partial.
constexpr double kMinorShare = 0.01;

double share(std::int64_t part, std::int64_t whole)
{
    return part <= 0 ? 0 : whole > 0 ? static_cast<double>(part) / static_cast<double>(whole + part) : 1;
}

/// Goes on in a longer sentence.
std::string withoutFullStop(std::string sentences)
{
    if (sentences.ends_with('.'))
        sentences.pop_back();
    return sentences;
}

Trust trustOf(double lostShare)
{
    return lostShare <= 0 ? Trust::Whole : lostShare <= kMinorShare ? Trust::Minor : Trust::Partial;
}

/// Of `samples` by chance: fewer than two standard deviations of their number change no share by more than sampling does anyway.
Trust trustOfSamples(std::int64_t missed, std::int64_t samples)
{
    const Trust trust = trustOf(share(missed, samples));
    const bool isNoise = static_cast<double>(missed) <= 2 * std::sqrt(static_cast<double>(samples));
    return isNoise ? std::min(trust, Trust::Minor) : trust;
}

class Examiner
{
public:
    explicit Examiner(const Snapshot &snapshot)
        : m_snapshot(snapshot)
    {
        for (const LossTotal &loss : snapshot.losses)
            if ((loss.kind != LossKind::ProcessesMissed || !isOfProgram(loss)) // those are told by name
                && !isOfAnother(loss)) {
                m_counts[static_cast<std::size_t>(loss.kind)] += loss.count;
                m_isOfMore[static_cast<std::size_t>(loss.kind)] |= isOfMore(loss);
            }
    }

    Coverage examine()
    {
        lookAtUnwritten();
        lookAtHeap();
        lookAtCpu();
        sayGeneratedCode();
        lookAtActivity();
        lookAtStacks();
        lookAtTime();
        for (UnnamedCode &code : unnamedCode(m_snapshot))
            m_result.items.push_back({Trust::Minor, std::move(code.what), std::move(code.remedy), false});
        if (!m_snapshot.damage.empty())
            add(Trust::Partial, "The file is damaged: " + withoutFullStop(m_snapshot.damage),
                "what is missing counts as not happened");
        std::stable_sort(m_result.items.begin(), m_result.items.end(),
            [](const CoverageItem &a, const CoverageItem &b) { return a.trust > b.trust; });
        m_result.sentence = sentence();
        return std::move(m_result);
    }

private:
    bool isOfProgram(const LossTotal &loss) const { return loss.image.index() < m_snapshot.tables->images.size(); }
    /// Of a program whose process is not selected.
    bool isOfAnother(const LossTotal &loss) const
    {
        const std::optional<ProcessId> &process = m_snapshot.selection.process;
        return process && isOfProgram(loss) && m_snapshot.tables->images[loss.image.index()].process != *process;
    }
    /// Losses are kept for the whole recording, many of them by no process: of these nobody knows how many are of what is selected.
    bool isOfMore(const LossTotal &loss) const
    {
        const Selection &selection = m_snapshot.selection;
        const TimeRange &selected = m_snapshot.span;
        return selection.thread || (selection.process && !isOfProgram(loss))
            || (selection.time && (loss.span.begin < selected.begin || selected.end < loss.span.end));
    }
    std::int64_t count(LossKind kind) const { return m_counts[static_cast<std::size_t>(kind)]; }
    /// Events that were recorded, each of which could have been lost; of samples about as many end as begin.
    std::int64_t heapEvents() const
    {
        if (isHeapSampled(m_snapshot))
            return 2 * sampleCount(m_snapshot);
        return m_snapshot.heapSummary.allocations + m_snapshot.heapSummary.frees;
    }

    void add(Trust trust, std::string what, std::string effect)
    {
        if (trust != Trust::Whole)
            m_result.items.push_back({trust, std::move(what), std::move(effect)});
    }

    /// Adds a kind of loss, if there was any, and lowers `trust`.
    void addLoss(LossKind kind, Trust lowered, std::string_view effect, Trust &trust)
    {
        if (count(kind) == 0)
            return;
        add(lowered,
            fmt::format("{}: {}{}", lossLabel(kind), formatCount(count(kind)),
                m_isOfMore[static_cast<std::size_t>(kind)] ? " in the whole recording" : ""),
            std::string(effect));
        trust = std::max(trust, lowered);
        if (lowered == Trust::Whole)
            return;
        m_result.items.back().shortly = lossWords(kind, count(kind));
        if (!m_result.items.back().shortly.empty() && m_isOfMore[static_cast<std::size_t>(kind)])
            m_result.items.back().shortly += " in the whole recording";
    }

    /// Comes first: it is about all results.
    void lookAtUnwritten()
    {
        const SessionInfo &info = m_snapshot.info;
        if (info.unwritten)
            add(Trust::Partial, unwrittenText(info),
                isBeingRecorded(info)              ? "it is kept in memory, and written as soon as there is room"
                    : info.unwritten->from.ns == 0 ? "nothing of the recording is here"
                                                   : "everything up to then is here, and nothing of what came later");
    }

    void lookAtHeap()
    {
        if (m_snapshot.info.config.heap == HeapMode::Off)
            return;
        Trust &heap = m_result.heap;
        addLoss(LossKind::EventsDropped, trustOf(share(count(LossKind::EventsDropped), heapEvents())),
            (isDropping(m_snapshot.info) ? "the recording was told to drop when rings are full; " : std::string())
                + "a dropped free looks like a leak, a dropped allocation is not seen at all",
            heap);
        addLoss(LossKind::BadRecords, Trust::Partial,
            "what the program shares with the recorder is damaged, and heap events may have been misread", heap);
        addLoss(LossKind::StackTableFull, trustOf(share(count(LossKind::StackTableFull), heapEvents())),
            "new stacks end at a caller that was known", heap);
        addLoss(LossKind::UnknownFrees,
            trustOf(share(count(LossKind::UnknownFrees), heapEvents())) == Trust::Whole ? Trust::Whole : Trust::Minor,
            "blocks were freed that were not seen to be allocated; these frees are in no total", heap);
        nameUntracedPrograms();
        lookAtAllocatingCode();
    }

    void nameUntracedPrograms()
    {
        for (const UntracedPrograms &one : untracedPrograms(*m_snapshot.tables)) {
            add(one.trust, one.what(), one.effect());
            m_result.heap = std::max(m_result.heap, one.trust);
        }
    }

    void lookAtCpu()
    {
        if (m_snapshot.info.config.cpuHz == 0)
            return;
        Trust &cpu = m_result.cpu;
        const std::int64_t samples = m_snapshot.cpuSummary.samples;
        addLoss(LossKind::SamplesLost, trustOf(share(count(LossKind::SamplesLost), samples)),
            "CPU time is a lower bound; shares hold if the loss was even", cpu);
        addLoss(LossKind::SamplesThrottled, trustOf(share(count(LossKind::SamplesThrottled), samples)),
            "the kernel lowered the rate for a while", cpu);
        addLoss(LossKind::SamplesMissed, trustOfSamples(count(LossKind::SamplesMissed), samples),
            "CPU time is a lower bound, most of all that of short threads", cpu);
        for (const LossTotal &loss : m_snapshot.losses)
            if (loss.kind == LossKind::ProcessesMissed && isOfProgram(loss) && !isOfAnother(loss)) {
                add(Trust::Partial,
                    "CPU samples of " + pathOrNumber(*m_snapshot.tables, m_snapshot.tables->images[loss.image.index()])
                        + ": none",
                    loss.detail);
                cpu = std::max(cpu, Trust::Partial);
            }
        compareWithKernel();
        lookAtGeneratedCode();
        // With an event, the note says how samples are taken; without one, why there are none.
        if (m_snapshot.info.cpuEvent.empty() && !m_snapshot.info.cpuNote.empty()) {
            std::string note = m_snapshot.info.cpuNote;
            note.erase(note.find_last_not_of('.') + 1);
            add(Trust::Partial, std::move(note), "there are no CPU results");
            cpu = Trust::Partial;
        }
        if (!m_snapshot.info.cpuMissing.empty()) {
            std::string missing = m_snapshot.info.cpuMissing;
            missing.erase(missing.find_last_not_of('.') + 1);
            add(Trust::Partial, std::move(missing), "their CPU time is in no result but the metrics");
            cpu = Trust::Partial;
        }
    }

    enum class Generated : std::uint8_t { No, Unnamed, Named };
    Generated generatedCode(FrameId frame) const
    {
        const ProgramTables &tables = *m_snapshot.tables;
        if (!frame.isValid() || frame.index() >= tables.symbols.size())
            return Generated::No;
        const ModuleId module = tables.frames.at(frame.index()).module;
        const ModuleKind kind = module.isValid() ? tables.modules.at(module.index()).kind : ModuleKind::File;
        if (kind != ModuleKind::Jit && kind != ModuleKind::Anonymous)
            return Generated::No;
        return tables.symbols[frame.index()].count > 0 ? Generated::Named : Generated::Unnamed;
    }

    void addGeneratedCode(const char *what, std::int64_t unnamed, std::int64_t all)
    {
        constexpr double kLeastShare = 0.02;
        if (share(unnamed, all) >= kLeastShare)
            m_generated
                += fmt::format("{}{} of the {}", m_generated.empty() ? "" : " and ", formatShareOf(unnamed, all), what);
    }

    /// Says once, of allocations and samples, how the engines that most people meet can be made to name the code they generate.
    void sayGeneratedCode()
    {
        if (!m_generated.empty())
            add(Trust::Minor, m_generated + " generated code without names",
                "let the program write /tmp/perf-PID.map: node --perf-basic-prof --interpreted-frames-native-stack, "
                "python3 -X perf (3.12), java -XX:+UnlockDiagnosticVMOptions -XX:+DumpPerfMapAtExit");
    }

    /// Where the time is spent.
    void lookAtGeneratedCode()
    {
        std::int64_t unnamed = 0, all = 0;
        for (const CpuCost &cost : m_snapshot.cpu) {
            all += cost.samples;
            if (generatedCode(m_snapshot.tables->stacks.at(cost.stack.index()).frame) == Generated::Unnamed)
                unnamed += cost.samples;
        }
        addGeneratedCode("samples are in", unnamed, all);
    }

    /// Who allocates: a runtime's own code, for the code that it generates. Some of that has no name even where the rest has.
    void lookAtAllocatingCode()
    {
        const ProgramTables &tables = *m_snapshot.tables;
        std::vector<Generated> through(tables.stacks.size()); // a stack's parent has the lower number
        for (std::size_t i = 0; i < through.size(); ++i) {
            const StackNode &node = tables.stacks[i];
            const Generated callers = node.parent.index() < i ? through[node.parent.index()] : Generated::No;
            through[i] = std::max(callers, generatedCode(node.frame));
        }
        std::int64_t unnamed = 0, all = 0;
        for (const HeapCost &cost : m_snapshot.heap) {
            all += cost.allocations;
            if (cost.stack.index() < through.size() && through[cost.stack.index()] == Generated::Unnamed)
                unnamed += cost.allocations;
        }
        addGeneratedCode("allocations come through", unnamed, all);
    }

    void lookAtActivity()
    {
        const CaptureConfig &config = m_snapshot.info.config;
        if (!config.systemCalls && !config.waits)
            return;
        const std::int64_t known
            = activityTotal(m_snapshot, CostKind::SystemCalls) + activityTotal(m_snapshot, CostKind::Waits);
        Trust trust = Trust::Whole;
        addLoss(LossKind::ActivityLost, trustOf(share(count(LossKind::ActivityLost), known)),
            "calls and waits are lower bounds", trust);
        addLoss(LossKind::CallsEstimated, Trust::Minor,
            "how many there were is exact; which they were, where, and how long they took are estimates", trust);
        if (!m_snapshot.info.activityNote.empty()) {
            std::string note = m_snapshot.info.activityNote;
            note.erase(note.find_last_not_of('.') + 1);
            add(Trust::Partial, std::move(note), "what needs them is not answered");
        }
    }

    /// Why the kernel may have counted much more time than the samples: what could not be sampled, or else what no sample falls on.
    std::string whatIsNotSampled() const
    {
        const SessionInfo &info = m_snapshot.info;
        if (isKernelSampled(info))
            return "what it costs to go to sleep and to wake up is not sampled";
        const std::size_t why = info.cpuNote.find(kKernelNotSampled) + kKernelNotSampled.size();
        return "time spent in the kernel is not sampled" + withoutFullStop(info.cpuNote.substr(why));
    }

    /// Clock samples see a thread only between its switches: one that often sleeps a little uses more than they say.
    void compareWithKernel()
    {
        constexpr double kMostMissing = 0.2;
        constexpr std::int64_t kLeastNs = 50'000'000;
        const auto usedNs = static_cast<double>(kernelCpuTime(m_snapshot).value_or(Duration{}).ns);
        const CpuSummary &cpu = m_snapshot.cpuSummary;
        const auto seenNs = static_cast<double>(cpu.timeNs + missedCpuTime(m_snapshot).ns);
        if (m_snapshot.selection.time || m_snapshot.selection.process || m_snapshot.selection.thread || cpu.samples == 0
            || usedNs - seenNs < kLeastNs || usedNs * (1 - kMostMissing) < seenNs)
            return;
        add(Trust::Minor,
            fmt::format("The kernel counts {} of CPU time, the samples {}",
                formatDuration({static_cast<std::int64_t>(usedNs)}), formatDuration({cpu.timeNs})),
            whatIsNotSampled());
    }

    /// What the stacks that are not whole hold of the samples and of the allocations: a few stacks may be most of the cost.
    void weighIncompleteStacks()
    {
        const ProgramTables &tables = *m_snapshot.tables;
        std::vector<bool> isWhole(tables.stacks.size()); // a stack's parent has the lower number
        for (std::size_t i = 0; i < isWhole.size(); ++i) {
            const StackId parent = tables.stacks[i].parent;
            isWhole[i] = parent.isValid() && parent.index() < i ? isWhole[parent.index()]
                                                                : tables.endOf(StackId(i)) == StackEnd::ReachedStart;
        }
        const auto isIncomplete
            = [&isWhole](StackId stack) { return stack.index() < isWhole.size() && !isWhole[stack.index()]; };
        std::int64_t samples = 0, allSamples = 0, allocations = 0, allAllocations = 0;
        for (const CpuCost &cost : m_snapshot.cpu) {
            allSamples += cost.samples;
            samples += isIncomplete(cost.stack) ? cost.samples : 0;
        }
        for (const HeapCost &cost : m_snapshot.heap) {
            allAllocations += cost.allocations;
            allocations += isIncomplete(cost.stack) ? cost.allocations : 0;
        }
        const auto add = [this](std::int64_t part, std::int64_t all, const char *what) {
            if (part <= 0)
                return;
            m_incompleteCost += fmt::format(
                "{}{} of the {}", m_incompleteCost.empty() ? "" : " and ", formatShareOf(part, all), what);
            m_incompleteShare = std::max(m_incompleteShare, static_cast<double>(part) / static_cast<double>(all));
        };
        add(samples, allSamples, "CPU samples");
        add(allocations, allAllocations, "allocations");
    }

    void lookAtStacks()
    {
        constexpr double kMostIncomplete = 0.1;
        const StackQuality &stacks = m_snapshot.stackQuality;
        if (stacks.distinct <= 0)
            return;
        const std::int64_t incomplete = stacks.truncated + stacks.broken;
        m_result.wholeStacks = 1 - static_cast<double>(incomplete) / static_cast<double>(stacks.distinct);
        if (incomplete == 0)
            return;
        weighIncompleteStacks();
        const double share = std::max(1 - m_result.wholeStacks, m_incompleteShare);
        m_result.stacks = share > kMostIncomplete ? Trust::Partial : Trust::Minor;
        add(m_result.stacks,
            fmt::format("{} of {} stacks are not whole ({} cut off, {} without usable unwind information){}",
                formatCount(incomplete), formatCount(stacks.distinct), formatCount(stacks.truncated),
                formatCount(stacks.broken), m_incompleteCost.empty() ? "" : "; they hold " + m_incompleteCost),
            "their callers are missing: totals of callers are lower bounds, costs themselves are whole");
        m_result.items.back().isOfStacks = true;
    }

    void lookAtTime()
    {
        Duration gaps, pauses;
        for (const Gap &gap : m_snapshot.gaps) {
            Duration &sum = gap.kind == GapKind::Paused ? pauses : gaps;
            sum = sum + gap.span.length();
        }
        if (gaps.ns > 0)
            add(Trust::Minor, "Nothing was recorded for " + formatDuration(gaps), "charts show a gap");
        // A heap is followed all the same: blocks that came or went unseen would be wrong for ever.
        if (pauses.ns > 0)
            add(Trust::Minor, "The recording was paused for " + formatDuration(pauses),
                isHeapRecorded(m_snapshot)
                    ? "of that time live memory is known, and nothing else: charts show a gap, and blocks that came "
                      "and went in it are not counted"
                    : "charts show a gap");
        Trust ignored = Trust::Whole;
        addLoss(LossKind::TicksDelayed, Trust::Minor, "rates of those ticks are means over a longer time", ignored);
        addLoss(LossKind::MetricsUnreadable, Trust::Minor, "their lines have gaps", ignored);
        addLoss(LossKind::ProcessesMissed, Trust::Minor,
            "they have no resident memory and CPU usage of their own; what was traced of them counts", ignored);
        if (m_snapshot.info.state == SessionState::Unfinished && !m_snapshot.info.unwritten)
            add(Trust::Partial, "The recorder ended without closing the session: it was killed, or could write no more",
                m_snapshot.info.duration.ns == 0
                    ? "no tick is stored: of what the program did nothing is known"
                    : fmt::format(
                        "everything up to its last tick, {} after its begin, is here, and nothing of what came later",
                        formatDuration(m_snapshot.info.duration)));
    }

    std::string sentence() const
    {
        const StackQuality &stacks = m_snapshot.stackQuality;
        const std::string whole = stacks.distinct > 0
            ? fmt::format("{} of {} {} whole{}", formatShare(m_result.wholeStacks),
                formatCounted(stacks.distinct, "stack"), stacks.distinct == 1 ? "is" : "are",
                m_incompleteCost.empty() ? "" : ", the others hold " + m_incompleteCost)
            : "no stacks were recorded";
        const auto lost = std::find_if(m_result.items.begin(), m_result.items.end(),
            [](const CoverageItem &item) { return item.isLoss && !item.isOfStacks; });
        if (lost == m_result.items.end())
            return "No events lost; " + whole + '.';
        return fmt::format("{}; {}.", lost->shortly.empty() ? lost->what : lost->shortly, whole);
    }

    const Snapshot &m_snapshot;
    std::array<std::int64_t, kLossKindCount> m_counts{};
    std::array<bool, kLossKindCount> m_isOfMore{}; ///< than the selection
    Coverage m_result;
    std::string m_generated;      ///< "5 % of the allocations come through"; empty: too little to say
    std::string m_incompleteCost; ///< "10 % of the CPU samples"; empty: none
    double m_incompleteShare = 0; ///< the greatest of those
};

} // namespace

Coverage coverage(const Snapshot &snapshot) { return Examiner(snapshot).examine(); }

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/gate/gate_run.h"

#include "model/aggregate/unseen_cpu.h"
#include "model/gate/heap_gap.h"
#include "model/gate/lost_blocks.h"
#include "model/gate/rank_tests.h"
#include "model/report/session_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace app {

namespace {

using model::GateKey;
using model::GateSamples;
using Words = std::vector<std::string>;

constexpr std::size_t kStacks = 3;          // told for each quantity
constexpr std::size_t kNoisyRecordings = 4; // of each version, beside the first two
constexpr std::size_t kCounted = 6;         // plain runs: as many as ranks need to say anything
constexpr std::array kHeapKeys = model::kBaselineCosts;

/// Blocks that were lost at the end; only where they were looked for.
void addLost(VersionRuns &version, const std::string &problem)
{
    if (!version.looksForLeaks)
        return;
    if (!problem.empty()) {
        version.absent[GateKey::LostBlocks] = problem;
        return;
    }
    if (const auto lost = model::lostBlocks(*version.heap)) {
        version.values[GateKey::LostBlocks].push_back(static_cast<double>(lost->blocks));
        version.leakLimits = lost->limits;
    } else {
        version.absent[GateKey::LostBlocks]
            = "No process could be looked through at its end: it did not end by exit(3), or "
              "may not be stopped (genprof doctor).";
    }
}

model::Result<void> addRecording(CommandRuns &runs, const Words &command, const std::string &name, VersionRuns &version)
{
    const auto snapshot = runs.recordHeap(command, name);
    if (!snapshot)
        return snapshot.error();
    version.heap = *snapshot;
    const model::HeapGap gap = model::heapGap(**snapshot);
    const auto dropped = model::lossCounts(**snapshot)[static_cast<std::size_t>(model::LossKind::EventsDropped)];
    const std::string problem = dropped > 0 ? fmt::format("{} heap events were dropped.", dropped) : gap.why;
    if (!gap.beside.empty())
        version.beside = gap.beside;
    for (const GateKey key : kHeapKeys) {
        if (problem.empty())
            version.values[key].push_back(model::heapValueOf(**snapshot, key));
        else
            version.absent[key] = problem;
    }
    addLost(version, problem);
    return {};
}

void addCount(VersionRuns &version, GateKey key, const capture::RunCount &count)
{
    if (count.value)
        version.values[key].push_back(static_cast<double>(*count.value));
    else
        version.absent[key] = count.absent;
}

model::Result<void> addPlain(CommandRuns &runs, const Words &command, VersionRuns &version)
{
    const auto run = runs.plain(command);
    if (!run)
        return run.error();
    version.values[GateKey::WallTime].push_back(static_cast<double>(run->times.wallNs));
    addCount(version, GateKey::OwnTime, {run->times.ownNs, run->times.absent});
    version.values[GateKey::CpuTime].push_back(run->cpuNs);
    addCount(version, GateKey::Instructions, run->instructions);
    addCount(version, GateKey::SystemCalls, run->systemCalls);
    return {};
}

bool differs(const VersionRuns &version)
{
    return std::any_of(kHeapKeys.begin(), kHeapKeys.end(), [&version](GateKey key) {
        const auto found = version.values.find(key);
        return found != version.values.end()
            && std::adjacent_find(found->second.begin(), found->second.end(), std::not_equal_to<>())
            != found->second.end();
    });
}

std::vector<GateSamples> samplesOf(const VersionRuns &base, const VersionRuns &current)
{
    std::vector<GateSamples> samples;
    for (const model::GateKeyInfo &info : model::kGateKeys) {
        GateSamples sample{.key = info.key};
        if (const auto found = base.values.find(info.key); found != base.values.end())
            sample.base = found->second;
        if (const auto found = current.values.find(info.key); found != current.values.end())
            sample.current = found->second;
        for (const VersionRuns *version : {&base, &current})
            if (const auto found = version->absent.find(info.key); found != version->absent.end()) {
                sample.absent = found->second;
                sample.base.clear(); // of some runs only
                if (version == &current)
                    sample.current.clear();
            }
        if (sample.absent.empty() && (sample.base.empty() || sample.current.empty()))
            sample.absent = "It was not measured.";
        sample.isOwed = info.source == model::GateSource::Heap && info.key != GateKey::LostBlocks;
        samples.push_back(std::move(sample));
    }
    return samples;
}

/// The same where there is nothing to compare with.
std::vector<GateSamples> samplesOf(const VersionRuns &version)
{
    std::vector<GateSamples> samples;
    for (const model::GateKeyInfo &info : model::kGateKeys) {
        const auto values = version.values.find(info.key);
        const auto absent = version.absent.find(info.key);
        GateSamples sample{.key = info.key};
        if (absent != version.absent.end())
            sample.absent = absent->second;
        else if (values != version.values.end())
            sample.current = values->second;
        else
            sample.absent = "It was not measured.";
        samples.push_back(std::move(sample));
    }
    return samples;
}

/// Says of quantities that nobody measured, as nothing is asked of them, just that.
void addUnasked(VersionRuns &version, const model::GateLimits &limits)
{
    for (const model::GateKeyInfo &info : model::kGateKeys)
        if (info.source != model::GateSource::Heap && limits[static_cast<std::size_t>(info.key)].isOff
            && !version.values.contains(info.key))
            version.absent.try_emplace(info.key, "It is off.");
}

/// Why `made` pairs of runs were made, fewer than `most`, or plain runs of one command; empty where times are judged.
std::string sparedText(const model::GateLimits &limits, std::size_t made, std::size_t most, std::string_view what)
{
    if (made == most || model::isJudged(limits, model::GateSource::Time))
        return {};
    if (model::isJudged(limits, model::GateSource::Counter))
        return fmt::format("Times are off: {} {} were enough for the kernel's counters.", made, what);
    return fmt::format("Times and the kernel's counters are off: no {} were made.", what);
}

bool isWorse(const model::GateFinding &finding) { return finding.outcome == model::GateOutcome::Worse; }
bool hasGrown(const model::GateFinding &finding)
{
    return isWorse(finding) || finding.outcome == model::GateOutcome::Grown;
}

void noteBeside(model::GateReport &report, const VersionRuns &version, std::string_view who = "")
{
    if (!version.beside.empty())
        report.notes.push_back(std::string(who) + version.beside);
}

/// The course of a comparison with another command.
class PairedGate
{
public:
    PairedGate(CommandRuns &runs, const GateOptions &options)
        : m_runs(runs)
        , m_options(options)
    {
        m_current.looksForLeaks = m_base.looksForLeaks = runs.looksForLeaks();
    }

    model::Result<void> record()
    {
        for (std::size_t i = 0; i < 2; ++i)
            if (const auto read = recordBoth(); !read)
                return read;
        for (std::size_t i = 0; (differs(m_base) || differs(m_current)) && i < kNoisyRecordings; ++i)
            if (const auto read = recordBoth(); !read)
                return read;
        return {};
    }

    model::Result<void> run()
    {
        const bool judgesTimes = model::isJudged(m_options.limits, model::GateSource::Time);
        const bool judgesCounters = model::isJudged(m_options.limits, model::GateSource::Counter);
        const std::size_t wanted = judgesTimes ? std::max(kCounted, m_options.runs / 2) : judgesCounters ? kCounted : 0;
        const std::size_t first = std::min(m_options.runs, wanted);
        std::size_t made = first;
        if (const auto ran = runPairs(0, first); !ran)
            return ran;
        if (first > 0 && first < m_options.runs && !model::isSettled(judge())) {
            made = m_options.runs;
            if (const auto ran = runPairs(first, made); !ran)
                return ran;
        }
        if (std::string spared = sparedText(m_options.limits, made, m_options.runs, "pairs of runs"); !spared.empty())
            m_notes.push_back(std::move(spared));
        addUnasked(m_base, m_options.limits);
        addUnasked(m_current, m_options.limits);
        return {};
    }

    std::vector<model::GateFinding> judge() const
    {
        return model::judgeGate(samplesOf(m_base, m_current), m_options.limits);
    }

    /// What limits the answer, as sentences.
    const std::vector<std::string> &notes() const { return m_notes; }

    void noteBeside(model::GateReport &report) const
    {
        app::noteBeside(report, m_base, m_base.beside == m_current.beside ? "" : "Base: ");
        if (m_base.beside != m_current.beside)
            app::noteBeside(report, m_current);
    }

    /// Finds the stacks behind what grew.
    model::Result<void> explain(std::vector<model::GateFinding> &findings)
    {
        for (model::GateFinding &finding : findings) {
            const model::GateKeyInfo &info = model::gateKeyInfo(finding.key);
            if (finding.key == GateKey::LostBlocks && hasGrown(finding))
                finding.stacks = model::lostStacks(*m_current.heap, kStacks);
            if ((!hasGrown(finding) && !finding.isBeyondMost) || !info.cost)
                continue;
            if (info.source == model::GateSource::Heap && m_base.heap && m_current.heap)
                finding.stacks
                    = model::grownStacks(*model::compare({m_base.heap, 1}, {m_current.heap, 1}, *info.cost), kStacks);
            else if (info.source == model::GateSource::Time && isWorse(finding)) {
                const auto stacks = cpuStacks(finding);
                if (!stacks)
                    return stacks.error();
                finding.stacks = *stacks;
            } else if (finding.key == GateKey::SystemCalls) {
                const auto stacks = callStacks();
                if (!stacks)
                    return stacks.error();
                finding.stacks = *stacks;
            }
        }
        return {};
    }

private:
    model::Result<void> recordBoth()
    {
        const auto base = addRecording(m_runs, m_options.against, "base", m_base);
        if (!base)
            return base.error().within("base");
        return addRecording(m_runs, m_options.command, "current", m_current);
    }

    model::Result<void> runPairs(std::size_t begin, std::size_t end)
    {
        for (std::size_t pair = begin; pair < end; ++pair) {
            const bool isBaseFirst = pair % 2 == 0;
            for (const bool isBase : {isBaseFirst, !isBaseFirst}) {
                const auto ran = isBase ? addPlain(m_runs, m_options.against, m_base)
                                        : addPlain(m_runs, m_options.command, m_current);
                if (!ran)
                    return isBase ? ran.error().within("base") : ran;
            }
            if (!m_options.isQuiet && (pair + 1) % 5 == 0)
                m_runs.say(fmt::format("genprof: {} of at most {} pairs of runs", pair + 1, m_options.runs));
        }
        return {};
    }

    void noteMissed(const model::Snapshot &snapshot, std::string_view version)
    {
        const model::SampleBase samples = model::sampleBase(snapshot);
        if (samples.isThin())
            m_notes.push_back(
                fmt::format("Of the {} {} of {} CPU samples were due but not taken, of threads that ended "
                            "before one was: times of its stacks are their shares of the others.",
                    version, samples.missed, samples.missed + samples.taken));
    }

    /// Enough samples of a run of this length, at a rate that every host takes.
    static std::uint32_t rateFor(const model::GateFinding &finding)
    {
        constexpr double kSamples = 3000;
        return static_cast<std::uint32_t>(std::clamp(kSamples / std::max(finding.current * 1e-9, 1e-3), 199.0, 4999.0));
    }

    model::Result<std::vector<model::GateStack>> cpuStacks(const model::GateFinding &finding)
    {
        if (!m_cpu[0]) {
            const std::uint32_t hz = rateFor(finding);
            for (const auto &[i, command, name] :
                {std::tuple{0, &m_options.against, "base-cpu"}, {1, &m_options.command, "current-cpu"}}) {
                const auto snapshot = m_runs.recordCpu(*command, name, hz);
                if (!snapshot)
                    return snapshot.error();
                m_cpu[static_cast<std::size_t>(i)] = *snapshot;
                noteMissed(**snapshot, i == 0 ? "base" : "current version");
            }
        }
        return model::grownCpuStacks(m_cpu, {cpuTimeOf(m_base), cpuTimeOf(m_current)}, kStacks);
    }

    static double cpuTimeOf(const VersionRuns &version)
    {
        const auto times = version.values.find(GateKey::CpuTime);
        return times == version.values.end() ? 0 : model::medianOf(times->second);
    }

    model::Result<std::vector<model::GateStack>> callStacks()
    {
        const auto base = m_runs.recordCalls(m_options.against, "base-calls");
        if (!base)
            return base.error();
        const auto current = m_runs.recordCalls(m_options.command, "current-calls");
        if (!current)
            return current.error();
        return model::grownStacks(*model::compare({*base, 1}, {*current, 1}, model::CostKind::SystemCalls), kStacks);
    }

    CommandRuns &m_runs;
    const GateOptions &m_options;
    VersionRuns m_base;
    VersionRuns m_current;
    std::array<std::shared_ptr<const model::Snapshot>, 2> m_cpu;
    std::vector<std::string> m_notes;
};

void failed(model::GateReport &report, const CommandRuns &runs, const model::Error &error)
{
    report.failure = error.text();
    report.hasProgramFailed = runs.hasCommandFailed();
    report.findings.clear();
}

/// The stacks behind what grew since the baseline; of an empty one those that cost most.
void explainHeap(std::vector<model::GateFinding> &findings, const model::Baseline &baseline, const VersionRuns &version)
{
    for (model::GateFinding &finding : findings)
        if (finding.key == GateKey::LostBlocks && finding.isBeyondMost && version.heap)
            finding.stacks = model::lostStacks(*version.heap, kStacks);
        else if ((hasGrown(finding) || finding.isBeyondMost) && version.heap
            && model::gateKeyInfo(finding.key).source == model::GateSource::Heap)
            finding.stacks
                = model::grownStacks(finding.hasBase && finding.current > finding.base ? baseline : model::Baseline(),
                    *version.heap, finding.key, kStacks);
}

void noteLeakLimits(model::GateReport &report, const VersionRuns &version)
{
    if (!version.leakLimits.empty())
        report.notes.push_back("Lost blocks may be more: " + version.leakLimits);
}

} // namespace

model::Result<VersionRuns> measureVersion(
    CommandRuns &runs, const Words &command, const std::string &name, std::size_t recorded, std::size_t plain)
{
    VersionRuns version;
    version.looksForLeaks = runs.looksForLeaks();
    for (std::size_t i = 0; i < recorded; ++i)
        if (const auto added = addRecording(runs, command, name, version); !added)
            return added.error();
    for (std::size_t i = 0; differs(version) && i < kNoisyRecordings; ++i)
        if (const auto added = addRecording(runs, command, name, version); !added)
            return added.error();
    for (std::size_t i = 0; i < plain; ++i)
        if (const auto added = addPlain(runs, command, version); !added)
            return added.error();
    return version;
}

model::GateReport gateAgainstCommand(CommandRuns &runs, const GateOptions &options)
{
    model::GateReport report;
    report.command = fmt::format("{}", fmt::join(options.command, " "));
    report.against = fmt::format("{}", fmt::join(options.against, " "));
    PairedGate gate(runs, options);
    for (const auto step : {&PairedGate::record, &PairedGate::run})
        if (const auto done = (gate.*step)(); !done) {
            failed(report, runs, done.error());
            return report;
        }
    report.findings = gate.judge();
    if (const auto explained = gate.explain(report.findings); !explained)
        report.notes.push_back("Where the time went could not be found: " + explained.error().text());
    report.notes.insert(report.notes.end(), gate.notes().begin(), gate.notes().end());
    gate.noteBeside(report);
    return report;
}

model::GateReport gateAgainstBaseline(CommandRuns &runs, const GateOptions &options, const model::Baseline &baseline,
    const std::string &machine, VersionRuns &measured)
{
    model::GateReport report;
    report.command = fmt::format("{}", fmt::join(options.command, " "));
    report.against = fmt::format("the baseline of {}{}{}", baseline.origin.date,
        baseline.origin.commit.empty() ? "" : ", commit ", baseline.origin.commit);
    const bool isSameMachine = baseline.origin.machine == machine;
    const bool hasTimes = model::isJudged(options.limits, model::GateSource::Time);
    const bool judgesTimes = options.hasTimeLimits && hasTimes && isSameMachine;
    const bool needsPlain = hasTimes || options.isUpdate || model::isJudged(options.limits, model::GateSource::Counter);
    VersionRuns base;
    base.values = baseline.values;
    const auto version = measureVersion(runs, options.command, "current", differs(base) ? kCounted : 2,
        judgesTimes      ? std::max(options.runs, kCounted)
            : needsPlain ? kCounted
                         : 0);
    if (!version) {
        failed(report, runs, version.error());
        return report;
    }
    measured = *version;
    if (!needsPlain)
        report.notes.push_back(sparedText(options.limits, 0, options.runs, "plain runs"));
    addUnasked(measured, options.limits);
    if (!judgesTimes)
        for (const GateKey key : {GateKey::CpuTime, GateKey::OwnTime, GateKey::WallTime}) {
            base.values.erase(key);
            base.absent[key] = options.limits[static_cast<std::size_t>(key)].isOff ? "It is off."
                : isSameMachine
                ? "Times of a baseline are judged with --max times=+N% only; --against compares them better."
                : "The baseline is from another class of machine.";
        }
    if (!isSameMachine)
        report.notes.push_back(fmt::format("The baseline was made on {}, this is {}: counts differ where libraries do.",
            baseline.origin.machine, machine));
    for (const model::GateKeyInfo &info : model::kGateKeys)
        if (!base.values.contains(info.key) && !base.absent.contains(info.key))
            base.absent[info.key] = "The baseline does not have it.";
    report.findings = model::judgeGate(samplesOf(base, measured), options.limits);
    explainHeap(report.findings, baseline, *version);
    noteBeside(report, *version);
    noteLeakLimits(report, *version);
    return report;
}

model::GateReport gateByLimits(CommandRuns &runs, const GateOptions &options)
{
    model::GateReport report;
    report.command = fmt::format("{}", fmt::join(options.command, " "));
    std::size_t plain = 0; // only what a limit asks for
    for (const model::GateKeyInfo &info : model::kGateKeys) {
        constexpr std::size_t kTimed = 5, kCounted = 1;
        const bool isLimited = options.limits[static_cast<std::size_t>(info.key)].most.has_value();
        if (isLimited && info.source != model::GateSource::Heap)
            plain = std::max(plain, info.source == model::GateSource::Time ? kTimed : kCounted);
    }
    const auto version = measureVersion(runs, options.command, "current", 1, plain);
    if (!version) {
        failed(report, runs, version.error());
        return report;
    }
    report.findings = model::judgeGate(samplesOf(*version), options.limits);
    const auto isUnasked = [](const model::GateFinding &finding) {
        return finding.outcome == model::GateOutcome::Absent && !finding.isBlind();
    };
    std::erase_if(report.findings, isUnasked);
    const auto hasLimit = [](const model::GateFinding &finding) { return finding.limit.most.has_value(); };
    if (std::none_of(report.findings.begin(), report.findings.end(), hasLimit))
        report.notes.push_back("Nothing was judged but how the command ended: there is neither a base nor a limit "
                               "(--max KEY=VALUE).");
    if (const auto absent = version->absent.find(GateKey::Allocations); absent != version->absent.end())
        report.notes.push_back(absent->second);
    explainHeap(report.findings, {}, *version);
    noteBeside(report, *version);
    noteLeakLimits(report, *version);
    return report;
}

} // namespace app

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/gate.h"

#include "app/exit_code.h"
#include "app/gate/baseline_store.h"
#include "app/gate/gate_run.h"
#include "model/gate/drift.h"
#include "model/report/difference_words.h"
#include "model/report/gate_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>

namespace app {

namespace {

int fail(const model::Error &error)
{
    fmt::print(stderr, "genprof: {}\n", error.text());
    return kExitRecorderFailed;
}

int exitCodeFor(const model::GateReport &report, const GateOptions &options)
{
    if (!report.failure.empty())
        return report.hasProgramFailed ? kExitGateProgramFailed : kExitRecorderFailed;
    const bool isBlind = std::any_of(report.findings.begin(), report.findings.end(),
        [](const model::GateFinding &finding) { return finding.isBlind(); });
    // Without the heap what the program expects of itself was skipped too.
    const bool isUnseen = options.isByLimits
        && std::none_of(report.findings.begin(), report.findings.end(), [](const model::GateFinding &finding) {
               return model::gateKeyInfo(finding.key).source == model::GateSource::Heap
                   && finding.outcome != model::GateOutcome::Absent;
           });
    if ((isBlind || isUnseen) && options.skipStatus && report.verdict() != model::GateOutcome::Worse)
        return *options.skipStatus;
    switch (report.verdict()) {
    case model::GateOutcome::Worse:
        return kExitGateWorse;
    case model::GateOutcome::Unclear:
        return kExitGateUnclear;
    default:
        return kExitOk;
    }
}

using Writer = std::function<void(std::ostream &)>;

model::Result<void> writeTo(const std::string &path, const Writer &write)
{
    errno = 0;
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    if (file)
        write(file);
    file.close();
    return file ? model::Result<void>() : model::systemError("Cannot write " + path, errno);
}

/// Writes every form that was asked for; says the first failure.
model::Result<void> writeAll(const model::GateReport &report, const GateOptions &options)
{
    std::error_code code;
    const std::string root = std::filesystem::current_path(code).string();
    const std::pair<const std::string *, Writer> forms[]{
        {&options.json, [&](std::ostream &out) { model::writeGateJson(out, report); }},
        {&options.markdown, [&](std::ostream &out) { model::writeGateMarkdown(out, report); }},
        {&options.junit, [&](std::ostream &out) { model::writeGateJunit(out, report); }},
        {&options.sarif, [&](std::ostream &out) { model::writeGateSarif(out, report, root); }},
        {&options.text, [&](std::ostream &out) { model::writeGateText(out, report); }}};
    for (const auto &[path, write] : forms)
        if (!path->empty())
            if (const auto written = writeTo(*path, write); !written)
                return written;
    if (options.text.empty())
        model::writeGateText(std::cout, report);
    std::cout.flush();
    return std::cout ? model::Result<void>() : model::systemError("Cannot write the answer", errno);
}

void noteDrift(model::GateReport &report, const BaselineStore &store)
{
    const auto history = store.history();
    if (!history) {
        report.notes.push_back(history.error().text());
        return;
    }
    for (const model::Drift &drift : model::findDrift(*history))
        report.notes.push_back("Slow drift: " + model::driftText(drift, *history));
}

/// Judges by a baseline, and replaces it where that was asked for.
model::Result<model::GateReport> againstBaseline(CommandRuns &runs, const GateOptions &options)
{
    const std::string program = std::filesystem::path(options.command.front()).filename().string();
    const auto store
        = BaselineStore::open(options.baseline.folder, options.baseline.name.empty() ? program : options.baseline.name);
    if (!store)
        return store.error();
    const auto baseline = store->load();
    if (!baseline)
        return baseline.error();
    VersionRuns measured;
    model::GateReport report = gateAgainstBaseline(runs, options, *baseline, machineClass(), measured);
    noteDrift(report, *store);
    if (!options.isUpdate || !report.failure.empty())
        return report;
    if (const auto saved = store->save(baselineOf(measured, options.baseline, options.command)); !saved)
        return saved.error();
    report.notes.push_back(fmt::format("Accepted as the new baseline {}: {}", store->file(), options.baseline.reason));
    return report;
}

/// "peak_bytes at most 64 MiB": what would be judged.
int printLimits(const GateOptions &options)
{
    for (const model::GateKeyInfo &info : model::kGateKeys) {
        const model::GateLimit &limit = options.limits[static_cast<std::size_t>(info.key)];
        if (!options.isByLimits)
            fmt::print("{} growth {}\n", info.name, model::gateLimitText(limit, info.unit));
        if (limit.most)
            fmt::print("{} at most {}\n", info.name, model::costText(*limit.most, info.unit));
    }
    return kExitOk;
}

} // namespace

int runGate(const GateOptions &options, const capture::InheritedState &inherited)
{
    if (options.printsLimits)
        return printLimits(options);
    const auto begin = std::chrono::steady_clock::now();
    std::optional<model::Result<model::GateReport>> report;
    {
        auto runs = CommandRuns::make(
            inherited, options.sessions, options.isByLimits ? CommandStreams::Ours : CommandStreams::Quiet);
        if (!runs)
            return fail(runs.error());
        if (options.limits[static_cast<std::size_t>(model::GateKey::LostBlocks)].most)
            runs->lookForLeaks();
        report = options.isByLimits   ? model::Result<model::GateReport>(gateByLimits(*runs, options))
            : options.against.empty() ? againstBaseline(*runs, options)
                                      : model::Result<model::GateReport>(gateAgainstCommand(*runs, options));
    } // our standard streams are ours again
    if (!*report)
        return fail(report->error());
    model::GateReport &answer = **report;
    // Nobody asked.
    std::erase_if(answer.findings, [](const model::GateFinding &finding) {
        return finding.key == model::GateKey::LostBlocks && finding.outcome == model::GateOutcome::Absent
            && !finding.isBlind();
    });
    answer.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (const auto written = writeAll(answer, options); !written)
        return fail(written.error());
    return options.isUpdate && answer.failure.empty() ? kExitOk : exitCodeFor(answer, options);
}

} // namespace app

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/compare.h"

#include "app/exit_code.h"
#include "app/passphrase.h"
#include "app/report_output.h"
#include "app/session_window.h"
#include "app/terminal.h"
#include "model/report/comparison_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <ostream>
#include <system_error>
#include <utility>

namespace app {

namespace {

int fail(const std::string &text)
{
    fmt::print(stderr, "genprof: {}\n", text);
    return kExitFailure;
}

void write(std::ostream &out, const model::ComparedSessions &compared, const CompareOptions &options)
{
    constexpr std::size_t kUsualRows = 10;
    model::ComparisonReportOptions report;
    const bool isForPeople = options.format != CompareFormat::Csv && options.format != CompareFormat::Json;
    report.rows = options.top == 0 && isForPeople ? kUsualRows : options.top;
    if (options.output.empty())
        report.columns = columnsOfReports();
    switch (options.format) {
    case CompareFormat::Text:
        return model::writeComparisonText(out, compared, report);
    case CompareFormat::Csv:
        return model::writeComparisonCsv(out, compared, report);
    case CompareFormat::Json:
        return model::writeComparisonJson(out, compared, report);
    case CompareFormat::Markdown:
        return model::writeComparisonMarkdown(out, compared, report);
    case CompareFormat::Html:
        return model::writeComparisonHtml(out, compared, report);
    }
}

using SnapshotPointer = std::shared_ptr<const model::Snapshot>;

using Keys = std::array<storage::SealKeyPointer, 2>;

model::Result<SnapshotPointer> readSide(const CompareOptions &options, const Keys &keys, std::size_t side)
{
    return readWindow(options.files[side], keys[side], options.from[side], options.to[side]);
}

/// Windows are widened to whole ticks. Of two of one session of which one was to end before the other begins, the later one goes without the ticks
/// of the earlier: no cost is counted on both sides.
model::Result<void> separate(CompareOptions options, const Keys &keys, std::array<SnapshotPointer, 2> &snapshots)
{
    std::error_code ignored;
    if (!std::filesystem::equivalent(options.files[0], options.files[1], ignored))
        return {};
    for (const std::size_t later : {1U, 0U}) {
        const std::size_t earlier = 1 - later;
        const model::Timestamp end = snapshots[earlier]->span.end;
        const bool areApart
            = options.to[earlier] && options.from[later] && *options.to[earlier] <= *options.from[later];
        if (!areApart || end <= snapshots[later]->span.begin)
            continue;
        if (end >= snapshots[later]->span.end)
            return model::Error(fmt::format("{}: Both windows lie in one step of the recording, which ends at {:.1f} s",
                options.files[later], end.seconds()));
        options.from[later] = model::Duration{end.ns};
        auto moved = readSide(options, keys, later);
        if (!moved)
            return moved.error();
        snapshots[later] = std::move(*moved);
    }
    return {};
}

} // namespace

int runCompare(const CompareOptions &options)
{
    const auto keys = keysOf(options.files, options.passphrase);
    if (!keys)
        return fail(keys.error().text());
    std::array<SnapshotPointer, 2> snapshots;
    for (std::size_t i = 0; i < snapshots.size(); ++i) {
        auto snapshot = readSide(options, *keys, i);
        if (!snapshot)
            return fail(snapshot.error().text());
        if (!(*snapshot)->damage.empty())
            fmt::print(stderr, "genprof: {}: {}\n", options.files[i], (*snapshot)->damage);
        snapshots[i] = *snapshot;
    }
    if (const auto separated = separate(options, *keys, snapshots); !separated)
        return fail(separated.error().text());
    const auto compared = model::compareSessions(snapshots[0], snapshots[1], options.normalisation, options.costs);
    if (!compared)
        return fail(compared.error().text());
    const Reader who = options.format == CompareFormat::Text ? Reader::Person : Reader::Program;
    const auto written = writeOutput(options.output, who, [&](std::ostream &out) { write(out, *compared, options); });
    return written ? kExitOk : fail(written.error().text());
}

} // namespace app

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/compare.h"

#include "app/exit_code.h"
#include "app/report_output.h"
#include "app/session_window.h"
#include "app/terminal.h"
#include "model/report/comparison_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ostream>

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

} // namespace

int runCompare(const CompareOptions &options)
{
    std::array<std::shared_ptr<const model::Snapshot>, 2> snapshots;
    for (std::size_t i = 0; i < snapshots.size(); ++i) {
        auto snapshot = readWindow(options.files[i], options.passphrase, options.from[i], options.to[i]);
        if (!snapshot)
            return fail(snapshot.error().text());
        if (!(*snapshot)->damage.empty())
            fmt::print(stderr, "genprof: {}: {}\n", options.files[i], (*snapshot)->damage);
        snapshots[i] = *snapshot;
    }
    const auto compared = model::compareSessions(snapshots[0], snapshots[1], options.normalisation, options.costs);
    if (!compared)
        return fail(compared.error().text());
    const Reader who = options.format == CompareFormat::Text ? Reader::Person : Reader::Program;
    const auto written = writeOutput(options.output, who, [&](std::ostream &out) { write(out, *compared, options); });
    return written ? kExitOk : fail(written.error().text());
}

} // namespace app

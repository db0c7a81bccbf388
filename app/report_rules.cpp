// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/report_rules.h"

#include <fmt/format.h>

namespace app {

namespace {

/// Whether the report is a list of the heaviest, which can be cut.
bool isRanking(const ReportOptions &options)
{
    if (options.format == ReportFormat::Html)
        return true;
    if (isStacks(options.format) || options.format == ReportFormat::Prometheus)
        return false;
    switch (options.view) {
    case ReportView::Summary:
        return options.format == ReportFormat::Text; // its lists; the other formats write all
    case ReportView::Metrics:
    case ReportView::Losses:
    case ReportView::Alerts:
    case ReportView::Growth:
    case ReportView::Forecast:
    case ReportView::Verdict:
        return false;
    default:
        return true;
    }
}

/// Whether the report ranks by one cost of several.
bool hasCosts(const ReportOptions &options)
{
    switch (options.view) {
    case ReportView::Cpu:
    case ReportView::Lost:
    case ReportView::Leaks:
    case ReportView::Advice:
        return false;
    default:
        return isRanking(options) && options.view != ReportView::Summary;
    }
}

} // namespace

model::Result<void> checkReportRules(const ReportWords &words, const ReportOptions &options)
{
    const bool hasStacksOfCost = isStacks(options.format) && options.view != ReportView::Cpu;
    if (!words.cost.empty() && !hasCosts(options) && !hasStacksOfCost)
        return model::Error(
            fmt::format("--cost {} has no effect here: it belongs to --what heap, mappings, pools and hot{}",
                words.cost, options.view == ReportView::Cpu ? "; CPU time is the one cost of --what cpu" : ""));
    if (options.top > 0 && !isRanking(options))
        return model::Error(isStacks(options.format)
                ? "Stacks for other viewers are written whole: leave out --top"
                : "--top has no effect here: it belongs to lists of stacks and places, such as --what heap, cpu, hot, "
                  "leaks, lost and advice, and to the summary as text");
    if ((options.from || options.to) && options.view == ReportView::Leaks)
        return model::Error(
            "Leaks are found by the ages of blocks over the whole recording: leave out --from and --to, or see "
            "--what growth for a part of it");
    return {};
}

bool hasPages(const ReportOptions &options)
{
    const bool isList = options.format == ReportFormat::Json || options.format == ReportFormat::Csv;
    return isList
        && (options.view == ReportView::Heap || options.view == ReportView::Cpu
            || options.view == ReportView::SystemCalls || options.view == ReportView::Waits);
}

CLI::Validator rowCount()
{
    const auto check = [](const std::string &text) {
        const bool isNumber
            = !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
        return isNumber && text.find_first_not_of('0') != std::string::npos
            ? std::string()
            : fmt::format("\"{}\" is no number of rows: 1 or more", text);
    };
    return CLI::Validator(check, "");
}

} // namespace app

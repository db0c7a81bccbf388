// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/report_arguments.h"

#include "app/amount_text.h"
#include "app/choice.h"
#include "app/duration_text.h"
#include "app/file_commands.h"
#include "app/report_rules.h"

#include <fmt/format.h>

#include <array>

namespace app {

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

model::Result<void> readTime(const char *option, const std::string &text, std::optional<model::Duration> &time)
{
    if (text.empty())
        return {};
    const auto duration = parseDuration(text, kSecondNs);
    if (!duration)
        return duration.error().within(option);
    time = *duration;
    return {};
}

} // namespace

CLI::App *addReport(CLI::App &app, ReportOptions &report, ReportWords &words)
{
    CLI::App *command = app.add_subcommand("report", "Print what a recording holds");
    command->add_option("file", report.file, "The session")->required()->type_name("FILE");
    command
        ->add_option("--what", words.view,
            "summary (default), metrics, heap, mappings, pools, cpu, hot, advice, leaks, growth, forecast, lost, "
            "verdict, alerts, "
            "losses")
        ->type_name("VIEW");
    command
        ->add_option("--cost", words.cost,
            "Cost to rank by: live (default of heap), peak, allocated, allocations, temporary; with --what hot also "
            "cpu, its "
            "default")
        ->type_name("COST");
    command->add_option("--from", words.from, "Only from this time of the recording on, e.g. 90s or 1h30m")
        ->type_name("T");
    command->add_option("--to", words.to, "Only up to this time of the recording")->type_name("T");
    command->add_option("--process", report.pid, "Only the process with this pid")->type_name("PID");
    command->add_option("--thread", report.tid, "Only the thread with this id; with --what cpu and hot")
        ->type_name("TID");
    command->add_option("--top", report.top, "At most this many rows (default: 10 in text, else all)")
        ->check(rowCount())
        ->type_name("N");
    command
        ->add_option("--limit", words.limit,
            "forecast: how much memory there is, e.g. 2GiB (default: the group's or the machine's)")
        ->type_name("BYTES");
    command
        ->add_option("--format", words.format,
            "text (default), csv, json, html (a page with everything), prometheus (metrics of the last moment), "
            "collapsed (stacks; heap and cpu), or junit (verdict)")
        ->type_name("FORMAT");
    command->add_option("-o,--output", report.output, "Write to this file")->type_name("OUT");
    addPassphraseOptions(*command, report.passphrase);
    return command;
}

model::Result<void> readReport(const ReportWords &words, ReportOptions &options)
{
    const std::array read{
        choose("--what", words.view,
            {std::pair{"summary", ReportView::Summary}, {"metrics", ReportView::Metrics}, {"heap", ReportView::Heap},
                {"mappings", ReportView::Heap}, {"pools", ReportView::Heap}, {"cpu", ReportView::Cpu},
                {"leaks", ReportView::Leaks}, {"growth", ReportView::Growth}, {"forecast", ReportView::Forecast},
                {"lost", ReportView::Lost}, {"verdict", ReportView::Verdict}, {"advice", ReportView::Advice},
                {"hot", ReportView::Hot}, {"alerts", ReportView::Alerts}, {"losses", ReportView::Losses}},
            options.view),
        choose("--cost", words.cost,
            {std::pair{"live", model::CostKind::Live}, {"peak", model::CostKind::Peak},
                {"allocated", model::CostKind::Allocated}, {"allocations", model::CostKind::Allocations},
                {"temporary", model::CostKind::Temporary}, {"cpu", model::CostKind::CpuTime}},
            options.cost),
        choose("--format", words.format,
            {std::pair{"text", ReportFormat::Text}, {"csv", ReportFormat::Csv}, {"json", ReportFormat::Json},
                {"collapsed", ReportFormat::Collapsed}, {"html", ReportFormat::Html},
                {"prometheus", ReportFormat::Prometheus}, {"junit", ReportFormat::Junit}},
            options.format),
        readTime("--from", words.from, options.from),
        readTime("--to", words.to, options.to),
    };
    for (const model::Result<void> &result : read) {
        if (!result)
            return result;
    }
    if (words.view == "mappings" || words.view == "pools")
        options.area = words.view == "pools" ? model::AreaKind::Pool : model::AreaKind::Mapping;
    if (!words.limit.empty()) {
        options.memoryLimit = parseAmount(words.limit, model::Unit::Bytes);
        if (!options.memoryLimit || *options.memoryLimit <= 0)
            return model::Error(fmt::format("--limit is {}", amountExample(model::Unit::Bytes)));
        if (options.view != ReportView::Forecast)
            return model::Error("--limit belongs to --what forecast");
    }
    if (options.from && options.to && *options.to <= *options.from)
        return model::Error("--to must lie after --from");
    if (options.view == ReportView::Hot && words.cost.empty())
        options.cost = model::CostKind::CpuTime;
    const bool isCpuCost = model::costInfo(options.cost).source == model::CostSource::Cpu;
    if (isCpuCost && options.view != ReportView::Hot)
        return model::Error("--cost cpu belongs to --what hot; --what cpu needs no --cost");
    if (options.tid && options.view != ReportView::Cpu && !(options.view == ReportView::Hot && isCpuCost))
        return model::Error("--thread belongs to --what cpu and --what hot: the heap is not kept by thread");
    const bool hasStacks = options.view == ReportView::Heap || options.view == ReportView::Cpu;
    if (options.format == ReportFormat::Collapsed && !hasStacks)
        return model::Error("Collapsed stacks exist of --what heap and --what cpu only");
    if (options.format == ReportFormat::Junit && options.view != ReportView::Verdict)
        return model::Error("JUnit XML exists of --what verdict only");
    const bool isWhole = options.format == ReportFormat::Html || options.format == ReportFormat::Prometheus;
    if (isWhole && options.view != ReportView::Summary)
        return model::Error("This format holds everything at once: leave out --what");
    return checkReportRules(words, options);
}

} // namespace app

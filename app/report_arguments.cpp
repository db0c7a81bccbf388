// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/report_arguments.h"

#include "app/amount_text.h"
#include "app/choice.h"
#include "app/duration_text.h"
#include "app/file_commands.h"
#include "app/report_rules.h"
#include "model/report/activity_report.h"
#include "model/report/session_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <initializer_list>
#include <system_error>
#include <utility>

namespace app {

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

constexpr std::initializer_list<std::pair<const char *, ReportView>> kViews{{"summary", ReportView::Summary},
    {"metrics", ReportView::Metrics}, {"heap", ReportView::Heap}, {"mappings", ReportView::Heap},
    {"pools", ReportView::Heap}, {"cpu", ReportView::Cpu}, {"syscalls", ReportView::SystemCalls},
    {"waits", ReportView::Waits}, {"leaks", ReportView::Leaks}, {"growth", ReportView::Growth},
    {"forecast", ReportView::Forecast}, {"lost", ReportView::Lost}, {"verdict", ReportView::Verdict},
    {"advice", ReportView::Advice}, {"hot", ReportView::Hot}, {"alerts", ReportView::Alerts},
    {"losses", ReportView::Losses}};

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

model::Result<void> readCost(const std::string &word, model::CostKind &cost)
{
    if (word.empty())
        return {};
    const auto kind = model::costKindOf(word);
    if (kind) {
        cost = *kind;
        return {};
    }
    std::string keys;
    for (const model::CostInfo &info : model::kCostKinds)
        keys += (keys.empty() ? "" : ", ") + std::string(info.key);
    return model::Error(fmt::format("--cost {}: there are {}", word, keys));
}

/// Where the costs of a view come from; nothing: it has no costs to choose from.
std::optional<model::CostSource> sourceOf(ReportView view)
{
    switch (view) {
    case ReportView::Heap:
        return model::CostSource::Heap;
    case ReportView::Cpu:
        return model::CostSource::Cpu;
    case ReportView::SystemCalls:
        return model::CostSource::SystemCall;
    case ReportView::Waits:
        return model::CostSource::Wait;
    default:
        return std::nullopt;
    }
}

/// Checks that cost and thread fit the view.
model::Result<void> checkCost(const ReportWords &words, ReportOptions &options)
{
    const auto source = sourceOf(options.view);
    if (words.cost.empty()) {
        if (options.view == ReportView::Hot)
            options.cost = model::CostKind::CpuTime;
        else if (source == model::CostSource::SystemCall || source == model::CostSource::Wait)
            options.cost = model::mainCostOf(*source);
    }
    const model::CostSource given = model::costInfo(options.cost).source;
    const bool isActivity = source == model::CostSource::SystemCall || source == model::CostSource::Wait;
    const bool fits
        = options.view == ReportView::Hot || given == model::CostSource::Heap || (isActivity && given == *source);
    if (!words.cost.empty() && !fits)
        return model::Error(fmt::format("--cost {} belongs to --what hot{}", words.cost,
            given == model::CostSource::Cpu        ? "; --what cpu needs no --cost"
                : given == model::CostSource::Wait ? " and --what waits"
                                                   : " and --what syscalls"));
    const bool hasThreads = options.view == ReportView::Cpu || isActivity
        || (options.view == ReportView::Hot && given != model::CostSource::Heap);
    if (options.tid && !hasThreads)
        return model::Error(options.view == ReportView::Hot
                ? "--thread goes with --what hot by a cost of CPU time, system calls or waits: the heap is not kept by "
                  "thread"
                : "--thread belongs to --what cpu, syscalls, waits and hot: nothing else is kept by thread");
    return {};
}

} // namespace

CLI::App *addReport(CLI::App &app, ReportOptions &report, ReportWords &words)
{
    CLI::App *command = app.add_subcommand("report", "Print what a recording holds");
    command->add_option("file", report.file, "The session")->required()->type_name("FILE");
    command
        ->add_option("--what", words.view,
            "summary (default), metrics, heap, mappings, pools, cpu, syscalls, waits, hot, advice, leaks, growth, "
            "forecast, lost, "
            "verdict, alerts, "
            "losses")
        ->type_name("VIEW");
    command
        ->add_option("--cost", words.cost,
            "Cost to rank by: live (default of heap), peak, allocated, allocations, temporary; with --what hot also "
            "cpu, its default, syscalls, syscall_time, syscall_errors, blocked, wait, wait_lock, wait_io, …; with "
            "--format collapsed and pprof of syscalls and waits those of them")
        ->type_name("COST");
    command->add_option("--from", words.from, "Only from this time of the recording on, e.g. 90s or 1h30m")
        ->type_name("T");
    command->add_option("--to", words.to, "Only up to this time of the recording")->type_name("T");
    command->add_option("--process", report.pid, "Only the process with this pid")->type_name("PID");
    command
        ->add_option("--thread", report.tid, "Only the thread with this id; with --what cpu, syscalls, waits and hot")
        ->type_name("TID");
    command
        ->add_option("--top", report.top, "At most this many rows (default: in text 10, of cpu 20 functions, else all)")
        ->check(rowCount())
        ->type_name("N");
    command
        ->add_option("--limit", words.limit,
            "forecast: how much memory there is, e.g. 2GiB (default: the group's or the machine's)")
        ->type_name("BYTES");
    command
        ->add_option("--format", words.format,
            "text (default), csv, json, html (a page with everything), prometheus (metrics of the last moment), "
            "collapsed (stacks for flame graph tools), pprof (for pprof, speedscope and others), or junit (verdict); "
            "stacks exist of heap, mappings, pools, cpu, syscalls, waits")
        ->type_name("FORMAT");
    command->add_option("-o,--output", report.output, "Write to this file")->type_name("OUT");
    addPassphraseOptions(*command, report.passphrase);
    return command;
}

std::string meantReport(const ReportOptions &report, const ReportWords &words, const std::vector<std::string> &extra)
{
    const auto isNamed = [&report](const auto &view) { return report.file == view.first; };
    std::error_code error;
    if (extra.size() != 1 || !words.view.empty() || std::none_of(kViews.begin(), kViews.end(), isNamed)
        || std::filesystem::exists(report.file, error))
        return {};
    return fmt::format("genprof report --what {} {}", report.file, model::quotedForShell(extra.front()));
}

model::Result<void> readReport(const ReportWords &words, ReportOptions &options)
{
    const std::array read{
        choose("--what", words.view, kViews, options.view),
        readCost(words.cost, options.cost),
        choose("--format", words.format,
            {std::pair{"text", ReportFormat::Text}, {"csv", ReportFormat::Csv}, {"json", ReportFormat::Json},
                {"collapsed", ReportFormat::Collapsed}, {"pprof", ReportFormat::Pprof}, {"html", ReportFormat::Html},
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
    if (auto checked = checkCost(words, options); !checked)
        return checked;
    const bool hasStacks = sourceOf(options.view).has_value();
    if (isStacks(options.format) && !hasStacks)
        return model::Error(fmt::format("{} of --what heap, mappings, pools, cpu, syscalls and waits only",
            options.format == ReportFormat::Pprof ? "Profiles for pprof exist" : "Collapsed stacks exist"));
    if (options.format == ReportFormat::Junit && options.view != ReportView::Verdict)
        return model::Error("JUnit XML exists of --what verdict only");
    const bool isWhole = options.format == ReportFormat::Html || options.format == ReportFormat::Prometheus;
    if (isWhole && options.view != ReportView::Summary)
        return model::Error("This format holds everything at once: leave out --what");
    return checkReportRules(words, options);
}

} // namespace app

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/session_report.h"

#include "app/gzip.h"
#include "app/terminal.h"
#include "model/aggregate/area_snapshot.h"
#include "model/report/activity_report.h"
#include "model/report/advice_report.h"
#include "model/report/alert_report.h"
#include "model/report/collapsed_stacks.h"
#include "model/report/csv_report.h"
#include "model/report/forecast_report.h"
#include "model/report/growth_report.h"
#include "model/report/hot_report.h"
#include "model/report/html_report.h"
#include "model/report/json_report.h"
#include "model/report/leak_report.h"
#include "model/report/lost_report.h"
#include "model/report/pprof_profile.h"
#include "model/report/prometheus_report.h"
#include "model/report/soak_report.h"
#include "model/report/text_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace app {

namespace {

using SnapshotPointer = std::shared_ptr<const model::Snapshot>;

std::string pidList(const model::ProgramTables &tables)
{
    constexpr std::size_t kShown = 8;
    std::string list;
    for (std::size_t i = 0; i < std::min(tables.processes.size(), kShown); ++i)
        list += (list.empty() ? "" : ", ") + std::to_string(tables.processes[i].pid);
    if (tables.processes.size() > kShown)
        list += fmt::format(" and {} more, which v_process of genprof sql lists", tables.processes.size() - kShown);
    return list.empty() ? "none" : list;
}

/// The last process of the session with this pid.
model::Result<model::ProcessId> findProcess(const model::ProgramTables &tables, std::int32_t pid)
{
    for (std::size_t i = tables.processes.size(); i-- > 0;) {
        if (tables.processes[i].pid == pid)
            return model::ProcessId(i);
    }
    return model::Error(fmt::format("There is no process {} in this session; it holds {}", pid, pidList(tables)));
}

model::Result<model::ThreadId> findThread(const model::ProgramTables &tables, std::int32_t tid)
{
    // Ids of threads come back: the last one of that number.
    for (std::size_t i = tables.threads.size(); i-- > 0;)
        if (tables.threads[i].tid == tid)
            return model::ThreadId(static_cast<std::uint32_t>(i));
    return model::Error(
        fmt::format("No thread with the id {} is in this recording; v_threads of genprof sql lists them", tid));
}

std::vector<model::ForecastedQuantity> forecastsOf(const model::Snapshot &snapshot, const ReportOptions &options)
{
    model::SessionForecastOptions wanted;
    wanted.memoryLimit = options.memoryLimit;
    return *model::sessionForecasts(snapshot, *model::leaksOf(snapshot), wanted);
}

model::Recommendations adviceOf(const model::Snapshot &snapshot, const ReportOptions &options)
{
    model::Recommendations found = *model::recommendations(snapshot);
    if (options.top > 0 && found.items.size() > options.top)
        found.items.resize(options.top);
    return found;
}

void writeText(std::ostream &out, const model::Snapshot &snapshot, const ReportOptions &options)
{
    model::TextReportOptions text;
    if (options.top > 0)
        text.stacks = text.rows = options.top;
    if (options.output.empty())
        text.columns = columnsOfReports();
    text.area = options.area;
    switch (options.view) {
    case ReportView::Summary:
        return model::writeSummaryText(out, snapshot, text);
    case ReportView::Metrics:
        return model::writeMetricsText(out, snapshot, text);
    case ReportView::Heap:
        return model::writeHeapText(out, snapshot, options.cost, text);
    case ReportView::Cpu:
        return model::writeCpuText(out, snapshot, text);
    case ReportView::SystemCalls:
        return model::writeActivityText(out, snapshot, model::CostSource::SystemCall, text);
    case ReportView::Waits:
        return model::writeActivityText(out, snapshot, model::CostSource::Wait, text);
    case ReportView::Lost:
        return model::writeLostText(out, snapshot, text);
    case ReportView::Losses:
        return model::writeLossesText(out, snapshot, text);
    case ReportView::Alerts:
        return model::writeAlertsText(out, snapshot, text);
    case ReportView::Leaks:
        return model::writeLeaksText(out, snapshot, *model::leaksOf(snapshot), text);
    case ReportView::Advice:
        return model::writeAdviceText(out, snapshot, adviceOf(snapshot, options), text);
    case ReportView::Hot:
        return model::writeHotText(out, snapshot, options.cost, text);
    case ReportView::Growth:
        return model::writeGrowthText(out, snapshot, model::seriesGrowth(snapshot), text);
    case ReportView::Verdict:
        return model::writeSoakText(out, snapshot, text);
    case ReportView::Forecast:
        return model::writeForecastsText(out, snapshot, forecastsOf(snapshot, options), text);
    }
}

void writeCsv(std::ostream &out, const model::Snapshot &snapshot, const ReportOptions &options)
{
    const model::RowRange page{options.top, options.offset};
    switch (options.view) {
    case ReportView::Summary:
        return model::writeSummaryCsv(out, snapshot);
    case ReportView::Metrics:
        return model::writeMetricsCsv(out, snapshot);
    case ReportView::Heap:
        return model::writeHeapStacksCsv(out, snapshot, options.cost, page);
    case ReportView::Cpu:
        return model::writeCpuStacksCsv(out, snapshot, page);
    case ReportView::SystemCalls:
        return model::writeActivityCsv(out, snapshot, model::CostSource::SystemCall, page);
    case ReportView::Waits:
        return model::writeActivityCsv(out, snapshot, model::CostSource::Wait, page);
    case ReportView::Lost:
        return model::writeLostCsv(out, snapshot, options.top);
    case ReportView::Losses:
        return model::writeLossesCsv(out, snapshot);
    case ReportView::Alerts:
        return model::writeAlertsCsv(out, snapshot);
    case ReportView::Leaks:
        return model::writeLeaksCsv(out, snapshot, *model::leaksOf(snapshot), options.top);
    case ReportView::Advice:
        return model::writeRecommendationsCsv(out, adviceOf(snapshot, options));
    case ReportView::Hot:
        return model::writeHotCsv(out, snapshot, options.cost, options.top);
    case ReportView::Growth:
        return model::writeGrowthCsv(out, snapshot, model::seriesGrowth(snapshot));
    case ReportView::Verdict:
        return model::writeSoakCsv(out, snapshot);
    case ReportView::Forecast:
        return model::writeForecastsCsv(out, snapshot, forecastsOf(snapshot, options));
    }
}

void writeJson(std::ostream &out, const model::Snapshot &snapshot, const ReportOptions &options)
{
    const model::RowRange page{options.top, options.offset};
    switch (options.view) {
    case ReportView::Summary:
        return model::writeSummaryJson(out, snapshot);
    case ReportView::Metrics:
        return model::writeMetricsJson(out, snapshot);
    case ReportView::Heap:
        return model::writeHeapJson(out, snapshot, options.cost, page);
    case ReportView::Cpu:
        return model::writeCpuJson(out, snapshot, page);
    case ReportView::SystemCalls:
        return model::writeActivityJson(out, snapshot, model::CostSource::SystemCall, page);
    case ReportView::Waits:
        return model::writeActivityJson(out, snapshot, model::CostSource::Wait, page);
    case ReportView::Lost:
        return model::writeLostJson(out, snapshot, options.top);
    case ReportView::Losses:
        return model::writeLossesJson(out, snapshot);
    case ReportView::Alerts:
        return model::writeAlertsJson(out, snapshot);
    case ReportView::Leaks:
        return model::writeLeaksJson(out, snapshot, *model::leaksOf(snapshot), options.top);
    case ReportView::Advice:
        return model::writeAdviceJson(out, adviceOf(snapshot, options));
    case ReportView::Hot:
        return model::writeHotJson(out, snapshot, options.cost, options.top);
    case ReportView::Growth:
        return model::writeGrowthJson(out, snapshot, model::seriesGrowth(snapshot));
    case ReportView::Verdict:
        return model::writeSoakJson(out, snapshot);
    case ReportView::Forecast:
        return model::writeForecastsJson(out, snapshot, forecastsOf(snapshot, options));
    }
}

} // namespace

model::Result<SnapshotPointer> readForReport(storage::SessionReader &reader, const ReportOptions &options)
{
    model::Selection selection;
    using Parts = storage::SessionReader::Parts;
    const bool needsAges = options.view == ReportView::Leaks || options.view == ReportView::Summary
        || options.view == ReportView::Forecast || options.view == ReportView::Verdict
        || options.view == ReportView::Advice;
    const Parts parts = needsAges ? Parts::WithAges : Parts::Usual;
    auto snapshot = reader.snapshot(selection, {}, parts);
    if (!snapshot)
        return snapshot;
    if (options.from || options.to) {
        const model::TimeRange whole = (*snapshot)->span;
        selection.time = model::TimeRange{options.from ? model::Timestamp{options.from->ns} : whole.begin,
            options.to ? model::Timestamp{options.to->ns} : whole.end};
        if (!selection.time->intersects(whole))
            return model::Error(
                fmt::format("Nothing was recorded at that time; the recording goes from {:.1f} s to {:.1f} s",
                    whole.begin.seconds(), whole.end.seconds()));
    }
    if (options.pid) {
        const auto process = findProcess(*(*snapshot)->tables, *options.pid);
        if (!process)
            return process.error();
        selection.process = *process;
    }
    if (options.tid) {
        const auto thread = findThread(*(*snapshot)->tables, *options.tid);
        if (!thread)
            return thread.error();
        selection.thread = *thread;
    }
    if (selection != model::Selection())
        snapshot = reader.snapshot(selection, {}, parts);
    if (snapshot && options.format == ReportFormat::Junit && !(*snapshot)->soak)
        return model::Error("This session is no stability test, so it has no verdict; genprof soak makes one");
    if (snapshot && options.area)
        return std::make_shared<const model::Snapshot>(model::areaSnapshot(**snapshot, *options.area));
    return snapshot;
}

void writeReport(std::ostream &out, const model::Snapshot &snapshot, const ReportOptions &options)
{
    switch (options.format) {
    case ReportFormat::Text:
        return writeText(out, snapshot, options);
    case ReportFormat::Csv:
        return writeCsv(out, snapshot, options);
    case ReportFormat::Json:
        return writeJson(out, snapshot, options);
    case ReportFormat::Junit:
        return model::writeSoakJunit(out, snapshot);
    case ReportFormat::Collapsed:
        return model::writeCollapsedStacks(
            out, snapshot, options.view == ReportView::Cpu ? model::CostKind::CpuSamples : options.cost);
    case ReportFormat::Pprof:
        out << gzipped(
            model::pprofProfile(snapshot, options.view == ReportView::Cpu ? model::CostKind::CpuTime : options.cost));
        return;
    case ReportFormat::Html:
        return model::writeSummaryHtml(
            out, snapshot, {options.top > 0 ? options.top : model::HtmlReportOptions().rows});
    case ReportFormat::Prometheus:
        return model::writePrometheus(out, snapshot);
    }
}

} // namespace app

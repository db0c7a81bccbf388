// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/html_report.h"

#include "model/aggregate/activity_totals.h"
#include "model/aggregate/heap_modes.h"
#include "model/aggregate/own_code.h"
#include "model/aggregate/process_images.h"
#include "model/aggregate/sampling_error.h"
#include "model/aggregate/stack_costs.h"
#include "model/aggregate/temporary_blocks.h"
#include "model/analysis/hot_paths.h"
#include "model/analysis/leak_detector.h"
#include "model/analysis/summary.h"
#include "model/base/format_counted.h"
#include "model/base/format_estimate.h"
#include "model/report/alike_processes.h"
#include "model/report/distinct_names.h"
#include "model/report/html_chart.h"
#include "model/report/html_flame.h"
#include "model/report/html_text.h"
#include "model/report/lost_report.h"
#include "model/report/report_assets.h"
#include "model/report/session_words.h"
#include "model/report/soak_report.h"
#include "model/report/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <ostream>
#include <utility>

namespace model {

namespace {

constexpr std::size_t kUnfolded = 5; ///< items of a list that stand open

std::string bytesText(std::int64_t bytes) { return formatBytes(static_cast<double>(bytes)); }

/// Writes the report part by part.
class HtmlReport
{
public:
    HtmlReport(std::ostream &out, const Snapshot &snapshot, const HtmlReportOptions &options)
        : m_out(out)
        , m_snapshot(snapshot)
        , m_options(options)
        , m_functions(snapshot.tables)
    {
    }

    void write()
    {
        writeHead();
        if (const std::string verdict = soakHeadline(m_snapshot); !verdict.empty()) {
            heading("Stability");
            paragraph(verdict);
        }
        const Summary answers = *summary(m_snapshot);
        writeCards(answers);
        writeCharts();
        writeAdvice(answers.recommendations);
        if (m_snapshot.info.config.heap != HeapMode::Off) {
            writeLeaks();
            writeLost();
            writeHeap();
        }
        if (m_snapshot.info.config.cpuHz > 0)
            writeCpu();
        for (const CostSource source : {CostSource::SystemCall, CostSource::Wait})
            if (isRecorded(m_snapshot.info, source))
                writeActivity(source);
        writeAlerts();
        writeProcesses();
        writeTrust(answers.coverage);
        m_out << "<script>" << kReportScript << "</script>\n</body></html>\n";
    }

private:
    void writeHead()
    {
        const SessionInfo &info = m_snapshot.info;
        const std::string command = escapedHtml(onOneLine(commandText(m_snapshot)));
        m_out
            << "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
            << "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
               "script-src 'unsafe-inline'\">\n"
            << "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" << command
            << "</title>\n<style>" << kReportStyle << "</style></head><body>\n<h1>" << command << "</h1>\n";
        std::string told = fmt::format("pid {} · {} · {} · {}", mainPid(m_snapshot), dateTimeOf(m_snapshot, {}),
            formatDuration(info.duration), endingText(m_snapshot));
        told += fmt::format(" · {}, {}, {} CPUs", info.host, info.kernel, info.cpuCount);
        paragraph(told, "muted");
        if (m_snapshot.span != TimeRange{{0}, {info.duration.ns}})
            paragraph(fmt::format("This report is about {} – {}.", formatOffset(m_snapshot.span.begin, true),
                formatOffset(m_snapshot.span.end, true)));
        if (info.unwritten)
            paragraph(unwrittenText(info) + '.', "warn-text");
        if (const std::string redacted = redactionText(info); !redacted.empty())
            paragraph(redacted);
        for (const std::string &note : {m_snapshot.coarsened, m_snapshot.damage})
            if (!note.empty())
                paragraph(note, "warn-text");
    }

    void writeCards(const Summary &answers)
    {
        constexpr std::array<std::string_view, 4> kStates{"unknown", "ok", "warn", "danger"};
        m_out << "<div class=\"cards\">\n";
        for (const SummaryCard &card : answers.cards)
            m_out << fmt::format(
                "<div class=\"card {}\"><div class=\"name muted\">{}</div><span class=\"number\">{}</span> "
                "<span class=\"qualifier\">{}</span><p>{}</p></div>\n",
                kStates.at(static_cast<std::size_t>(card.state)), escapedHtml(card.title), escapedHtml(card.number),
                escapedHtml(card.qualifier), escapedHtml(card.sentence));
        m_out << "</div>\n";
    }

    void writeAdvice(const Recommendations &found)
    {
        heading("Worth changing");
        if (found.items.empty())
            paragraph(found.sentence);
        const std::size_t count = std::min(found.items.size(), m_options.rows);
        for (std::size_t i = 0; i < count; ++i) {
            foldFrom(i, count);
            const Recommendation &item = found.items[i];
            m_out << "<div class=\"item\"><h3>" << escapedHtml(fmt::format("{}. {}", i + 1, item.title)) << "</h3>";
            if (!item.where.empty() || !item.place.empty())
                paragraph(item.place + (item.where.empty() ? "" : ", " + item.where), "muted");
            paragraph(item.advice);
            std::string evidence;
            for (const Evidence &one : item.evidence)
                evidence += (evidence.empty() ? "" : " · ") + one.what + ' ' + one.text;
            paragraph(evidence, "muted");
            if (!item.check.empty())
                paragraph("To check: " + item.check, "muted");
            if (!item.caution.empty())
                paragraph(item.caution, "warn-text");
            if (item.stack.isValid())
                writeStack(item.stack);
            m_out << "</div>\n";
        }
        endFold(count);
        sayMore(found.items.size());
    }

    void writeCharts()
    {
        heading("Over time");
        m_out << "<div class=\"charts\">\n";
        const auto line = [this](std::string label, std::string style, const SeriesSource &source) {
            return HtmlLine{std::move(label), std::move(style), timeSeries(m_snapshot, source)};
        };
        writeHtmlChart(m_out, m_snapshot, "Memory", Unit::Bytes,
            {line("resident", "memory", Metric::Rss), line("live heap", "heap", HeapQuantity::LiveBytes)});
        writeHtmlChart(m_out, m_snapshot, "CPU, 100 % is one core", seriesInfo(CpuQuantity::Used).unit,
            {line("used", "cpu", CpuQuantity::Used)});
        writeHtmlChart(m_out, m_snapshot, "Allocations", Unit::PerSecond,
            {line("allocated", "wait", HeapQuantity::AllocationRate)});
        writeHtmlChart(
            m_out, m_snapshot, "Threads", seriesInfo(Metric::Threads).unit, {line("threads", "wait", Metric::Threads)});
        m_out << "</div>\n";
    }

    void writeLeaks()
    {
        const LeakReport &report = *leaksOf(m_snapshot);
        heading("Leaks");
        paragraph(report.sentence);
        for (const std::string &note : report.notes)
            paragraph(note, "muted");
        const std::size_t count = std::min(report.items.size(), m_options.rows);
        for (std::size_t i = 0; i < count; ++i) {
            foldFrom(i, count);
            const LeakItem &item = report.items[i];
            m_out << "<div class=\"item\"><h3>"
                  << escapedHtml(item.title + (item.where.empty() ? "" : ", " + item.where)) << "</h3>";
            paragraph(std::string(leakTierLabel(item.tier)) + (item.isConfirmed ? "" : ", not confirmed yet"), "muted");
            m_out << "<ul>";
            for (const std::string &sentence : item.evidence)
                m_out << "<li>" << escapedHtml(sentence) << "</li>";
            m_out << "</ul>";
            if (!item.caution.empty())
                paragraph(item.caution, "warn-text");
            writeStack(item.stacks.front().stack);
            m_out << "</div>\n";
        }
        endFold(count);
        sayMore(report.items.size());
    }

    void writeLost()
    {
        const std::vector<std::shared_ptr<const MemoryScan>> scans = lastScans(m_snapshot);
        if (scans.empty())
            return;
        heading("Lost memory");
        for (const std::shared_ptr<const MemoryScan> &scan : scans)
            writeScan(*scan, scans.size() > 1);
    }

    void writeScan(const MemoryScan &scan, bool isOneOfMany)
    {
        if (isOneOfMany)
            m_out << "<h3>"
                  << escapedHtml(
                         fmt::format("pid {}, {}", pidOf(m_snapshot, scan.image), programOf(m_snapshot, scan.image)))
                  << "</h3>\n";
        paragraph(fmt::format("Scan {} at {}. {}", scan.id, formatOffset(scan.when), scanSentence(m_snapshot, scan)));
        paragraph(scanProofText(scan), "muted");
        paragraph(scanCostText(scan), "muted");
        HtmlTable sums({"blocks are", ">bytes", ">blocks"});
        for (std::size_t i = 0; i < kReachClassCount; ++i)
            sums.row({std::string(reachClassLabel(static_cast<ReachClass>(i))), bytesText(scan.sums[i].bytes),
                formatCount(scan.sums[i].blocks)});
        panel(sums);
        HtmlTable stacks({">lost", ">blocks", "function", "place"});
        std::size_t count = 0;
        for (const ScannedStack &stack : scan.stacks) {
            if (!isLost(stack) || count++ >= m_options.rows)
                continue;
            const BlockSum &direct = stack.sums[static_cast<std::size_t>(ReachClass::Directly)];
            const BlockSum &indirect = stack.sums[static_cast<std::size_t>(ReachClass::Indirectly)];
            const StackLine own = callerLine(m_functions, stack.stack);
            stacks.row({bytesText(direct.bytes + indirect.bytes), formatCount(direct.blocks + indirect.blocks),
                           shortFunctionName(own.name), placeOf(own)},
                stackText(stack.stack));
        }
        if (!stacks.isEmpty())
            panel(stacks);
        sayMore(count);
    }

    void writeHeap()
    {
        const HeapSummary &heap = m_snapshot.heapSummary;
        heading("Heap");
        paragraph(fmt::format("{} allocated in {}, {} of them temporary; at most {} live, at {}; {} in {} live "
                              "at the end{}.",
            bytesText(heap.allocatedBytes), formatCounted(heap.allocations, "block"),
            formatShareOf(temporariesAmong(heap.allocations, heap.temporaries), heap.allocations),
            bytesText(heap.peakBytes), formatOffset(heap.peakWhen), bytesText(heap.liveBytes),
            formatCounted(heap.liveBlocks, "block"), endsText(m_snapshot)));
        const std::vector<HeapModeChange> steps = heapStepsIn(m_snapshot, m_snapshot.span);
        if (isHeapSampled(m_snapshot))
            paragraph(isHeapPartlySampled(m_snapshot)
                    ? fmt::format("Recorded {}: what was sampled is an estimate, and so is what is live.",
                        partlySampledWords(m_snapshot))
                    : fmt::format("Sampled: one allocation each {} on average; every number is an estimate.",
                        bytesText(longestPeriod(m_snapshot))),
                "muted");
        constexpr std::size_t kMostSteps = 20;
        for (std::size_t i = 0; i < std::min(steps.size(), kMostSteps); ++i)
            paragraph(fmt::format("At {} the heap of {} changed {}.", formatOffset(steps[i].when, true),
                          processTextOf(m_snapshot, steps[i].image), heapStepWords(m_snapshot, steps[i])),
                "muted");
        if (steps.size() > kMostSteps)
            paragraph(fmt::format("There are {} more such changes.", steps.size() - kMostSteps), "muted");
        m_out << "<div class=\"panel\">";
        writeHtmlFlame(m_out, m_snapshot,
            {CostKind::Live, CostKind::Peak, CostKind::Allocated, CostKind::Allocations, CostKind::Temporary});
        m_out << "</div>\n";
        writeHeapStacks();
    }

    void writeHeapStacks()
    {
        const std::vector<CostKind> kinds{
            CostKind::Live, CostKind::LiveBlocks, CostKind::Peak, CostKind::Allocated, CostKind::Allocations};
        const StackCosts costs = stackCosts(m_snapshot, kinds);
        std::vector<std::size_t> order(costs.stacks.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::stable_sort(order.begin(), order.end(), [&costs](std::size_t a, std::size_t b) {
            const auto left = costs.of(a), right = costs.of(b);
            return std::tie(left[0], left[3]) > std::tie(right[0], right[3]);
        });
        HtmlTable table({">live", ">blocks", ">at the peak", ">allocated", ">times", "function", "place"});
        for (std::size_t i = 0; i < std::min(order.size(), m_options.rows); ++i) {
            const auto cost = costs.of(order[i]);
            const StackLine own = callerLine(m_functions, costs.stacks[order[i]]);
            table.row({bytesText(cost[0]), formatCount(cost[1]), bytesText(cost[2]), bytesText(cost[3]),
                          formatCount(cost[4]), shortFunctionName(own.name), placeOf(own)},
                stackText(costs.stacks[order[i]]));
        }
        m_out << "<h3>"
              << fmt::format("Stacks by live bytes, {} of {}", std::min(order.size(), m_options.rows), order.size())
              << "</h3>";
        panel(table);
    }

    void writeActivity(CostSource source)
    {
        const bool isWait = source == CostSource::Wait;
        heading(isWait ? "Waits" : "System calls");
        if (!m_snapshot.info.activityNote.empty())
            paragraph(m_snapshot.info.activityNote, "muted");
        const std::vector<ActivityTotal> totals = activityTotals(m_snapshot, source);
        if (totals.empty())
            return;
        m_out << "<div class=\"panel\">";
        writeHtmlFlame(m_out, m_snapshot, {isWait ? CostKind::WaitTime : CostKind::SystemCalls});
        m_out << "</div>\n";
        HtmlTable table({isWait ? "for" : "call", ">count", ">time", ">each", ">failed", ">bytes"});
        for (std::size_t i = 0; i < std::min(totals.size(), m_options.rows); ++i) {
            const ActivityTotal &total = totals[i];
            table.row({activityKey(total.activity), formatEstimate(total.count, total.estimated),
                          formatDuration({total.timeNs}),
                          formatDuration({total.timeNs / std::max<std::int64_t>(total.count, 1)}),
                          total.errors > 0 ? formatCount(total.errors) : std::string(),
                          total.bytes > 0 ? formatBytes(static_cast<double>(total.bytes)) : std::string()},
                activityKey(total.activity));
        }
        panel(table);
    }

    void writeCpu()
    {
        const CpuSummary &cpu = m_snapshot.cpuSummary;
        heading("CPU");
        paragraph(fmt::format("{} at {} Hz, {} of CPU time; {}.", formatCounted(cpu.samples, "sample"),
            m_snapshot.info.config.cpuHz, formatDuration({cpu.timeNs}), lostSamplesText(m_snapshot)));
        if (!m_snapshot.info.cpuNote.empty())
            paragraph(m_snapshot.info.cpuNote, "muted");
        if (cpu.samples == 0)
            return;
        if (const std::string missed = missedSamplesText(m_snapshot); !missed.empty())
            paragraph(missed, "muted");
        m_out << "<div class=\"panel\">";
        writeHtmlFlame(m_out, m_snapshot, {CostKind::CpuTime});
        m_out << "</div>\n";
        const FunctionTable functions = *functionTable(m_snapshot, CostKind::CpuTime);
        HtmlTable table({">rank", ">self", ">95 %", ">total", "function", "place"});
        const std::vector<HotFunction> all = hotFunctions(functions, sampleBase(m_snapshot), m_options.rows);
        const std::vector<NamedRow> rows = namedRows(*functions.functions, all);
        const std::vector<std::string> names = distinctNames(rows);
        for (std::size_t i = 0; i < all.size(); ++i) {
            const HotFunction &hot = all[i];
            table.row({std::to_string(hot.rank), formatShare(hot.selfShare),
                          fmt::format("{:.1f}–{:.1f}", hot.selfShare95.low * 100, hot.selfShare95.high * 100),
                          formatShare(hot.totalShare), names[i], rows[i].place},
                rows[i].name);
        }
        m_out << "<h3>Functions by their own time; equal ranks are ties</h3>";
        panel(table);
    }

    void writeAlerts()
    {
        if (m_snapshot.alerts.empty())
            return;
        heading("Alerts");
        HtmlTable table({">fired", ">lasted", ">value", ">worst", "alert", "condition"});
        for (const AlertEvent &alert : m_snapshot.alerts)
            table.row({formatOffset(alert.fired), alert.ended ? formatDuration(*alert.ended - alert.fired) : "went on",
                formatValue(alert.value, alert.unit), formatValue(alert.worst, alert.unit), alert.rule,
                alert.condition});
        panel(table);
    }

    void writeProcesses()
    {
        const ProgramTables &tables = *m_snapshot.tables;
        HtmlTable table({">pid", ">from", ">lived", "end", "heap", "command"});
        const std::vector<std::vector<ImageId>> images = imagesByProcess(tables);
        bool isAnyAlike = false;
        for (const ProcessRow &row : processRows(m_snapshot, images, m_options.rows)) {
            const Process &process = tables.processes[row.process];
            const std::vector<ImageId> &ran = images[row.process];
            if (const auto &alike = row.alike) {
                isAnyAlike = true;
                table.row({formatCount(alike->count) + " ×", formatOffset(tables.images[ran.back().index()].start),
                    "≤ " + formatDuration({alike->longestNs}), alike->end, alike->heap,
                    std::string(tables.text(tables.images[images[alike->longest].back().index()].commandLine))});
                continue;
            }
            for (const ImageId id : ran) {
                const Image &image = tables.images[id.index()];
                const bool isFirst = id == ran.front();
                const std::optional<Timestamp> end = image.end ? image.end : process.end;
                table.row({isFirst ? std::to_string(process.pid) : "", formatOffset(image.start),
                    end ? formatDuration(*end - image.start) : "", id == ran.back() ? endText(process) : "then exec",
                    std::string(heapStateText(image.heap, m_snapshot.info.config.heap)),
                    std::string(tables.text(image.commandLine))});
            }
        }
        heading("Processes");
        const bool isLong = tables.images.size() > m_options.rows;
        if (isLong)
            m_out << "<details><summary>" << formatCount(static_cast<std::int64_t>(tables.processes.size()))
                  << (tables.processes.size() == 1 ? " process</summary>" : " processes</summary>");
        panel(table);
        if (isAnyAlike)
            paragraph(
                "Many of one program are one row: from the first, the life and the command of the longest.", "muted");
        if (isLong)
            m_out << "</details>\n";
    }

    void writeTrust(const Coverage &trust)
    {
        heading("How far to trust this");
        paragraph(trust.sentence);
        m_out << "<ul>";
        for (const CoverageItem &item : trust.items)
            m_out << "<li" << (item.trust == Trust::Partial ? " class=\"warn-text\">" : ">")
                  << escapedHtml(fmt::format("{}: {}.", item.what, item.effect)) << "</li>\n";
        m_out << "</ul>";
        const std::int64_t recordedNs = std::max<std::int64_t>(m_snapshot.info.duration.ns, 1);
        paragraph(fmt::format("Made by Genesis Profiler {} from {} ({}); the recorder used {} of a core.",
                      m_snapshot.info.recorderVersion, fileNameOf(m_snapshot.file), bytesText(m_snapshot.fileBytes),
                      formatShareOf(m_snapshot.recorderCpuNs, recordedNs)),
            "muted");
    }

    void writeStack(StackId stack)
    {
        m_out << "<details><summary>Call stack</summary><ol class=\"stack\">";
        for (const StackLine &line : stackLines(m_functions, stack))
            m_out << "<li title=\"" << escapedHtml(line.name) << "\">" << escapedHtml(shortFunctionName(line.name))
                  << "<span class=\"muted\">" << escapedHtml(placeOf(line)) << "</span></li>";
        m_out << "</ol></details>";
    }

    /// The functions of a stack, leaf first, for a tool tip.
    std::string stackText(StackId stack)
    {
        std::string text;
        for (const StackLine &line : stackLines(m_functions, stack))
            text += (text.empty() ? "" : "\n") + shortFunctionName(line.name) + "  " + placeOf(line);
        return text;
    }

    static std::string placeOf(const StackLine &line)
    {
        const std::string place = shortPlace(line.file, line.line);
        return place.empty() ? line.moduleName : place;
    }

    /// Before item `i` of a list of `count`: what comes after the first few is opened by hand.
    void foldFrom(std::size_t i, std::size_t count)
    {
        if (i == kUnfolded)
            m_out << fmt::format("<details><summary>{} more</summary>\n", count - i);
    }

    void endFold(std::size_t count)
    {
        if (count > kUnfolded)
            m_out << "</details>\n";
    }

    /// Where a list has more than the rows that were asked for.
    void sayMore(std::size_t count)
    {
        if (count > m_options.rows)
            paragraph(fmt::format("… and {} more (--top)", count - m_options.rows), "muted");
    }

    void heading(std::string_view text) { m_out << "<h2>" << escapedHtml(text) << "</h2>\n"; }

    void paragraph(std::string_view text, std::string_view style = {})
    {
        m_out << (style.empty() ? std::string("<p>") : fmt::format("<p class=\"{}\">", style)) << escapedHtml(text)
              << "</p>\n";
    }

    void panel(const HtmlTable &table)
    {
        m_out << "<div class=\"panel\">";
        table.write(m_out);
        m_out << "</div>\n";
    }

    std::ostream &m_out;
    const Snapshot &m_snapshot;
    HtmlReportOptions m_options;
    FunctionIndex m_functions;
};

} // namespace

void writeSummaryHtml(std::ostream &out, const Snapshot &snapshot, const HtmlReportOptions &options)
{
    HtmlReport(out, snapshot, options).write();
}

} // namespace model

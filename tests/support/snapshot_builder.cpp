// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/snapshot_builder.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace tests {

using namespace model;

namespace {

constexpr std::int64_t kSampleNs = 5'000'000;

/// The next part of `text` up to `separator`, which is removed with it.
std::string_view takePart(std::string_view &text, char separator)
{
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

std::int64_t number(std::string_view text) { return std::strtoll(std::string(text).c_str(), nullptr, 0); }

struct Line
{
    std::string_view stack;
    std::int64_t value = 0;
    bool isTemporary = false;
};

/// Splits `main;f g 64 temporary` from its end, because function names may have spaces.
Line parseLine(std::string_view text)
{
    Line line;
    constexpr std::string_view kTemporary = " temporary";
    if (text.ends_with(kTemporary)) {
        line.isTemporary = true;
        text.remove_suffix(kTemporary.size());
    }
    const std::size_t space = text.rfind(' ');
    if (space == std::string_view::npos)
        throw std::invalid_argument("no number in \"" + std::string(text) + '"');
    line.stack = text.substr(0, space);
    line.value = number(text.substr(space + 1));
    return line;
}

template <typename Function> void forEachLine(std::string_view lines, Function function)
{
    while (!lines.empty()) {
        std::string_view line = takePart(lines, '\n');
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        if (!line.empty())
            function(parseLine(line));
    }
}

SourceLine sourceLine(TableBuilder &tables, std::string_view text)
{
    const std::string_view name = takePart(text, '@');
    const std::string_view file = takePart(text, ':');
    return {tables.string(name), tables.string(file), static_cast<std::uint32_t>(number(text))};
}

} // namespace

SnapshotBuilder::SnapshotBuilder()
{
    m_process = m_tables.addProcess({.pid = 100});
    m_image = m_tables.addImage({.process = m_process,
        .executable = m_tables.string("/usr/bin/app"),
        .commandLine = m_tables.string("app --fast"),
        .heap = HeapState::Full});
    m_thread = m_tables.addThread({.process = m_process, .tid = 100, .name = m_tables.string("app")});
    m_snapshot.file = "app.gprof-session";
    m_snapshot.info.config.command = {"app", "--fast"};
    m_snapshot.info.state = SessionState::Complete;
    m_snapshot.info.startWallNs = 1'700'000'000'000'000'000;
    m_snapshot.info.utcOffset = "+00:00";
    m_snapshot.info.cpuCount = 2;
    m_snapshot.info.cpuEvent = "cpu-clock";
    ticks(10, Duration::fromMs(1000));
}

SnapshotBuilder &SnapshotBuilder::ticks(std::size_t count, Duration length)
{
    m_snapshot.tickEnds.clear();
    for (std::size_t i = 1; i <= count; ++i)
        m_snapshot.tickEnds.push_back({static_cast<std::int64_t>(i) * length.ns});
    m_snapshot.span = {{0}, {static_cast<std::int64_t>(count) * length.ns}};
    m_snapshot.info.duration = m_snapshot.span.length();
    return *this;
}

FrameId SnapshotBuilder::frame(std::string_view text)
{
    if (const auto known = m_frames.find(text); known != m_frames.end())
        return known->second;
    std::string_view rest = text;
    std::string path = "/usr/bin/app";
    if (const std::size_t mark = text.find('!'); mark != std::string_view::npos) {
        path = "/usr/lib/" + std::string(text.substr(0, mark));
        rest.remove_prefix(mark + 1);
    }
    const bool hasSymbol = !rest.starts_with('+');
    const std::uint64_t address
        = hasSymbol ? 0x1000 + 16 * m_frames.size() : static_cast<std::uint64_t>(number(rest.substr(1)));
    const FrameId id = m_tables.frame(m_tables.module(path, "", ModuleKind::File), address, FrameKind::ReturnAddress);
    std::vector<SourceLine> lines;
    while (hasSymbol && !rest.empty())
        lines.insert(lines.begin(), sourceLine(m_tables, takePart(rest, '|')));
    m_tables.setSymbols(id, hasSymbol ? FrameSymbols::State::Resolved : FrameSymbols::State::NoSymbol, lines);
    m_frames.emplace(text, id);
    return id;
}

StackId SnapshotBuilder::stack(std::string_view text)
{
    StackId node = TableBuilder::root(StackEnd::ReachedStart);
    for (std::uint32_t end = 1; end < kStackEndCount; ++end) {
        const std::string_view name = stackEndText(static_cast<StackEnd>(end));
        if (text.starts_with(name)) {
            node = StackId(end);
            text.remove_prefix(std::min(name.size() + 1, text.size()));
        }
    }
    while (!text.empty())
        node = m_tables.stack(node, frame(takePart(text, ';')));
    return node;
}

HeapCost &SnapshotBuilder::heapRow(StackId id)
{
    std::vector<HeapCost> &rows = m_snapshot.heap;
    const auto found = std::find_if(rows.begin(), rows.end(), [id](const HeapCost &row) { return row.stack == id; });
    if (found != rows.end())
        return *found;
    rows.push_back({.image = m_image, .stack = id});
    return rows.back();
}

SnapshotBuilder &SnapshotBuilder::heap(std::string_view lines)
{
    forEachLine(lines, [this](const Line &line) {
        HeapCost &row = heapRow(stack(line.stack));
        if (line.value >= 0) {
            ++row.allocations;
            row.allocatedBytes += line.value;
        }
        if (line.value < 0 || line.isTemporary) {
            ++row.frees;
            row.freedBytes += std::abs(line.value);
        }
        row.temporaries += line.isTemporary ? 1 : 0;
        row.temporaryBytes += line.isTemporary ? line.value : 0;
        row.liveBytes = row.liveBytesAtBegin + row.allocatedBytes - row.freedBytes;
        row.liveBlocks = row.liveBlocksAtBegin + row.allocations - row.frees;
        row.peakBytes = row.liveBytes;
        row.peakBlocks = row.liveBlocks;
    });
    return *this;
}

SnapshotBuilder &SnapshotBuilder::cpu(std::string_view lines)
{
    forEachLine(lines, [this](const Line &line) {
        m_snapshot.cpu.push_back({m_thread, m_image, stack(line.stack), line.value, line.value * kSampleNs});
    });
    return *this;
}

SnapshotBuilder &SnapshotBuilder::growth(std::string_view text, const std::vector<std::int64_t> &liveBytes)
{
    const StackId id = stack(text);
    m_snapshot.growthTimes.clear();
    for (std::size_t i = 1; i <= liveBytes.size(); ++i)
        m_snapshot.growthTimes.push_back(
            {m_snapshot.span.length().ns * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(liveBytes.size())});
    m_snapshot.heapGrowth.push_back({m_image, id, liveBytes, std::vector<std::int64_t>(liveBytes.size(), 1)});
    HeapCost &row = heapRow(id);
    row.liveBytes = liveBytes.back();
    row.liveBlocks = 1 + liveBytes.back() / 64;
    row.allocations = row.liveBlocks;
    row.allocatedBytes = row.liveBytes;
    return *this;
}

SnapshotBuilder &SnapshotBuilder::metric(Metric metric, const std::vector<std::int64_t> &values)
{
    if (m_snapshot.metrics.empty())
        m_snapshot.metrics.push_back({.process = m_process});
    MetricSeries &series = m_snapshot.metrics.front();
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (series.times.size() <= i) {
            series.times.push_back(m_snapshot.tickEnds.at(i));
            series.values.emplace_back();
        }
        series.values[i].set(metric, values[i]);
    }
    return *this;
}

Snapshot SnapshotBuilder::build()
{
    Snapshot snapshot = m_snapshot;
    snapshot.tables = std::make_shared<const ProgramTables>(m_tables.tables());
    for (const HeapCost &row : snapshot.heap) {
        HeapSummary &sum = snapshot.heapSummary;
        sum.allocations += row.allocations;
        sum.allocatedBytes += row.allocatedBytes;
        sum.frees += row.frees;
        sum.freedBytes += row.freedBytes;
        sum.temporaries += row.temporaries;
        sum.liveBytes += row.liveBytes;
        sum.liveBlocks += row.liveBlocks;
        sum.peakBytes += row.peakBytes;
        sum.peakBlocks += row.peakBlocks;
    }
    for (const CpuCost &row : snapshot.cpu) {
        snapshot.cpuSummary.samples += row.samples;
        snapshot.cpuSummary.timeNs += row.timeNs;
    }
    snapshot.stackQuality.distinct = std::max(
        snapshot.stackQuality.distinct, static_cast<std::int64_t>(snapshot.heap.size() + snapshot.cpu.size()));
    return snapshot;
}

} // namespace tests

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/text_processes.h"

#include "model/aggregate/process_images.h"
#include "model/base/format_units.h"
#include "model/report/alike_processes.h"
#include "model/report/session_words.h"
#include "model/report/text_parts.h"
#include "model/report/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace model {

namespace {

/// The least life of the processes that are worth a line of their own: where there are many, a hundredth of the recording, and the longest
/// ones of a screenful.
std::int64_t leastLife(const Snapshot &snapshot, std::size_t few, std::size_t most)
{
    std::vector<std::int64_t> lives;
    for (const Process &process : snapshot.tables->processes)
        lives.push_back(lifeNs(snapshot, process));
    if (lives.size() <= few)
        return 0;
    std::sort(lives.begin(), lives.end(), std::greater());
    const std::int64_t hundredth = std::min(snapshot.info.duration.ns / 100, lives[0]);
    return lives.size() > most ? std::max(hundredth, lives[most - 1]) : hundredth;
}

/// Whether what a process ran at first was its parent's program, for some milliseconds between its fork and its exec: no program of its own.
bool isForkOnly(const Snapshot &snapshot, const Process &process, const std::vector<ImageId> &images)
{
    constexpr Duration kLongest = Duration::fromMs(100);
    if (images.size() < 2 || !process.parent.isValid())
        return false;
    const Image &first = snapshot.tables->images[images[0].index()];
    const std::int64_t livedNs = (snapshot.tables->images[images[1].index()].start - first.start).ns;
    return livedNs <= kLongest.ns && (first.heap == HeapState::Inherited || first.heap == HeapState::Off);
}

/// A process, the programs it ran in their order; of a long chain of them the first and the last.
void addProcess(TextTable &table, const Snapshot &snapshot, const Process &process, std::vector<ImageId> images)
{
    constexpr std::size_t kMostImages = 4;
    const ProgramTables &tables = *snapshot.tables;
    if (isForkOnly(snapshot, process, images))
        images.erase(images.begin());
    for (std::size_t i = 0; i < images.size(); ++i) {
        if (images.size() > kMostImages && i == 1) {
            const std::size_t between = images.size() - 2;
            table.row({"", "", "", "", "", fmt::format("… {} programs in between", between)});
            i += between - 1;
            continue;
        }
        const Image &image = tables.images[images[i].index()];
        const std::optional<Timestamp> end = image.end ? image.end : process.end;
        table.row({i == 0 ? std::to_string(process.pid) : "", formatOffset(image.start),
            end ? formatDuration(*end - image.start) : "", i + 1 == images.size() ? endText(process) : "then exec",
            std::string(heapStateText(image.heap, snapshot.info.config.heap)), tables.text(image.commandLine)});
    }
}

/// ": wc (302), bash (301) and 4 other programs", the most frequent first; empty where there are none.
std::string programsText(const std::map<std::string_view, std::int64_t> &counts)
{
    constexpr std::size_t kShown = 3;
    std::vector<std::pair<std::int64_t, std::string_view>> order;
    for (const auto &[name, count] : counts)
        order.emplace_back(-count, name);
    std::sort(order.begin(), order.end());
    std::string text;
    for (std::size_t i = 0; i < std::min(order.size(), kShown); ++i)
        text += fmt::format("{}{} ({})", i == 0 ? ": " : ", ", order[i].second, formatCount(-order[i].first));
    const std::size_t rest = order.size() - std::min(order.size(), kShown);
    return rest == 0 ? text : fmt::format("{} and {} other program{}", text, rest, rest == 1 ? "" : "s");
}

} // namespace

void writeProcesses(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    const ProgramTables &tables = *snapshot.tables;
    TextTable table(
        {{"pid", Align::Right}, {"from", Align::Right}, {"lived", Align::Right}, {"end"}, {"heap"}, {"command"}});
    const std::size_t most = mostRows(options, 20);
    const std::int64_t least = options.rows > 0 ? leastLife(snapshot, most, most) : leastLife(snapshot, 8, most);
    const std::vector<std::vector<ImageId>> images = imagesByProcess(tables);
    std::size_t shown = 0, told = 0;
    std::map<std::string_view, std::int64_t> others; ///< not shown, by program
    bool isAnyAlike = false;
    for (const ProcessRow &row : processRows(snapshot, images, most)) {
        const std::int64_t count = row.alike ? row.alike->count : 1;
        if (row.lifeNs < least || shown == most) {
            if (!row.name.empty())
                others[row.name] += count;
            continue;
        }
        ++shown;
        told += static_cast<std::size_t>(count);
        const std::vector<ImageId> &ran = images[row.process];
        if (!row.alike) {
            addProcess(table, snapshot, tables.processes[row.process], ran);
            continue;
        }
        isAnyAlike = true;
        const Image &longest = tables.images[images[row.alike->longest].back().index()];
        table.row({formatCount(count) + " ×", formatOffset(tables.images[ran.back().index()].start),
            "≤ " + formatDuration({row.lifeNs}), row.alike->end, row.alike->heap, tables.text(longest.commandLine)});
    }
    if (table.isEmpty())
        return;
    writeHeading(out, "Processes");
    table.write(out, options.columns, 2);
    if (isAnyAlike)
        writeWrapped(out,
            "Many of one program are one row: from the first, the life and the command of the longest (genprof sql "
            "FILE \"SELECT * FROM v_process\" and --format json list each, --process PID reports one).",
            options.columns, 2);
    const auto withImages = static_cast<std::size_t>(
        std::count_if(images.begin(), images.end(), [](const auto &ran) { return !ran.empty(); }));
    if (told < withImages)
        writeWrapped(out,
            fmt::format("… and {} more that lived no longer than {}{} (--format json lists all)",
                formatCount(static_cast<std::int64_t>(withImages - told)), formatDuration({least}),
                programsText(others)),
            options.columns, 2);
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/unrecorded_heap.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace model {

namespace {

bool isUntraced(const Image &image) { return image.heap == HeapState::NotTraced || image.heap == HeapState::Dormant; }

bool hasEvents(const HeapTick &tick)
{
    return tick.allocations != 0 || tick.frees != 0 || tick.unknownFrees != 0 || tick.liveBytes != 0;
}

/// The first sentence of a note: the rest is what to do about it.
std::string firstSentence(const std::string &note)
{
    const std::string text = note.substr(0, note.find(". "));
    return text.substr(0, text.find_last_not_of('.') + 1);
}

} // namespace

bool isHeapRecorded(const Snapshot &snapshot, std::optional<ProcessId> process)
{
    if (snapshot.info.config.heap == HeapMode::Off)
        return false;
    if (!process)
        process = snapshot.selection.process;
    const std::vector<Image> &images = snapshot.tables->images;
    const auto isAsked = [&](ImageId image) {
        return !process || (image.index() < images.size() && images[image.index()].process == *process);
    };
    // Where any of it was traced, none of it is a gap: older files say of some programs that were traced nothing at all.
    const bool isKnownGap = std::any_of(images.begin(), images.end(),
        [&](const Image &image) { return (!process || image.process == *process) && isUntraced(image); });
    const bool isTraced = std::any_of(images.begin(), images.end(), [&](const Image &image) {
        const bool traces
            = image.heap == HeapState::Full || image.heap == HeapState::Inherited || image.heap == HeapState::Attached;
        return (!process || image.process == *process) && traces;
    });
    if (!isKnownGap || isTraced)
        return true;
    return std::any_of(snapshot.heap.begin(), snapshot.heap.end(), [&](const HeapCost &row) {
        return isAsked(row.image);
    }) || std::any_of(snapshot.heapSeries.begin(), snapshot.heapSeries.end(), [&](const HeapSeries &series) {
        return isAsked(series.image) && std::any_of(series.ticks.begin(), series.ticks.end(), hasEvents);
    });
}

std::optional<std::string> whyNoHeap(const Snapshot &snapshot)
{
    if (isHeapRecorded(snapshot))
        return std::nullopt;
    std::string why;
    for (const Image &image : snapshot.tables->images) {
        const bool isSelected = !snapshot.selection.process || image.process == *snapshot.selection.process;
        const std::string note = isSelected ? firstSentence(snapshot.tables->text(image.heapNote)) : std::string();
        if (!note.empty() && !why.empty() && why != note)
            return "The heap was not recorded: none of the programs could be traced.";
        why = note.empty() ? why : note;
    }
    return why.empty() || snapshot.info.config.heap == HeapMode::Off ? "The heap was not recorded."
                                                                     : "The heap was not recorded: " + why + '.';
}

std::string heapOwners(const Snapshot &snapshot)
{
    const ProgramTables &tables = *snapshot.tables;
    std::map<std::string_view, std::int64_t> known, unknown; // allocations, processes
    const auto isAsked = [&](const Image &image) {
        return !snapshot.selection.process || image.process == *snapshot.selection.process;
    };
    for (const Image &image : tables.images)
        if (isAsked(image) && isUntraced(image))
            ++unknown[tables.programName(image)];
    for (const HeapCost &row : snapshot.heap)
        if (row.image.index() < tables.images.size())
            known[tables.programName(tables.images[row.image.index()])] += row.allocations;
    std::erase_if(known, [](const auto &program) { return program.first.empty(); });
    std::erase_if(unknown, [&](const auto &program) { return program.first.empty() || known.contains(program.first); });
    if (unknown.empty() || known.empty())
        return {};
    const auto names = [](const std::map<std::string_view, std::int64_t> &programs) {
        constexpr std::size_t kShown = 2;
        std::vector<std::pair<std::int64_t, std::string_view>> order;
        for (const auto &[name, weight] : programs)
            order.emplace_back(-weight, name);
        std::sort(order.begin(), order.end());
        std::string text;
        for (std::size_t i = 0; i < std::min(order.size(), kShown); ++i)
            text += (i > 0 ? ", " : "") + std::string(order[i].second);
        return order.size() > kShown ? fmt::format("{} and {} more", text, order.size() - kShown) : text;
    };
    return fmt::format("of {} alone; of {} nothing is known, see below", names(known), names(unknown));
}

} // namespace model

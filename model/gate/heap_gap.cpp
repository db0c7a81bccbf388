// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/gate/heap_gap.h"

#include "model/base/covered_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace model {

namespace {

bool isUntraced(const Image &image) { return image.heap == HeapState::NotTraced || image.heap == HeapState::Dormant; }

bool isTraced(const Image &image)
{
    return image.heap == HeapState::Full || image.heap == HeapState::Inherited || image.heap == HeapState::Attached;
}

/// "The heap of g_al was not traced: It was started without …".
std::string untracedText(const ProgramTables &tables, const Image &image)
{
    const std::string_view name = tables.programName(image);
    std::string note = tables.text(image.heapNote);
    if (note.empty())
        return fmt::format("The heap of {} was not traced.", name.empty() ? "a program" : name);
    if (!note.ends_with('.'))
        note += '.';
    return fmt::format("The heap of {} was not (wholly) traced: {}", name.empty() ? "a program" : name, note);
}

/// When an image ran.
TimeRange lifeOf(const Snapshot &snapshot, const Image &image)
{
    return {image.start, std::max(image.end.value_or(snapshot.span.end), image.start)};
}

} // namespace

HeapGap heapGap(const Snapshot &snapshot)
{
    const ProgramTables &tables = *snapshot.tables;
    const std::vector<Image> &images = tables.images;
    const Image *last = nullptr;    // that the command's process became
    const Image *longest = nullptr; // of those that were not traced
    std::set<std::string_view> names;
    std::int64_t untraced = 0;
    std::vector<TimeRange> lives; // of those; many may run at once
    for (const Image &image : images) {
        if (image.process == images.front().process && (last == nullptr || image.epoch >= last->epoch))
            last = &image;
        if (!isUntraced(image))
            continue;
        ++untraced;
        lives.push_back(lifeOf(snapshot, image));
        names.insert(tables.programName(image));
        if (longest == nullptr || lives.back().length() > lifeOf(snapshot, *longest).length())
            longest = &image;
    }
    if (longest == nullptr)
        return {std::any_of(images.begin(), images.end(), isTraced) ? "" : "The heap was not traced.", {}};
    if (isUntraced(*last))
        return {untracedText(tables, *last), {}};
    const std::string text = untracedText(tables, *longest);
    const std::int64_t untracedNs = coveredTime(std::move(lives)).ns;
    if (2 * untracedNs >= snapshot.span.length().ns || std::none_of(images.begin(), images.end(), isTraced))
        return {text, {}};
    return {{},
        text
            + (untraced == 1 ? " Its allocations are in no figure."
                    : names.size() == 1
                    ? fmt::format(" So it was {} times; those allocations are in no figure.", untraced)
                    : fmt::format(" So it was with {} processes; their allocations are in no figure.", untraced))};
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/gate/heap_gap.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

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

/// How long an image ran, in the time that was recorded.
std::int64_t livedNs(const Snapshot &snapshot, const Image &image)
{
    return std::max<std::int64_t>(image.end.value_or(snapshot.span.end).ns - image.start.ns, 0);
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
    std::int64_t untracedNs = 0;
    for (const Image &image : images) {
        if (image.process == images.front().process && (last == nullptr || image.epoch >= last->epoch))
            last = &image;
        if (!isUntraced(image))
            continue;
        ++untraced;
        untracedNs += livedNs(snapshot, image);
        names.insert(tables.programName(image));
        if (longest == nullptr || livedNs(snapshot, image) > livedNs(snapshot, *longest))
            longest = &image;
    }
    if (longest == nullptr)
        return {std::any_of(images.begin(), images.end(), isTraced) ? "" : "The heap was not traced.", {}};
    if (isUntraced(*last))
        return {untracedText(tables, *last), {}};
    const std::string text = untracedText(tables, *longest);
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

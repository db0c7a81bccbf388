// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/untraced_programs.h"

#include "model/base/format_units.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace model {

namespace {

constexpr std::string_view kOwnAllocator = "defines malloc itself";

bool isUntraced(const Image &image) { return image.heap == HeapState::NotTraced || image.heap == HeapState::Dormant; }

bool isNamed(const UntracedPrograms &one, const std::string &name)
{
    return std::find(one.names.begin(), one.names.end(), name) != one.names.end();
}

void addImage(const ProgramTables &tables, const Image &image, std::vector<UntracedPrograms> &all)
{
    const std::string &note = tables.text(image.heapNote);
    if (!isUntraced(image) && note.empty())
        return;
    const Trust trust = isUntraced(image) ? Trust::Partial : Trust::Minor;
    const std::string why = note.empty() ? "not traced" : note.substr(0, note.find_last_not_of('.') + 1);
    const std::string program = pathOrNumber(tables, image);
    // A program with an allocator of its own is traced nowhere: where else one of its processes runs says no more.
    auto same = std::find_if(all.begin(), all.end(), [&](const UntracedPrograms &one) {
        return one.trust == trust
            && (one.why == why || (one.why.find(kOwnAllocator) != std::string::npos && isNamed(one, program)));
    });
    if (same == all.end())
        same = all.insert(all.end(), {trust, why, {}, 0});
    ++same->images;
    if (!isNamed(*same, program))
        same->names.push_back(program);
}

} // namespace

std::string UntracedPrograms::what() const
{
    constexpr std::size_t kShown = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i)
        text += (i > 0 ? ", " : "") + names[i];
    if (names.size() > kShown)
        text += fmt::format(" and {} more", names.size() - kShown);
    if (images > names.size())
        text += fmt::format(" ({} processes)", formatCount(static_cast<std::int64_t>(images)));
    return fmt::format("Heap of {}: {}", text, why);
}

std::string UntracedPrograms::effect() const
{
    return fmt::format("{} allocations are not (all) in the totals", images == 1 ? "its" : "their");
}

std::vector<UntracedPrograms> untracedPrograms(const ProgramTables &tables)
{
    std::vector<UntracedPrograms> all;
    for (const bool hasAllocator : {true, false})
        for (const Image &image : tables.images)
            if ((tables.text(image.heapNote).find(kOwnAllocator) != std::string::npos) == hasAllocator)
                addImage(tables, image, all);
    return all;
}

std::string pathOrNumber(const ProgramTables &tables, const Image &image)
{
    const std::string &path = tables.text(image.executable);
    if (!path.empty() || image.process.index() >= tables.processes.size())
        return path;
    return fmt::format("a short-lived program (process {})", tables.processes[image.process.index()].pid);
}

TracedPrograms tracedPrograms(const ProgramTables &tables)
{
    TracedPrograms programs;
    for (const Image &image : tables.images) {
        const bool isCopy = image.epoch == 0 && tables.processes[image.process.index()].parent.isValid();
        if (image.heap == HeapState::Off || (isCopy && !isUntraced(image)))
            continue;
        ++programs.all;
        programs.traced += !isUntraced(image) && image.heap != HeapState::Waiting ? 1 : 0;
    }
    return programs;
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/alike_processes.h"

#include "model/report/session_words.h"

#include <map>
#include <set>

namespace model {

namespace {

constexpr std::int64_t kAlike = 4; ///< processes of a program: so few are told one by one

} // namespace

std::int64_t lifeNs(const Snapshot &snapshot, const Process &process)
{
    return (process.end.value_or(Timestamp{snapshot.info.duration.ns}) - process.start).ns;
}

namespace {

/// By program, where so many processes run that they do not fit and most are alike. Empty where each has its row.
std::map<std::string_view, AlikeProcesses> alikeProcesses(
    const Snapshot &snapshot, const std::vector<std::vector<ImageId>> &images, std::size_t most)
{
    const ProgramTables &tables = *snapshot.tables;
    std::map<std::string_view, AlikeProcesses> programs;
    std::size_t count = 0;
    for (std::size_t i = 0; i < images.size(); ++i) {
        if (images[i].empty())
            continue;
        ++count;
        const Process &process = tables.processes[i];
        const Image &image = tables.images[images[i].back().index()];
        const std::string_view name = tables.programName(image);
        if (!process.parent.isValid() || name.empty())
            continue; // what was started stands for itself
        AlikeProcesses &row = programs[name];
        const std::string end = endText(process);
        const std::string heap(heapStateText(image.heap, snapshot.info.config.heap));
        row.end = row.count == 0 || row.end == end ? end : "various";
        row.heap = row.count == 0 || row.heap == heap ? heap : "various";
        if (const std::int64_t lived = lifeNs(snapshot, process); row.count++ == 0 || lived > row.longestNs) {
            row.longestNs = lived;
            row.longest = i;
        }
    }
    if (count <= most)
        return {};
    std::erase_if(programs, [](const auto &program) { return program.second.count <= kAlike; });
    return programs;
}

} // namespace

std::vector<ProcessRow> processRows(
    const Snapshot &snapshot, const std::vector<std::vector<ImageId>> &images, std::size_t most)
{
    const ProgramTables &tables = *snapshot.tables;
    std::map<std::string_view, AlikeProcesses> alike = alikeProcesses(snapshot, images, most);
    std::set<std::string_view> told;
    std::vector<ProcessRow> rows;
    for (std::size_t i = 0; i < images.size(); ++i) {
        if (images[i].empty())
            continue;
        const Process &process = tables.processes[i];
        const std::string_view name = tables.programName(tables.images[images[i].back().index()]);
        const auto group = process.parent.isValid() ? alike.find(name) : alike.end();
        if (group == alike.end())
            rows.push_back({i, name, lifeNs(snapshot, process), std::nullopt});
        else if (told.insert(name).second)
            rows.push_back({i, name, group->second.longestNs, group->second});
    }
    return rows;
}

} // namespace model

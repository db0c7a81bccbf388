// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/closing_lines.h"

#include "app/duration_text.h"
#include "app/status_line.h"
#include "model/analysis/untraced_programs.h"
#include "model/base/format_counted.h"
#include "model/base/format_units.h"
#include "model/report/session_words.h"

#include <fmt/format.h>

#include <algorithm>

namespace app {

namespace {

constexpr std::size_t kMostReasons = 3; ///< of which each has a line
constexpr std::int64_t kTolerated = 10; ///< a part of the time that was asked for may be over it and not told of

/// "heap of 1 of 2 programs"; empty where all were traced: allocations that nobody could see are no zero.
std::string heapOfText(const model::TracedPrograms &programs)
{
    if (programs.traced == programs.all)
        return {};
    return fmt::format(
        "heap of {} of {}", programs.traced, model::formatCounted(static_cast<std::int64_t>(programs.all), "program"));
}

bool isSaid(const std::vector<std::string> &notes, const std::string &why)
{
    return std::any_of(
        notes.begin(), notes.end(), [&why](const std::string &note) { return note.find(why) != std::string::npos; });
}

} // namespace

std::vector<std::string> closingLines(const capture::RecordingStatus &status, const model::ProgramTables &tables,
    const std::vector<std::string> &notes, const std::string &session, const std::optional<model::Duration> &asked)
{
    std::vector<std::string> lines;
    std::vector<model::UntracedPrograms> untraced = model::untracedPrograms(tables);
    std::erase_if(untraced, [&notes](const model::UntracedPrograms &one) {
        return one.trust != model::Trust::Partial || isSaid(notes, one.why);
    });
    const std::size_t shown = std::min(untraced.size(), kMostReasons);
    for (std::size_t i = 0; i < shown; ++i)
        lines.push_back(fmt::format("{}: {}", untraced[i].what(), untraced[i].effect()));
    if (untraced.size() > shown)
        lines.push_back(
            fmt::format("The heap of others is missing for {} more reasons (see genprof report --what losses)",
                untraced.size() - shown));
    if (asked && status.durationNs - asked->ns > asked->ns / kTolerated)
        lines.push_back(fmt::format("The recording lasted {}, and {} was asked for: it could not be ended in time",
            durationText({status.durationNs}), durationText(*asked)));
    lines.push_back(fmt::format("{} in {} ({})", recordedText(status, heapOfText(model::tracedPrograms(tables))),
        session, model::formatBytes(static_cast<double>(status.fileBytes))));
    const std::string file = model::quotedForShell(session);
    lines.push_back(fmt::format("genprof report {} prints it, genesis-profiler {} shows it", file, file));
    return lines;
}

} // namespace app

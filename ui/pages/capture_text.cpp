// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/csv_writer.h"
#include "ui/pages/capture_page.h"

namespace ui {

namespace {

std::string_view heapStateKey(model::HeapState state)
{
    switch (state) {
    case model::HeapState::Off:
        return "off";
    case model::HeapState::Waiting:
        return "waiting";
    case model::HeapState::Full:
        return "full";
    case model::HeapState::Dormant:
        return "dormant";
    case model::HeapState::NotTraced:
        return "not_traced";
    case model::HeapState::Inherited:
        return "inherited";
    case model::HeapState::Attached:
        return "attached";
    }
    return "";
}

std::string_view gapKey(model::GapKind kind)
{
    switch (kind) {
    case model::GapKind::Paused:
        return "paused";
    case model::GapKind::TargetStopped:
        return "target_stopped";
    case model::GapKind::RecorderStopped:
        return "recorder_stopped";
    }
    return "";
}

std::string_view markKey(model::MarkKind kind)
{
    return kind == model::MarkKind::User ? "mark" : kind == model::MarkKind::Alert ? "alert" : "process";
}

} // namespace

void writeMomentsCsv(std::ostream &out, const model::Snapshot &snapshot)
{
    model::CsvWriter csv(out);
    csv.row("begin_s", "end_s", "kind", "text");
    for (const model::Gap &gap : snapshot.gaps)
        csv.row(gap.span.begin.seconds(), gap.span.end.seconds(), gapKey(gap.kind), "");
    for (const model::Mark &mark : snapshot.marks)
        csv.row(mark.when.seconds(), mark.when.seconds(), markKey(mark.kind), mark.text);
}

void writeProcessesCsv(std::ostream &out, const model::Snapshot &snapshot)
{
    const model::ProgramTables &tables = *snapshot.tables;
    const auto seconds = [](const std::optional<model::Timestamp> &when) {
        return when ? std::optional(when->seconds()) : std::nullopt;
    };
    model::CsvWriter csv(out);
    csv.row("pid", "parent_pid", "image", "begin_s", "end_s", "wait_status", "executable", "command_line", "heap",
        "heap_note");
    for (const model::Image &image : tables.images) {
        const model::Process &process = tables.processes.at(image.process.index());
        const auto parentPid
            = process.parent.isValid() ? std::optional(tables.processes.at(process.parent.index()).pid) : std::nullopt;
        csv.row(process.pid, parentPid, image.epoch, image.start.seconds(), seconds(image.end),
            image.end == process.end ? process.waitStatus : std::nullopt, // an exec before it has none
            tables.text(image.executable), tables.text(image.commandLine), heapStateKey(image.heap),
            tables.text(image.heapNote));
    }
}

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/recording/control_protocol.h"
#include "model/aggregate/cost_kind.h"
#include "model/base/units.h"
#include "model/capture_config.h"
#include "model/event_batch.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace app {

/// `genprof record` and `genprof attach`; which of them, CaptureConfig::attachPid tells.
struct RecordOptions
{
    model::CaptureConfig config;
    std::string output;    ///< path of the session; empty: named after the command and the time
    bool thenKill = false; ///< end the command when the recording ends before it
    bool isQuiet = false;  ///< no status line and no closing line; failures are still said
};

/// `genprof ctl`.
struct ControlOptions
{
    std::string file;
    capture::ControlRequest request;
    bool asJson = false;
};

enum class ReportView : std::uint8_t { Summary, Metrics, Heap, Cpu, Lost, Losses };
enum class ReportFormat : std::uint8_t { Text, Csv, Json, Collapsed };

/// `genprof report`.
struct ReportOptions
{
    std::string file;
    ReportView view = ReportView::Summary;
    std::optional<model::AreaKind> area; ///< with ReportView::Heap: of mappings or pools instead of malloc's blocks
    model::CostKind cost = model::CostKind::Live;
    ReportFormat format = ReportFormat::Text;
    std::optional<model::Duration> from; ///< since the begin of the recording
    std::optional<model::Duration> to;
    std::optional<std::int32_t> pid; ///< only the process with this pid
    std::size_t top = 0;             ///< rows of a table; 0: as many as the view shows by itself
    std::string output;              ///< empty: standard output
};

/// `genprof doctor`.
struct DoctorOptions
{
    std::optional<std::int32_t> pid; ///< whether this process can be attached to, instead of what the machine allows
    bool asJson = false;
};

/// `genprof list`.
struct ListOptions
{
    std::size_t most = 20;
};

/// Nothing is left to do but to print: help, the version, or what is wrong with the command line.
struct PrintAndExit
{
    std::string text;
    int exitCode = 0; ///< 0: `text` goes to standard output, else to standard error
};

using Command = std::variant<PrintAndExit, RecordOptions, ControlOptions, ReportOptions, DoctorOptions, ListOptions>;

} // namespace app

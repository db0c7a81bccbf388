// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/check_options.h"
#include "app/passphrase.h"
#include "capture/recording/control_protocol.h"
#include "model/aggregate/cost_kind.h"
#include "model/base/units.h"
#include "model/capture_config.h"
#include "model/event_batch.h"
#include "model/report/query_writer.h"
#include "model/session_entry.h"
#include "model/soak_record.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace app {

/// The HTTP API of a session (app/serve/session_service.h).
struct ServeOptions
{
    std::string file;
    std::string listen;    ///< "127.0.0.1:9464"; empty: there
    std::string tokenFile; ///< empty: the one in the configuration folder
    bool areMetricsOpen = false;
    std::string certificate; ///< PEM files for TLS, both or none
    std::string certificateKey;
    const char *addressOption = "--listen"; ///< by which `listen` was given, for messages
    bool isQuiet = false;
    PassphraseSource passphrase;
};

/// `genprof record` and `genprof attach`; which of them, CaptureConfig::attachPid tells.
struct RecordOptions
{
    model::CaptureConfig config;
    std::string output;        ///< path of the session; empty: named after the command and the time
    bool thenKill = false;     ///< end the command when the recording ends before it
    bool untilAllEnd = false;  ///< record on when it has ended, until all that it started has, too
    bool isQuiet = false;      ///< no status line and no closing lines; failures are still said
    bool isUnlisted = false;   ///< the session is not put on the list of recent ones
    std::string alerts;        ///< file of alert rules, or "off"; empty: the usual ones
    std::string onAlert;       ///< shell command of rules that name none
    bool failsOnAlert = false; ///< exit with kExitAlert when an alert fired and nothing else failed
    bool isSealed = false;
    PassphraseSource passphrase;             ///< to seal with
    bool scansAtExit = false;                ///< looks for lost memory when a program ends
    bool keepsSecrets = false;               ///< the command lines are stored as they are
    std::optional<ServeOptions> serve;       ///< the HTTP API while it records; `file` is not read
    std::vector<std::string> secretPatterns; ///< of the user, beside those in the file of the configuration folder
};

/// `genprof soak`.
struct SoakOptions
{
    RecordOptions record; ///< what is tested, and how it is recorded
    model::SoakPlan plan;
    bool checkpointIsGiven = false;
    std::vector<std::string> loads; ///< shell commands
    std::string resume;             ///< session of a test that was broken off; empty: a new test
};

/// `genprof ctl`.
struct ControlOptions
{
    std::string file;
    capture::ControlRequest request;
    bool asJson = false;
    PassphraseSource passphrase;
};

enum class ReportView : std::uint8_t {
    Summary,
    Metrics,
    Heap,
    Cpu,
    SystemCalls,
    Waits,
    Losses,
    Alerts,
    Leaks,
    Growth,
    Lost,
    Advice,
    Hot,
    Forecast,
    Verdict
};
enum class ReportFormat : std::uint8_t { Text, Csv, Json, Collapsed, Pprof, Html, Prometheus, Junit };
/// Whether it is stacks, whole, for other programs to show.
constexpr bool isStacks(ReportFormat format)
{
    return format == ReportFormat::Collapsed || format == ReportFormat::Pprof;
}

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
    std::optional<std::int32_t> pid;   ///< only the process with this pid
    std::optional<std::int32_t> tid;   ///< only the thread with this id; CPU costs only
    std::optional<double> memoryLimit; ///< bytes; of forecasts, instead of what was recorded
    std::size_t top = 0;               ///< rows of a table; 0: as many as the view shows by itself
    std::size_t offset = 0;            ///< rows that are left out before these, where hasPages() says so
    std::string output;                ///< empty: standard output
    PassphraseSource passphrase;
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
    std::string folder; ///< empty: the sessions that were recorded or opened last
    std::string search; ///< words that must all be there
    bool asJson = false;
    PassphraseSource passphrase; ///< of sealed sessions; without it they show that they are sealed
};

/// `genprof tag` and `genprof note`.
struct TagOptions
{
    std::string file;
    std::vector<std::string> added;
    std::vector<std::string> removed;
    std::optional<std::string> note; ///< replaces the one that is there
    bool isNote = false;             ///< the note is meant where nothing is changed
    PassphraseSource passphrase;
};

/// `genprof prune`.
struct PruneOptions
{
    std::string folder;
    model::KeepRules keep;
    bool isConfirmed = false; ///< else it is only said what would be removed
};

/// `genprof sql`.
struct SqlOptions
{
    std::string file;
    std::string sql; ///< one or several statements; empty: read from standard input
    model::QueryFormat format = model::QueryFormat::Table;
    std::int64_t rows = 100'000; ///< of each statement; 0: all
    model::Duration time = model::Duration::fromMs(30'000);
    PassphraseSource passphrase;
};

/// `genprof redact`.
struct RedactOptions
{
    std::string in;
    std::string out;
    bool keepsFunctions = false;
    PassphraseSource passphrase;
};

/// `genprof seal` and `genprof unseal`.
struct SealOptions
{
    std::string in;
    std::string out;
    bool isUnseal = false;
    PassphraseSource passphrase;
};

/// `genprof follow`: one of `file` and `into`.
struct FollowOptions
{
    std::string file;      ///< stream this session to standard output
    std::string into;      ///< make this copy of the stream on standard input
    bool isSealed = false; ///< the copy is sealed
    bool isQuiet = false;
    PassphraseSource passphrase;
};

/// Nothing is left to do but to print: help, the version, or what is wrong with the command line.
struct PrintAndExit
{
    std::string text;
    int exitCode = 0; ///< 0: `text` goes to standard output, else to standard error
};

using Command = std::variant<PrintAndExit, RecordOptions, ControlOptions, ReportOptions, DoctorOptions, ListOptions,
    SqlOptions, RedactOptions, SealOptions, TagOptions, PruneOptions, FollowOptions, ServeOptions, CompareOptions,
    SoakOptions, GateOptions, BaselineOptions>;

} // namespace app

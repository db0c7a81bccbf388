// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/command_line.h"

#include "app/budget_text.h"
#include "app/check_commands.h"
#include "app/choice.h"
#include "app/duration_text.h"
#include "app/exit_code.h"
#include "app/file_commands.h"
#include "app/report_arguments.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <memory>
#include <sstream>
#include <tuple>
#include <utility>

namespace app {

namespace {

constexpr std::int64_t kMillisecondNs = 1'000'000;
constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::uint32_t kHighestHz = 20'000;
constexpr model::Duration kShortestTick = model::Duration::fromMs(100);
constexpr model::Duration kLongestAgeBucket = model::Duration::fromMs(3'600'000);
constexpr model::Duration kLongestTick = model::Duration::fromMs(60'000);
constexpr model::Duration kShortestScanDistance = model::Duration::fromMs(30'000);
using capture::ScanWish;

/// Everything that options write to, in the form in which it was typed.
struct Typed
{
    RecordOptions record;
    std::string heap;
    std::string cpu;
    std::string children;
    std::string whenFull;
    std::string tick;
    std::string ageBucket;
    std::string duration;
    std::string budget;
    std::int32_t pid = 0;
    ControlOptions control;
    std::string controlCommand;
    std::string minAge;
    std::string confirmAfter;
    std::string scanEvery;
    std::vector<std::string> controlText;
    ServeOptions serve;
    ReportOptions report;
    ReportWords reportWords;
    DoctorOptions doctor;
};

constexpr const char *kFooter = R"(Examples:
  genprof record -- ./server --port 8080        record a command until it ends
  genprof record --duration 10m -- ./server     stop recording after ten minutes; the server runs on
  genprof attach --heap full 4711               record a process that runs already
  genprof ctl FILE mark "cache warm"            name this moment in a running recording
  genprof report FILE                           what a recording holds
  genprof report FILE --what heap --cost peak   which stacks held the memory at its highest moment
  genprof report FILE --what leaks              which stacks keep growing, with the evidence
  genprof compare OLD NEW                       what got better or worse, by function and stack
  genprof serve FILE                            metrics for Prometheus, and an HTTP API
  genprof gate --against OLD -- NEW             fail when it got worse, for CI
  genprof sql FILE "SELECT * FROM v_threads"    ask it in SQL
  genprof doctor                                what this machine allows, and how to allow more
"genprof COMMAND --help" explains a command. "genesis-profiler FILE" shows a recording in a window.)";

void addCaptureOptions(CLI::App &command, Typed &typed, const char *heapHelp)
{
    command
        .add_option("-o,--output", typed.record.output,
            "Session file to write; by default NAME-DATE-TIME.gprof-session in this directory")
        ->type_name("FILE");
    command.add_option("--heap", typed.heap, heapHelp)->type_name("full|sampled[=BYTES]|off");
    command.add_option("--cpu", typed.cpu, "CPU samples per second, or off (default 199)")->type_name("HZ|off");
    command
        .add_option("--children", typed.children,
            "Record the processes that it starts too, each as one of its own (default follow)")
        ->type_name("follow|ignore");
    command
        .add_option("--when-full", typed.whenFull,
            "What a thread does while the recorder does not keep up with its allocations: wait, at most 10 s, or drop "
            "and count "
            "them at once (default wait)")
        ->type_name("wait|drop");
    command
        .add_option(
            "--tick", typed.tick, "How often metrics are read and the file is written: 100 ms to 60 s (default 1000)")
        ->type_name("MS");
    command
        .add_option("--age-bucket", typed.ageBucket,
            "How finely ages of blocks are kept at first, for finding leaks: 100ms to 1h (default 10s); 36 are needed")
        ->type_name("T");
    command.add_option("--duration", typed.duration, "End the recording after this time: 90s, 10m, 48h")
        ->type_name("T");
    command
        .add_option("--alerts", typed.record.alerts,
            "Rules of alerts (TOML), or off; by default memory growth, memory near its limit, busy CPU, forecast")
        ->type_name("FILE|off");
    command
        .add_option("--on-alert", typed.record.onAlert,
            "Shell command to run when an alert fires; GENPROF_ALERT_* variables tell which")
        ->type_name("CMD");
    command.add_flag("--fail-on-alert", typed.record.failsOnAlert, "Exit with 3 when an alert fired and CMD succeeded");
    command
        .add_option("--budget", typed.budget,
            "How large the session may get in how much time: 200MB/48h. Kept by merging older details earlier than "
            "usual")
        ->type_name("SIZE/T");
    command.add_flag("--seal", typed.record.isSealed, "Encrypt the session with a passphrase, from its first byte on");
    addPassphraseOptions(command, typed.record.passphrase);
    command
        .add_option("--redact", typed.record.secretPatterns,
            "Also hide what stands behind an option or variable of this NAME, or words that look like =GLOB")
        ->type_name("NAME|=GLOB")
        ->allow_extra_args(false);
    command.add_flag("--no-redact", typed.record.keepsSecrets,
        "Store command lines as they are; else passwords, tokens and keys in them are hidden");
    command
        .add_option("--scan-every", typed.scanEvery,
            "Look for lost memory so often, which stops the program for a moment: 30s or more (default never)")
        ->type_name("T");
    command
        .add_option("--serve", typed.serve.listen,
            "Serve metrics for Prometheus and an HTTP API while it records: PORT or HOST:PORT (see genprof serve "
            "--help)")
        ->type_name("ADDR");
    addServeOptions(command, typed.serve);
    command.add_flag("-q,--quiet", typed.record.isQuiet, "No status line and no closing line");
}

/// The command to record is no option, so CLI11 does not show where it goes.
class RecordFormatter : public CLI::Formatter
{
public:
    std::string make_usage(const CLI::App *, std::string) const override
    {
        return "Usage: genprof record [OPTIONS] -- CMD [ARG…]\n";
    }
};

CLI::App *addRecord(CLI::App &app, Typed &typed)
{
    CLI::App *command = app.add_subcommand("record", "Start a command and record it until it ends");
    addCaptureOptions(
        *command, typed, "Record every allocation, one each BYTES (512KiB) of them, or none (default full)");
    command->add_flag("--then-kill", typed.record.thenKill,
        "End the command when the recording ends before it; else it runs on and is waited for");
    command->formatter(std::make_shared<RecordFormatter>());
    command->footer("Exits as CMD does: its own status, or 128 + the number of the signal that ended it.\n"
                    "125: genprof itself failed. 126: CMD cannot be executed. 127: CMD was not found.\n"
                    "Ctrl-C reaches CMD as well and ends the recording. A signal sent to genprof is passed on to CMD.");
    command->prefix_command();
    return command;
}

CLI::App *addAttach(CLI::App &app, Typed &typed)
{
    CLI::App *command = app.add_subcommand("attach", "Record a process that runs already");
    command->add_option("pid", typed.pid, "The process")->required()->type_name("PID");
    addCaptureOptions(*command, typed, "Record every allocation from now on, or none (default off)");
    command->footer(
        "Ctrl-C ends the recording; the process runs on. 125: genprof failed.\n"
        "--heap full loads the tracer into the process, which takes it a few milliseconds; the library stays, asleep. "
        "\"genprof doctor PID\" says beforehand whether that is possible.");
    return command;
}

CLI::App *addControl(CLI::App &app, Typed &typed)
{
    CLI::App *command = app.add_subcommand("ctl", "Talk to the recorder of a running recording");
    command->add_option("file", typed.control.file, "The session being recorded")->required()->type_name("FILE");
    command->add_option("command", typed.controlCommand, "stop, pause, resume, mark TEXT, status, or scan")
        ->required()
        ->type_name("COMMAND");
    command->add_option("text", typed.controlText, "What the mark says")->type_name("TEXT");
    command->add_flag("--json", typed.control.asJson, "Print the answer as JSON");
    addPassphraseOptions(*command, typed.control.passphrase);
    ScanWish &scan = typed.control.request.scan;
    command->add_flag("--confirm", scan.isConfirmed, "scan: look a second time, and print what was lost both times");
    command->add_option("--confirm-after", typed.confirmAfter, "scan: how much later (default 30s)")->type_name("T");
    command->add_option("--min-age", typed.minAge, "scan: younger blocks are not judged (default 60s)")->type_name("T");
    command->footer(
        "scan stops the program for some milliseconds (0.2 s for each GB of heap), and prints which blocks "
        "no pointer leads to.\nA few waiting calls, such as epoll_wait with a time limit, end with EINTR by that.");
    return command;
}

CLI::App *addDoctor(CLI::App &app, Typed &typed)
{
    CLI::App *command = app.add_subcommand("doctor", "What this machine allows to record, and how to allow more");
    command->add_option("pid", typed.doctor.pid, "Say instead whether the heap of this process can be traced")
        ->type_name("PID");
    command->add_flag("--json", typed.doctor.asJson, "Print as JSON");
    return command;
}

PrintAndExit wrong(const std::string &text, int exitCode) { return {"genprof: " + text + "\n", exitCode}; }

model::Result<std::uint32_t> parseHz(const std::string &text)
{
    if (text.empty())
        return model::CaptureConfig().cpuHz;
    if (text == "off" || text == "0")
        return std::uint32_t{0};
    std::uint32_t hz = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), hz);
    if (code != std::errc() || end != text.data() + text.size() || hz == 0 || hz > kHighestHz)
        return model::Error(
            fmt::format("--cpu {}: samples per second from 1 to {} are possible, or off", text, kHighestHz));
    return hz;
}

/// "512KiB", "1M", "65536": bytes in binary units; nothing where it is no such number.
std::optional<std::int64_t> parseBytes(const std::string &text)
{
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (code != std::errc() || value <= 0)
        return std::nullopt;
    int shift = 0;
    if (unit == "K" || unit == "KiB")
        shift = 10;
    else if (unit == "M" || unit == "MiB")
        shift = 20;
    else if (unit == "G" || unit == "GiB")
        shift = 30;
    else if (!unit.empty() && unit != "B")
        return std::nullopt;
    return value < (std::int64_t{1} << 40) >> shift ? std::optional(value << shift) : std::nullopt;
}

model::Result<void> readHeap(const std::string &text, model::CaptureConfig &config, model::HeapMode byDefault)
{
    constexpr std::string_view kSampled = "sampled=";
    constexpr std::int64_t kShortestPeriod = 64;
    config.heap = byDefault;
    if (text == "full")
        config.heap = model::HeapMode::Full;
    else if (text == "off")
        config.heap = model::HeapMode::Off;
    else if (text == "sampled" || text.starts_with(kSampled))
        config.heap = model::HeapMode::Sampled;
    else if (!text.empty())
        return model::Error("--heap " + text + ": full, sampled, sampled=BYTES and off are possible");
    if (!text.starts_with(kSampled))
        return {};
    const std::optional<std::int64_t> period = parseBytes(text.substr(kSampled.size()));
    if (!period || *period < kShortestPeriod)
        return model::Error("--heap " + text + ": bytes from 64 to 1 TiB are possible, such as sampled=512KiB");
    config.heapPeriodBytes = *period;
    return {};
}

model::Result<void> readScanEvery(const std::string &text, model::CaptureConfig &config)
{
    if (text.empty())
        return {};
    const auto every = parseDuration(text, kSecondNs);
    if (!every)
        return every.error().within("--scan-every");
    if (*every < kShortestScanDistance)
        return model::Error("--scan-every " + text + ": 30s or more is possible");
    if (config.heap == model::HeapMode::Off)
        return model::Error("--scan-every needs the heap to be recorded: --heap full");
    config.scanEvery = *every;
    return {};
}

model::Result<void> readServe(Typed &typed)
{
    const ServeOptions &serve = typed.serve;
    if (!serve.listen.empty())
        typed.record.serve = serve;
    else if (!serve.tokenFile.empty() || serve.areMetricsOpen || !serve.certificate.empty()
        || !serve.certificateKey.empty())
        return model::Error("--token-file, --open-metrics, --tls-cert and --tls-key belong to --serve ADDR");
    return {};
}

model::Result<void> readCapture(Typed &typed, model::CaptureConfig &config, model::HeapMode heapByDefault)
{
    if (!typed.record.isSealed && (typed.record.passphrase.fd || !typed.record.passphrase.keyring.empty()))
        return model::Error("A passphrase is given, but --seal is not");
    if (const auto heap = readHeap(typed.heap, config, heapByDefault); !heap)
        return heap.error();
    const auto hz = parseHz(typed.cpu);
    if (!hz)
        return hz.error();
    config.cpuHz = *hz;
    const auto children = choose("--children", typed.children,
        {std::pair{"follow", model::ChildMode::Follow}, {"ignore", model::ChildMode::Ignore}}, config.children);
    if (!children)
        return children;
    const auto whenFull = choose("--when-full", typed.whenFull,
        {std::pair{"wait", model::WhenFull::Wait}, {"drop", model::WhenFull::Drop}}, config.whenFull);
    if (!whenFull)
        return whenFull;
    if (!typed.tick.empty()) {
        const auto tick = parseDuration(typed.tick, kMillisecondNs);
        if (!tick || *tick < kShortestTick || *tick > kLongestTick)
            return model::Error("--tick " + typed.tick + ": milliseconds from 100 to 60000 are possible");
        config.tick = *tick;
    }
    if (!typed.ageBucket.empty()) {
        const auto bucket = parseDuration(typed.ageBucket, kSecondNs);
        if (!bucket || *bucket < kShortestTick || *bucket > kLongestAgeBucket)
            return model::Error("--age-bucket " + typed.ageBucket + ": 100ms to 1h are possible");
        config.ageBucket = *bucket;
    }
    if (!typed.duration.empty()) {
        const auto duration = parseDuration(typed.duration, kSecondNs);
        if (!duration)
            return duration.error().within("--duration");
        if (duration->ns == 0)
            return model::Error("--duration " + typed.duration + ": a recording lasts longer than nothing");
        config.duration = *duration;
    }
    if (!typed.budget.empty()) {
        const auto budget = parseBudget(typed.budget);
        if (!budget)
            return budget.error().within("--budget");
        config.budget = *budget;
    }
    if (const auto every = readScanEvery(typed.scanEvery, config); !every)
        return every;
    return readServe(typed);
}

Command recordCommand(Typed &typed, std::vector<std::string> command)
{
    RecordOptions &options = typed.record;
    if (const auto read = readCapture(typed, options.config, model::HeapMode::Full); !read)
        return wrong(read.error().text(), kExitRecorderFailed);
    if (command.empty() || command.front().empty())
        return wrong("Which command is to be recorded? Write it behind two dashes: genprof record -- CMD ARG…",
            kExitRecorderFailed);
    if (command.front().front() == '-')
        return wrong(fmt::format("{} is no option of record; see genprof record --help. A command of this name is "
                                 "written behind two dashes",
                         command.front()),
            kExitRecorderFailed);
    options.config.command = std::move(command);
    return options;
}

Command attachCommand(Typed &typed)
{
    RecordOptions &options = typed.record;
    if (const auto read = readCapture(typed, options.config, model::HeapMode::Off); !read)
        return wrong(read.error().text(), kExitRecorderFailed);
    if (typed.pid <= 0)
        return wrong("A process has a pid above 0", kExitRecorderFailed);
    options.config.attachPid = typed.pid;
    return options;
}

model::Result<void> readScan(Typed &typed, capture::ControlCommand command)
{
    ScanWish &scan = typed.control.request.scan;
    const bool hasOptions = scan.isConfirmed || !typed.minAge.empty() || !typed.confirmAfter.empty();
    if (command != capture::ControlCommand::Scan && hasOptions)
        return model::Error("--confirm, --confirm-after and --min-age belong to scan alone");
    for (const auto &[option, text, ns] : {std::tuple{"--min-age", &typed.minAge, &scan.parameters.minAgeNs},
             {"--confirm-after", &typed.confirmAfter, &scan.parameters.confirmAfterNs}}) {
        if (text->empty())
            continue;
        const auto duration = parseDuration(*text, kSecondNs);
        if (!duration)
            return duration.error().within(option);
        *ns = duration->ns;
    }
    return {};
}

Command controlCommand(Typed &typed)
{
    const auto command = capture::controlCommandFromName(typed.controlCommand);
    if (!command)
        return wrong(
            fmt::format("ctl knows stop, pause, resume, mark TEXT, status and scan, not \"{}\"", typed.controlCommand),
            kExitUsage);
    std::string text;
    for (const std::string &word : typed.controlText)
        text += (text.empty() ? "" : " ") + word;
    const bool isMark = *command == capture::ControlCommand::Mark;
    if (isMark && text.empty())
        return wrong("A mark needs a text: genprof ctl FILE mark \"cache warm\"", kExitUsage);
    if (!isMark && !text.empty())
        return wrong(fmt::format("{} takes no text; only mark does", typed.controlCommand), kExitUsage);
    if (const auto read = readScan(typed, *command); !read)
        return wrong(read.error().text(), kExitUsage);
    typed.control.request.command = *command;
    typed.control.request.text = text;
    return typed.control;
}

Command reportCommand(Typed &typed)
{
    if (const auto read = readReport(typed.reportWords, typed.report); !read)
        return wrong(read.error().text(), kExitUsage);
    return typed.report;
}

/// CLI11 takes the arguments last first.
std::vector<std::string> reversed(std::vector<std::string> arguments)
{
    std::reverse(arguments.begin(), arguments.end());
    return arguments;
}

} // namespace

Command parseCommandLine(const std::vector<std::string> &arguments, const std::string &version)
{
    Typed typed;
    CLI::App app("Records what a program does with memory and CPU, and shows it.", "genprof");
    app.set_version_flag("--version", "genprof " + version, "Print the version");
    app.set_help_flag("-h,--help", "Print this help");
    app.require_subcommand(1);
    app.footer(kFooter);
    const CLI::App *record = addRecord(app, typed);
    const CLI::App *attach = addAttach(app, typed);
    const CLI::App *control = addControl(app, typed);
    const CLI::App *report = addReport(app, typed.report, typed.reportWords);
    const CheckCommands checks(app);
    const FileCommands files(app);
    addDoctor(app, typed);

    // What stands behind the first "--" of these is the command, whatever it looks like.
    const bool isRecord = !arguments.empty() && arguments.front() == "record";
    const bool isGate = !arguments.empty() && arguments.front() == "gate";
    const bool takesCommand = isRecord || isGate || (!arguments.empty() && arguments.front() == "baseline");
    const auto dashes = takesCommand ? std::find(arguments.begin(), arguments.end(), "--") : arguments.end();
    const bool isRecording = isRecord || isGate || (!arguments.empty() && arguments.front() == "attach");
    if (arguments.empty())
        return PrintAndExit{app.help(), kExitUsage};
    try {
        app.parse(reversed({arguments.begin(), dashes}));
    } catch (const CLI::Success &success) {
        std::ostringstream out;
        app.exit(success, out, out);
        return PrintAndExit{out.str(), kExitOk};
    } catch (const CLI::RequiredError &error) {
        const std::string text = app.get_subcommands().empty()
            ? fmt::format("There is no command \"{}\"", arguments.front())
            : error.what();
        return wrong(fmt::format("{}\n\"genprof --help\" explains how it is used.", text),
            isRecording ? kExitRecorderFailed : kExitUsage);
    } catch (const CLI::ParseError &error) {
        return wrong(fmt::format("{}\n\"genprof --help\" explains how it is used.", error.what()),
            isRecording ? kExitRecorderFailed : kExitUsage);
    }
    if (record->parsed()) {
        std::vector<std::string> command = record->remaining();
        if (!command.empty() && dashes != arguments.end())
            command.emplace_back("--");
        command.insert(command.end(), dashes == arguments.end() ? dashes : dashes + 1, arguments.end());
        return recordCommand(typed, std::move(command));
    }
    if (attach->parsed())
        return attachCommand(typed);
    if (control->parsed())
        return controlCommand(typed);
    if (report->parsed())
        return reportCommand(typed);
    if (auto command = checks.parsed({dashes == arguments.end() ? dashes : dashes + 1, arguments.end()}))
        return *std::move(command);
    if (auto command = files.parsed())
        return *std::move(command);
    return typed.doctor;
}

} // namespace app

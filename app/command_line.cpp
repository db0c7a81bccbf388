// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/command_line.h"

#include "app/budget_text.h"
#include "app/check_commands.h"
#include "app/choice.h"
#include "app/control_arguments.h"
#include "app/duration_text.h"
#include "app/exit_code.h"
#include "app/file_commands.h"
#include "app/help_formatter.h"
#include "app/report_arguments.h"
#include "app/soak_arguments.h"
#include "model/base/format_units.h"
#include "model/heap_mode.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <memory>
#include <sstream>
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

/// Everything that options write to, in the form in which it was typed.
struct Typed
{
    RecordOptions record;
    std::string heap;
    std::string cpu;
    bool systemCalls = false;
    bool waits = false;
    std::string children;
    std::string whenFull;
    std::string tick;
    std::string ageBucket;
    std::string duration;
    std::string budget;
    std::int32_t pid = 0;
    ControlOptions control;
    ControlWords controlWords;
    std::string scanEvery;
    ServeOptions serve;
    ReportOptions report;
    ReportWords reportWords;
    DoctorOptions doctor;
    SoakOptions soak;
    SoakWords soakWords;
};

constexpr const char *kFooter = R"(Examples:
  genprof record -- ./server --port 8080        record a command until it ends
  genprof record --duration 10m -- ./server     stop recording after ten minutes; the server runs on
  genprof attach --heap full 4711               record a process that runs already
  genprof soak --load ./traffic.sh -- ./server  does its memory stay stable for 48 hours?
  genprof ctl FILE mark "cache warm"            name this moment in a running recording
  genprof ctl FILE mode sampled=64KiB           record the heap less closely from now on
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
    command.add_option("--heap", typed.heap, heapHelp)->type_name("full|sampled[=BYTES]|auto[=PERCENT]|off");
    command.add_option("--cpu", typed.cpu, "CPU samples per second; off or 0: none (default 199)")->type_name("HZ|off");
    command.add_flag("--syscalls", typed.systemCalls,
        "Record each system call with its stack: how many, how long, how many fail; needs root or CAP_PERFMON");
    command.add_flag("--waits", typed.waits,
        "Record when threads do not run, by stack, and what they wait for: locks, I/O, sleep, events");
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
            "How finely ages of blocks are kept at first, for finding leaks: 100ms to 1h, a tick at least (default "
            "10s); 36 are needed")
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
    command.add_flag("--scan-at-exit", typed.record.scansAtExit,
        "Look for it when a program ends by exit or returns from main: what is lost then was never freed");
    command
        .add_option("--serve", typed.serve.listen,
            "Serve metrics for Prometheus and an HTTP API while it records: PORT or HOST:PORT (see genprof serve "
            "--help)")
        ->type_name("ADDR");
    addServeOptions(command, typed.serve);
    command.add_flag("--unlisted", typed.record.isUnlisted, "Keep the session off the list of recent ones");
    command.add_flag("-q,--quiet", typed.record.isQuiet, "No status line and no closing lines");
}

void addUntilAllEnd(CLI::App &command, Typed &typed, const char *root)
{
    command.add_flag("--until-all-end", typed.record.untilAllEnd,
        fmt::format("Record on when {} has ended, until all that it started has ended, too: what goes into the "
                    "background",
            root));
}

CLI::App *addRecord(CLI::App &app, Typed &typed)
{
    CLI::App *command = app.add_subcommand("record", "Start a command and record it until it ends");
    addCaptureOptions(*command, typed,
        "Record every allocation (default), one each BYTES (512KiB) of them, none, or every one until that costs more "
        "than PERCENT (5%) of a core, and from then on samples");
    command->add_flag("--then-kill", typed.record.thenKill,
        "End the command and what it started when the recording ends before it; else they run on, and it is waited "
        "for");
    addUntilAllEnd(*command, typed, "CMD");
    command->formatter(std::make_shared<HelpFormatter>("genprof record [OPTIONS] -- CMD [ARG…]"));
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
    addCaptureOptions(*command, typed,
        "Record every allocation from now on, one each BYTES of them, as closely as PERCENT of a core allows, or "
        "none (default off)");
    addUntilAllEnd(*command, typed, "the process");
    command->footer(
        "Ctrl-C ends the recording; the process runs on. 4: the heap could not be traced. 125: genprof "
        "failed.\n"
        "--heap loads the tracer into the process, which takes it a few milliseconds; the library stays, asleep. "
        "Its children that run already are recorded with it, each as one of its own, unless --children says ignore. "
        "\"genprof doctor PID\" says beforehand whether that is possible.");
    return command;
}

CLI::App *addSoak(CLI::App &app, Typed &typed)
{
    CLI::App *command
        = app.add_subcommand("soak", "Test whether a program's memory stays stable, for 48 hours or less");
    addSoakOptions(*command, typed.soak, typed.soakWords);
    addCaptureOptions(*command, typed,
        "Record every allocation, one each BYTES (512KiB) of them, or none (default full; off with --attach)");
    for (const char *name : {"--tick", "--age-bucket", "--duration", "--fail-on-alert"})
        command->remove_option(command->get_option(name));
    command->get_option("--cpu")->description("CPU samples per second; off or 0: none (default off)");
    command->formatter(std::make_shared<HelpFormatter>("genprof soak [OPTIONS] -- CMD [ARG…]\n       genprof soak "
                                                       "[OPTIONS] --attach PID\n       genprof soak --resume FILE"));
    command->footer(
        "Exits with 0: stable, 1: leaking, 2: undecided, 3: the target or its load failed, 125: genprof itself "
        "failed.\n"
        "At the end CMD is ended. \"genprof report FILE --what verdict\" says the answer again, also as JUnit XML.");
    command->prefix_command();
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

model::Result<void> readHeap(const std::string &text, model::CaptureConfig &config, model::HeapMode byDefault)
{
    config.heap = byDefault;
    if (text.empty())
        return {};
    const auto wish = model::parseHeapWish(text);
    if (!wish)
        return wish.error().within("--heap");
    config.heap = wish->mode;
    config.heapPeriodBytes = wish->periodBytes;
    config.heapBudgetMilliPercent = wish->budgetMilliPercent;
    return {};
}

/// Blocks of a tick all have one age: a bucket holds whole ticks.
model::Result<void> readAgeBucket(const std::string &text, model::CaptureConfig &config)
{
    if (!text.empty()) {
        const auto bucket = parseDuration(text, kSecondNs);
        if (!bucket || *bucket < kShortestTick || *bucket > kLongestAgeBucket)
            return model::Error("--age-bucket " + text + ": 100ms to 1h are possible");
        if (*bucket < config.tick)
            return model::Error(fmt::format("--age-bucket {}: ages are known tick by tick, and a tick lasts {}; make "
                                            "them shorter with --tick {}",
                text, model::formatDuration(config.tick), bucket->ns / kMillisecondNs));
        config.ageBucket = *bucket;
    }
    config.ageBucket = std::max(config.ageBucket, config.tick);
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
    if (!serve.listen.empty()) {
        typed.record.serve = serve;
        typed.record.serve->addressOption = "--serve";
    } else if (!serve.tokenFile.empty() || serve.areMetricsOpen || !serve.certificate.empty()
        || !serve.certificateKey.empty()) {
        return model::Error("--token-file, --open-metrics, --tls-cert and --tls-key belong to --serve ADDR");
    }
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
    config.systemCalls = typed.systemCalls;
    config.waits = typed.waits;
    const auto children = choose("--children", typed.children,
        {std::pair{"follow", model::ChildMode::Follow}, {"ignore", model::ChildMode::Ignore}}, config.children);
    if (!children)
        return children;
    if (typed.record.untilAllEnd && config.children == model::ChildMode::Ignore)
        return model::Error("--until-all-end records what the program started, which --children ignore leaves out");
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
    if (const auto bucket = readAgeBucket(typed.ageBucket, config); !bucket)
        return bucket;
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
    if (typed.record.scansAtExit && config.heap == model::HeapMode::Off)
        return model::Error("--scan-at-exit needs the heap to be recorded: --heap full");
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

Command soakCommand(Typed &typed, std::vector<std::string> command)
{
    SoakOptions &options = typed.soak;
    typed.cpu = typed.cpu.empty() ? "off" : typed.cpu;
    const bool isAttach = typed.soakWords.attachPid > 0;
    auto read = readCapture(typed, typed.record.config, isAttach ? model::HeapMode::Off : model::HeapMode::Full);
    options.record = typed.record;
    if (read)
        read = readSoak(typed.soakWords, std::move(command), options);
    return read ? Command(options) : wrong(read.error().text(), kExitRecorderFailed);
}

Command controlCommand(Typed &typed)
{
    if (const auto read = readControl(typed.controlWords, typed.control); !read)
        return wrong(read.error().text(), kExitUsage);
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
    app.formatter(std::make_shared<HelpFormatter>());
    const CLI::App *record = addRecord(app, typed);
    const CLI::App *attach = addAttach(app, typed);
    const CLI::App *soak = addSoak(app, typed);
    const CLI::App *control = addControl(app, typed.control, typed.controlWords);
    const CLI::App *report = addReport(app, typed.report, typed.reportWords);
    const CheckCommands checks(app);
    const FileCommands files(app);
    addDoctor(app, typed);
    app.footer(kFooter); // last: commands take over the footer that is there when they are made

    // What stands behind the first "--" of these is the command, whatever it looks like.
    const auto isOneOf = [&arguments](std::initializer_list<std::string_view> names) {
        return !arguments.empty() && std::find(names.begin(), names.end(), arguments.front()) != names.end();
    };
    const bool takesCommand = isOneOf({"record", "soak", "gate", "baseline"});
    const auto dashes = takesCommand ? std::find(arguments.begin(), arguments.end(), "--") : arguments.end();
    const bool isRecording = isOneOf({"record", "soak", "gate", "attach"});
    if (arguments.empty())
        return PrintAndExit{app.help(), kExitUsage};
    if (arguments.front() == "help") {
        std::vector<std::string> asked(arguments.begin() + 1, arguments.end());
        asked.emplace_back("--help");
        return parseCommandLine(asked, version);
    }
    try {
        app.parse(reversed({arguments.begin(), dashes}));
    } catch (const CLI::Success &success) {
        std::ostringstream out;
        app.exit(success, out, out);
        return PrintAndExit{out.str(), kExitOk};
    } catch (const CLI::RequiredError &error) {
        const std::string text
            = app.get_subcommands().empty() ? unknownCommand(app, arguments.front()) : explainedError(app, error);
        return wrong(text, isRecording ? kExitRecorderFailed : kExitUsage);
    } catch (const CLI::ExtrasError &error) {
        const std::string meant
            = report->parsed() ? meantReport(typed.report, typed.reportWords, report->remaining()) : std::string();
        return wrong(meant.empty() ? explainedError(app, error) : "Use \"" + meant + "\"",
            isRecording ? kExitRecorderFailed : kExitUsage);
    } catch (const CLI::ParseError &error) {
        return wrong(explainedError(app, error), isRecording ? kExitRecorderFailed : kExitUsage);
    }
    if (record->parsed() || soak->parsed()) {
        std::vector<std::string> command = (record->parsed() ? record : soak)->remaining();
        if (!command.empty() && dashes != arguments.end())
            command.emplace_back("--");
        command.insert(command.end(), dashes == arguments.end() ? dashes : dashes + 1, arguments.end());
        return record->parsed() ? recordCommand(typed, std::move(command)) : soakCommand(typed, std::move(command));
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

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/command_line.h"

#include "app/duration_text.h"
#include "app/exit_code.h"
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
constexpr model::Duration kLongestTick = model::Duration::fromMs(60'000);

/// Everything that options write to, in the form in which it was typed.
struct Typed
{
    RecordOptions record;
    std::string heap;
    std::string cpu;
    std::string children;
    std::string tick;
    std::string duration;
    std::int32_t pid = 0;
    ControlOptions control;
    std::string controlCommand;
    std::vector<std::string> controlText;
    ReportOptions report;
    std::string view;
    std::string cost;
    std::string format;
    std::string from;
    std::string to;
    DoctorOptions doctor;
    ListOptions list;
};

constexpr const char *kFooter = R"(Examples:
  genprof record -- ./server --port 8080        record a command until it ends
  genprof record --duration 10m -- ./server     stop recording after ten minutes; the server runs on
  genprof attach --heap full 4711               record a process that runs already
  genprof ctl FILE mark "cache warm"            name this moment in a running recording
  genprof ctl FILE mode sampled=64KiB           record the heap less closely from now on
  genprof report FILE                           what a recording holds
  genprof report FILE --what heap --cost peak   which stacks held the memory at its highest moment
  genprof doctor                                what this machine allows, and how to allow more
"genprof COMMAND --help" explains a command. "genesis-profiler FILE" shows a recording in a window.)";

void addCaptureOptions(CLI::App &command, Typed &typed, const char *heapHelp)
{
    command
        .add_option("-o,--output", typed.record.output,
            "Session file to write; by default NAME-DATE-TIME.gprof-session in this directory")
        ->type_name("FILE");
    command.add_option("--heap", typed.heap, heapHelp)->type_name("full|sampled[=BYTES]|auto[=PERCENT]|off");
    command.add_option("--cpu", typed.cpu, "CPU samples per second, or off (default 199)")->type_name("HZ|off");
    command
        .add_option("--children", typed.children,
            "Record the processes that it starts too, each as one of its own (default follow)")
        ->type_name("follow|ignore");
    command
        .add_option(
            "--tick", typed.tick, "How often metrics are read and the file is written: 100 ms to 60 s (default 1000)")
        ->type_name("MS");
    command.add_option("--duration", typed.duration, "End the recording after this time: 90s, 10m, 48h")
        ->type_name("T");
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
    addCaptureOptions(*command, typed,
        "Record every allocation (default), one each BYTES (512KiB) of them, none, or every one until that costs more "
        "than PERCENT (5%) of a core, and from then on samples");
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
    addCaptureOptions(*command, typed,
        "Record every allocation from now on, one each BYTES of them, as closely as PERCENT of a core allows, or "
        "none (default off)");
    command->footer(
        "Ctrl-C ends the recording; the process runs on. 125: genprof failed.\n"
        "--heap loads the tracer into the process, which takes it a few milliseconds; the library stays, asleep. "
        "\"genprof doctor PID\" says beforehand whether that is possible.");
    return command;
}

CLI::App *addControl(CLI::App &app, Typed &typed)
{
    CLI::App *command = app.add_subcommand("ctl", "Talk to the recorder of a running recording");
    command->add_option("file", typed.control.file, "The session being recorded")->required()->type_name("FILE");
    command
        ->add_option("command", typed.controlCommand,
            "stop, pause, resume, mark TEXT, status, or mode full|sampled[=BYTES]|auto[=PERCENT]: how the heap is "
            "recorded from now on")
        ->required()
        ->type_name("COMMAND");
    command->add_option("text", typed.controlText, "What the mark says, or the mode")->type_name("TEXT");
    command->add_flag("--json", typed.control.asJson, "Print the answer as JSON");
    return command;
}

CLI::App *addReport(CLI::App &app, Typed &typed)
{
    CLI::App *command = app.add_subcommand("report", "Print what a recording holds");
    ReportOptions &report = typed.report;
    command->add_option("file", report.file, "The session")->required()->type_name("FILE");
    command->add_option("--what", typed.view, "summary (default), metrics, heap, mappings, pools, cpu, losses")
        ->type_name("VIEW");
    command
        ->add_option(
            "--cost", typed.cost, "Heap cost to rank by: live (default), peak, allocated, allocations, temporary")
        ->type_name("COST");
    command->add_option("--from", typed.from, "Only from this time of the recording on, e.g. 90s or 1h30m")
        ->type_name("T");
    command->add_option("--to", typed.to, "Only up to this time of the recording")->type_name("T");
    command->add_option("--process", report.pid, "Only the process with this pid")->type_name("PID");
    command->add_option("--top", report.top, "At most this many rows (default: 10 in text, else all)")->type_name("N");
    command->add_option("--format", typed.format, "text (default), csv, json, or collapsed (stacks; heap and cpu)")
        ->type_name("FORMAT");
    command->add_option("-o,--output", report.output, "Write to this file")->type_name("OUT");
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

CLI::App *addList(CLI::App &app, Typed &typed)
{
    CLI::App *command = app.add_subcommand("list", "The sessions that were recorded or opened last");
    command->add_option("--top", typed.list.most, "At most this many (default 20)")->type_name("N");
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

/// Sets `value` to the choice called `name`; no name leaves it as it is.
template <typename Enum>
model::Result<void> choose(const char *option, const std::string &name,
    std::initializer_list<std::pair<const char *, Enum>> choices, Enum &value)
{
    std::string names;
    for (const auto &[choice, chosen] : choices) {
        if (name == choice)
            value = chosen;
        if (name.empty() || name == choice)
            return {};
        names += (names.empty() ? "" : ", ") + std::string(choice);
    }
    return model::Error(fmt::format("{} {}: there is no such choice; possible are {}", option, name, names));
}

model::Result<void> readCapture(const Typed &typed, model::CaptureConfig &config, model::HeapMode heapByDefault)
{
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
    if (!typed.tick.empty()) {
        const auto tick = parseDuration(typed.tick, kMillisecondNs);
        if (!tick || *tick < kShortestTick || *tick > kLongestTick)
            return model::Error("--tick " + typed.tick + ": milliseconds from 100 to 60000 are possible");
        config.tick = *tick;
    }
    if (!typed.duration.empty()) {
        const auto duration = parseDuration(typed.duration, kSecondNs);
        if (!duration)
            return duration.error().within("--duration");
        if (duration->ns == 0)
            return model::Error("--duration " + typed.duration + ": a recording lasts longer than nothing");
        config.duration = *duration;
    }
    return {};
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

Command controlCommand(Typed &typed)
{
    const auto command = capture::controlCommandFromName(typed.controlCommand);
    if (!command)
        return wrong(fmt::format("ctl knows stop, pause, resume, mark TEXT, mode MODE and status, not \"{}\"",
                         typed.controlCommand),
            kExitUsage);
    std::string text;
    for (const std::string &word : typed.controlText)
        text += (text.empty() ? "" : " ") + word;
    const bool isMark = *command == capture::ControlCommand::Mark;
    if (isMark && text.empty())
        return wrong("A mark needs a text: genprof ctl FILE mark \"cache warm\"", kExitUsage);
    const bool isMode = *command == capture::ControlCommand::Mode;
    if (isMode)
        if (const auto wish = model::parseHeapWish(text); !wish)
            return wrong(wish.error().within("mode").text(), kExitUsage);
    if (!isMark && !isMode && !text.empty())
        return wrong(fmt::format("{} takes no text; only mark and mode do", typed.controlCommand), kExitUsage);
    typed.control.request = {*command, text};
    return typed.control;
}

model::Result<void> readTime(const char *option, const std::string &text, std::optional<model::Duration> &time)
{
    if (text.empty())
        return {};
    const auto duration = parseDuration(text, kSecondNs);
    if (!duration)
        return duration.error().within(option);
    time = *duration;
    return {};
}

model::Result<void> readReport(const Typed &typed, ReportOptions &options)
{
    const std::array read{
        choose("--what", typed.view,
            {std::pair{"summary", ReportView::Summary}, {"metrics", ReportView::Metrics}, {"heap", ReportView::Heap},
                {"mappings", ReportView::Heap}, {"pools", ReportView::Heap}, {"cpu", ReportView::Cpu},
                {"losses", ReportView::Losses}},
            options.view),
        choose("--cost", typed.cost,
            {std::pair{"live", model::CostKind::Live}, {"peak", model::CostKind::Peak},
                {"allocated", model::CostKind::Allocated}, {"allocations", model::CostKind::Allocations},
                {"temporary", model::CostKind::Temporary}},
            options.cost),
        choose("--format", typed.format,
            {std::pair{"text", ReportFormat::Text}, {"csv", ReportFormat::Csv}, {"json", ReportFormat::Json},
                {"collapsed", ReportFormat::Collapsed}},
            options.format),
        readTime("--from", typed.from, options.from),
        readTime("--to", typed.to, options.to),
    };
    for (const model::Result<void> &result : read) {
        if (!result)
            return result;
    }
    if (typed.view == "mappings" || typed.view == "pools")
        options.area = typed.view == "pools" ? model::AreaKind::Pool : model::AreaKind::Mapping;
    if (options.from && options.to && *options.to <= *options.from)
        return model::Error("--to must lie after --from");
    const bool hasStacks = options.view == ReportView::Heap || options.view == ReportView::Cpu;
    if (options.format == ReportFormat::Collapsed && !hasStacks)
        return model::Error("Collapsed stacks exist of --what heap and --what cpu only");
    return {};
}

Command reportCommand(Typed &typed)
{
    if (const auto read = readReport(typed, typed.report); !read)
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
    const CLI::App *report = addReport(app, typed);
    const CLI::App *list = addList(app, typed);
    addDoctor(app, typed);

    // What stands behind the first "--" of `record` is the command, whatever it looks like.
    const bool isRecord = !arguments.empty() && arguments.front() == "record";
    const auto dashes = isRecord ? std::find(arguments.begin(), arguments.end(), "--") : arguments.end();
    const bool isRecording = isRecord || (!arguments.empty() && arguments.front() == "attach");
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
    if (list->parsed())
        return typed.list;
    return typed.doctor;
}

} // namespace app

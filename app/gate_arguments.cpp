// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/gate_arguments.h"

#include "app/help_formatter.h"

#include <fmt/format.h>
#include <wordexp.h>

#include <algorithm>

namespace app {

namespace {

/// A command as a shell splits it into words; nothing is executed.
model::Result<std::vector<std::string>> splitCommand(const std::string &text)
{
    wordexp_t words{};
    if (::wordexp(text.c_str(), &words, WRDE_NOCMD | WRDE_UNDEF) != 0)
        return model::Error(fmt::format(
            "--against {}: this cannot be split into words; quote what has spaces, and write no $(…), |, & or ;",
            text));
    std::vector<std::string> command(words.we_wordv, words.we_wordv + words.we_wordc);
    ::wordfree(&words);
    if (command.empty())
        return model::Error("--against is the command of the base: --against \"old/server --port 8080\"");
    return command;
}

bool isGrowth(const model::GateLimit &limit, const model::GateLimit &usual)
{
    return limit.share != usual.share || limit.amount != usual.amount;
}

/// Without a base the values that must not be exceeded are all that is judged.
model::Result<void> chooseBase(const GateWords &words, GateOptions &options)
{
    const auto &limits = options.limits;
    const bool hasValue = std::any_of(
        limits.begin(), limits.end(), [](const model::GateLimit &limit) { return limit.most.has_value(); });
    const bool hasBase = !options.against.empty() || !options.baseline.name.empty() || options.isUpdate;
    if (words.isWithoutBase && hasBase)
        return model::Error("--no-base goes with none of --against, --baseline and --update");
    if (hasBase || (!hasValue && words.thresholds.file.empty() && !words.isWithoutBase))
        return {};
    const model::GateLimits usual = model::usualGateLimits();
    for (const model::GateKeyInfo &info : model::kGateKeys)
        if (isGrowth(limits[static_cast<std::size_t>(info.key)], usual[static_cast<std::size_t>(info.key)]))
            return model::Error(
                fmt::format("{} has a limit for its growth, and nothing says since what: add --baseline FILE "
                            "(genprof baseline save makes one) or --against CMD_OLD",
                    info.name));
    if (!hasValue && !words.isWithoutBase)
        return model::Error(fmt::format("{} has no limit for this test{}{}: add one to the file, or --max KEY=VALUE",
            words.thresholds.file, words.thresholds.kind.empty() ? "" : ", kind ", words.thresholds.kind));
    options.isByLimits = true;
    return {};
}

void addOrigin(CLI::App &command, BaselineOptions &options)
{
    command.add_option("--branch", options.branch, "What the baseline is of; by default as CI's variables or git tell")
        ->type_name("NAME");
    command.add_option("--commit", options.commit, "The same")->type_name("ID");
    command.add_option("--reason", options.reason, "Why it is accepted; kept in the history")->type_name("TEXT");
}

void addFolder(CLI::App &command, BaselineOptions &options)
{
    command.add_option("--dir", options.folder, "Folder of the baselines (default genprof-baselines)")
        ->type_name("DIR");
}

} // namespace

CLI::App *addGate(CLI::App &app, GateOptions &options, GateWords &words)
{
    CLI::App *command
        = app.add_subcommand("gate", "Fail when a command got worse: memory exactly, times with certainty");
    command->add_option("--against", words.against, "Command of the base, run in turn with CMD")->type_name("CMD_OLD");
    command
        ->add_option("--baseline", options.baseline.name,
            "Compare with a saved baseline instead: its name or file (default: the program's name)")
        ->type_name("NAME|FILE");
    addFolder(*command, options.baseline);
    command
        ->add_option("--runs", options.runs,
            "At most so many pairs of runs for times; half of them where that is clear (default 20)")
        ->type_name("N")
        ->check(CLI::Range(0, 1000));
    command
        ->add_option("--max", words.limits,
            "A growth that is accepted: allocations=+5%, left_blocks=+10, times=+3%, counters=+0, all=+1%; a value "
            "that must not be "
            "exceeded, which needs no base: peak_bytes=64MiB; or neither: instructions=off")
        ->type_name("KEY=+N[%]|N|off")
        ->allow_extra_args(false);
    command->add_flag("--no-leaks", words.isWithoutLeaks,
        "Fail when blocks are lost as CMD ends, which no pointer leads to: the same as --max lost_blocks=0");
    command
        ->add_option("--thresholds", words.thresholds.file,
            "Limits of a TOML file, by kind of test and name of test; --max goes before them")
        ->type_name("FILE");
    command->add_option("--kind", words.thresholds.kind, "Which of them: unit, integration or soak")->type_name("KIND");
    command->add_option("--test", words.thresholds.test, "And the name of the test")->type_name("NAME");
    command
        ->add_option("--skip-status", words.skipStatus,
            "Exit with this instead of 2 where what has a limit cannot be measured here, so that a test is skipped")
        ->type_name("N")
        ->check(CLI::Range(1, 255));
    command->add_flag("--no-base", words.isWithoutBase,
        "Compare with nothing: judge CMD by such values alone, and by what it says itself");
    command->add_flag("--print-limits", options.printsLimits, "Run nothing: check the options and print the limits");
    command->add_flag("--update", options.isUpdate, "Accept what is measured as the new baseline; needs --reason");
    addOrigin(*command, options.baseline);
    command->add_option("--sessions", options.sessions, "Keep the recordings in this folder")->type_name("DIR");
    command->add_option("-o,--output", options.text, "Write the answer to this file instead of standard output")
        ->type_name("OUT");
    command->add_option("--json", options.json, "Write it as JSON too")->type_name("OUT");
    command->add_option("--markdown", options.markdown, "As Markdown for a pull request")->type_name("OUT");
    command->add_option("--junit", options.junit, "As JUnit XML")->type_name("OUT");
    command->add_option("--sarif", options.sarif, "As SARIF, at the lines that are responsible")->type_name("OUT");
    command->add_flag("-q,--quiet", options.isQuiet, "Do not say how far it is");
    command->formatter(std::make_shared<HelpFormatter>("genprof gate [OPTIONS] -- CMD [ARG…]"));
    command->footer(
        "Exits with 0 passed, 1 worse, 2 cannot tell (too noisy; says how many runs would do), 3 CMD "
        "failed, 125 genprof failed.\n"
        "With values that must not be exceeded and no base CMD is recorded once, with our standard input "
        "and output, and is told "
        "to be worse beyond them.\n"
        "Usual limits: +0.5% for allocations, allocated_bytes, temporary, peak_bytes, instructions, "
        "system_calls; none for left_bytes and "
        "left_blocks; +2% for cpu_ns, own_ns and wall_ns. What grew within its limit is told. own_ns is the wall "
        "time without what the "
        "program waited for a processor that others had; where it is known, wall_ns is only told. Both "
        "commands run without input, their output goes nowhere.");
    command->prefix_command();
    return command;
}

model::Result<void> readGate(const GateWords &words, std::vector<std::string> command, GateOptions &options)
{
    if (command.empty() || command.front().empty() || command.front().front() == '-')
        return model::Error(
            "Which command is to be judged? Write it behind two dashes: genprof gate --against OLD -- CMD ARG…");
    if (!words.against.empty() && !options.baseline.name.empty())
        return model::Error("--against and --baseline exclude each other: the base is either a command or a baseline");
    if (options.isUpdate && !words.against.empty())
        return model::Error("--update replaces a baseline; with --against there is none");
    if (options.isUpdate && options.baseline.reason.empty())
        return model::Error("--update needs --reason \"why this is accepted\"; it is kept in the history");
    const bool isChosen = !words.thresholds.kind.empty() || !words.thresholds.test.empty();
    if (isChosen && words.thresholds.file.empty())
        return model::Error("--kind and --test choose from a file: --thresholds FILE");
    if (const auto read = readThresholds(words.thresholds, options.limits); !read)
        return read;
    if (words.isWithoutLeaks)
        options.limits[static_cast<std::size_t>(model::GateKey::LostBlocks)].most = 0;
    for (const std::string &limit : words.limits) {
        if (const auto read = readGateLimit(limit, options.limits); !read)
            return read;
        options.hasTimeLimits = options.hasTimeLimits || limit.starts_with("times") || limit.starts_with("all")
            || limit.starts_with("cpu_ns") || limit.starts_with("own_ns") || limit.starts_with("wall_ns");
    }
    if (!words.against.empty()) {
        const auto against = splitCommand(words.against);
        if (!against)
            return against.error();
        options.against = *against;
    }
    options.skipStatus = words.skipStatus;
    options.command = std::move(command);
    return chooseBase(words, options);
}

CLI::App *addBaseline(CLI::App &app, BaselineOptions &options)
{
    CLI::App *command
        = app.add_subcommand("baseline", "What a command needed when it was good: save, list, show, remove");
    command->require_subcommand(1);
    CLI::App *save = command->add_subcommand("save", "Run a command and keep what it needs");
    CLI::App *list = command->add_subcommand("list", "The baselines of a folder");
    CLI::App *show = command->add_subcommand("show", "Values, history, and slow drift");
    CLI::App *remove = command->add_subcommand("remove", "Remove a baseline with its history");
    for (CLI::App *one : {save, show, remove})
        one->add_option("name", options.name, "Its name, or its file")->required()->type_name("NAME");
    for (CLI::App *one : {save, list, show, remove})
        addFolder(*one, options);
    for (CLI::App *one : {list, show})
        one->add_flag("--json", options.asJson, "Print as JSON");
    addOrigin(*save, options);
    save->add_option("--runs", options.runs, "Runs for times and system calls (default 10)")
        ->type_name("N")
        ->check(CLI::Range(0, 1000));
    save->add_flag("-q,--quiet", options.isQuiet, "Say failures only");
    save->formatter(std::make_shared<HelpFormatter>("genprof baseline save NAME [OPTIONS] -- CMD [ARG…]"));
    save->footer("Writes NAME.baseline, one line a quantity or stack, and a line to NAME.history: text that fits a git "
                 "repository.\n"
                 "In .gitattributes, \"*.history merge=union\" lets the histories of branches merge by themselves.");
    return command;
}

model::Result<void> readBaselineCommand(
    const CLI::App &baseline, std::vector<std::string> command, BaselineOptions &options)
{
    using Action = BaselineOptions::Action;
    options.action = baseline.got_subcommand("save") ? Action::Save
        : baseline.got_subcommand("show")            ? Action::Show
        : baseline.got_subcommand("remove")          ? Action::Remove
                                                     : Action::List;
    if (options.action == Action::Save && (command.empty() || command.front().empty()))
        return model::Error("Which command? Write it behind two dashes: genprof baseline save NAME -- CMD ARG…");
    if (options.action != Action::Save && !command.empty())
        return model::Error("Only baseline save runs a command");
    options.command = std::move(command);
    return {};
}

} // namespace app

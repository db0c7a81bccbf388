// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/control_arguments.h"

#include "app/duration_text.h"
#include "app/file_commands.h"
#include "model/heap_mode.h"

#include <fmt/format.h>

#include <tuple>

namespace app {

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

model::Result<void> readScan(const ControlWords &words, capture::ControlCommand command, capture::ScanWish &scan)
{
    const bool hasOptions = scan.isConfirmed || !words.minAge.empty() || !words.confirmAfter.empty();
    if (command != capture::ControlCommand::Scan && hasOptions)
        return model::Error("--confirm, --confirm-after and --min-age belong to scan alone");
    for (const auto &[option, text, ns] : {std::tuple{"--min-age", &words.minAge, &scan.parameters.minAgeNs},
             {"--confirm-after", &words.confirmAfter, &scan.parameters.confirmAfterNs}}) {
        if (text->empty())
            continue;
        const auto duration = parseDuration(*text, kSecondNs);
        if (!duration)
            return duration.error().within(option);
        *ns = duration->ns;
    }
    return {};
}

/// As for a recording, but for off: pause is for that.
model::Result<void> checkMode(const std::string &text)
{
    const auto wish = model::parseHeapWish(text);
    if (wish && wish->mode != model::HeapMode::Off)
        return {};
    if (!wish && text.find('=') != std::string::npos)
        return wish.error().within("mode");
    return model::Error(fmt::format("mode{}{}: full, sampled, sampled=BYTES, auto and auto=PERCENT are possible; to "
                                    "record nothing for a while, pause",
        text.empty() ? "" : " ", text));
}

} // namespace

CLI::App *addControl(CLI::App &app, ControlOptions &control, ControlWords &words)
{
    CLI::App *command = app.add_subcommand("ctl", "Talk to the recorder of a running recording");
    command->add_option("file", control.file, "The session being recorded")->required()->type_name("FILE");
    command
        ->add_option("command", words.command,
            "stop, pause, resume, mark TEXT, status, scan, or mode full|sampled[=BYTES]|auto[=PERCENT]: how the heap "
            "is recorded from now on")
        ->required()
        ->type_name("COMMAND");
    command->add_option("text", words.text, "What the mark says, or the mode")->type_name("TEXT");
    command->add_flag("--json", control.asJson, "Print the answer as JSON");
    addPassphraseOptions(*command, control.passphrase);
    capture::ScanWish &scan = control.request.scan;
    command->add_flag("--confirm", scan.isConfirmed, "scan: look a second time, and print what was lost both times");
    command->add_option("--confirm-after", words.confirmAfter, "scan: how much later (default 30s)")->type_name("T");
    command->add_option("--min-age", words.minAge, "scan: younger blocks are not judged (default 60s)")->type_name("T");
    command->footer(
        "scan stops the program for some milliseconds (25 ms for each GB of heap, 0.2 s where it cannot be copied by "
        "fork), "
        "and prints which blocks "
        "no pointer leads to.\nA few waiting calls, such as epoll_wait with a time limit, end with EINTR by that.");
    return command;
}

model::Result<void> readControl(const ControlWords &words, ControlOptions &control)
{
    const auto command = capture::controlCommandFromName(words.command);
    if (!command)
        return model::Error(fmt::format(
            "ctl knows stop, pause, resume, mark TEXT, mode MODE, status and scan, not \"{}\"", words.command));
    std::string text;
    for (const std::string &word : words.text)
        text += (text.empty() ? "" : " ") + word;
    const bool isMark = *command == capture::ControlCommand::Mark;
    if (isMark && text.empty())
        return model::Error("A mark needs a text: genprof ctl FILE mark \"cache warm\"");
    const bool isMode = *command == capture::ControlCommand::Mode;
    if (isMode)
        if (auto done = checkMode(text); !done)
            return done;
    if (!isMark && !isMode && !text.empty())
        return model::Error(fmt::format("{} takes no text; only mark and mode do", words.command));
    if (const auto read = readScan(words, *command, control.request.scan); !read)
        return read;
    control.request.command = *command;
    control.request.text = text;
    return {};
}

} // namespace app

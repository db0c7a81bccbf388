// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/soak_arguments.h"

#include "app/choice.h"
#include "app/duration_text.h"
#include "model/base/format_units.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace app {

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr model::Duration kShortestTest = model::Duration::fromMs(10'000);
constexpr model::Duration kLongestTest{std::int64_t{60} * 86'400 * kSecondNs};
constexpr std::int64_t kMostCycles = 24; ///< in a test: shorter ones are as long as its blocks
constexpr model::Duration kShortestAgeBucket = model::Duration::fromMs(100);

/// "5%", "5 %", "0.5": percent.
std::optional<double> parsePercent(std::string text)
{
    while (!text.empty() && (text.back() == '%' || text.back() == ' '))
        text.pop_back();
    double value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (code != std::errc() || end != text.data() + text.size() || !(value > 0 && value <= 1000))
        return std::nullopt;
    return value;
}

model::Result<void> readTime(const char *option, const std::string &text, model::Duration &time)
{
    if (text.empty())
        return {};
    const auto read = parseDuration(text, kSecondNs);
    if (!read)
        return read.error().within(option);
    time = *read;
    return {};
}

/// Whether a cycle can be told from a trend, and from noise.
bool fitsInto(model::Duration period, model::Duration length)
{
    return period.ns >= length.ns / kMostCycles && period.ns * 2 <= length.ns;
}

} // namespace

void addSoakOptions(CLI::App &command, SoakOptions &soak, SoakWords &words)
{
    command.add_option("--for", words.length, "How long the test lasts: 10s to 60d (default 48h)")->type_name("T");
    command
        .add_option("--limit", words.limit,
            "How much the memory may grow in that time, in percent of what it is after the warm-up (default 5%)")
        ->type_name("N%");
    command
        .add_option("--load", soak.loads,
            "A shell command that is kept running beside CMD, and is started again when it ends; may be given again")
        ->type_name("CMD")
        ->allow_extra_args(false);
    command
        .add_option("--period", words.period,
            "The load comes and goes in cycles of this length, such as 24h; nothing is decided before 1.5 of them were "
            "seen")
        ->type_name("T");
    command
        .add_option("--checkpoint", words.checkpoint,
            "How often the verdict by then is stored and said; what was measured is stored all the time (default 10m)")
        ->type_name("T");
    command
        .add_option("--stop-early", words.stopEarly,
            "Which sure answers end the test before its time (default fail); a pass before it is provisional")
        ->type_name("pass|fail|both|never");
    command.add_option("--attach", words.attachPid, "Test this running process instead of a command")->type_name("PID");
    command
        .add_option("--resume", soak.resume, "Go on with the test of this session, after a stop, a crash or a reboot")
        ->type_name("FILE");
}

model::Result<void> readSoak(const SoakWords &words, std::vector<std::string> command, SoakOptions &soak)
{
    model::SoakPlan &plan = soak.plan;
    const bool resumes = !soak.resume.empty();
    if (resumes && (!words.length.empty() || !words.limit.empty() || !words.period.empty() || !words.stopEarly.empty()))
        return model::Error(
            "--resume goes on with the test as it was begun: --for, --limit, --period and --stop-early cannot change");
    if (resumes && !soak.record.output.empty())
        return model::Error("--resume writes to the file that it names; --output does not go with it");
    if (const auto read = readTime("--for", words.length, plan.length); !read)
        return read;
    if (plan.length < kShortestTest || plan.length > kLongestTest)
        return model::Error("--for " + words.length + ": 10s to 60d are possible");
    if (const auto read = readTime("--period", words.period, plan.period); !read)
        return read;
    if (!words.period.empty() && !fitsInto(plan.period, plan.length))
        return model::Error(fmt::format(
            "--period {}: two cycles have to fit into the {} of the test (--for), and shorter ones than {} even out by "
            "themselves and need not be declared",
            words.period, model::formatDuration(plan.length), model::formatDuration({plan.length.ns / kMostCycles})));
    if (const auto read = readTime("--checkpoint", words.checkpoint, plan.checkpoint); !read)
        return read;
    soak.checkpointIsGiven = !words.checkpoint.empty();
    if (plan.checkpoint.ns <= 0)
        return model::Error("--checkpoint " + words.checkpoint + ": a time above 0 is needed");
    plan.checkpoint
        = words.checkpoint.empty() ? std::min(plan.checkpoint, model::Duration{plan.length.ns / 10}) : plan.checkpoint;
    if (!words.limit.empty()) {
        const auto percent = parsePercent(words.limit);
        if (!percent)
            return model::Error("--limit " + words.limit + ": percent above 0, up to 1000, such as 5%");
        plan.mostGrowth = *percent / 100;
    }
    plan.stopEarly = model::StopEarly::Fail; // a leak may begin after a pass that came early
    if (const auto chosen = choose("--stop-early", words.stopEarly,
            {std::pair{"pass", model::StopEarly::Pass}, {"fail", model::StopEarly::Fail},
                {"both", model::StopEarly::Both}, {"never", model::StopEarly::Never}},
            plan.stopEarly);
        !chosen)
        return chosen;
    if (words.attachPid < 0)
        return model::Error("A process has a pid above 0");
    if (!command.empty() && command.front().starts_with('-'))
        return model::Error(command.front() + " is no option of soak; see genprof soak --help");
    if (words.attachPid > 0 && !command.empty())
        return model::Error("Either --attach PID or a command is tested, not both");
    if (!resumes && words.attachPid == 0 && (command.empty() || command.front().empty()))
        return model::Error(
            "What is to be tested? Write the command behind two dashes, genprof soak -- CMD ARG…, or name a "
            "process with --attach PID");
    if (words.attachPid > 0)
        soak.record.config.attachPid = words.attachPid;
    soak.record.config.command = std::move(command);
    paceRecording(plan.length, soak.record.config);
    return {};
}

void paceRecording(model::Duration length, model::CaptureConfig &config)
{
    config.tick = model::soakTick(length);
    config.ageBucket = std::clamp(model::Duration{length.ns / 144}, kShortestAgeBucket, model::kFirstAgeBucket);
}

} // namespace app

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/compare_arguments.h"

#include "app/choice.h"
#include "app/duration_text.h"
#include "app/file_commands.h"

#include <fmt/format.h>

namespace app {

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

/// One time is for both sessions, two are for A and for B.
model::Result<void> readTimes(
    const char *option, const std::vector<std::string> &words, std::array<std::optional<model::Duration>, 2> &times)
{
    if (words.size() > 2)
        return model::Error(fmt::format("{} is given once for both sessions, or twice: for A, then for B", option));
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto time = parseDuration(words[i], kSecondNs);
        if (!time)
            return time.error().within(option);
        times[i] = *time;
    }
    if (words.size() == 1)
        times[1] = times[0];
    return {};
}

model::Result<void> readCosts(const std::vector<std::string> &words, std::vector<model::ComparableCost> &costs)
{
    if (words.empty())
        costs = model::comparableCosts();
    for (const std::string &word : words) {
        const std::vector<model::ComparableCost> found = model::comparableCostsOf(word);
        if (found.empty()) {
            std::string keys = "heap, mappings, pools";
            for (const model::ComparableCost &cost : model::comparableCosts())
                keys += fmt::format(", {}", cost.key);
            return model::Error(fmt::format("--what {}: there is no such cost; possible are {}", word, keys));
        }
        costs.insert(costs.end(), found.begin(), found.end());
    }
    return {};
}

model::Result<void> readPer(const std::vector<std::string> &words, model::Normalisation &normalisation)
{
    using model::PerWork;
    if (words.empty())
        return {};
    const auto per = choose("--per", words.front(),
        {std::pair{"none", PerWork::Nothing}, {"second", PerWork::Second}, {"mark", PerWork::Mark},
            {"phase", PerWork::Phase}, {"counter", PerWork::Counter}},
        normalisation.per);
    if (!per)
        return per;
    const bool hasName = normalisation.per != PerWork::Nothing && normalisation.per != PerWork::Second;
    if (hasName != (words.size() == 2))
        return model::Error("--per is none, second, mark NAME, phase NAME, or counter NAME");
    if (hasName)
        normalisation.name = words[1];
    return {};
}

std::string counterKeys()
{
    std::string keys;
    for (const model::WorkCounter &counter : model::workCounters())
        keys += (keys.empty() ? "" : ", ") + std::string(counter.key);
    return keys;
}

} // namespace

CLI::App *addCompare(CLI::App &app, CompareOptions &options, CompareWords &words)
{
    CLI::App *command = app.add_subcommand("compare", "What two recordings, or two windows of one, differ in");
    command->add_option("files", words.files, "The session before, and the one after; one alone with two windows")
        ->required()
        ->expected(1, 2)
        ->type_name("A [B]");
    command->add_option("--from", words.from, "Only from this time on, e.g. 90s; given twice: in A, then in B")
        ->type_name("T")
        ->allow_extra_args(false);
    command->add_option("--to", words.to, "Only up to this time; given twice: in A, then in B")
        ->type_name("T")
        ->allow_extra_args(false);
    command
        ->add_option("--what", words.what,
            "Only this cost: cpu, heap, mappings, pools, or one of them: allocations, allocated, peak, live, "
            "temporary, …")
        ->type_name("COST")
        ->allow_extra_args(false);
    command
        ->add_option("--per", words.per,
            "Divide costs of a time by: second, the marks with a text, the phases with a name, a counter ("
                + counterKeys() + "), or none (default)")
        ->type_name("none|second|mark NAME|phase NAME|counter NAME")
        ->expected(1, 2);
    command->add_option("--top", options.top, "At most this many rows a list (default: all in csv and json, else 10)")
        ->type_name("N");
    command->add_option("--format", words.format, "text (default), csv, json, markdown, or html")->type_name("FORMAT");
    command->add_option("-o,--output", options.output, "Write to this file")->type_name("OUT");
    addPassphraseOptions(*command, options.passphrase);
    command->footer("Stacks are matched by the names of their functions, so that another build of the same source "
                    "compares: inlining, moved lines, "
                    "template\narguments and clones of functions make nothing new.\n"
                    "Differences of CPU samples are judged by the samples alone; two runs differ by more than that. "
                    "genprof gate repeats them.");
    return command;
}

model::Result<void> readCompare(const CompareWords &words, CompareOptions &options)
{
    for (const model::Result<void> &read :
        {readTimes("--from", words.from, options.from), readTimes("--to", words.to, options.to),
            readCosts(words.what, options.costs), readPer(words.per, options.normalisation),
            choose("--format", words.format,
                {std::pair{"text", CompareFormat::Text}, {"csv", CompareFormat::Csv}, {"json", CompareFormat::Json},
                    {"markdown", CompareFormat::Markdown}, {"html", CompareFormat::Html}},
                options.format)})
        if (!read)
            return read;
    options.files = {words.files.front(), words.files.back()};
    const bool isOneWindow = options.from[0] == options.from[1] && options.to[0] == options.to[1];
    if (words.files.size() == 1 && isOneWindow)
        return model::Error(
            "One session is compared with itself in two windows: --from 0s --to 60s --from 60s --to 120s");
    for (std::size_t i = 0; i < 2; ++i)
        if (options.from[i] && options.to[i] && *options.to[i] <= *options.from[i])
            return model::Error("--to must lie after --from");
    return {};
}

} // namespace app

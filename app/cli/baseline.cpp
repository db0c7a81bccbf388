// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/baseline.h"

#include "app/exit_code.h"
#include "app/gate/baseline_store.h"
#include "model/base/format_counted.h"
#include "model/gate/drift.h"
#include "model/gate/rank_tests.h"
#include "model/report/difference_words.h"
#include "model/report/text_table.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <iostream>

namespace app {

namespace {

using Json = nlohmann::ordered_json;

int fail(const model::Error &error, int code = kExitFailure)
{
    fmt::print(stderr, "genprof: {}\n", error.text());
    return code;
}

std::string quantitiesText(std::size_t count)
{
    return fmt::format("{} {}", count, count == 1 ? "quantity" : "quantities");
}

/// A gate by what lacks the heap's figures could never tell of the memory: that is said when it is made.
void warnOfLacks(const VersionRuns &version)
{
    for (const model::GateKey key : model::kBaselineCosts)
        if (const auto lack = version.absent.find(key); lack != version.absent.end()) {
            fmt::print(stderr,
                "genprof: Warning: the baseline lacks figures of the heap, and a gate by it will be unclear. {}\n",
                lack->second);
            break;
        }
    if (!version.beside.empty())
        fmt::print(stderr, "genprof: {}\n", version.beside);
}

int save(const BaselineStore &store, const BaselineOptions &options, const capture::InheritedState &inherited)
{
    std::optional<model::Result<VersionRuns>> version;
    bool hasProgramFailed = false;
    {
        auto runs = CommandRuns::make(inherited, {}, CommandStreams::Quiet);
        if (!runs)
            return fail(runs.error(), kExitRecorderFailed);
        version = measureVersion(*runs, options.command, "baseline", 2, options.runs);
        hasProgramFailed = runs->hasCommandFailed();
    }
    if (!*version)
        return fail(version->error(), hasProgramFailed ? kExitGateProgramFailed : kExitRecorderFailed);
    const model::Baseline baseline = baselineOf(**version, options, options.command);
    if (const auto saved = store.save(baseline); !saved)
        return fail(saved.error(), kExitRecorderFailed);
    warnOfLacks(**version);
    if (!options.isQuiet)
        fmt::print("{}: {}, {}\n", store.file(), quantitiesText(baseline.values.size()),
            model::formatCounted(static_cast<std::int64_t>(baseline.stacks.size()), "stack"));
    return kExitOk;
}

int list(const BaselineOptions &options)
{
    const std::vector<std::string> names = BaselineStore::list(options.folder);
    Json rows = Json::array();
    model::TextTable table({{"name"}, {"date"}, {"branch"}, {"commit"}, {"saves", model::Align::Right}, {"command"}});
    for (const std::string &name : names) {
        const auto store = BaselineStore::open(options.folder, name);
        const auto baseline = store ? store->load() : model::Result<model::Baseline>(store.error());
        if (!baseline) {
            fail(baseline.error());
            continue;
        }
        const auto history = store->history();
        const std::size_t saves = history ? history->entries.size() : 0;
        const model::BaselineOrigin &origin = baseline->origin;
        table.row(
            {name, origin.date, origin.branch, origin.commit.substr(0, 9), std::to_string(saves), origin.command});
        rows.push_back({{"name", name}, {"date", origin.date}, {"branch", origin.branch}, {"commit", origin.commit},
            {"machine", origin.machine}, {"saves", saves}, {"command", origin.command}});
    }
    if (options.asJson)
        std::cout << rows.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
    else if (table.isEmpty())
        std::cout << "No baselines in " << options.folder << '\n';
    else
        table.write(std::cout, 120, 0);
    return kExitOk;
}

void showText(const model::Baseline &baseline, const model::History &history)
{
    const model::BaselineOrigin &origin = baseline.origin;
    const bool isKnown = !origin.branch.empty() || !origin.commit.empty();
    fmt::print("{}\n{}{}{}{}{}\n{}\n", origin.command, origin.date, isKnown ? " · " : "", origin.branch,
        origin.branch.empty() || origin.commit.empty() ? "" : " ", origin.commit, origin.machine);
    if (!origin.reason.empty())
        fmt::print("accepted because: {}\n", origin.reason);
    model::TextTable table({{"quantity"}, {"value", model::Align::Right}, {"runs", model::Align::Right}, {""}});
    for (const auto &[key, values] : baseline.values) {
        const model::GateKeyInfo &info = model::gateKeyInfo(key);
        table.row({std::string(info.label), model::costText(model::medianOf(values), info.unit),
            values.size() > 1 ? std::to_string(values.size()) : "all",
            values.size() > 1 ? "differs between runs" : ""});
    }
    std::cout << '\n';
    table.write(std::cout, 100, 2);
    fmt::print("\nHistory: {} {}{}\n", history.entries.size(), history.entries.size() == 1 ? "save" : "saves",
        history.unreadable > 0 ? fmt::format(", {} lines unreadable", history.unreadable) : "");
    constexpr std::size_t kShown = 10;
    const std::size_t count = history.entries.size();
    for (std::size_t i = count > kShown ? count - kShown : 0; i < count; ++i) {
        const model::HistoryEntry &entry = history.entries[i];
        const auto allocations = entry.values.find(model::GateKey::Allocations);
        fmt::print("  {}  {} {:9}  {}  {}\n", entry.origin.date, entry.origin.branch, entry.origin.commit.substr(0, 9),
            allocations == entry.values.end()
                ? ""
                : model::costText(allocations->second, model::Unit::Count) + " allocations",
            entry.origin.reason);
    }
    for (const model::Drift &drift : model::findDrift(history))
        fmt::print("Slow drift: {}\n", model::driftText(drift, history));
}

void showJson(const model::Baseline &baseline, const model::History &history)
{
    const auto originObject = [](const model::BaselineOrigin &origin) {
        return Json{{"command", origin.command}, {"date", origin.date}, {"branch", origin.branch},
            {"commit", origin.commit}, {"machine", origin.machine}, {"reason", origin.reason}};
    };
    Json object = {{"origin", originObject(baseline.origin)}, {"values", Json::object()}, {"history", Json::array()},
        {"drift", Json::array()}};
    for (const auto &[key, values] : baseline.values)
        object["values"][std::string(model::gateKeyInfo(key).name)] = values;
    for (const model::HistoryEntry &entry : history.entries) {
        Json row = originObject(entry.origin);
        for (const auto &[key, value] : entry.values)
            row[std::string(model::gateKeyInfo(key).name)] = value;
        object["history"].push_back(std::move(row));
    }
    for (const model::Drift &drift : model::findDrift(history))
        object["drift"].push_back({{"key", model::gateKeyInfo(drift.key).name}, {"growth", drift.growth},
            {"text", model::driftText(drift, history)}});
    std::cout << object.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

int show(const BaselineStore &store, const BaselineOptions &options)
{
    const auto baseline = store.load();
    if (!baseline)
        return fail(baseline.error());
    const auto history = store.history();
    if (!history)
        return fail(history.error());
    options.asJson ? showJson(*baseline, *history) : showText(*baseline, *history);
    return kExitOk;
}

} // namespace

int runBaseline(const BaselineOptions &options, const capture::InheritedState &inherited)
{
    using Action = BaselineOptions::Action;
    if (options.action == Action::List)
        return list(options);
    const auto store = BaselineStore::open(options.folder, options.name);
    if (!store)
        return fail(store.error());
    if (options.action == Action::Save)
        return save(*store, options, inherited);
    if (options.action == Action::Show)
        return show(*store, options);
    const auto removed = store->remove();
    return removed ? kExitOk : fail(removed.error());
}

} // namespace app

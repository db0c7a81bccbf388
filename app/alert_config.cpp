// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/alert_config.h"

#include "app/amount_text.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace app {

namespace {

using model::AlertRule;
using model::AlertTest;
using model::Error;
using model::Result;

struct TestKey
{
    std::string_view key;
    AlertTest test;
};

constexpr std::array<TestKey, 7> kTests{{
    {"above", AlertTest::Above},
    {"below", AlertTest::Below},
    {"above_of_limit", AlertTest::AboveOfLimit},
    {"above_of_cores", AlertTest::AboveOfCores},
    {"grows", AlertTest::GrowsBy},
    {"reaches_limit_within", AlertTest::ReachesWithin},
    {"newly_lost", AlertTest::NewlyLost},
}};
constexpr std::array<std::string_view, 7> kRuleKeys{
    "name", "source", "within", "holds", "clears_at", "on_alert", "enabled"};
constexpr std::array<std::string_view, 4> kTopKeys{"alert", "defaults", "notify", "on_alert"};

template <typename Keys> bool contains(const Keys &keys, std::string_view key)
{
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

bool isTest(std::string_view key)
{
    return std::any_of(kTests.begin(), kTests.end(), [key](const TestKey &test) { return test.key == key; });
}

std::string joined(const std::vector<std::string_view> &words)
{
    std::string text;
    for (const std::string_view word : words)
        text += (text.empty() ? "" : ", ") + std::string(word);
    return text;
}

/// Reads one file; remembers its name for errors.
class Reader
{
public:
    explicit Reader(const std::string &origin)
        : m_origin(origin)
    {
    }

    Result<AlertConfig> read(const toml::table &file);

private:
    Error at(const toml::node &node, const std::string &text) const
    {
        return Error(fmt::format("{}:{}: {}", m_origin, node.source().begin.line, text));
    }
    Result<AlertRule> rule(const toml::table &table) const;
    Result<void> test(const toml::table &table, AlertRule &rule) const;
    Result<std::string> text(const toml::table &table, std::string_view key) const;
    Result<bool> flag(const toml::table &table, std::string_view key, bool byDefault) const;
    Result<model::Duration> duration(const toml::table &table, std::string_view key) const;
    Result<double> amount(const toml::node &node, std::string_view key, model::Unit unit) const;

    const std::string &m_origin;
};

Result<std::string> Reader::text(const toml::table &table, std::string_view key) const
{
    const toml::node *node = table.get(key);
    if (!node)
        return std::string();
    const auto value = node->value_exact<std::string>();
    if (!value)
        return at(*node, fmt::format("{} is a text: {} = \"…\"", key, key));
    return *value;
}

Result<bool> Reader::flag(const toml::table &table, std::string_view key, bool byDefault) const
{
    const toml::node *node = table.get(key);
    if (!node)
        return byDefault;
    const auto value = node->value_exact<bool>();
    if (!value)
        return at(*node, fmt::format("{} is true or false", key));
    return *value;
}

Result<model::Duration> Reader::duration(const toml::table &table, std::string_view key) const
{
    const toml::node *node = table.get(key);
    if (!node)
        return model::Duration{};
    const auto value = amount(*node, key, model::Unit::Nanoseconds);
    if (!value)
        return value.error();
    return model::Duration{static_cast<std::int64_t>(*value)};
}

Result<double> Reader::amount(const toml::node &node, std::string_view key, model::Unit unit) const
{
    if (const auto number = node.value_exact<std::int64_t>(); number && unit != model::Unit::Nanoseconds)
        return static_cast<double>(*number);
    if (const auto number = node.value_exact<double>(); number && unit != model::Unit::Nanoseconds)
        return *number;
    const auto text = node.value_exact<std::string>();
    const auto amount = parseAmount(text.value_or(std::string()), unit);
    if (!amount)
        return at(node, fmt::format("{} is {}", key, amountExample(unit)));
    return *amount;
}

/// The one key that says what is compared with what.
Result<void> Reader::test(const toml::table &table, AlertRule &rule) const
{
    const toml::node *found = nullptr;
    std::string_view foundKey;
    for (const TestKey &test : kTests) {
        const toml::node *node = table.get(test.key);
        if (!node)
            continue;
        if (found)
            return at(*node, fmt::format("a rule has one condition, and this one has {} already", foundKey));
        found = node;
        foundKey = test.key;
        rule.test = test.test;
    }
    if (!found) {
        std::vector<std::string_view> keys;
        for (const TestKey &test : kTests)
            keys.push_back(test.key);
        return at(table, "the rule has no condition; it needs one of " + joined(keys));
    }
    // Growth is told in percent or in the unit of what grows.
    const auto asText = found->value_exact<std::string>();
    if (rule.test == AlertTest::GrowsBy && asText && asText->ends_with('%'))
        rule.test = AlertTest::GrowsPercent;
    const auto threshold = amount(*found, foundKey, valueUnit(rule));
    if (!threshold)
        return threshold.error();
    rule.threshold = *threshold;
    if (const toml::node *clears = table.get("clears_at")) {
        const auto value = amount(*clears, "clears_at", valueUnit(rule));
        if (!value)
            return value.error();
        rule.clearsAt = *value;
    }
    return {};
}

Result<AlertRule> Reader::rule(const toml::table &table) const
{
    for (const auto &[key, node] : table) {
        if (!contains(kRuleKeys, key.str()) && !isTest(key.str()))
            return at(node,
                fmt::format("a rule has no key \"{}\"; there are {} and the conditions above, below, above_of_limit, "
                            "above_of_cores, grows, reaches_limit_within, newly_lost",
                    key.str(), joined({kRuleKeys.begin(), kRuleKeys.end()})));
    }
    AlertRule rule;
    const auto name = text(table, "name"), source = text(table, "source"), command = text(table, "on_alert");
    for (const auto *read : {&name, &source, &command})
        if (!*read)
            return read->error();
    rule.name = *name;
    rule.command = *command;
    if (!source->empty()) {
        const auto known = model::seriesSourceOf(*source);
        if (!known) {
            std::vector<std::string_view> keys;
            for (const model::SeriesSource &each : model::seriesSources())
                keys.push_back(seriesInfo(each).key);
            return at(
                *table.get("source"), fmt::format("there is no source \"{}\"; there are {}", *source, joined(keys)));
        }
        rule.source = *known;
        if (table.contains("newly_lost"))
            return at(*table.get("source"), "newly_lost looks at what scans find, and has no source");
    } else if (table.contains("newly_lost")) {
        rule.source = model::HeapQuantity::LiveBytes;
    } else if (table.contains("above_of_cores")) {
        rule.source = model::CpuQuantity::Used;
    }
    if (const auto done = test(table, rule); !done)
        return done.error();
    const auto window = duration(table, "within"), holds = duration(table, "holds");
    if (!window || !holds)
        return window ? holds.error() : window.error();
    rule.window = *window;
    rule.holds = *holds;
    if (const std::string problem = ruleProblem(rule); !problem.empty())
        return at(table, problem);
    return rule;
}

Result<AlertConfig> Reader::read(const toml::table &file)
{
    for (const auto &[key, node] : file)
        if (!contains(kTopKeys, key.str()))
            return at(node,
                fmt::format("there is no key \"{}\"; there are [[alert]], defaults, notify and on_alert", key.str()));
    AlertConfig config;
    const auto defaults = flag(file, "defaults", true), notifies = flag(file, "notify", false);
    const auto command = text(file, "on_alert");
    if (!defaults || !notifies)
        return defaults ? notifies.error() : defaults.error();
    if (!command)
        return command.error();
    config.notifies = *notifies;
    if (*defaults)
        config.rules = model::defaultAlertRules();
    const toml::node *alerts = file.get("alert");
    if (alerts && !alerts->is_array_of_tables())
        return at(*alerts, "alert is a list of tables: write each rule under a line [[alert]]");
    std::vector<std::string> names;
    for (std::size_t i = 0; alerts && i < alerts->as_array()->size(); ++i) {
        const toml::table &table = *alerts->as_array()->get(i)->as_table();
        const auto enabled = flag(table, "enabled", true);
        const auto name = text(table, "name");
        if (!enabled || !name)
            return enabled ? name.error() : enabled.error();
        if (std::find(names.begin(), names.end(), *name) != names.end())
            return at(table, fmt::format("there is a rule \"{}\" already", *name));
        names.push_back(*name);
        std::erase_if(config.rules, [&](const AlertRule &rule) { return rule.name == *name; });
        if (!*enabled)
            continue;
        auto rule = this->rule(table);
        if (!rule)
            return rule.error();
        config.rules.push_back(std::move(*rule));
    }
    for (AlertRule &rule : config.rules)
        if (rule.command.empty())
            rule.command = *command;
    return config;
}

std::string environment(const char *name)
{
    const char *value = std::getenv(name);
    return value ? value : "";
}

/// The file that is read when nobody names one; empty: there is none.
std::string usualFile()
{
    std::string folder = environment("XDG_CONFIG_HOME");
    if (folder.empty() && !environment("HOME").empty())
        folder = environment("HOME") + "/.config";
    if (folder.empty())
        return {};
    const std::string file = folder + "/genesis-profiler/alerts.toml";
    std::error_code error;
    return std::filesystem::exists(file, error) ? file : std::string();
}

Result<AlertConfig> readFile(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (file)
        text << file.rdbuf();
    if (!file)
        return model::systemError("Cannot read the alert rules " + path, errno, "name another file with --alerts");
    return parseAlertConfig(text.str(), path);
}

} // namespace

Result<AlertConfig> parseAlertConfig(std::string_view text, const std::string &origin)
{
    try {
        return Reader(origin).read(toml::parse(text, origin));
    } catch (const toml::parse_error &error) {
        return Error(fmt::format("{}:{}: {}", origin, error.source().begin.line, error.description()));
    }
}

Result<AlertConfig> loadAlertConfig(const std::string &option, const std::string &command)
{
    const std::string wanted = option.empty() ? environment("GENPROF_ALERTS") : option;
    if (wanted == "off")
        return AlertConfig();
    const std::string file = wanted.empty() ? usualFile() : wanted;
    auto config = file.empty() ? Result<AlertConfig>(AlertConfig{model::defaultAlertRules(), false}) : readFile(file);
    if (!config)
        return config;
    const std::string fallback = command.empty() ? environment("GENPROF_ON_ALERT") : command;
    for (AlertRule &rule : config->rules)
        if (rule.command.empty())
            rule.command = fallback;
    config->notifies = config->notifies || environment("GENPROF_NOTIFY") == "1";
    return config;
}

} // namespace app

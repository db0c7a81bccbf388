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
constexpr std::array<std::string_view, 5> kTopKeys{"alert", "defaults", "notify", "on_alert", "on_resolve"};

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

/// Reads one file, to its end: what is wrong is remembered, and the rest read as if that were not there.
class Reader
{
public:
    explicit Reader(const std::string &origin)
        : m_origin(origin)
    {
    }

    Result<AlertConfig> read(const toml::table &file);

private:
    struct Mistake
    {
        toml::source_index line;
        std::string text;
    };

    void say(const toml::node &node, std::string text)
    {
        m_mistakes.push_back({node.source().begin.line, std::move(text)});
    }
    Error mistakes();
    void addRules(const toml::node &alerts, AlertConfig &config);
    AlertRule rule(const toml::table &table);
    void source(const toml::table &table, AlertRule &rule);
    void test(const toml::table &table, AlertRule &rule);
    std::string text(const toml::table &table, std::string_view key);
    bool flag(const toml::table &table, std::string_view key, bool byDefault);
    model::Duration duration(const toml::table &table, std::string_view key);
    std::optional<double> amount(const toml::node &node, std::string_view key, model::Unit unit);

    const std::string &m_origin;
    std::vector<Mistake> m_mistakes;
};

/// All of them, a line each, in the order of the file.
Error Reader::mistakes()
{
    constexpr std::size_t kMost = 50;
    std::stable_sort(
        m_mistakes.begin(), m_mistakes.end(), [](const Mistake &a, const Mistake &b) { return a.line < b.line; });
    std::string text;
    for (std::size_t i = 0; i < std::min(m_mistakes.size(), kMost); ++i)
        text += fmt::format("{}{}:{}: {}", i > 0 ? "\n" : "", m_origin, m_mistakes[i].line, m_mistakes[i].text);
    if (m_mistakes.size() > kMost)
        text += fmt::format("\n{}: … and {} more", m_origin, m_mistakes.size() - kMost);
    return Error(text);
}

std::string Reader::text(const toml::table &table, std::string_view key)
{
    const toml::node *node = table.get(key);
    const auto value = node ? node->value_exact<std::string>() : std::nullopt;
    if (node && !value)
        say(*node, fmt::format("{} is a text: {} = \"…\"", key, key));
    return value.value_or(std::string());
}

bool Reader::flag(const toml::table &table, std::string_view key, bool byDefault)
{
    const toml::node *node = table.get(key);
    const auto value = node ? node->value_exact<bool>() : std::nullopt;
    if (node && !value)
        say(*node, fmt::format("{} is true or false", key));
    return value.value_or(byDefault);
}

model::Duration Reader::duration(const toml::table &table, std::string_view key)
{
    const toml::node *node = table.get(key);
    const auto value = node ? amount(*node, key, model::Unit::Nanoseconds) : std::nullopt;
    return model::Duration{static_cast<std::int64_t>(value.value_or(0))};
}

std::optional<double> Reader::amount(const toml::node &node, std::string_view key, model::Unit unit)
{
    if (const auto number = node.value_exact<std::int64_t>(); number && unit != model::Unit::Nanoseconds)
        return static_cast<double>(*number);
    if (const auto number = node.value_exact<double>(); number && unit != model::Unit::Nanoseconds)
        return *number;
    const auto text = node.value_exact<std::string>();
    const auto amount = parseAmount(text.value_or(std::string()), unit);
    if (!amount) {
        say(node, fmt::format("{} is {}", key, amountExample(unit)));
        return std::nullopt;
    }
    return *amount;
}

/// The one key that says what is compared with what.
void Reader::test(const toml::table &table, AlertRule &rule)
{
    const toml::node *found = nullptr;
    std::string_view foundKey;
    for (const TestKey &test : kTests) {
        const toml::node *node = table.get(test.key);
        if (node && found)
            say(*node, fmt::format("a rule has one condition, and this one has {} already", foundKey));
        if (!node || found)
            continue;
        found = node;
        foundKey = test.key;
        rule.test = test.test;
    }
    if (!found) {
        std::vector<std::string_view> keys;
        for (const TestKey &test : kTests)
            keys.push_back(test.key);
        return say(table, "the rule has no condition; it needs one of " + joined(keys));
    }
    // Growth is told in percent or in the unit of what grows.
    const auto asText = found->value_exact<std::string>();
    if (rule.test == AlertTest::GrowsBy && asText && asText->ends_with('%'))
        rule.test = AlertTest::GrowsPercent;
    rule.threshold = amount(*found, foundKey, valueUnit(rule)).value_or(0);
    if (const toml::node *clears = table.get("clears_at"))
        rule.clearsAt = amount(*clears, "clears_at", valueUnit(rule));
}

void Reader::source(const toml::table &table, AlertRule &rule)
{
    const std::string source = text(table, "source");
    if (source.empty()) {
        if (table.contains("newly_lost"))
            rule.source = model::HeapQuantity::LiveBytes;
        else if (table.contains("above_of_cores"))
            rule.source = model::CpuQuantity::Used;
        return;
    }
    const auto known = model::seriesSourceOf(source);
    if (!known) {
        std::vector<std::string_view> keys;
        for (const model::SeriesSource &each : model::seriesSources())
            keys.push_back(seriesInfo(each).key);
        return say(*table.get("source"), fmt::format("there is no source \"{}\"; there are {}", source, joined(keys)));
    }
    rule.source = *known;
    if (table.contains("newly_lost"))
        say(*table.get("source"), "newly_lost looks at what scans find, and has no source");
}

AlertRule Reader::rule(const toml::table &table)
{
    const std::size_t before = m_mistakes.size();
    for (const auto &[key, node] : table) {
        if (!contains(kRuleKeys, key.str()) && !isTest(key.str()))
            say(node,
                fmt::format("a rule has no key \"{}\"; there are {} and the conditions above, below, above_of_limit, "
                            "above_of_cores, grows, reaches_limit_within, newly_lost",
                    key.str(), joined({kRuleKeys.begin(), kRuleKeys.end()})));
    }
    AlertRule rule;
    rule.name = text(table, "name");
    rule.command = text(table, "on_alert");
    // A key that is not known may be meant to be the condition; a source that is not known has no unit.
    const bool hasKnownKeys = m_mistakes.size() == before;
    source(table, rule);
    const bool hasCondition
        = std::any_of(kTests.begin(), kTests.end(), [&](const TestKey &key) { return table.contains(key.key); });
    if ((hasKnownKeys && m_mistakes.size() == before) || hasCondition)
        test(table, rule);
    rule.window = duration(table, "within");
    rule.holds = duration(table, "holds");
    // What is wrong with the whole follows from what is wrong with its parts.
    if (m_mistakes.size() == before)
        if (std::string problem = ruleProblem(rule); !problem.empty())
            say(table, std::move(problem));
    return rule;
}

void Reader::addRules(const toml::node &alerts, AlertConfig &config)
{
    if (!alerts.is_array_of_tables())
        return say(alerts, "alert is a list of tables: write each rule under a line [[alert]]");
    std::vector<std::string> names;
    for (const toml::node &node : *alerts.as_array()) {
        const toml::table &table = *node.as_table();
        const bool isEnabled = flag(table, "enabled", true);
        const std::string name = table["name"].value_exact<std::string>().value_or(std::string());
        if (!name.empty() && std::find(names.begin(), names.end(), name) != names.end())
            say(table, fmt::format("there is a rule \"{}\" already", name));
        names.push_back(name);
        std::erase_if(config.rules, [&](const AlertRule &rule) { return rule.name == name; });
        if (isEnabled)
            config.rules.push_back(rule(table));
        else
            text(table, "name");
    }
}

Result<AlertConfig> Reader::read(const toml::table &file)
{
    for (const auto &[key, node] : file)
        if (!contains(kTopKeys, key.str()))
            say(node,
                fmt::format("there is no key \"{}\"; there are [[alert]], defaults, notify, on_alert and on_resolve",
                    key.str()));
    AlertConfig config;
    config.notifies = flag(file, "notify", false);
    if (flag(file, "defaults", true))
        config.rules = model::defaultAlertRules();
    const std::string command = text(file, "on_alert");
    config.resolveCommand = text(file, "on_resolve");
    if (const toml::node *alerts = file.get("alert"))
        addRules(*alerts, config);
    if (!m_mistakes.empty())
        return mistakes();
    for (AlertRule &rule : config.rules)
        if (rule.command.empty())
            rule.command = command;
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
    auto text = readAlertText(path, "name another file with --alerts");
    return text ? parseAlertConfig(*text, path) : text.error();
}

} // namespace

Result<std::string> readAlertText(const std::string &path, std::string_view hint)
{
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) // it opens, and reads as if it were empty
        return model::systemError("Cannot read the alert rules " + path, EISDIR, hint);
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (file)
        text << file.rdbuf();
    return file ? Result<std::string>(text.str())
                : model::systemError("Cannot read the alert rules " + path, errno, hint);
}

Result<AlertConfig> parseAlertConfig(std::string_view text, const std::string &origin)
{
    try {
        return Reader(origin).read(toml::parse(text, origin));
    } catch (const toml::parse_error &error) {
        return Error(fmt::format(
            "{}:{}: {} (what follows could not be looked at)", origin, error.source().begin.line, error.description()));
    }
}

Result<AlertConfig> loadAlertConfig(const std::string &option, const std::string &command)
{
    const std::string wanted = option.empty() ? environment("GENPROF_ALERTS") : option;
    if (wanted == "off")
        return AlertConfig();
    const std::string file = wanted.empty() ? usualFile() : wanted;
    auto config
        = file.empty() ? Result<AlertConfig>(AlertConfig{model::defaultAlertRules(), false, {}}) : readFile(file);
    if (!config)
        return config;
    const std::string fallback = command.empty() ? environment("GENPROF_ON_ALERT") : command;
    for (AlertRule &rule : config->rules)
        if (rule.command.empty())
            rule.command = fallback;
    if (config->resolveCommand.empty())
        config->resolveCommand = environment("GENPROF_ON_RESOLVE");
    config->notifies = config->notifies || environment("GENPROF_NOTIFY") == "1";
    return config;
}

} // namespace app

// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/alert_file.h"

#include "app/alert_config.h"

#include <fmt/format.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace app {

namespace {

using model::AlertRuleFile;
using model::AlertRuleText;
using model::Error;
using model::Result;

/// A text as a basic string of TOML.
std::string tomlText(std::string_view text)
{
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += std::string("\\") + c;
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        else
            out += c;
    }
    return out + '"';
}

/// A value of the file as it was written, whatever its type.
std::string written(const toml::table &table, std::string_view key)
{
    const toml::node *node = table.get(key);
    if (!node)
        return {};
    if (const auto text = node->value_exact<std::string>())
        return *text;
    if (const auto number = node->value_exact<std::int64_t>())
        return std::to_string(*number);
    if (const auto number = node->value_exact<double>())
        return fmt::format("{}", *number);
    return {};
}

/// A rule of the file; of one that is only turned off what is known of the built-in one of its name.
AlertRuleText ruleOf(const toml::table &table, const AlertRuleFile &builtIn)
{
    AlertRuleText rule;
    rule.name = written(table, "name");
    rule.isEnabled = table["enabled"].value_or(true);
    for (const model::AlertTestName &test : model::alertTestNames())
        if (table.contains(test.key)) {
            rule.test = test.key;
            rule.threshold = written(table, test.key);
        }
    if (rule.test.empty())
        for (const AlertRuleText &known : builtIn.rules)
            if (known.name == rule.name) {
                rule = known;
                rule.isEnabled = false;
                return rule;
            }
    rule.source = written(table, "source");
    rule.within = written(table, "within");
    rule.holds = written(table, "holds");
    rule.clearsAt = written(table, "clears_at");
    rule.command = written(table, "on_alert");
    return rule;
}

Result<void> writeText(const std::string &path, const std::string &text)
{
    const std::string next = path + ".new";
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    errno = 0;
    std::ofstream file(next, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (!file)
        return model::systemError("Cannot write the alert rules " + next, errno);
    if (std::filesystem::exists(path, error)) {
        std::filesystem::copy_file(path, path + ".bak", std::filesystem::copy_options::overwrite_existing, error);
        if (error)
            return Error(fmt::format("Cannot keep the old rules as {}.bak: {}", path, error.message()));
    }
    std::filesystem::rename(next, path, error);
    if (error)
        return Error(fmt::format("Cannot write the alert rules {}: {}", path, error.message()));
    return {};
}

} // namespace

Result<AlertRuleFile> parseAlertFile(std::string_view text, const std::string &origin)
{
    const auto config = parseAlertConfig(text, origin);
    if (!config)
        return config.error();
    const toml::table file = toml::parse(text, origin); // it parsed before
    const AlertRuleFile builtIn = model::defaultAlertRuleFile();
    AlertRuleFile read;
    if (file["defaults"].value_or(true))
        read.rules = builtIn.rules;
    read.notifies = config->notifies;
    read.command = written(file, "on_alert");
    read.resolveCommand = written(file, "on_resolve");
    const toml::array *alerts = file["alert"].as_array();
    for (std::size_t i = 0; alerts && i < alerts->size(); ++i) {
        AlertRuleText rule = ruleOf(*alerts->get(i)->as_table(), builtIn);
        const auto same = std::find_if(
            read.rules.begin(), read.rules.end(), [&](const AlertRuleText &known) { return known.name == rule.name; });
        if (same != read.rules.end())
            *same = std::move(rule);
        else
            read.rules.push_back(std::move(rule));
    }
    return read;
}

std::string alertFileText(const AlertRuleFile &file)
{
    std::string text
        = "# Alert rules of Genesis Profiler; genprof(1) explains them.\ndefaults = false # all rules stand here\n";
    if (file.notifies)
        text += "notify = true\n";
    if (!file.command.empty())
        text += "on_alert = " + tomlText(file.command) + '\n';
    if (!file.resolveCommand.empty())
        text += "on_resolve = " + tomlText(file.resolveCommand) + '\n';
    for (const AlertRuleText &rule : file.rules) {
        text += "\n[[alert]]\nname = " + tomlText(rule.name) + '\n';
        const std::pair<std::string_view, const std::string &> values[]{{"source", rule.source},
            {rule.test, rule.threshold}, {"within", rule.within}, {"holds", rule.holds}, {"clears_at", rule.clearsAt},
            {"on_alert", rule.command}};
        for (const auto &[key, value] : values)
            if (!key.empty() && !value.empty())
                text += fmt::format("{} = {}\n", key, tomlText(value));
        if (!rule.isEnabled)
            text += "enabled = false\n";
    }
    return text;
}

std::string alertFilePath()
{
    const auto environment = [](const char *name) {
        const char *value = std::getenv(name);
        return std::string(value ? value : "");
    };
    const std::string named = environment("GENPROF_ALERTS");
    if (!named.empty())
        return named == "off" ? std::string() : named;
    std::string folder = environment("XDG_CONFIG_HOME");
    if (folder.empty() && !environment("HOME").empty())
        folder = environment("HOME") + "/.config";
    return folder.empty() ? std::string() : folder + "/genesis-profiler/alerts.toml";
}

model::AlertRuleAccess alertFileAccess(const std::string &path)
{
    const auto check = [path](const AlertRuleFile &file) -> Result<void> {
        // Rules that are off are written too, and must be right when they are turned on.
        AlertRuleFile all = file;
        for (AlertRuleText &rule : all.rules)
            rule.isEnabled = true;
        const auto config = parseAlertConfig(alertFileText(all), path);
        return config ? Result<void>() : Result<void>(config.error());
    };
    return {.path = path,
        .load = [path]() -> Result<AlertRuleFile> {
            std::error_code error;
            if (!std::filesystem::exists(path, error))
                return model::defaultAlertRuleFile();
            const auto text = readAlertText(path);
            return text ? parseAlertFile(*text, path) : Result<AlertRuleFile>(text.error());
        },
        .check = check,
        .save = [path, check](const AlertRuleFile &file) -> Result<void> {
            if (const auto checked = check(file); !checked)
                return checked;
            return writeText(path, alertFileText(file));
        }};
}

} // namespace app

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/alert_rules.h"
#include "model/base/result.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// A condition as files of rules name it.
struct AlertTestName
{
    AlertTest test;
    std::string_view key;   ///< "above_of_limit"
    std::string_view label; ///< for people: "is above, of its limit"
};
/// All conditions that a file can name; growth has one key, in percent or in the unit of what grows.
std::span<const AlertTestName> alertTestNames();
/// The key of a condition; growth in percent has that of growth.
std::string_view alertTestKey(AlertTest test);

/// A rule as it stands in a file, with amounts as people write them there ("80%", "1.5GiB", "10s"). What is empty is left out.
struct AlertRuleText
{
    bool isEnabled = true;
    std::string name;
    std::string source; ///< key of a SeriesSource
    std::string test;   ///< key of an AlertTestName
    std::string threshold;
    std::string within;
    std::string holds;
    std::string clearsAt;
    std::string command;

    friend bool operator==(const AlertRuleText &, const AlertRuleText &) = default;
};

/// A rule in words that read back as the same rule, but for digits behind the fourth.
AlertRuleText textOfRule(const AlertRule &rule);

/// All that a file of rules says: every rule there is, the built-in ones too.
struct AlertRuleFile
{
    std::vector<AlertRuleText> rules;
    std::string command; ///< of rules that have none
    bool notifies = false;
    std::string resolveCommand{}; ///< of all rules, when an alert is over

    friend bool operator==(const AlertRuleFile &, const AlertRuleFile &) = default;
};

/// The built-in rules, as if they stood in a file.
AlertRuleFile defaultAlertRuleFile();

/// How the rules of this user are read, checked and kept; given to whoever edits them, who knows no files.
struct AlertRuleAccess
{
    std::string path; ///< of the file, which need not be there yet
    std::function<Result<AlertRuleFile>()> load;
    std::function<Result<void>(const AlertRuleFile &)> check; ///< says what recording with these rules would say
    std::function<Result<void>(const AlertRuleFile &)> save;  ///< checks, then writes the file whole or not at all
};

} // namespace model

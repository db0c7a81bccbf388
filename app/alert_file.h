// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/alert_rule_text.h"

#include <string>
#include <string_view>

namespace app {

/// A file of rules as an editor shows it: all rules, those that are off and the built-in ones too. Fails as parseAlertConfig() does.
model::Result<model::AlertRuleFile> parseAlertFile(std::string_view text, const std::string &origin);

/// The file as TOML, which parseAlertConfig() understands. It names every rule, and so takes no built-in one beside them.
std::string alertFileText(const model::AlertRuleFile &file);

/// The file of rules that recordings of this user read: GENPROF_ALERTS, else alerts.toml in the folder of configuration. Empty: there is no such
/// folder, or GENPROF_ALERTS is "off".
std::string alertFilePath();

/// How the file at `path` is read, checked and kept; without one the built-in rules are what it says. What stood in it before is kept beside it as
/// PATH.bak.
model::AlertRuleAccess alertFileAccess(const std::string &path);

} // namespace app

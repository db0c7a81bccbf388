// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/alert_rules.h"
#include "model/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace app {

/// Which alerts a recording looks for, and whom they are told.
struct AlertConfig
{
    std::vector<model::AlertRule> rules;
    bool notifies = false;        ///< desktop notifications through notify-send
    std::string resolveCommand{}; ///< shell command to run when an alert is over; empty: none
};

/// Reads rules as TOML. `origin` names the text in errors: one has a line "ORIGIN:LINE: what is wrong" for each mistake, in
/// their order. A rule replaces the built-in one of the
/// same name; the built-in ones are left out with `defaults = false`. README.md of this folder shows the format.
model::Result<AlertConfig> parseAlertConfig(std::string_view text, const std::string &origin);

/// The text of a file of rules; the error ends with `hint`.
model::Result<std::string> readAlertText(const std::string &path, std::string_view hint = {});

/// Where alerts are configured, first to last: `option` (`--alerts`: a file, or "off"), GENPROF_ALERTS (the same), alerts.toml in
/// $XDG_CONFIG_HOME/genesis-profiler, the built-in rules. `command` (`--on-alert`), else GENPROF_ON_ALERT, is run by each rule that names none;
/// GENPROF_ON_RESOLVE where the file has no on_resolve; GENPROF_NOTIFY=1 turns notifications on.
model::Result<AlertConfig> loadAlertConfig(const std::string &option, const std::string &command);

} // namespace app

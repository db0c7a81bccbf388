// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/alert_commands.h"
#include "app/alert_config.h"
#include "model/analysis/alert_watch.h"
#include "model/analysis/leak_watch.h"

#include <functional>
#include <optional>
#include <string>

namespace app {

/// Evaluates the alert rules of a recording, stores what fires in its ticks, and tells it: a sentence on the terminal, the rule's command, a desktop
/// notification. Keeps the accusations of leaking that a session holds, too. Capture thread; never waits.
class AlertDesk
{
public:
    using MessageHandler = std::function<void(const std::string &)>;

    /// `session`: path of the session, for commands. `cores`: processors of the machine.
    AlertDesk(const AlertConfig &config, int cores, std::string session, MessageHandler onMessage);

    /// Looks at a tick, and adds what fired or ended to it.
    void see(model::EventBatch &batch, const model::ProgramTables &tables);

    /// Waits a moment for commands that still run. After the last tick.
    void finish();

    std::size_t firedCount() const { return m_watch.firedCount(); }

private:
    void tell(const model::AlertEvent &alert, model::EventBatch &batch);
    void run(const std::vector<std::string> &arguments, const model::AlertEvent &alert);

    model::AlertWatch m_watch;
    model::LeakWatch m_leaks;
    AlertCommands m_commands;
    std::string m_session;
    std::string m_resolveCommand;
    MessageHandler m_onMessage;
    bool m_notifies = false;
};

/// What a person has to read of an alert, whole: rule, condition with its threshold, and value; for GENPROF_ALERT_TEXT.
std::string alertSentence(const model::AlertEvent &alert);

} // namespace app

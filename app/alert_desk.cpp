// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/alert_desk.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

namespace app {

namespace {

constexpr model::Duration kLastMoment = model::Duration::fromMs(5000);

/// A command may go elsewhere before it looks at the session.
std::string absolute(std::string path)
{
    std::error_code error;
    const std::filesystem::path whole = std::filesystem::absolute(path, error);
    return error ? path : whole.lexically_normal().string();
}

} // namespace

std::string alertSentence(const model::AlertEvent &alert)
{
    const std::string value = model::formatValue(alert.value, alert.unit);
    if (!alert.ended)
        return fmt::format("Alert \"{}\": {} (now {}).", alert.rule, alert.condition, value);
    return fmt::format("Alert \"{}\" is over: {} (it was {} when that fired, {} at worst).", alert.rule,
        alert.condition, value, model::formatValue(alert.worst, alert.unit));
}

AlertDesk::AlertDesk(const AlertConfig &config, int cores, std::string session, MessageHandler onMessage)
    : m_watch(config.rules, cores)
    , m_session(absolute(std::move(session)))
    , m_resolveCommand(config.resolveCommand)
    , m_onMessage(std::move(onMessage))
    , m_notifies(config.notifies)
{
}

void AlertDesk::see(model::EventBatch &batch, const model::ProgramTables &tables)
{
    m_leaks.see(batch);
    for (const model::AlertEvent &alert : m_watch.evaluate(batch, tables)) {
        batch.alerts.push_back(alert);
        if (alert.ended || alert.fired == batch.span.end)
            tell(alert, batch);
    }
    for (const std::string &text : m_commands.look())
        m_onMessage(text);
}

void AlertDesk::tell(const model::AlertEvent &alert, model::EventBatch &batch)
{
    const std::string value = model::formatValue(alert.value, alert.unit);
    if (alert.ended) {
        // What was lost stays lost.
        if (alert.source == "lost_bytes") {
            m_onMessage(fmt::format("{}: the next scan found no further place", alert.rule));
            return;
        }
        m_onMessage(fmt::format("Alert over: {}", alert.rule));
        batch.marks.push_back({*alert.ended, model::MarkKind::Alert, alert.rule + " is over"});
        if (!m_resolveCommand.empty())
            run({AlertCommands::kShell, "-c", m_resolveCommand}, alert);
        return;
    }
    m_onMessage(fmt::format("ALERT {}: {} (now {})", alert.rule, alert.condition, value));
    batch.marks.push_back({alert.fired, model::MarkKind::Alert, fmt::format("{}: {}", alert.rule, value)});
    const model::AlertRule *rule = m_watch.ruleOf(alert);
    if (rule && !rule->command.empty())
        run({AlertCommands::kShell, "-c", rule->command}, alert);
    if (m_notifies)
        run({"notify-send", "--app-name=Genesis Profiler", "--urgency=critical", alert.rule,
                fmt::format("{} (now {})", alert.condition, value)},
            alert);
}

void AlertDesk::run(const std::vector<std::string> &arguments, const model::AlertEvent &alert)
{
    const auto started = m_commands.start(arguments,
        {{"GENPROF_ALERT_RULE", alert.rule}, {"GENPROF_ALERT_STATE", alert.ended ? "resolved" : "firing"},
            {"GENPROF_ALERT_CONDITION", alert.condition}, {"GENPROF_ALERT_SOURCE", alert.source},
            {"GENPROF_ALERT_VALUE", fmt::format("{}", alert.value)},
            {"GENPROF_ALERT_THRESHOLD", fmt::format("{}", alert.threshold)},
            {"GENPROF_ALERT_TEXT", alertSentence(alert)},
            {"GENPROF_ALERT_SECONDS", fmt::format("{:.3f}", alert.fired.seconds())},
            {"GENPROF_ALERT_SESSION", m_session}});
    if (!started)
        m_onMessage(started.error().text());
}

void AlertDesk::finish()
{
    for (const std::string &text : m_commands.finish(kLastMoment))
        m_onMessage(text);
}

} // namespace app

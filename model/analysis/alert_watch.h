// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/alert_inputs.h"
#include "model/analysis/alert_rules.h"

#include <deque>
#include <map>
#include <vector>

namespace model {

/// Medians of a source over equal steps of time, and over the step that ends now.
class MedianHistory
{
public:
    /// Keeps `steps` medians of `step` each, and the values of the last `step`.
    MedianHistory(Duration step, std::size_t steps);

    void add(Timestamp when, double value);
    /// Forgets all values.
    void restart() { *this = MedianHistory(m_step, m_steps); }
    /// The median of the values within the last step.
    double current() const;
    /// The median of the step that lies the whole history back; empty while there is not that much.
    std::optional<double> oldest() const;
    /// Medians of the whole steps, ascending in time, each at its step's end.
    std::vector<SeriesPoint> points() const;

private:
    struct Step
    {
        std::int64_t index = 0; ///< of its begin, in steps since moment 0
        double median = 0;
    };

    Duration m_step;
    std::size_t m_steps;
    std::deque<SeriesPoint> m_recent; ///< of the last step
    std::vector<double> m_filling;    ///< of the step that is not over
    std::int64_t m_index = -1;        ///< of m_filling
    std::deque<Step> m_history;
    Timestamp m_first; ///< of all values
    bool m_hasValues = false;
};

/// Evaluates alert rules tick by tick. Deterministic; one thread; memory is bounded by the rules' windows (12 medians each; forecasts
/// keep 48 h of 1-minute medians) and the values of one step.
class AlertWatch
{
public:
    /// `cores`: processors of the machine.
    AlertWatch(std::vector<AlertRule> rules, int cores);

    /// Takes a tick in; alerts that fired (`fired` is its end), ended, or got
    /// worse since they were told: by a tenth of the threshold, or at all within 10 s.
    std::vector<AlertEvent> evaluate(const EventBatch &batch, const ProgramTables &tables);

    /// The rule behind an event.
    const AlertRule *ruleOf(const AlertEvent &event) const;
    /// Alerts that have fired so far.
    std::size_t firedCount() const { return m_lastId; }

private:
    struct Watched
    {
        AlertRule rule;
        std::optional<MedianHistory> history;
        std::optional<Timestamp> since;     ///< the condition has held without interruption
        std::optional<Timestamp> overSince; ///< it has been over, while the alert is active
        std::optional<AlertEvent> active;
        std::optional<double> forecastValue; ///< of the last forecast; infinity: not within its horizon
        Timestamp nextForecast;
        Timestamp toldAt;
        double toldWorst = 0;
    };

    std::optional<double> compared(Watched &watched, Timestamp now) const;
    static std::optional<double> forecastNs(Watched &watched, Timestamp now, std::optional<double> limit);
    std::string conditionNow(const AlertRule &rule) const;
    void judge(Watched &watched, std::optional<double> value, Timestamp now, std::vector<AlertEvent> &told);

    static void tell(Watched &watched, Timestamp now, std::vector<AlertEvent> &told);

    AlertInputs m_inputs;
    std::vector<Watched> m_watched;
    int m_cores;
    std::uint32_t m_lastId = 0;
};

} // namespace model

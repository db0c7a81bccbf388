// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/recording/control_protocol.h"
#include "model/base/units.h"

#include <optional>

namespace capture {

/// When to scan for lost memory: on a schedule, when asked to, and then perhaps a second time. A value; the clock is the caller's.
class ScanPlan
{
public:
    explicit ScanPlan(std::optional<model::Duration> every)
        : m_every(every)
    {
    }

    /// The schedule begins: its first scan is due one distance later.
    void begin(model::Timestamp now);
    /// Somebody asks: at once, and if it is to be confirmed once more. Of several wishes the last one says how; but none may take the place of one that
    /// is still to be confirmed: false then, and nothing changes.
    [[nodiscard]] bool ask(model::Timestamp now, const ScanWish &wish);

    /// When the next scan is due.
    std::optional<model::Timestamp> next() const;
    /// Whether scans that were asked for are still to be begun.
    bool isAsked() const { return m_asked.has_value(); }
    /// How to scan, if one is due now; it then counts as begun.
    std::optional<ScanParameters> takeDue(model::Timestamp now);
    /// The processes have been stopped and run again: the scan that confirms this one is due as much later than that.
    void begun(model::Timestamp now);

private:
    struct Asked
    {
        model::Timestamp due;
        ScanWish wish;
        bool awaitsFirst = false;    ///< confirms a scan that is just being begun
        bool isConfirmation = false; ///< of a scan that has been begun
    };
    std::optional<model::Duration> m_every;
    std::optional<model::Timestamp> m_nextScheduled;
    std::optional<Asked> m_asked;
};

} // namespace capture

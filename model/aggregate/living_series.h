// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <optional>
#include <vector>

namespace model {

/// Which of the series of processes or images count when they are added up, at moments that ascend. In a step that many ticks were merged
/// into far more of them have values than ever lived at once: of those only the ones that still live at its end count. A tick also takes
/// what was said in it of those that ended in it, as far as they lived at the same time: of programs that run one after the other within a tick
/// not the sum counts, and a fork that ended in it counts with its parent, whose pages it had. Time of all moments: the sum of how long the series are.
class LivingSeries
{
public:
    /// When a series counts.
    struct Span
    {
        Timestamp first, last;          ///< its values; between them the last one goes on
        std::optional<Timestamp> ended; ///< until when it counts in merged steps; empty where that makes no difference
        Timestamp began;                ///< when what the series tells of came to be
        std::optional<Timestamp> gone;  ///< and when it went; empty while it is there
        std::optional<std::size_t> forkedFrom = {}; ///< the series of the parent whose pages it began with; empty: none
    };
    /// What counts at a moment.
    struct Said
    {
        std::size_t series = 0;
        double value = 0;
    };

    /// `snapshot` must outlive this.
    LivingSeries(const Snapshot &snapshot, std::vector<Span> spans);

    /// The series with first ≤ when ≤ last, ascending; `when` must not be less than the one before.
    const std::vector<std::size_t> &at(Timestamp when);

    /// Whether a series that at() gave counts there; its newest value is of the moment `said`.
    bool counts(std::size_t series, Timestamp said) const;

    /// Of those that count at the moment of at() the ones that lived at the same time and have most together.
    void keepTogether(std::vector<Said> &said) const { keepTogether(said, m_spans, m_when); }
    /// The same of any; a fork that is gone by `when` is dropped if it had no more than its parent, which is there.
    static void keepTogether(std::vector<Said> &said, const std::vector<Span> &spans, Timestamp when);

private:
    const Snapshot &m_snapshot;
    std::vector<Span> m_spans;
    std::vector<std::size_t> m_order; ///< by first moment
    std::size_t m_nextStart = 0;      ///< in m_order
    std::vector<std::size_t> m_living;
    Timestamp m_when;
    bool m_isMerged = false; ///< ticks were merged into the step that ends at m_when
};

/// Says of `spans`, one for each of `processes`, which are forks of others of them.
void setForks(
    std::vector<LivingSeries::Span> &spans, const std::vector<ProcessId> &processes, const ProgramTables &tables);

} // namespace model

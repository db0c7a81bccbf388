// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/leak_detector.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace model {

/// A place that was accused and has since freed more than half of the blocks that it was accused of keeping: a proven false report.
struct LeakRetraction
{
    ImageId image;
    StackId stack;
    std::string place;
    std::int64_t accusedOf = 0; ///< old blocks that were alive when it was first accused
    std::int64_t alive = 0;     ///< of those, still
};

/// Remembers what the reports of one live session accused, and finds what proved wrong: the tool's own precision. One thread.
class LeakRetractions
{
public:
    /// Takes the newest report of `snapshot`; another session's begins anew.
    void update(const LeakReport &report, const Snapshot &snapshot);

    std::int64_t accused() const { return static_cast<std::int64_t>(m_accused.size()); } ///< stacks, ever
    const std::vector<LeakRetraction> &withdrawn() const { return m_withdrawn; }
    /// "1 of 5 stacks accused so far freed those blocks later: parse."; empty while nothing was withdrawn.
    std::string sentence() const;

private:
    struct Accusation
    {
        std::string place;
        Timestamp oldEnd; ///< blocks born before it were old then
        std::int64_t alive = 0;
        bool isWithdrawn = false;
    };

    std::string m_file;
    std::map<std::pair<std::uint32_t, std::uint32_t>, Accusation> m_accused; ///< by image, stack
    std::vector<LeakRetraction> m_withdrawn;
};

} // namespace model

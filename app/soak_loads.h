// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/soak_load.h"
#include "model/soak_record.h"

#include <string>
#include <vector>

namespace app {

/// Keeps the load commands of a stability test running: each is started again when it ends, at once after a success, and later and later while it keeps
/// failing. One thread; `now` is any steady time.
class SoakLoads
{
public:
    /// So many failures in a row are the end of the test.
    static constexpr int kMostFailures = 10;

    /// `commands`: as they are run; `known`: what is known of them already, by position, with the texts that may be stored. `length` of the test:
    /// pauses are at most a hundredth of it, and a minute.
    SoakLoads(std::vector<std::string> commands, std::vector<model::SoakLoad> known, model::Duration length,
        const capture::InheritedState &inherited);

    /// Starts them all.
    void start(model::Timestamp now);
    /// Collects what ended and starts what is due. Sentences for the user.
    std::vector<std::string> look(model::Timestamp now);
    /// Ends them all, and waits for that.
    void stop();

    /// Why the test cannot go on, as a sentence; empty while it can.
    const std::string &problem() const { return m_problem; }
    /// What changed since the last call, to be stored.
    std::vector<model::SoakLoad> takeChanged();
    bool isEmpty() const { return m_loads.empty(); }

private:
    struct Kept
    {
        std::string command;
        model::SoakLoad row;
        std::optional<SoakLoad> run;
        model::Timestamp began;
        model::Timestamp due;
        int failuresInARow = 0;
        bool hasSucceeded = false;
        bool isHasty = false; ///< it ends as soon as it is started; told once
        bool isChanged = true;
    };

    void begin(Kept &load, model::Timestamp now);
    void ended(Kept &load, const LoadEnd &end, model::Timestamp now, std::vector<std::string> &said);
    void failed(Kept &load, const LoadEnd &end, model::Timestamp now, std::vector<std::string> &said);

    const capture::InheritedState &m_inherited;
    model::Duration m_leastPause;
    model::Duration m_mostPause;
    std::vector<Kept> m_loads;
    std::string m_problem;
};

} // namespace app

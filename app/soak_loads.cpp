// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/soak_loads.h"

#include "app/exit_code.h"
#include "model/base/format_units.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace app {

namespace {

constexpr model::Duration kLeastPause = model::Duration::fromMs(1000);
constexpr model::Duration kMostPause = model::Duration::fromMs(60'000);

std::string howItEnded(const LoadEnd &end)
{
    std::string text = WIFSIGNALED(end.waitStatus)
        ? fmt::format("was killed by signal {} ({})", WTERMSIG(end.waitStatus), ::strsignal(WTERMSIG(end.waitStatus)))
        : fmt::format("ended with status {}", WEXITSTATUS(end.waitStatus));
    if (!end.lastLine.empty())
        text += fmt::format(", having said \"{}\"", end.lastLine);
    return text;
}

} // namespace

SoakLoads::SoakLoads(std::vector<std::string> commands, std::vector<model::SoakLoad> known, model::Duration length,
    const capture::InheritedState &inherited)
    : m_inherited(inherited)
    , m_leastPause(std::min(kLeastPause, model::Duration{length.ns / 600}))
    , m_mostPause(std::min(kMostPause, model::Duration{length.ns / 100}))
{
    for (std::size_t i = 0; i < commands.size(); ++i) {
        m_loads.emplace_back();
        m_loads.back().command = std::move(commands[i]);
        m_loads.back().row = i < known.size() ? std::move(known[i]) : model::SoakLoad{};
        m_loads.back().row.id = static_cast<std::uint32_t>(i);
    }
}

void SoakLoads::begin(Kept &load, model::Timestamp now)
{
    auto run = SoakLoad::start(load.command, m_inherited);
    if (!run) {
        m_problem = run.error().text() + ".";
        return;
    }
    load.run.emplace(std::move(*run));
    load.began = now;
    ++load.row.starts;
    load.isChanged = true;
}

void SoakLoads::start(model::Timestamp now)
{
    for (Kept &load : m_loads)
        begin(load, now);
}

std::vector<std::string> SoakLoads::look(model::Timestamp now)
{
    std::vector<std::string> said;
    for (Kept &load : m_loads) {
        if (load.run)
            if (const auto end = load.run->look())
                ended(load, *end, now, said);
        if (!load.run && m_problem.empty() && now >= load.due)
            begin(load, now);
    }
    return said;
}

void SoakLoads::ended(Kept &load, const LoadEnd &end, model::Timestamp now, std::vector<std::string> &said)
{
    load.run.reset();
    if (end.waitStatus != 0)
        return failed(load, end, now, said);
    load.hasSucceeded = true;
    load.failuresInARow = 0;
    load.due = now;
    // One that has nothing to do must not fill a core with its starts.
    if (now - load.began >= m_leastPause)
        return;
    load.due = load.began + m_leastPause;
    if (!std::exchange(load.isHasty, true))
        said.push_back(fmt::format("The load \"{}\" ends as soon as it is started; it is started again every {}",
            load.row.command, model::formatDuration(m_leastPause)));
}

void SoakLoads::failed(Kept &load, const LoadEnd &end, model::Timestamp now, std::vector<std::string> &said)
{
    ++load.row.failures;
    ++load.failuresInARow;
    load.row.trouble = howItEnded(end);
    load.isChanged = true;
    const int status = exitCodeOf(end.waitStatus);
    const bool cannotStart
        = (status == kExitNotFound || status == kExitNotExecutable) && !load.hasSucceeded && load.row.starts == 1;
    if (cannotStart) {
        m_problem = fmt::format("The load \"{}\" cannot be started: it {}.", load.row.command, load.row.trouble);
        return;
    }
    if (load.failuresInARow >= kMostFailures) {
        m_problem = fmt::format("The load \"{}\" failed {} times in a row: it {}.", load.row.command,
            load.failuresInARow, load.row.trouble);
        return;
    }
    const int doublings = std::min(load.failuresInARow - 1, 20);
    const model::Duration pause{std::min(m_leastPause.ns << doublings, m_mostPause.ns)};
    load.due = now + pause;
    if (load.failuresInARow == 1 || load.failuresInARow == kMostFailures / 2)
        said.push_back(fmt::format("The load \"{}\" {}; it is started again in {}", load.row.command, load.row.trouble,
            model::formatDuration(pause)));
}

void SoakLoads::stop()
{
    for (Kept &load : m_loads)
        if (load.run)
            load.run->askToStop();
    for (Kept &load : m_loads)
        load.run.reset();
}

std::vector<model::SoakLoad> SoakLoads::takeChanged()
{
    std::vector<model::SoakLoad> rows;
    for (Kept &load : m_loads)
        if (std::exchange(load.isChanged, false))
            rows.push_back(load.row);
    return rows;
}

} // namespace app

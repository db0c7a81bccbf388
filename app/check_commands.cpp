// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/check_commands.h"

#include "app/compare_arguments.h"
#include "app/exit_code.h"
#include "app/gate_arguments.h"

#include <CLI/CLI.hpp>

namespace app {

struct CheckCommands::Typed
{
    CompareOptions compare;
    CompareWords compareWords;
    CLI::App *compareCommand = nullptr;
    GateOptions gate;
    GateWords gateWords;
    CLI::App *gateCommand = nullptr;
    BaselineOptions baseline;
    CLI::App *baselineCommand = nullptr;
};

namespace {

PrintAndExit wrong(const std::string &text, int exitCode = kExitUsage) { return {"genprof: " + text + "\n", exitCode}; }

} // namespace

CheckCommands::CheckCommands(CLI::App &app)
    : m_typed(std::make_unique<Typed>())
{
    m_typed->compareCommand = addCompare(app, m_typed->compare, m_typed->compareWords);
    m_typed->gateCommand = addGate(app, m_typed->gate, m_typed->gateWords);
    m_typed->baselineCommand = addBaseline(app, m_typed->baseline);
}

CheckCommands::~CheckCommands() = default;

std::optional<Command> CheckCommands::parsed(std::vector<std::string> behindDashes) const
{
    if (m_typed->compareCommand->parsed()) {
        if (const auto read = readCompare(m_typed->compareWords, m_typed->compare); !read)
            return wrong(read.error().text());
        return m_typed->compare;
    }
    if (m_typed->gateCommand->parsed()) {
        for (const std::string &word : m_typed->gateCommand->remaining())
            return wrong(word + " is no option of gate; the command stands behind two dashes", kExitRecorderFailed);
        if (const auto read = readGate(m_typed->gateWords, std::move(behindDashes), m_typed->gate); !read)
            return wrong(read.error().text(), kExitRecorderFailed);
        return m_typed->gate;
    }
    if (m_typed->baselineCommand->parsed()) {
        if (const auto read
            = readBaselineCommand(*m_typed->baselineCommand, std::move(behindDashes), m_typed->baseline);
            !read)
            return wrong(read.error().text());
        return m_typed->baseline;
    }
    return std::nullopt;
}

} // namespace app

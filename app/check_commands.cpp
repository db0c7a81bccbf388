// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/check_commands.h"

#include "app/choice.h"
#include "app/compare_arguments.h"
#include "app/exit_code.h"

#include <CLI/CLI.hpp>

namespace app {

struct CheckCommands::Typed
{
    CompareOptions compare;
    CompareWords compareWords;
    CLI::App *compareCommand = nullptr;
};

namespace {

PrintAndExit wrong(const std::string &text) { return {"genprof: " + text + "\n", kExitUsage}; }

} // namespace

CheckCommands::CheckCommands(CLI::App &app)
    : m_typed(std::make_unique<Typed>())
{
    m_typed->compareCommand = addCompare(app, m_typed->compare, m_typed->compareWords);
}

CheckCommands::~CheckCommands() = default;

std::optional<Command> CheckCommands::parsed() const
{
    if (m_typed->compareCommand->parsed()) {
        if (const auto read = readCompare(m_typed->compareWords, m_typed->compare); !read)
            return wrong(read.error().text());
        return m_typed->compare;
    }
    return std::nullopt;
}

} // namespace app

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace app {

/// The part of genprof's command line that says whether something got worse: it declares these commands, and turns what was typed into a
/// Command. Lives as long as the parser that it was added to.
class CheckCommands
{
public:
    explicit CheckCommands(CLI::App &app);
    CheckCommands(const CheckCommands &) = delete;
    CheckCommands &operator=(const CheckCommands &) = delete;
    ~CheckCommands();

    /// What was asked for, or what is wrong with it; nothing when it was none of these commands.
    /// `behindDashes`: what stood behind "--", the command of gate and of baseline save.
    std::optional<Command> parsed(std::vector<std::string> behindDashes) const;

private:
    struct Typed;
    std::unique_ptr<Typed> m_typed;
};

} // namespace app

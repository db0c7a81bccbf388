// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace app {

/// Help for people, 80 columns wide: what is typed and what it does, without the names that CLI11 has for its checks and counts.
class HelpFormatter : public CLI::Formatter
{
public:
    /// `usage`: "genprof record [OPTIONS] -- CMD [ARG…]", where CLI11 does not know the arguments; empty: made from them.
    explicit HelpFormatter(std::string usage = {});

    std::string make_usage(const CLI::App *command, std::string name) const override;
    std::string make_option(const CLI::Option *option, bool isPositional) const override;
    std::string make_subcommand(const CLI::App *command) const override;
    std::string make_footer(const CLI::App *command) const override;

protected:
    std::string make_option_usage(const CLI::Option *option) const override;

private:
    std::string m_usage;
};

/// That there is no such command, and which one was probably meant.
std::string unknownCommand(const CLI::App &app, const std::string &name);

/// What was wrong with a command line, as one sentence with "genprof COMMAND --help" behind it.
std::string explainedError(const CLI::App &app, const CLI::ParseError &error);

} // namespace app

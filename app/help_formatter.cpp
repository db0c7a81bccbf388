// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/help_formatter.h"

#include "model/report/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <string_view>
#include <vector>

namespace app {

namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kDescriptionColumn = 28;

/// "N:INT in [0 - 1000]" as "N": what stands behind the colon is about CLI11's checks.
std::string typeOf(const CLI::Option &option)
{
    const std::string type = option.get_type_name();
    return type.substr(0, type.find(':'));
}

bool takesMany(const CLI::Option &option) { return option.get_expected_max() >= CLI::detail::expected_max_vector_size; }

/// "  NAME      description", broken into lines.
std::string entry(const std::string &name, const std::string &description)
{
    std::ostringstream lines;
    model::writeWrapped(lines, description, kColumns, kDescriptionColumn);
    std::string text = lines.str();
    const std::string head = "  " + name;
    const std::size_t width = model::textWidth(head);
    return width + 1 < kDescriptionColumn ? head + text.substr(std::min(width, text.size())) : head + '\n' + text;
}

/// The command that was typed, as far as it was understood: "genprof baseline save".
const CLI::App &innermost(const CLI::App &app)
{
    const CLI::App *command = &app;
    while (!command->get_subcommands().empty())
        command = command->get_subcommands().back();
    return *command;
}

std::string wordsOf(const CLI::App &command)
{
    return command.get_parent() ? wordsOf(*command.get_parent()) + ' ' + command.get_name() : command.get_name();
}

/// "file is required", which names what no user typed.
std::string missingText(const CLI::App &command, const std::string &said)
{
    constexpr std::string_view kEnding = " is required";
    const std::string name = said.ends_with(kEnding) ? said.substr(0, said.size() - kEnding.size()) : std::string();
    for (const CLI::Option *option : command.get_options())
        if (!name.empty() && option->get_positional() && option->get_name(true, false) == name)
            return fmt::format("{} needs {}: {}", wordsOf(command), typeOf(*option), option->get_description());
    return said;
}

/// "Could not convert: --process = x"; all that CLI11 converts for us are numbers.
std::string numberText(std::string_view said)
{
    constexpr std::string_view kBegin = "Could not convert: ", kEquals = " = ";
    const std::size_t equals = said.find(kEquals);
    if (!said.starts_with(kBegin) || equals == std::string_view::npos)
        return std::string(said);
    return fmt::format("{}: \"{}\" is no whole number", said.substr(kBegin.size(), equals - kBegin.size()),
        said.substr(equals + kEquals.size()));
}

/// How many letters have to be typed otherwise, left out, added or swapped with the next one (optimal string alignment).
std::size_t mistakesBetween(std::string_view a, std::string_view b)
{
    std::vector<std::vector<std::size_t>> costs(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i)
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                costs[i][j] = i + j;
                continue;
            }
            const std::size_t other = a[i - 1] == b[j - 1] ? 0 : 1;
            costs[i][j] = std::min({costs[i - 1][j] + 1, costs[i][j - 1] + 1, costs[i - 1][j - 1] + other});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                costs[i][j] = std::min(costs[i][j], costs[i - 2][j - 2] + 1);
        }
    return costs[a.size()][b.size()];
}

} // namespace

HelpFormatter::HelpFormatter(std::string usage)
    : m_usage(std::move(usage))
{
    column_width(kDescriptionColumn);
    label("SUBCOMMAND", "COMMAND");
}

std::string HelpFormatter::make_usage(const CLI::App *command, std::string name) const
{
    return m_usage.empty() ? CLI::Formatter::make_usage(command, std::move(name)) : "Usage: " + m_usage + "\n";
}

std::string HelpFormatter::make_option(const CLI::Option *option, bool isPositional) const
{
    const bool isFlag = option->get_type_size() == 0;
    std::string name = isPositional ? typeOf(*option) : option->get_name(false, true);
    if (!isPositional && !isFlag)
        name += ' ' + typeOf(*option);
    std::string description = option->get_description();
    if (takesMany(*option) && !isFlag && !isPositional && description.find("given") == std::string::npos)
        description += "; may be repeated";
    if (option->get_required() && !isPositional)
        description += " (required)";
    return entry(name, description);
}

std::string HelpFormatter::make_subcommand(const CLI::App *command) const
{
    return entry(command->get_name(), command->get_description());
}

std::string HelpFormatter::make_footer(const CLI::App *command) const
{
    std::ostringstream out;
    std::istringstream lines(command->get_footer());
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(' ') || model::textWidth(line) <= kColumns || line.find("   ") != std::string::npos)
            out << line << '\n'; // examples and tables stay as they are
        else
            model::writeWrapped(out, line, kColumns, 0);
    return out.str();
}

std::string HelpFormatter::make_option_usage(const CLI::Option *option) const
{
    const std::string name = typeOf(*option) + (takesMany(*option) ? "..." : "");
    return option->get_required() ? name : "[" + name + "]";
}

std::string unknownCommand(const CLI::App &app, const std::string &name)
{
    std::string text = "There is no command \"" + name + "\"";
    std::size_t least = 3; // more mistakes make another word
    std::string meant;
    for (const CLI::App *command : app.get_subcommands({}))
        if (const std::size_t mistakes = mistakesBetween(name, command->get_name()); mistakes < least) {
            least = mistakes;
            meant = command->get_name();
        }
    return text + (meant.empty() ? "" : "; did you mean \"" + meant + "\"?") + "\n\"genprof --help\" names all.";
}

std::string explainedError(const CLI::App &app, const CLI::ParseError &error)
{
    const CLI::App &command = innermost(app);
    std::string text = error.what();
    if (dynamic_cast<const CLI::RequiredError *>(&error))
        text = missingText(command, text);
    else if (dynamic_cast<const CLI::ConversionError *>(&error))
        text = numberText(text);
    return fmt::format("{}\n\"{} --help\" explains how it is used.", text, wordsOf(command));
}

} // namespace app

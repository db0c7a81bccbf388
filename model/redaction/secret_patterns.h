// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace model {

/// Finds what looks like a secret in command lines, and puts kMask in its place. What counts is listed in README.md: the value
/// behind a telling name (--password=…, TOKEN=…, "Authorization: Bearer …"), the password in a URL, keys that are known by their
/// shape (AWS, GitHub, JWT, …), and what the user adds. Takes time in proportion to the text, whatever the patterns. Values are immutable
/// once made, so one may be used in several threads.
class SecretPatterns
{
public:
    static constexpr std::string_view kMask = "***";

    /// Adds a pattern of the user: "NAME" or "NAME*" hides the value behind such an option, variable or header ("?" and "*" as in a shell, no
    /// matter the case; leading dashes do not count); "=GLOB" hides each word that looks so. Fails with a sentence when it is neither.
    Result<void> add(std::string_view pattern);

    /// Adds the patterns of a text, one a line; blank lines and lines that begin with # are skipped.
    Result<void> addLines(std::string_view text);

    /// The arguments of a command, with their secrets masked.
    std::vector<std::string> redacted(const std::vector<std::string> &arguments) const;

    /// A command line as one text: arguments separated by spaces, quoted as for a shell.
    std::string redacted(std::string_view commandLine) const;

private:
    bool isTelling(std::string_view name) const;
    bool isSecretWord(std::string_view word) const;
    std::string redactedArgument(std::string_view argument) const;
    std::string redactedWords(std::string_view text) const;
    std::string redactedShapes(std::string_view text) const;
    bool tellsNext(std::string_view argument) const;

    std::vector<std::string> m_names; ///< of the user: globs in lower case
    std::vector<std::string> m_words; ///< of the user: globs
};

/// Whether `text` is matched by `glob` as a whole: * any characters, ? one. Takes at most their product in time.
bool matchesGlob(std::string_view glob, std::string_view text);

} // namespace model

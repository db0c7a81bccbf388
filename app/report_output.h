// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"

#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

namespace app {

/// For whom a report is.
enum class Reader { Person, Program };

/// Writes a report to the file at `path`, or to standard output where that is empty. What is there is replaced; a session is not, and that fails.
/// What a person reads on standard output is ASCII where the locale has no UTF-8. Fails with a sentence.
model::Result<void> writeOutput(
    const std::string &path, Reader reader, const std::function<void(std::ostream &)> &write);

/// Prints what a person reads on standard output, in ASCII where the locale has no UTF-8.
void printForPeople(const std::string &text);

/// Whether the locale that LC_ALL, LC_CTYPE or LANG choose has UTF-8. True where none of them is set: that says nothing of the terminal.
bool localeHasUtf8();

/// The text with stand-ins for what is not ASCII: "3 – 5 … · ▁█" as "3 - 5 ... | _#"; what has none becomes "?".
std::string asciiStandIns(std::string_view utf8);

} // namespace app

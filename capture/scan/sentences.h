// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace capture {

/// Appends a sentence without its full stop to such as stand there, as errors and limits of scans are told.
inline void addSentence(std::string &text, const std::string &sentence)
{
    text += (text.empty() ? "" : ". ") + sentence;
}

} // namespace capture

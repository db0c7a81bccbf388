// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/units.h"
#include "model/session_info.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// What a list says about a session file, without reading what it recorded.
struct SessionEntry
{
    std::string path;             ///< absolute
    std::string command;          ///< as commandText() has it; "(sealed)" where its key is not known
    std::string buildId;          ///< of the program that ran last in the first process; empty: none, or not known
    std::string host;             ///< where it was recorded
    std::int64_t startWallNs = 0; ///< CLOCK_REALTIME when recording began; of a sealed one, when the file last changed
    Duration duration;            ///< recorded
    std::int64_t fileBytes = 0;   ///< with its log
    SessionState state = SessionState::Unfinished;
    std::vector<std::string> verdicts; ///< of checks, newest last, then "soak: stable" of a stability test
    std::vector<std::string> tags;     ///< ascending
    std::string note;
    bool isSealed = false;
    bool tagsAreKnown = true; ///< not of a sealed session whose key is not known, nor where they cannot be read
    std::string problem;      ///< why it cannot be read, as a sentence; empty: it can
};

/// The command as lists show it: arguments joined by spaces. Of a process that was attached to: `attached`, the command line that it had, in
/// "./server --fast (pid 4127)", or where that is not known "pid 4127".
std::string commandText(const CaptureConfig &config, std::string_view attached = {});

/// The verdict that a list shows where it has room for one: of a stability test, of leaks, of growth, then others; of forecasts, and that nothing
/// was found, only where there is no other. Of several on one question the newest. Empty: there is none.
std::string chiefVerdict(const SessionEntry &entry);

/// Whether each word of `search` stands in the path, command, build-id, host, note, a tag or a verdict; no matter the case.
bool matches(const SessionEntry &entry, std::string_view search);

/// What is kept when old sessions are removed; a limit of 0 is none.
struct KeepRules
{
    std::int64_t count = 0; ///< at most this many, the newest
    Duration age;           ///< none that began longer ago
    std::int64_t bytes = 0; ///< the newest that fit together

    /// Sessions with this tag are always kept.
    static constexpr std::string_view kKeepTag = "keep";
};

/// A session that the rules do not keep.
struct PruneChoice
{
    std::size_t entry = 0; ///< position in the list
    std::string reason;    ///< "older than 30 days"
};

/// What rules do not keep.
struct PruneChoices
{
    std::vector<PruneChoice> removed; ///< oldest first
    std::vector<PruneChoice>
        unjudged; ///< would be removed too, but for what their tags may say, which are not known; they stay
};

/// What `rules` remove of `entries`. Sessions that are being recorded, unfinished or cannot be read are never chosen; they count for the limits
/// all the same. `nowWallNs` is CLOCK_REALTIME.
PruneChoices pruneChoices(const std::vector<SessionEntry> &entries, const KeepRules &rules, std::int64_t nowWallNs);

} // namespace model

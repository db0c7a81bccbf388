// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "model/session_entry.h"
#include "storage/seal/seal_key.h"

#include <functional>
#include <string>
#include <vector>

namespace storage {

/// What the session at `path` says about itself, read in O(1) of what it recorded. Never fails: what is wrong is in `problem`. Without its
/// key a sealed session shows no more than the file system does.
model::SessionEntry describeSession(const std::string &path, const SealKeyPointer &key = {});

/// Which files of a folder are taken for sessions.
enum class FolderFiles {
    Named,       ///< *.gprof-session, whatever is in them
    AnySessions, ///< those, and all others whose first bytes are a session's: 20 µs for each other file
};

/// The sessions of a folder, newest first. Not those of folders in it. `keyOf` gives the key of a sealed one, or none.
model::Result<std::vector<model::SessionEntry>> sessionsIn(const std::string &folder, FolderFiles files,
    const std::function<SealKeyPointer(const std::string &path)> &keyOf = {});

/// How tags and the note of a session change.
struct EntryChange
{
    std::vector<std::string> addedTags;
    std::vector<std::string> removedTags;
    std::optional<std::string> note; ///< replaces the one that is there; empty: removes it
    std::vector<std::string>
        addedVerdicts{}; ///< of gates and checks, behind those that are there; the newest stay where they get too many
    std::optional<std::string>
        doneAdvice{}; ///< replaces what is there, as model/report/done_advice_text writes it; empty: removes it
};

/// Which advice was followed, as EntryChange::doneAdvice stored it; empty where none was.
model::Result<std::string> doneAdviceIn(const std::string &path, const SealKeyPointer &key = {});

/// Stores tags, note, verdicts and done advice in the session itself (table `session`: "tags", "note", "verdicts", "advice_done"; separated by line breaks), so that they travel
/// with it, and are sealed with it. A sealed file is replaced by a changed copy, for which there must be room (replaced_file.h). Refuses a session
/// that is being recorded, and tags with line breaks or commas in them.
model::Result<void> changeEntry(const std::string &path, const EntryChange &change, const SealKeyPointer &key = {});

/// Why a session is not to be removed as one of many: it is being recorded, has a log that was not brought in, or is not whole, for which all of
/// it is read. A sealed one is not looked into.
model::Result<void> checkThatItCanGo(const std::string &path);

/// Removes a finished session. Refuses one that is being recorded, or that has a log that was not brought in.
model::Result<void> removeSession(const std::string &path);

} // namespace storage

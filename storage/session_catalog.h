// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "model/recent_session.h"
#include "model/session_info.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace storage {

/// The list of sessions that were recorded or opened on this machine: a small database of its own, mode 0600. Several programs may use it at once.
/// Losing it loses no session. One thread at a time.
class SessionCatalog
{
public:
    /// Opens the catalogue in `folder`, made where it does not exist. A damaged one is put aside ("sessions.db.damaged", then ".damaged.2" and so
    /// on) and begun anew; one that is busy or may not be read is left alone, and this fails.
    static model::Result<SessionCatalog> open(const std::string &folder);

    /// Where a user's catalogue stands: "genesis-profiler" below XDG_STATE_HOME, or below ~/.local/state.
    static model::Result<std::string> defaultFolder();

    SessionCatalog(SessionCatalog &&) noexcept;
    SessionCatalog &operator=(SessionCatalog &&) noexcept;
    ~SessionCatalog();

    /// The list is in clear: of a sealed session it holds no more than path and times.
    enum class Secrecy : std::uint8_t { Plain, Sealed };

    /// Puts the session at `path` first; `nowWallNs` is CLOCK_REALTIME. Keeps at most kMostEntries. Does not touch the session: a recorder that
    /// opened and closed its file here would lose SQLite's locks on it. `attached` is the command line of a process that was attached to.
    model::Result<void> remember(const std::string &path, const model::SessionInfo &info, std::int64_t nowWallNs,
        Secrecy secrecy = Secrecy::Plain, std::string_view attached = {});

    /// The `most` sessions used last, newest first; those whose file is gone included, so that they can be named.
    model::Result<std::vector<model::RecentSession>> recent(std::size_t most = 20);

    /// Takes a session off the list; its file stays.
    model::Result<void> forget(const std::string &path);

    static constexpr int kMostEntries = 500;

private:
    struct Private;
    explicit SessionCatalog(std::unique_ptr<Private> d);
    std::unique_ptr<Private> d;
};

} // namespace storage

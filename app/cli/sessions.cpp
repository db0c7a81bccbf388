// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/sessions.h"

#include "app/duration_text.h"
#include "app/exit_code.h"
#include "app/terminal.h"
#include "model/base/format_units.h"
#include "storage/session_catalog.h"

#include <fmt/format.h>

#include <cstdio>
#include <ctime>

namespace app {

namespace {

constexpr std::size_t kCommandColumns = 40;

int fail(const model::Error &error)
{
    fmt::print(stderr, "genprof: {}\n", error.text());
    return kExitFailure;
}

std::string startText(std::int64_t wallNs)
{
    const std::time_t seconds = wallNs / 1'000'000'000;
    std::tm local{};
    ::localtime_r(&seconds, &local);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday,
        local.tm_hour, local.tm_min);
}

} // namespace

int runList(const ListOptions &options)
{
    const auto folder = storage::SessionCatalog::defaultFolder();
    if (!folder)
        return fail(folder.error());
    auto catalog = storage::SessionCatalog::open(*folder);
    if (!catalog)
        return fail(catalog.error());
    const auto sessions = catalog->recent(options.most);
    if (!sessions)
        return fail(sessions.error());
    if (sessions->empty())
        fmt::print("No session was recorded yet: genprof record -- CMD\n");
    for (const model::RecentSession &session : *sessions)
        fmt::print("{}  {:>10}  {:>9}  {:<{}}  {}\n", startText(session.startWallNs), durationText(session.duration),
            session.isThere ? model::formatBytes(static_cast<double>(session.fileBytes)) : "gone",
            cutToColumns(session.command, kCommandColumns), kCommandColumns, session.path);
    return kExitOk;
}

} // namespace app

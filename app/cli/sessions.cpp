// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/sessions.h"

#include "app/duration_text.h"
#include "app/exit_code.h"
#include "app/passphrase.h"
#include "app/report_output.h"
#include "app/terminal.h"
#include "model/base/format_units.h"
#include "model/report/text_table.h"
#include "storage/session_catalog.h"
#include "storage/session_folder.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <ctime>
#include <optional>
#include <sstream>

namespace app {

namespace {

constexpr std::size_t kCommandColumns = 40;
using model::onOneLine;
using model::printable;
using model::SessionEntry;
using model::SessionState;

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

const char *stateText(const SessionEntry &entry)
{
    if (!entry.problem.empty())
        return "damaged";
    switch (entry.state) {
    case SessionState::Complete:
        return "complete";
    case SessionState::Unfinished:
        return "unfinished";
    case SessionState::Paused:
        return "paused";
    default:
        return "recording";
    }
}

bool isGone(const SessionEntry &entry) { return entry.problem == "the file is gone"; }

/// Opens sealed sessions with one passphrase, read once; those that it does not open are counted.
class Opener
{
public:
    static model::Result<Opener> make(const PassphraseSource &source)
    {
        Opener opener;
        if (!isGiven(source))
            return opener;
        auto passphrase = readPassphrase(source, {});
        if (!passphrase)
            return passphrase.error();
        opener.m_passphrase.emplace(std::move(*passphrase));
        return opener;
    }

    storage::SealKeyPointer keyOf(const std::string &path)
    {
        if (!m_passphrase || !storage::isSealed(path))
            return {};
        auto key = storage::SealKey::unlock(path, *m_passphrase);
        m_unopened += key ? 0 : 1;
        return key ? *key : storage::SealKeyPointer();
    }

    int unopened() const { return m_unopened; }

private:
    std::optional<storage::SecretText> m_passphrase;
    int m_unopened = 0;
};

/// The sessions of the list of this user; those whose file is gone say so as their problem.
model::Result<std::vector<SessionEntry>> lastSessions(std::size_t most, Opener &opener)
{
    const auto folder = storage::SessionCatalog::defaultFolder();
    if (!folder)
        return folder.error();
    auto catalog = storage::SessionCatalog::open(*folder);
    if (!catalog)
        return catalog.error();
    const auto sessions = catalog->recent(most == 0 ? storage::SessionCatalog::kMostEntries : most);
    if (!sessions)
        return sessions.error();
    std::vector<SessionEntry> entries;
    for (const model::RecentSession &session : *sessions) {
        if (session.isThere) {
            entries.push_back(storage::describeSession(session.path, opener.keyOf(session.path)));
            continue;
        }
        SessionEntry gone;
        gone.path = session.path;
        gone.command = session.command;
        gone.startWallNs = session.startWallNs;
        gone.duration = session.duration;
        gone.problem = "the file is gone";
        entries.push_back(gone);
    }
    return entries;
}

nlohmann::ordered_json jsonOf(const SessionEntry &entry)
{
    return {{"path", entry.path}, {"command", entry.command}, {"build_id", entry.buildId}, {"host", entry.host},
        {"start_wall_ns", entry.startWallNs}, {"duration_ns", entry.duration.ns}, {"file_bytes", entry.fileBytes},
        {"state", stateText(entry)}, {"verdicts", entry.verdicts}, {"tags", entry.tags}, {"note", entry.note},
        {"sealed", entry.isSealed}, {"problem", entry.problem}};
}

/// Names the sessions that stay only because their tags are not known.
void sayWhatStays(const std::vector<SessionEntry> &entries, const std::vector<model::PruneChoice> &unjudged)
{
    if (unjudged.empty())
        return;
    fmt::print(stderr,
        "genprof: {} sealed session{} what the limits keep, and {}: whether {} tagged \"keep\" is sealed too. Look "
        "with "
        "genprof tag FILE, and remove by hand:\n",
        unjudged.size(), unjudged.size() == 1 ? " is beyond" : "s are beyond", unjudged.size() == 1 ? "stays" : "stay",
        unjudged.size() == 1 ? "it is" : "they are");
    for (const model::PruneChoice &choice : unjudged)
        fmt::print(stderr, "  {}\n", printable(entries[choice.entry].path));
}

/// Behind the path: tags, state, verdict, note.
std::string marksOf(const SessionEntry &entry)
{
    std::string marks;
    for (const std::string &tag : entry.tags)
        marks += "  #" + onOneLine(tag);
    if (entry.state != SessionState::Complete && entry.problem.empty())
        marks += fmt::format("  ({})", stateText(entry));
    if (!entry.verdicts.empty())
        marks += "  " + onOneLine(model::chiefVerdict(entry));
    if (!entry.note.empty())
        marks += "  \u201c" + onOneLine(entry.note) + "\u201d";
    if (!entry.problem.empty() && !isGone(entry))
        marks += "  (damaged)";
    return marks;
}

} // namespace

std::string listText(const SessionEntry &entry, std::size_t columns)
{
    const std::string facts = fmt::format("{}  {:>10}  {:>9}", startText(entry.startWallNs),
        entry.duration.ns > 0 ? durationText(entry.duration) : "-",
        isGone(entry) ? "gone" : model::formatBytes(static_cast<double>(entry.fileBytes)));
    const std::string path = printable(entry.path), marks = marksOf(entry);
    const std::string line = fmt::format(
        "{}  {:<{}}  {}{}\n", facts, model::elided(entry.command, kCommandColumns), kCommandColumns, path, marks);
    if (columns == 0 || model::textWidth(line) <= columns + 1)
        return line;
    // On several lines, each of a kind. The path stays whole, because it is there to be copied.
    std::ostringstream out;
    out << facts << '\n';
    model::writeWrapped(out, entry.command, columns, 2, 2);
    out << "  " << path << '\n';
    if (!marks.empty())
        model::writeWrapped(out, std::string_view(marks).substr(2), columns, 2, 2);
    return out.str();
}

int runList(const ListOptions &options)
{
    auto opener = Opener::make(options.passphrase);
    if (!opener)
        return fail(opener.error());
    auto entries = options.folder.empty() ? lastSessions(options.search.empty() ? options.most : 0, *opener)
                                          : storage::sessionsIn(options.folder, storage::FolderFiles::AnySessions,
                                              [&opener](const std::string &path) { return opener->keyOf(path); });
    if (!entries)
        return fail(entries.error());
    std::erase_if(*entries, [&](const SessionEntry &entry) { return !model::matches(entry, options.search); });
    const std::size_t found = entries->size();
    if (options.most > 0 && entries->size() > options.most)
        entries->resize(options.most);
    if (options.asJson) {
        auto list = nlohmann::ordered_json::array();
        for (const SessionEntry &entry : *entries)
            list.push_back(jsonOf(entry));
        fmt::print("{}\n", list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
        return kExitOk;
    }
    for (const SessionEntry &entry : *entries)
        printForPeople(listText(entry, outputColumns()));
    if (found > entries->size())
        fmt::print(stderr, "genprof: {} more; --top 0 lists all\n", found - entries->size());
    if (opener->unopened() > 0)
        fmt::print(stderr, "genprof: {} sealed with another passphrase\n", opener->unopened());
    if (found == 0 && options.search.empty())
        fmt::print("No session was recorded yet: genprof record -- CMD\n");
    else if (found == 0)
        fmt::print(stderr, "genprof: No session matches \"{}\"\n", options.search);
    return kExitOk;
}

int runTag(const TagOptions &options)
{
    const auto key = keyOf(options.file, options.passphrase);
    if (!key)
        return fail(key.error());
    if (options.note || !options.added.empty() || !options.removed.empty()) {
        const auto done = storage::changeEntry(options.file, {options.added, options.removed, options.note}, *key);
        return done ? kExitOk : fail(done.error());
    }
    const SessionEntry entry = storage::describeSession(options.file, *key);
    if (!entry.problem.empty())
        return fail(model::Error(entry.problem));
    if (options.isNote && !entry.note.empty())
        fmt::print("{}\n", onOneLine(entry.note));
    for (const std::string &tag : entry.tags)
        if (!options.isNote)
            fmt::print("{}\n", onOneLine(tag));
    return kExitOk;
}

int runPrune(const PruneOptions &options)
{
    const auto entries = storage::sessionsIn(options.folder, storage::FolderFiles::Named);
    if (!entries)
        return fail(entries.error());
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    const auto choices
        = model::pruneChoices(*entries, options.keep, std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec);
    std::int64_t bytes = 0;
    std::size_t removed = 0, staying = 0;
    for (const model::PruneChoice &choice : choices.removed) {
        const SessionEntry &entry = (*entries)[choice.entry];
        if (const auto checked = storage::checkThatItCanGo(entry.path); !checked) {
            fail(checked.error());
            ++staying;
            continue;
        }
        if (options.isConfirmed) {
            const auto done = storage::removeSession(entry.path);
            if (!done) {
                fail(done.error());
                continue;
            }
        }
        ++removed;
        bytes += entry.fileBytes;
        fmt::print("{}  {:>9}  {}  ({})\n", startText(entry.startWallNs),
            model::formatBytes(static_cast<double>(entry.fileBytes)), printable(entry.path), choice.reason);
    }
    const std::string size = model::formatBytes(static_cast<double>(bytes));
    if (choices.removed.size() == staying)
        fmt::print("Nothing to remove.\n");
    else if (options.isConfirmed)
        fmt::print("{} of {} sessions removed, {}.\n", removed, entries->size(), size);
    else
        fmt::print("{} of {} sessions would be removed, {}. Nothing was: add --yes.\n", removed, entries->size(), size);
    sayWhatStays(*entries, choices.unjudged);
    return removed + staying == choices.removed.size() ? kExitOk : kExitFailure;
}

} // namespace app

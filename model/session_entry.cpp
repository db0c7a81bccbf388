// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/session_entry.h"

#include <algorithm>
#include <numeric>

namespace model {

namespace {

std::string lowered(std::string_view text)
{
    std::string low(text);
    std::transform(low.begin(), low.end(), low.begin(),
        [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return low;
}

/// The lower, the more a verdict matters.
int rankOf(std::string_view verdict)
{
    if (verdict.starts_with("soak:"))
        return 0;
    if (verdict.ends_with("nothing found"))
        return 5;
    if (verdict.starts_with("leaks:"))
        return 1;
    if (verdict.starts_with("growth:"))
        return 2;
    return verdict.starts_with("forecast:") ? 4 : 3;
}

} // namespace

std::string chiefVerdict(const SessionEntry &entry)
{
    const auto chief = std::min_element(entry.verdicts.rbegin(), entry.verdicts.rend(),
        [](const std::string &a, const std::string &b) { return rankOf(a) < rankOf(b); });
    return chief == entry.verdicts.rend() ? std::string() : *chief;
}

std::string commandText(const CaptureConfig &config, std::string_view attached)
{
    if (config.attachPid) {
        const std::string pid = "pid " + std::to_string(*config.attachPid);
        return attached.empty() ? pid : std::string(attached) + " (" + pid + ')';
    }
    std::string command;
    for (const std::string &argument : config.command)
        command += (command.empty() ? "" : " ") + argument;
    return command;
}

bool matches(const SessionEntry &entry, std::string_view search)
{
    std::string text = entry.path + '\n' + entry.command + '\n' + entry.buildId + '\n' + entry.host + '\n' + entry.note;
    for (const auto *words : {&entry.tags, &entry.verdicts})
        for (const std::string &word : *words)
            text += '\n' + word;
    text = lowered(text);
    const std::string wanted = lowered(search);
    for (std::size_t at = 0; at < wanted.size();) {
        const std::size_t end = std::min(wanted.find(' ', at), wanted.size());
        if (end > at && text.find(wanted.substr(at, end - at)) == std::string::npos)
            return false;
        at = end + 1;
    }
    return true;
}

PruneChoices pruneChoices(const std::vector<SessionEntry> &entries, const KeepRules &rules, std::int64_t nowWallNs)
{
    std::vector<std::size_t> newestFirst(entries.size());
    std::iota(newestFirst.begin(), newestFirst.end(), std::size_t{0});
    std::stable_sort(newestFirst.begin(), newestFirst.end(),
        [&](std::size_t a, std::size_t b) { return entries[a].startWallNs > entries[b].startWallNs; });
    PruneChoices choices;
    std::int64_t kept = 0, bytes = 0;
    for (const std::size_t index : newestFirst) {
        const SessionEntry &entry = entries[index];
        const bool isFinished = entry.state == SessionState::Complete && entry.problem.empty();
        const bool isTagged = std::find(entry.tags.begin(), entry.tags.end(), KeepRules::kKeepTag) != entry.tags.end();
        std::string reason;
        if (rules.age.ns > 0 && nowWallNs - entry.startWallNs > rules.age.ns)
            reason = "older than what is kept";
        else if (rules.count > 0 && kept >= rules.count)
            reason = "more than " + std::to_string(rules.count) + (rules.count == 1 ? " session" : " sessions");
        else if (rules.bytes > 0 && bytes + entry.fileBytes > rules.bytes)
            reason = "more bytes than what is kept";
        if (!reason.empty() && isFinished && !isTagged && entry.tagsAreKnown) {
            choices.removed.push_back({index, std::move(reason)});
            continue;
        }
        if (!reason.empty() && isFinished && !entry.tagsAreKnown)
            choices.unjudged.push_back({index, std::move(reason)});
        ++kept;
        bytes += entry.fileBytes;
    }
    std::reverse(choices.removed.begin(), choices.removed.end());
    std::reverse(choices.unjudged.begin(), choices.unjudged.end());
    return choices;
}

} // namespace model

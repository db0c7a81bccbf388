// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/session_entry.h"

#include <QTest>

using namespace model;

namespace {

constexpr std::int64_t kDayNs = 86'400'000'000'000;
constexpr std::int64_t kNow = 1000 * kDayNs;

SessionEntry entry(const char *path, std::int64_t daysAgo, std::int64_t bytes = 100)
{
    SessionEntry entry;
    entry.path = path;
    entry.startWallNs = kNow - daysAgo * kDayNs;
    entry.fileBytes = bytes;
    entry.state = SessionState::Complete;
    return entry;
}

} // namespace

class SessionEntryTest : public QObject
{
    Q_OBJECT

private:
    static QString chosen(const std::vector<SessionEntry> &entries, const KeepRules &rules)
    {
        QString paths;
        for (const PruneChoice &choice : pruneChoices(entries, rules, kNow).removed)
            paths += QString::fromStdString(entries[choice.entry].path);
        return paths;
    }

private Q_SLOTS:
    void removesTheOldestBeyondALimit()
    {
        const std::vector entries{entry("c", 30), entry("a", 1, 50), entry("d", 40), entry("b", 2)};
        QCOMPARE(chosen(entries, {.count = 2}), QStringLiteral("dc"));
        QCOMPARE(chosen(entries, {.count = 4}), QString());
        QCOMPARE(chosen(entries, {.age = {35 * kDayNs}}), QStringLiteral("d"));
        QCOMPARE(chosen(entries, {.bytes = 250}), QStringLiteral("d"));
        QCOMPARE(chosen(entries, {.count = 3, .age = {10 * kDayNs}, .bytes = 60}), QStringLiteral("dcb"));
        QCOMPARE(chosen(entries, {}), QString());
        QCOMPARE(pruneChoices(entries, {.count = 3}, kNow).removed.at(0).reason, std::string("more than 3 sessions"));
    }

    void neverTouchesWhatIsNotFinished()
    {
        std::vector entries{
            entry("a", 90), entry("b", 91), entry("c", 92), entry("d", 93), entry("e", 94), entry("f", 95)};
        entries[0].state = SessionState::Recording;
        entries[1].state = SessionState::Unfinished;
        entries[2].state = SessionState::Stopping;
        entries[3].problem = "it is damaged";
        entries[4].tags = {"keep"};
        QCOMPARE(chosen(entries, {.age = {kDayNs}}), QStringLiteral("f"));
    }

    /// It may be tagged "keep".
    void sparesWhatItDoesNotKnowTheTagsOf()
    {
        std::vector entries{entry("a", 1), entry("b", 91), entry("c", 92), entry("d", 93)};
        entries[0].tagsAreKnown = entries[1].tagsAreKnown = entries[3].tagsAreKnown = false;
        entries[3].state = SessionState::Unfinished;
        const PruneChoices choices = pruneChoices(entries, {.age = {30 * kDayNs}}, kNow);
        QCOMPARE(choices.removed.size(), std::size_t{1});
        QCOMPARE(entries[choices.removed.at(0).entry].path, std::string("c"));
        QCOMPARE(choices.unjudged.size(), std::size_t{1});
        QCOMPARE(entries[choices.unjudged.at(0).entry].path, std::string("b"));
    }

    void showsTheVerdictThatMattersMost()
    {
        SessionEntry session = entry("a", 1);
        QCOMPARE(chiefVerdict(session), std::string());
        session.verdicts = {"leaks: nothing found", "forecast: no limit within 48 h"};
        QCOMPARE(chiefVerdict(session), std::string("forecast: no limit within 48 h"));
        session.verdicts.emplace_back("growth: +3 MiB/h");
        QCOMPARE(chiefVerdict(session), std::string("growth: +3 MiB/h"));
        session.verdicts = {"leaks: 2 places grow", "growth: +3 MiB/h", "leaks: 1 place grows", "forecast: 3 h"};
        QCOMPARE(chiefVerdict(session), std::string("leaks: 1 place grows"));
        session.verdicts.emplace_back("soak: stable");
        QCOMPARE(chiefVerdict(session), std::string("soak: stable"));
    }

    void findsAllWordsAnywhere()
    {
        SessionEntry session = entry("/srv/runs/a.gprof-session", 1);
        session.command = "redis-server --port 6379";
        session.buildId = "ab12cd";
        session.tags = {"Nightly"};
        session.note = "before the fix";
        session.verdicts = {"leak: none"};
        for (const char *found : {"", "redis", "RUNS nightly", "AB12", "  fix   6379 ", "leak"})
            QVERIFY2(matches(session, found), found);
        for (const char *missing : {"redis postgres", "ab13", "nightlies"})
            QVERIFY2(!matches(session, missing), missing);
    }
};

QTEST_APPLESS_MAIN(SessionEntryTest)
#include "session_entry_test.moc"

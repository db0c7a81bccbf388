// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/leak_detector.h"
#include "model/analysis/leak_scan_words.h"
#include "model/analysis/leak_watch.h"
#include "model/analysis/recommendations.h"
#include "model/analysis/verdict_lines.h"
#include "model/report/leak_report.h"
#include "tests/support/snapshot_builder.h"
#include "tests/support/stack_histories.h"

#include <QTest>

#include <nlohmann/json.hpp>

#include <memory>
#include <sstream>

using namespace model;
using namespace tests;

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

/// A recording in which stacks behave as they are told.
class Recording
{
public:
    explicit Recording(std::size_t buckets = 72)
        : m_buckets(buckets)
    {
        m_builder.ticks(buckets * 10, {kSecondNs});
        m_ages->clocks.push_back({m_builder.image(), {0}, {10 * kSecondNs}, static_cast<std::uint32_t>(buckets)});
    }

    Recording &stack(std::string_view text, Behaviour behaviour, double blockBytes = 1000, std::uint64_t seed = 1)
    {
        Random random(seed);
        StackAges ages{m_builder.image(), m_builder.stack(text), 0, 0, {10 * kSecondNs}, {}, {}};
        ages.buckets = stackHistory(behaviour, {.buckets = m_buckets, .blockBytes = blockBytes}, random);
        ages.examples = {{static_cast<std::int64_t>(blockBytes), {5 * kSecondNs}}};
        m_builder.heap(std::string(text) + " 100");
        m_ages->stacks.push_back(std::move(ages));
        ++m_ages->clocks.front().followed;
        return *this;
    }

    SnapshotBuilder &builder() { return m_builder; }

    Snapshot snapshot()
    {
        Snapshot made = m_builder.build();
        made.heapAges = m_ages;
        return made;
    }
    const Snapshot &looked() const { return m_snapshot; }
    LeakReport leaks()
    {
        m_snapshot = snapshot(); // the report points into it
        return *findLeaks(m_snapshot);
    }

private:
    std::size_t m_buckets;
    SnapshotBuilder m_builder;
    std::shared_ptr<HeapAges> m_ages = std::make_shared<HeapAges>();
    Snapshot m_snapshot;
};

bool mentions(const std::vector<std::string> &sentences, std::string_view word)
{
    return std::any_of(sentences.begin(), sentences.end(),
        [word](const std::string &sentence) { return sentence.find(word) != std::string::npos; });
}

} // namespace

class LeakDetectorTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void namesThePlaceAndTheRate()
    {
        Recording recording;
        recording.stack("main;Session::attach@session.cpp:214;libc.so.6!malloc", Behaviour::LeakFraction)
            .stack("main;Parser::parse@parse.cpp:3;libc.so.6!malloc", Behaviour::ShortLived);
        const LeakReport report = recording.leaks();
        QCOMPARE(report.state, LeakReport::State::Done);
        QCOMPARE(report.tested, std::int64_t{2});
        QCOMPARE(report.items.size(), std::size_t{1});
        const LeakItem &item = report.items.front();
        QCOMPARE(item.tier, LeakTier::Growing);
        QVERIFY(item.isConfirmed);
        QCOMPARE(item.place, std::string("Session::attach"));
        QCOMPARE(item.where, std::string("session.cpp:214"));
        QVERIFY(item.bytesPerHour95.low > 0 && item.bytesPerHour95.low < item.bytesPerHour
            && item.bytesPerHour < item.bytesPerHour95.high);
        // The rate is what the history grows by.
        const std::vector<AgeBucket> &buckets = item.stacks.front().ages->buckets;
        const double grown = static_cast<double>(buckets.back().liveBytes - buckets[12].liveBytes) / 59 * 360;
        QVERIFY(std::abs(item.bytesPerHour / grown - 1) < 0.3); // two moments against a line through all
        QVERIFY(mentions(item.evidence, "are still there"));
        QVERIFY(mentions(item.evidence, "1000 B, ") || mentions(item.evidence, "For example"));
        QVERIFY(report.sentence.starts_with("1 place keeps growing; 2 stacks were looked at"));
        std::ostringstream text;
        writeLeaksText(text, recording.looked(), report);
        QVERIFY2(text.str().find(" in 11 min 50 s\n") != std::string::npos, text.str().c_str()); // 72 ends of buckets
        QVERIFY(report.expectedFalse > 0 && report.expectedFalse < 0.01);
    }

    void answersInALineForTheListOfSessions()
    {
        const auto hasLine = [](const Snapshot &snapshot, const std::string &line) {
            const std::vector<std::string> lines = verdictLines(snapshot);
            return std::find(lines.begin(), lines.end(), line) != lines.end();
        };
        Recording leaking, healthy, brief(2);
        leaking.stack("main;attach;malloc", Behaviour::LeakFraction)
            .stack("main;open;malloc", Behaviour::LeakFull, 1000, 2);
        healthy.stack("main;parse;malloc", Behaviour::ShortLived);
        brief.stack("main;attach;malloc", Behaviour::LeakFraction);
        QVERIFY2(hasLine(leaking.snapshot(), "leaks: 1 place grows, 1 could be a cache"),
            verdictLines(leaking.snapshot()).front().c_str());
        QVERIFY(hasLine(healthy.snapshot(), "leaks: nothing found"));
        // What the data cannot carry is not answered, and no function is named.
        for (const std::string &line : verdictLines(brief.snapshot()))
            QVERIFY2(!line.starts_with("leaks"), line.c_str());
        for (const std::string &line : verdictLines(leaking.snapshot()))
            QVERIFY2(line.find("attach") == std::string::npos && line.find("open") == std::string::npos, line.c_str());
        QVERIFY(verdictLines(SnapshotBuilder().build()).empty());
    }

    void putsSureFindingsFirst()
    {
        Recording recording;
        recording.stack("main;cache;malloc", Behaviour::UnfilledCache, 100'000)
            .stack("main;leak;malloc", Behaviour::LeakFraction, 100);
        const LeakReport report = recording.leaks();
        QCOMPARE(report.items.size(), std::size_t{2});
        QCOMPARE(report.items[0].place, std::string("leak"));
        QCOMPARE(report.items[1].tier, LeakTier::CouldBeCache);
        QVERIFY(report.items[1].caution.find("a cache that is not full yet") != std::string::npos);
    }

    void makesOneItemOfOneCause()
    {
        Recording recording;
        recording.stack("main;Session::open;std::string::assign;malloc", Behaviour::LeakFull)
            .stack("main;reload;Session::open;operator new", Behaviour::LeakFull, 1000, 2);
        const LeakReport report = recording.leaks();
        QCOMPARE(report.items.size(), std::size_t{1});
        QCOMPARE(report.items.front().stacks.size(), std::size_t{2});
        QVERIFY(report.items.front().stacks[0].bytesPerHour >= report.items.front().stacks[1].bytesPerHour);
    }

    void looksBehindAllocationHelpers()
    {
        Recording recording;
        for (int i = 0; i < 9; ++i)
            recording.stack("main;caller" + std::to_string(i) + ";xmalloc;malloc", Behaviour::ShortLived);
        recording.stack("main;guilty;xmalloc;malloc", Behaviour::LeakFull);
        const LeakReport report = recording.leaks();
        QCOMPARE(report.items.size(), std::size_t{1});
        QCOMPARE(report.items.front().place, std::string("guilty"));
    }

    void saysWhoElseAllocatesThere()
    {
        Recording recording;
        recording.stack("main;serve;make;malloc", Behaviour::LeakFull)
            .stack("main;test;make;malloc", Behaviour::ShortLived);
        const LeakReport report = recording.leaks();
        QCOMPARE(report.items.size(), std::size_t{1});
        QCOMPARE(report.items.front().neighbourCount, std::int64_t{1});
    }

    void leavesOutWhatStaysSmall()
    {
        Recording recording;
        recording.stack("main;tiny;malloc", Behaviour::LeakSlow, 1); // some hundred bytes an hour
        const LeakReport report = recording.leaks();
        QVERIFY(report.items.empty());
        QCOMPARE(report.folded, std::int64_t{1});
        QVERIFY(mentions(report.notes, "would hold less than 1 MiB"));
        QVERIFY(report.sentence.starts_with("No leak found"));
    }

    void saysWhenThereIsNotEnough()
    {
        Recording early(20);
        early.stack("main;leak;malloc", Behaviour::LeakFull);
        LeakReport report = early.leaks();
        QCOMPARE(report.state, LeakReport::State::NotEnough);
        QVERIFY2(report.sentence.find("3 min 20 s were seen, 6 min are needed") != std::string::npos,
            report.sentence.c_str());
        Recording half(40);
        half.stack("main;leak;malloc", Behaviour::LeakFull);
        report = half.leaks();
        QCOMPARE(report.items.size(), std::size_t{1});
        QVERIFY(!report.items.front().isConfirmed);
        QVERIFY(mentions(report.notes, "Still early: 6 min 40 s of the 12 min after which"));
        const std::string &caution = report.items.front().caution;
        QVERIFY2(caution.find("followed for 6 min 40 s of the 12 min that confirm it") != std::string::npos,
            caution.c_str());
        const LeakReport none = *findLeaks(SnapshotBuilder().build());
        QCOMPARE(none.state, LeakReport::State::NoData);
        QVERIFY(!none.notes.empty());
    }

    void saysWhatLimitsTheAnswer()
    {
        Recording recording;
        recording.stack("main;leak;malloc", Behaviour::LeakFull);
        recording.builder().raw().info.config.heap = HeapMode::Sampled;
        recording.builder().raw().losses.push_back(
            {LossKind::EventsDropped, recording.builder().image(), 1'000'000, "ring full", {{}, {kSecondNs}}});
        const LeakReport report = recording.leaks();
        QVERIFY(mentions(report.notes, "Sampled, one allocation each 512 KiB"));
        QVERIFY(mentions(report.notes, "a lost free looks like a leak"));
    }

    void withdrawsWhatProvesWrong()
    {
        Recording recording;
        recording.stack("main;cache;malloc", Behaviour::UnfilledCache)
            .stack("main;leak;malloc", Behaviour::LeakFraction)
            .stack("main;parse;malloc", Behaviour::ShortLived);
        Snapshot snapshot = recording.snapshot();
        LeakWatch watch;
        EventBatch batch;
        batch.span = {{719 * kSecondNs}, {720 * kSecondNs}};
        batch.ageClocks = snapshot.heapAges->clocks;
        batch.stackAges = snapshot.heapAges->stacks;
        watch.see(batch);
        QCOMPARE(batch.leakClaims.size(), std::size_t{2});
        QVERIFY(!batch.leakClaims[0].withdrawn && batch.leakClaims[0].accusedOf > 0);
        // The same again says nothing new.
        batch.leakClaims.clear();
        watch.see(batch);
        QVERIFY(batch.leakClaims.empty());
        // All that the cache held then goes at once.
        for (AgeBucket &bucket : batch.stackAges[0].buckets)
            bucket.alive = 0;
        batch.span = {{729 * kSecondNs}, {730 * kSecondNs}};
        watch.see(batch);
        QCOMPARE(batch.leakClaims.size(), std::size_t{1});
        QCOMPARE(batch.leakClaims[0].stack, snapshot.heapAges->stacks[0].stack);
        QCOMPARE(batch.leakClaims[0].alive, std::int64_t{0});
        QCOMPARE(batch.leakClaims[0].withdrawn->seconds(), 730.0);
        watch.see(batch);
        QCOMPARE(batch.leakClaims.size(), std::size_t{1}); // once
    }

    void aSureStackMakesNoOtherOfItsPlaceSure()
    {
        Recording recording;
        recording.stack("main;fill;keep;malloc", Behaviour::UnfilledCache, 100'000)
            .stack("main;serve;keep;malloc", Behaviour::LeakFraction, 100);
        const LeakReport report = recording.leaks();
        QCOMPARE(report.items.size(), std::size_t{2});
        const LeakItem &sure = report.items[0], &doubtful = report.items[1];
        QCOMPARE(sure.tier, LeakTier::Growing);
        QCOMPARE(doubtful.tier, LeakTier::CouldBeCache);
        QCOMPARE(sure.place, doubtful.place);
        QCOMPARE(sure.stacks.size(), std::size_t{1});
        QCOMPARE(sure.bytesPerHour, sure.stacks.front().bytesPerHour);
        QVERIFY(sure.bytesPerHour < doubtful.bytesPerHour / 10);
        QVERIFY2(report.sentence.starts_with("1 place keeps growing"), report.sentence.c_str());
        QCOMPARE(sure.neighbourCount, std::int64_t{1}); // named beside it
    }

    void tellsOfItsOwnFalseReports()
    {
        Recording recording;
        recording.stack("main;cache;malloc", Behaviour::LeakFraction)
            .stack("main;leak;malloc", Behaviour::LeakFraction, 1000, 2);
        Snapshot snapshot = recording.snapshot();
        const ImageId image = recording.builder().image();
        snapshot.leakClaims
            = {{image, snapshot.heapAges->stacks[0].stack, 0, {400 * kSecondNs}, 50, 10, Timestamp{600 * kSecondNs}},
                {image, snapshot.heapAges->stacks[1].stack, 0, {400 * kSecondNs}, 50, 50, {}}};
        const LeakReport report = *findLeaks(snapshot);
        QVERIFY2(mentions(report.notes, "1 of 2 stacks that were accused"), report.notes.front().c_str());
        QVERIFY(mentions(report.notes, "wrong: cache."));
        QCOMPARE(report.items.size(), std::size_t{2});
        QCOMPARE(report.items[0].place, std::string("leak"));
        QCOMPARE(report.items[0].tier, LeakTier::Growing);
        QCOMPARE(report.items[1].tier, LeakTier::CouldBeCache);
        QVERIFY(report.items[1].caution.starts_with("It was accused at"));
        std::ostringstream json;
        writeLeaksJson(json, snapshot, report);
        const auto object = nlohmann::json::parse(json.str());
        QCOMPARE(object["accusations"].get<int>(), 2);
        QCOMPARE(object["accusations_withdrawn"].size(), std::size_t{1});
    }

    void putsLostMemoryFirst()
    {
        Recording recording;
        recording.stack("main;leak;malloc", Behaviour::LeakFraction)
            .stack("main;parse;malloc", Behaviour::ShortLived)
            .stack("main;forget;malloc", Behaviour::LeakFraction, 10, 2);
        Snapshot snapshot = recording.snapshot();
        const auto scan = [&](std::uint32_t id, std::uint32_t confirms) {
            MemoryScan made;
            made.id = id;
            made.image = recording.builder().image();
            made.when = {500 * kSecondNs};
            made.confirms = confirms;
            ScannedStack stack;
            stack.stack = snapshot.heapAges->stacks[2].stack;
            stack.sums[static_cast<std::size_t>(ReachClass::Directly)] = {3, 3000};
            stack.sums[static_cast<std::size_t>(ReachClass::Indirectly)] = {1, 500};
            if (confirms > 0)
                stack.confirmed = {2, 2000};
            stack.held = {6, 4524};
            ScannedStack held; // lost, but only because of others
            held.stack = snapshot.heapAges->stacks[1].stack;
            held.sums[static_cast<std::size_t>(ReachClass::Indirectly)] = {1, 500};
            made.stacks = {stack, held};
            return std::make_shared<const MemoryScan>(made);
        };
        snapshot.scans = {scan(1, 0)};
        LeakReport report = *findLeaks(snapshot);
        QCOMPARE(report.items.size(), std::size_t{2});
        QCOMPARE(report.items[0].tier, LeakTier::Lost);
        QCOMPARE(report.items[0].place, std::string("forget"));
        QCOMPARE(report.items[0].lost, (BlockSum{4, 3500}));
        QVERIFY(!report.items[0].isConfirmed);
        QVERIFY(report.items[0].caution.find("A second scan confirms it") != std::string::npos);
        QVERIFY(mentions(report.items[0].evidence, "growing by")); // small enough to be left out, were it not lost
        QVERIFY2(report.sentence.starts_with("1 place has lost memory, by one scan, 1 place keeps growing;"),
            report.sentence.c_str());
        snapshot.scans.push_back(scan(2, 1));
        report = *findLeaks(snapshot);
        QVERIFY(report.items[0].isConfirmed);
        QVERIFY(report.sentence.starts_with("1 place has lost memory for good, 1 place keeps growing;"));
        QCOMPARE(report.items[0].lostTwice, (BlockSum{2, 2000}));
        // A short recording has no histories, and what a scan found counts all the same.
        snapshot.heapAges.reset();
        report = *findLeaks(snapshot);
        QCOMPARE(report.items.size(), std::size_t{1});
        QCOMPARE(report.items[0].stacks.front().ages, nullptr);
        std::ostringstream text, csv, json;
        writeLeaksText(text, snapshot, report);
        writeLeaksCsv(csv, snapshot, report);
        writeLeaksJson(json, snapshot, report);
        QVERIFY(text.str().find("forget lost 3.42 KiB in 4 blocks, and 1 KiB behind them") != std::string::npos);
        QCOMPARE(nlohmann::json::parse(json.str())["items"][0]["tier"].get<std::string>(), std::string("lost"));
    }

    /// A list that nobody clears grows and is held; a stack that frees most of what it allocates may lose a block.
    void tellsWhatAScanAndGrowthSayOfOneStack()
    {
        Recording recording;
        recording.stack("main;leak;malloc", Behaviour::LeakFraction).stack("main;drop;malloc", Behaviour::ShortLived);
        Snapshot snapshot = recording.snapshot();
        const StackId leak = snapshot.heapAges->stacks[0].stack, drop = snapshot.heapAges->stacks[1].stack;
        QVERIFY(!mentions(findLeaks(snapshot)->items.front().evidence, "The scan at"));
        MemoryScan scan;
        scan.image = recording.builder().image();
        scan.when = {500 * kSecondNs};
        ScannedStack lost;
        lost.stack = drop;
        lost.sums[static_cast<std::size_t>(ReachClass::Directly)] = {3, 3000};
        scan.stacks = {lost};
        snapshot.scans = {std::make_shared<const MemoryScan>(scan)};
        LeakReport report = *findLeaks(snapshot);
        QCOMPARE(report.items.size(), std::size_t{2});
        QCOMPARE(report.items[0].place, std::string("drop"));
        QVERIFY(mentions(report.items[0].evidence, "Its growth alone would accuse nobody"));
        QCOMPARE(report.items[1].place, std::string("leak"));
        QVERIFY(mentions(report.items[1].evidence, "found none of it lost: what grows is still held"));
        QVERIFY(growthOfScanned(snapshot, scan, leak).find("this stack keeps ") != std::string::npos);
        QVERIFY(growthOfScanned(snapshot, scan, drop).find("does not keep growing") != std::string::npos);
        // What is lost behind other blocks, or was not there yet, is not called held.
        ScannedStack behind;
        behind.stack = leak;
        behind.sums[static_cast<std::size_t>(ReachClass::Indirectly)] = {1, 500};
        scan.stacks = {lost, behind};
        snapshot.scans = {std::make_shared<const MemoryScan>(scan)};
        report = *findLeaks(snapshot);
        QVERIFY(mentions(report.items[1].evidence, "found 500 B in 1 block of it lost, held by other lost blocks"));
        scan.stacks = {lost};
        scan.when = {};
        snapshot.scans = {std::make_shared<const MemoryScan>(scan)};
        report = *findLeaks(snapshot);
        QVERIFY(!mentions(report.items[1].evidence, "The scan at"));
        // A stack that neither lost anything nor grows needs no word; nor one without a history.
        scan.stacks.clear();
        QVERIFY(growthOfScanned(snapshot, scan, drop).empty());
        snapshot.heapAges.reset();
        QVERIFY(growthOfScanned(snapshot, scan, leak).empty());
    }

    /// A history that begins anew holds none of the blocks that an accusation rests on: that is no proof that they were freed.
    void withdrawsNothingBecauseOfAnotherWayOfRecording()
    {
        Recording recording;
        recording.stack("main;cache;malloc", Behaviour::UnfilledCache);
        Snapshot later = recording.snapshot();
        LeakWatch watch;
        EventBatch batch;
        batch.span = {{719 * kSecondNs}, {720 * kSecondNs}};
        batch.ageClocks = later.heapAges->clocks;
        batch.stackAges = later.heapAges->stacks;
        watch.see(batch);
        QCOMPARE(batch.leakClaims.size(), std::size_t{1});
        batch.leakClaims.clear();
        auto ages = std::make_shared<HeapAges>(*later.heapAges);
        ages->stacks[0].firstBucket += static_cast<std::uint32_t>(ages->stacks[0].buckets.size());
        ages->stacks[0].buckets.clear();
        batch.stackAges = ages->stacks;
        watch.see(batch);
        QVERIFY(batch.leakClaims.empty());
        later.heapAges = ages;
        later.heapModes = {{recording.builder().image(), {0}, 1},
            {recording.builder().image(), {later.info.duration.ns / 2}, 65536, HeapModeCause::User}};
        const LeakReport report = *findLeaks(later);
        QVERIFY(mentions(report.notes, "only blocks from after that are judged"));
    }

    void stopsOnRequest()
    {
        Recording recording;
        recording.stack("main;leak;malloc", Behaviour::LeakFull);
        std::stop_source stop;
        stop.request_stop();
        QVERIFY(!findLeaks(recording.snapshot(), stop.get_token()));
    }

    void becomesAdvice()
    {
        Recording recording;
        recording.stack("main;Session::attach;malloc", Behaviour::LeakFraction)
            .stack("main;parse;malloc", Behaviour::ShortLived);
        const Snapshot snapshot = recording.snapshot();
        const Recommendations found = *recommendations(snapshot);
        const auto growing = std::count_if(found.items.begin(), found.items.end(),
            [](const Recommendation &item) { return item.rule == "growing_stack"; });
        QCOMPARE(growing, 1);
        QCOMPARE(found.items.front().place, std::string("Session::attach"));
        QVERIFY(found.items.front().confidence > 0.8);
    }

    void isToldInThreeForms()
    {
        Recording recording;
        recording.stack("main;Session::attach@session.cpp:214;malloc", Behaviour::LeakFraction);
        const LeakReport report = recording.leaks();
        std::ostringstream text, csv, json;
        writeLeaksText(text, recording.looked(), report);
        writeLeaksCsv(csv, recording.looked(), report);
        writeLeaksJson(json, recording.looked(), report);
        QVERIFY(text.str().find("Session::attach keeps") != std::string::npos);
        QVERIFY(text.str().find("█") != std::string::npos);
        QVERIFY(csv.str().find("growing,1,100,Session::attach,session.cpp:214,") != std::string::npos);
        const auto object = nlohmann::json::parse(json.str());
        QVERIFY(object["items"][0]["title"] == report.items.front().title);
        QCOMPARE(object["items"][0]["stacks"][0]["history"]["born"].size(), std::size_t{72});
        QVERIFY(object["items"][0]["stacks"][0]["test"]["recurrence"]["survivors"]
            == report.items.front().stacks.front().test.survivors);
    }
};

QTEST_APPLESS_MAIN(LeakDetectorTest)
#include "leak_detector_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/growth_stacks.h"
#include "model/analysis/recommendations.h"
#include "model/analysis/summary.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <algorithm>
#include <memory>

using namespace model;
using tests::SnapshotBuilder;

namespace {

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::size_t kMoments = 24;

Timestamp second(double s) { return {static_cast<std::int64_t>(s * 1e9)}; }

const Recommendation *growing(const Recommendations &all)
{
    const auto found = std::find_if(
        all.items.begin(), all.items.end(), [](const Recommendation &item) { return item.rule == "growing_stack"; });
    return found == all.items.end() ? nullptr : &*found;
}

bool says(const std::string &text, std::string_view part) { return text.find(part) != std::string::npos; }

/// 24 s; the program is recorded as a command that ended by itself, unless a test says otherwise.
class Session
{
public:
    Session()
    {
        builder.ticks(kMoments, Duration::fromMs(1000));
        builder.raw().info.endReason = "command ended";
        builder.raw().info.exitStatus = 0;
    }

    /// A program that lives from `begin` to `end`, without an end for good; `at(s)` are its live bytes s seconds after its start.
    template <typename Function> void add(const char *stack, double begin, std::optional<double> end, Function at)
    {
        TableBuilder &tables = builder.tables();
        const Timestamp start = second(begin);
        const std::optional<Timestamp> ended = end ? std::optional(second(*end)) : std::nullopt;
        const ProcessId process = tables.addProcess({.pid = ++m_pid, .start = start, .end = ended});
        const ImageId image = tables.addImage({.process = process,
            .executable = tables.string("/usr/bin/app"),
            .commandLine = tables.string("app"),
            .start = start,
            .end = ended,
            .heap = HeapState::Full});
        std::vector<std::int64_t> bytes;
        for (std::size_t i = 1; i <= kMoments; ++i) {
            const auto now = static_cast<double>(i);
            const bool isThere = now > begin && (!end || *end > now - 1);
            bytes.push_back(isThere ? at(std::min(now, end.value_or(now)) - begin) : 0);
        }
        builder.growth(stack, bytes);
        builder.raw().heapGrowth.back().image = image;
        builder.raw().heap.back().image = image;
    }

    Recommendations advice() { return *recommendations(builder.build()); }
    SummaryCard card() { return summary(builder.build())->cards.at(0); }

    SnapshotBuilder builder;

private:
    std::int32_t m_pid = 200;
};

std::int64_t rising(double seconds) { return static_cast<std::int64_t>(seconds * 2e6); }

} // namespace

/// What grows counts while what holds it lives.
class GrowthRuleTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void doesNotAddUpWhatProgramsLeftThatEnded()
    {
        Session session;
        for (int i = 0; i < 24; ++i)
            session.add("main;loadTable@leave.c:5;libc.so.6!malloc", i, i + 0.9, [](double) { return 2 * kMiB; });
        QVERIFY(growing(session.advice()) == nullptr);
        QCOMPARE(session.card().number, std::string("nothing found"));
    }

    void addsUpWhatWorkersKeepThatStay()
    {
        Session session;
        session.builder.raw().info.endReason = "duration reached";
        for (int i = 0; i < 24; ++i)
            session.add("main;loadTable@leave.c:5;libc.so.6!malloc", i, {}, [](double) { return 2 * kMiB; });
        const Recommendations all = session.advice();
        QVERIFY(growing(all) != nullptr);
        QVERIFY(!growing(all)->endedAfter);
        QVERIFY(session.card().state != CardState::Unknown);
    }

    /// The forecast beside it is of the whole program.
    void tellsTheRateOfAllPlacesTogether()
    {
        Session session;
        session.builder.raw().info.endReason = "duration reached";
        session.add("main;keep@keep.c:5;libc.so.6!malloc", 0, {}, rising);
        const std::string alone = session.card().number;
        QVERIFY2(alone.starts_with("+6.7") && alone.ends_with(" GiB/h"), alone.c_str());
        QVERIFY2(says(session.card().sentence, "First: keep, keep.c:5."), session.card().sentence.c_str());
        session.add("main;hoard@hoard.c:5;libc.so.6!malloc", 0, {}, rising);
        const SummaryCard card = session.card();
        QVERIFY2(card.number.starts_with("+13.4") && card.number.ends_with(" GiB/h"), card.number.c_str());
        QCOMPARE(card.qualifier, std::string("in 2 places together"));
        QVERIFY2(says(card.sentence, "2 places keep what they allocate. First: "), card.sentence.c_str());
        QVERIFY2(says(card.sentence, ".c:5, with 6.7"), card.sentence.c_str());
    }

    void judgesAProgramThatEndedEarlyByItsOwnTime()
    {
        Session session;
        session.builder.raw().info.endReason = "duration reached";
        session.add("main;keep;libc.so.6!malloc", 0, 12, rising);
        session.add("main;steady;libc.so.6!malloc", 0, {}, [](double) { return kMiB; });
        const Recommendations all = session.advice();
        const Recommendation *item = growing(all);
        QVERIFY(item != nullptr);
        QCOMPARE(item->place, std::string("keep"));
        QVERIFY(item->gain.low <= 7.2e9 && 7.2e9 <= item->gain.high);
        QCOMPARE(item->endedAfter->ns, second(12).ns);
    }

    void doesNotAlarmForACommandThatWorksAndEnds()
    {
        Session session;
        session.add("main;readObjects@pack.c:7;libc.so.6!malloc", 0, 23.5, rising);
        const Recommendations all = session.advice();
        const Recommendation *item = growing(all);
        QVERIFY(item != nullptr); // it may be a leak all the same
        QVERIFY2(item->title.starts_with("readObjects kept 42.9 MiB, until its program ended after 23.5 s"),
            item->title.c_str());
        QVERIFY2(!says(item->title, "/h") && item->confidence < 0.2, item->title.c_str());
        const SummaryCard card = session.card();
        QCOMPARE(card.state, CardState::Unknown);
        QCOMPARE(card.number, std::string("+42.9 MiB"));
        QVERIFY2(says(card.sentence, "and so does a leak"), card.sentence.c_str());
        // One that was ended from outside would have gone on.
        session.builder.raw().info.endReason = "duration reached";
        QVERIFY2(session.card().number.ends_with("/h"), session.card().number.c_str());
        QCOMPARE(session.card().state, CardState::Warn);
    }

    /// Its end is not in a selection that ends before.
    void doesNotTellOfAnEndBehindTheSelection()
    {
        Session session;
        session.builder.raw().span.end = second(12);
        session.builder.raw().selection.time = session.builder.raw().span;
        session.add("main;readObjects@pack.c:7;libc.so.6!malloc", 0, 23.5, rising);
        const Recommendations all = session.advice();
        const Recommendation *item = growing(all);
        QVERIFY(item != nullptr);
        QCOMPARE(item->title, std::string("readObjects kept 42.9 MiB in the 12 s selected"));
        QVERIFY(std::none_of(item->evidence.begin(), item->evidence.end(),
            [](const Evidence &each) { return each.what == kLeftAtEnd; }));
        const SummaryCard card = session.card();
        QCOMPARE(card.state, CardState::Unknown);
        QCOMPARE(card.number, std::string("+42.9 MiB"));
        QCOMPARE(card.qualifier, std::string("kept in the 12 s selected"));
        QVERIFY2(!says(card.sentence, "ended"), card.sentence.c_str());
    }

    /// Where a scan found lost what the command left, nobody says that it may need it for its work.
    void whatAScanFoundLostIsNoWorkThatBuildsUp()
    {
        Session session;
        session.add("main;forget", 0, 24, [](double s) { return static_cast<std::int64_t>(s) * kMiB; });
        const HeapCost &row = session.builder.raw().heap.back();
        MemoryScan scan;
        scan.id = 1;
        scan.image = row.image;
        scan.when = second(24);
        scan.sums[static_cast<std::size_t>(ReachClass::Directly)] = {20, 20 * kMiB};
        ScannedStack stack;
        stack.stack = row.stack;
        stack.sums = scan.sums;
        stack.held = {24, 23 * kMiB};
        scan.stacks = {stack};
        QVERIFY(session.advice().items.at(0).endedAfter);
        session.builder.raw().scans = {std::make_shared<const MemoryScan>(scan)};
        const Recommendations found = session.advice();
        QCOMPARE(found.items.size(), std::size_t{1});
        const Recommendation &item = found.items.front();
        QCOMPARE(item.title, std::string("forget lost 20 MiB in 20 blocks, and 3 MiB behind them"));
        QVERIFY(!item.endedAfter && item.gainKind == GainKind::Bytes && item.confidence >= 0.5);
        QCOMPARE(item.evidence.front().text, std::string("23 MiB"));
        const SummaryCard card = session.card();
        QCOMPARE(card.number, std::string("20 MiB"));
        QCOMPARE(card.state, CardState::Danger);
        QVERIFY2(says(card.sentence, "no pointer leads to them") && says(card.sentence, "First: forget"),
            card.sentence.c_str());
        QVERIFY2(!says(card.sentence, "builds up"), card.sentence.c_str());
        // The heads of what was lost may be a little of it, as nodes are that hold what was allocated with them.
        scan.sums[static_cast<std::size_t>(ReachClass::Directly)] = {1, 2 * kMiB};
        scan.stacks.front().sums = scan.sums;
        session.builder.raw().scans = {std::make_shared<const MemoryScan>(scan)};
        QCOMPARE(session.advice().items.size(), std::size_t{1});
        // A little that was lost says nothing of the rest that it kept.
        scan.sums[static_cast<std::size_t>(ReachClass::Directly)] = {1, kMiB};
        scan.stacks.front().sums = scan.sums;
        scan.stacks.front().held = {1, kMiB};
        session.builder.raw().scans = {std::make_shared<const MemoryScan>(scan)};
        const Recommendations both = session.advice();
        QVERIFY(std::any_of(both.items.begin(), both.items.end(),
            [](const Recommendation &each) { return each.endedAfter.has_value(); }));
    }

    /// The heap of programs that ended is no measure of what is much.
    void takesOnlyWhatWasThereTogetherForTheHeap()
    {
        Session session;
        session.builder.growth("main;steady;libc.so.6!malloc", std::vector<std::int64_t>(kMoments, kMiB));
        HeapCost ended = session.builder.raw().heap.back();
        ended.liveBytes = 1000 * kMiB;
        ended.peakBytes = 0;
        session.builder.raw().heap.push_back(ended);
        session.builder.raw().heap.front().peakBytes = 10 * kMiB;
        const std::string sentence = session.card().sentence;
        QVERIFY2(says(sentence, "grows by 256 KiB in 24 s"), sentence.c_str());
    }

    /// A server that was filled and then served.
    void doesNotDenyThatTheHeapGrew()
    {
        const auto cardFor = [](auto bytesAt) {
            Session session;
            session.builder.growth("main;steady;libc.so.6!malloc", std::vector<std::int64_t>(kMoments, kMiB));
            HeapSeries series{.image = session.builder.image()};
            for (std::int64_t i = 0; i < static_cast<std::int64_t>(kMoments); ++i) {
                series.spans.push_back({second(static_cast<double>(i)), second(static_cast<double>(i + 1))});
                series.ticks.push_back({.image = series.image, .liveBytes = bytesAt(i)});
            }
            session.builder.raw().heapSeries.push_back(series);
            return session.card();
        };
        const SummaryCard filled
            = cardFor([](std::int64_t s) { return kMiB + kMiB * std::clamp<std::int64_t>(s - 5, 0, 10); });
        QCOMPARE(filled.number, std::string("+10 MiB"));
        QCOMPARE(filled.qualifier, std::string("live heap, until 0:16"));
        QCOMPARE(filled.state, CardState::Unknown);
        QVERIFY2(says(filled.sentence, "grew from 1 MiB to 11 MiB until 0:16 and has stood still since"),
            filled.sentence.c_str());
        const SummaryCard unsteady = cardFor([](std::int64_t s) { return s < 22 ? kMiB : 5 * kMiB; });
        QVERIFY2(says(unsteady.qualifier, "not steadily") && !says(unsteady.sentence, "stood still"),
            unsteady.sentence.c_str());
        const SummaryCard started = cardFor([](std::int64_t s) { return s < 1 ? kMiB : 20 * kMiB; });
        QCOMPARE(started.number, std::string("nothing found"));
        const SummaryCard steady = cardFor([](std::int64_t s) { return 20 * kMiB + s % 3 * 1000; });
        QCOMPARE(steady.number, std::string("nothing found"));
    }

    void namesWhatGoesOnBeforeWhatHasEnded()
    {
        Session session;
        session.builder.raw().info.endReason = "interrupted by the user";
        session.add("main;work;libc.so.6!malloc", 0, 12, [](double s) { return 100 * rising(s); });
        session.add("main;leak;libc.so.6!malloc", 0, {}, rising);
        const SummaryCard card = session.card();
        QVERIFY2(says(card.sentence, "First: leak"), card.sentence.c_str());
        QCOMPARE(card.state, CardState::Warn);
    }
};

QTEST_APPLESS_MAIN(GrowthRuleTest)
#include "growth_rule_test.moc"

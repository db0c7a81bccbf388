// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/random.h"
#include "model/analysis/recommendations.h"
#include "model/analysis/rules/rule_data.h"
#include "model/analysis/summary.h"
#include "model/analysis/work_finder.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <memory>

using namespace model;
using tests::SnapshotBuilder;

namespace {

std::vector<std::int64_t> bytesAt24Moments(double (*at)(double))
{
    Random random(3);
    std::vector<std::int64_t> bytes;
    for (int i = 0; i < 24; ++i)
        bytes.push_back(std::llround(at(i / 23.0) * (1 + 0.002 * random.normal())));
    return bytes;
}

double steady(double part) { return 1e6 + 9e6 * part; }

double filling(double part) { return 10e6 * (1 - std::exp(-part * 12)); }

double sawtooth(double part) { return 5e6 + 4e6 * std::fmod(part * 6, 1.0); }

const Recommendation *find(const Recommendations &all, std::string_view rule)
{
    const auto found = std::find_if(
        all.items.begin(), all.items.end(), [rule](const Recommendation &item) { return item.rule == rule; });
    return found == all.items.end() ? nullptr : &*found;
}

} // namespace

class RecommendationsTest : public QObject
{
    Q_OBJECT

private:
    static SnapshotBuilder minute()
    {
        SnapshotBuilder builder;
        builder.ticks(60, Duration::fromMs(1000));
        return builder;
    }

private Q_SLOTS:
    void findsAStackThatGrows()
    {
        SnapshotBuilder builder = minute();
        builder.growth("main;Session::attach@session.cpp:214;libc.so.6!malloc", bytesAt24Moments(steady));
        const Recommendations all = *recommendations(builder.build());
        const Recommendation *item = find(all, "growing_stack");
        QVERIFY(item != nullptr);
        QCOMPARE(item->place, std::string("Session::attach"));
        QCOMPARE(item->where, std::string("session.cpp:214"));
        QCOMPARE(item->module, std::string("app"));
        const double truth = 9e6 / 57.5 * 3600; // 57.5 s lie between the first moment and the last
        QVERIFY(item->gain.low <= truth && truth <= item->gain.high);
        QVERIFY(item->stack.isValid());
        QVERIFY(!item->advice.empty() && !item->check.empty());
        QVERIFY(item->confidence > 0.3 && item->confidence < 1);
        QVERIFY(all.sentence.starts_with("1 thing worth changing"));
    }

    void countsTheStacksOfOnePlaceAsOneCause()
    {
        SnapshotBuilder builder = minute();
        builder.growth("main;a;keep;libc.so.6!malloc", bytesAt24Moments(steady));
        builder.growth("main;b;keep;libc.so.6!malloc", bytesAt24Moments(steady));
        const Recommendations all = *recommendations(builder.build());
        QCOMPARE(all.items.size(), std::size_t(1));
        QCOMPARE(all.items.front().evidence.back().text, std::string("2"));
    }

    void doesNotAccuseACacheThatIsFull()
    {
        SnapshotBuilder builder = minute();
        builder.growth("main;cache;libc.so.6!malloc", bytesAt24Moments(filling));
        QVERIFY(find(*recommendations(builder.build()), "growing_stack") == nullptr);
    }

    void doesNotAccuseMemoryThatComesAndGoes()
    {
        SnapshotBuilder builder = minute();
        builder.growth("main;batch;libc.so.6!malloc", bytesAt24Moments(sawtooth));
        QVERIFY(find(*recommendations(builder.build()), "growing_stack") == nullptr);
    }

    void doubtsGrowthWhereEventsWereLost()
    {
        SnapshotBuilder builder = minute();
        builder.growth("main;keep;libc.so.6!malloc", bytesAt24Moments(steady));
        const double before = find(*recommendations(builder.build()), "growing_stack")->confidence;
        builder.raw().losses.push_back({LossKind::EventsDropped, builder.image(), 1'000'000, "", {}});
        const Recommendations all = *recommendations(builder.build());
        const Recommendation *item = find(all, "growing_stack");
        QVERIFY(item->confidence < before);
        QVERIFY(item->caution.find("incomplete") != std::string::npos);
    }

    void findsTemporaryAllocations()
    {
        SnapshotBuilder builder = minute();
        builder.heap("main;render@row.cpp:12;libc.so.6!malloc 32 temporary\nmain;keep;libc.so.6!malloc 64\n");
        for (HeapCost &row : builder.raw().heap)
            for (std::int64_t *count :
                {&row.allocations, &row.allocatedBytes, &row.temporaries, &row.temporaryBytes, &row.frees})
                *count *= 50'000;
        const Recommendations all = *recommendations(builder.build());
        const Recommendation *item = find(all, "temporary_allocations");
        QVERIFY(item != nullptr);
        QCOMPARE(item->place, std::string("render"));
        QVERIFY(std::abs(item->gain.high - 0.5) < 0.01);
        QCOMPARE(item->evidence[1].text, std::string("100 %"));
    }

    void isSilentAboutCodeThatIsMerelyBusy()
    {
        // A share of the time is no reason to change anything.
        const Snapshot snapshot = minute().cpu("main;json::parse@json.cpp:7 610\nmain;other 390\n").build();
        QVERIFY((*recommendations(snapshot)).items.empty());
    }

    void findsWorkThatNeedNotBeDone()
    {
        const Snapshot snapshot
            = minute()
                  .cpu("main;check@check.cpp:7;std::__detail::_Compiler<char>::_M_disjunction();libc.so.6!malloc 610\n"
                       "main;other 390\n")
                  .build();
        const Recommendations all = *recommendations(snapshot);
        QCOMPARE(all.items.size(), std::size_t(1)); // its malloc is not told beside it
        const Recommendation &item = all.items.front();
        QCOMPARE(item.rule, std::string_view("regex_compiled"));
        QCOMPARE(item.place, std::string("check"));
        QCOMPARE(item.where, std::string("check.cpp:7"));
        QVERIFY(item.title.find("61 % (57.9–64.0)") != std::string::npos);
        QVERIFY(item.gain.low > 0.28 && item.gain.low < 0.3 && item.gain.high > 0.6);
    }

    void asksForMoreSamplesWhereItCannotTell()
    {
        std::string samples = "main;check;libc.so.6!regcomp 20\n";
        for (int i = 0; i < 30; ++i)
            samples += "main;f" + std::to_string(i) + " 9\n";
        const Recommendations all = *recommendations(minute().cpu(samples).build());
        QVERIFY(all.items.empty());
        QVERIFY(std::any_of(all.notLookedAt.begin(), all.notLookedAt.end(),
            [](const std::string &s) { return s.find("needs --cpu 999 to say") != std::string::npos; }));
    }

    void saysNothingOfWhatTheTracerCosts()
    {
        const Snapshot snapshot
            = minute()
                  .cpu("main;work;libgenesis_heaptracer.so!malloc;libgenesis_heaptracer.so!record 700\n"
                       "main;other 300\n")
                  .build();
        QVERIFY((*recommendations(snapshot)).items.empty());
    }

    void matchesPatterns()
    {
        QVERIFY(matchesPattern("std::vector<*>::_M_realloc_insert*", "std::vector<…>::_M_realloc_insert<…>"));
        QVERIFY(matchesPattern("*b*c", "abxbc"));
        QVERIFY(!matchesPattern("strlen", "strlen2"));
        QVERIFY(!matchesPattern("a*b", "ac"));
    }

    void everyRuleHasItsWords()
    {
        std::vector<std::string_view> keys;
        for (const WorkRule *rule : workRules()) {
            const RuleData &data = rule->data;
            QVERIFY(!data.key.empty() && !data.label.empty() && !data.advice.empty() && !data.check.empty());
            QVERIFY(data.title.find("{place}") != std::string_view::npos);
            QVERIFY(data.title.find("{share}") != std::string_view::npos);
            QVERIFY(data.speedUp.least > 1 && data.speedUp.most > data.speedUp.least);
            QVERIFY(data.confidence > 0 && data.confidence < 1 && data.effort >= 1);
            QVERIFY(std::find(keys.begin(), keys.end(), data.key) == keys.end());
            keys.push_back(data.key);
        }
        QVERIFY(keys.size() >= 25);
    }

    void findsTimeInMallocAndItsCaller()
    {
        const Snapshot snapshot = minute()
                                      .cpu("main;fill@fill.cpp:3;libc.so.6!malloc;libc.so.6!_int_malloc 200\n"
                                           "main;drop;libc.so.6!free 50\n"
                                           "main;copy;libc.so.6!__memmove_avx_unaligned_erms 150\n"
                                           "main;a 100\nmain;b 100\nmain;c 100\nmain;d 100\nmain;e 100\nmain;f 100\n")
                                      .build();
        const Recommendations all = *recommendations(snapshot);
        const Recommendation *item = find(all, "allocator_time");
        QVERIFY(item != nullptr);
        QCOMPARE(item->place, std::string("fill"));
        QVERIFY(find(all, "copy_time") != nullptr);
        QCOMPARE(find(all, "copy_time")->place, std::string("copy"));
        QVERIFY(item->title.starts_with("fill spends"));
    }

    void findsRetainedMemoryOnlyWithAWholeHeap()
    {
        SnapshotBuilder builder = minute();
        builder.metric(Metric::Anonymous, std::vector<std::int64_t>(60, 200'000'000));
        HeapSeries series{.image = builder.image()};
        for (int i = 0; i < 60; ++i) {
            series.spans.push_back({{i * 1'000'000'000ll}, {(i + 1) * 1'000'000'000ll}});
            series.ticks.push_back({.liveBytes = 10'000'000});
        }
        builder.raw().heapSeries.push_back(series);
        QVERIFY(find(*recommendations(builder.build()), "retained_memory") != nullptr);
        // Where pages were looked at, a program's own mappings are no retained heap.
        SnapshotBuilder looked = builder;
        looked.metric(Metric::Rss, std::vector<std::int64_t>(60, 200'000'000));
        const auto withHeapOf = [&looked](std::int64_t bytes) {
            MemoryPartsSeries parts{.process = looked.process()};
            for (int i = 1; i <= 60; ++i) {
                parts.times.push_back({i * 1'000'000'000ll});
                parts.values.push_back({.heap = bytes, .mappings = 200'000'000 - bytes});
            }
            looked.raw().memoryParts = {parts};
            return *recommendations(looked.build());
        };
        QVERIFY(find(withHeapOf(12'000'000), "retained_memory") == nullptr);
        const Recommendations held = withHeapOf(190'000'000);
        QVERIFY(find(held, "retained_memory") != nullptr);
        QCOMPARE(find(held, "retained_memory")->gain.high, 180'000'000.0);
        builder.tables().changeImage(builder.image()).heap = HeapState::Inherited;
        QVERIFY(find(*recommendations(builder.build()), "retained_memory") == nullptr);
    }

    void findsPageFaults()
    {
        SnapshotBuilder builder = minute();
        builder.metric(Metric::MinorFaults, std::vector<std::int64_t>(60, 200'000));
        builder.metric(Metric::CpuUser, std::vector<std::int64_t>(60, 100'000));
        QVERIFY(find(*recommendations(builder.build()), "page_fault_rate") != nullptr);
    }

    void doesNotTakeTheFaultsOfAStartForARate()
    {
        SnapshotBuilder builder;
        builder.ticks(1, Duration::fromMs(44));
        builder.metric(Metric::MinorFaults, {2'600'000}).metric(Metric::CpuUser, {0});
        QVERIFY(find(*recommendations(builder.build()), "page_fault_rate") == nullptr);
    }

    void namesTheLastProgramThatHasAName()
    {
        SnapshotBuilder builder = minute();
        builder.metric(Metric::MinorFaults, std::vector<std::int64_t>(60, 200'000));
        builder.metric(Metric::CpuUser, std::vector<std::int64_t>(60, 100'000));
        builder.tables().addImage({.process = builder.process(), .start = {2'000'000'000}});
        QCOMPARE(find(*recommendations(builder.build()), "page_fault_rate")->place, std::string("app"));
        Image &image = builder.tables().changeImage(builder.image());
        image.executable = image.commandLine = builder.tables().string("");
        QCOMPARE(find(*recommendations(builder.build()), "page_fault_rate")->place, std::string("the process"));
    }

    void findsNothingInACalmProgramAndSaysHowMuchItSaw()
    {
        SnapshotBuilder builder = minute();
        std::string samples;
        for (int i = 0; i < 50; ++i)
            samples += "main;f" + std::to_string(i) + " 20\n";
        builder.cpu(samples).heap("main;malloc 64\n");
        const Recommendations all = *recommendations(builder.build());
        QVERIFY(all.items.empty());
        QCOMPARE(all.sentence, std::string("Nothing found, looked at 51 stacks for 1 min."));
    }

    void saysWhichRulesLackedData()
    {
        SnapshotBuilder builder;
        builder.raw().info.config.heap = HeapMode::Off;
        builder.raw().info.config.cpuHz = 0;
        const Recommendations all = *recommendations(builder.build());
        QVERIFY(all.items.empty());
        QVERIFY(std::find(all.notLookedAt.begin(), all.notLookedAt.end(), "Growth: the heap was not recorded.")
            != all.notLookedAt.end());
        QVERIFY(all.notLookedAt.size() >= 4);
    }

    void advisesBySystemCalls_data()
    {
        QTest::addColumn<QString>("call");
        QTest::addColumn<qint64>("count");
        QTest::addColumn<qint64>("ms");
        QTest::addColumn<qint64>("bytes");
        QTest::addColumn<QString>("rule");
        QTest::newRow("small writes") << "write" << qint64{600'000} << qint64{6000} << qint64{600'000 * 40}
                                      << "small_transfers";
        QTest::newRow("large writes") << "write" << qint64{600'000} << qint64{6000} << qint64{600'000} * 8192 << "";
        QTest::newRow("few small writes") << "write" << qint64{20'000} << qint64{6000} << qint64{20'000 * 40} << "";
        QTest::newRow("cheap small writes") << "write" << qint64{600'000} << qint64{300} << qint64{600'000 * 40} << "";
        QTest::newRow("lookups") << "newfstatat" << qint64{300'000} << qint64{3000} << qint64{0} << "repeated_lookups";
        QTest::newRow("a lookup now and then") << "newfstatat" << qint64{3000} << qint64{3000} << qint64{0} << "";
        QTest::newRow("fsync") << "fsync" << qint64{200} << qint64{12'000} << qint64{0} << "synced_writes";
        QTest::newRow("another call") << "getppid" << qint64{600'000} << qint64{6000} << qint64{0} << "";
    }
    void advisesBySystemCalls()
    {
        QFETCH(QString, call);
        QFETCH(qint64, count);
        QFETCH(qint64, ms);
        QFETCH(qint64, bytes);
        QFETCH(QString, rule);
        SnapshotBuilder builder = minute();
        builder.raw().info.config.systemCalls = builder.raw().info.config.waits = true;
        const StackId stack = builder.stack("main;save@save.cpp:7;libc.so.6!write");
        builder.raw().activities.push_back({builder.thread(), builder.image(), stack,
            Activity::call(*systemCallNumber(call.toStdString())), count, ms * 1'000'000, 0, bytes, count, 0});
        const Recommendations all = *recommendations(builder.build());
        if (rule.isEmpty()) {
            QVERIFY2(all.items.empty(), all.items.empty() ? "" : all.items[0].title.c_str());
            return;
        }
        const Recommendation *item = find(all, rule.toStdString());
        QVERIFY(item);
        QCOMPARE(item->place, std::string("save"));
        QVERIFY(item->gainKind == GainKind::TimeShare);
        QVERIFY(item->gain.high <= static_cast<double>(ms) / 60'000 + 1e-9);
        QVERIFY(item->gain.low > 0);
    }

    void recordingACallIsNoPartOfTheProgram()
    {
        // A minute: 6 s in calls, 6 s in own code; what is left, the thread waited for a processor, or its calls were recorded.
        SnapshotBuilder builder = minute();
        builder.raw().info.config.systemCalls = true;
        builder.cpu("main;work 1200\n");
        builder.raw().activities.push_back(
            {builder.thread(), builder.image(), builder.stack("main;save@save.cpp:7;libc.so.6!write"),
                Activity::call(*systemCallNumber("write")), 600'000, 6'000'000'000, 0, 600'000 * 40, 600'000, 0});
        const Recommendations all = *recommendations(builder.build());
        const Recommendation *item = find(all, "small_transfers");
        QVERIFY(item);
        QVERIFY(item->gain.low < 0.1);
        QVERIFY(std::abs(item->gain.high - 0.5 * 0.99) < 1e-9);
    }

    void isSilentAboutAThreadThatWorksAtAPace()
    {
        const auto adviceFor = [](bool isAlone) {
            SnapshotBuilder builder = minute();
            builder.raw().info.config.waits = true;
            builder.cpu("main;work 1000\n");
            if (!isAlone) {
                const ThreadId other = builder.tables().addThread({.process = builder.process(), .tid = 101});
                builder.raw().cpu.push_back({other, builder.image(), builder.stack("run;answer"), 500, 2'500'000'000});
            }
            builder.raw().activities.push_back({builder.thread(), builder.image(), builder.stack("main;await"),
                Activity::wait(WaitClass::Sleep), 1000, 55'000'000'000, 0, 0, 1000, 0});
            return *recommendations(builder.build());
        };
        QVERIFY(!find(adviceFor(true), "sleeping_work"));
        QVERIFY(find(adviceFor(false), "sleeping_work")); // for the other one's answer
    }

    void advisesByWaits()
    {
        const auto adviceFor = [](WaitClass waitClass, qint64 ms) {
            SnapshotBuilder builder = minute();
            builder.raw().info.config.systemCalls = builder.raw().info.config.waits = true;
            builder.raw().activities.push_back(
                {builder.thread(), builder.image(), builder.stack("main;hold;libc.so.6!lock"),
                    Activity::wait(waitClass), 100, ms * 1'000'000, 0, 0, 100, 0});
            return *recommendations(builder.build());
        };
        QVERIFY(find(adviceFor(WaitClass::Lock, 9000), "lock_waits"));
        QVERIFY(adviceFor(WaitClass::Lock, 900).items.empty());
        QVERIFY(find(adviceFor(WaitClass::Sleep, 9000), "sleeping_work"));
        // Idle threads are no defect.
        for (const WaitClass idle : {WaitClass::Condition, WaitClass::Events, WaitClass::Child, WaitClass::Processor})
            QVERIFY(adviceFor(idle, 50'000).items.empty());
    }

    void isSilentAboutSleepOfThreadsThatDoNoWork()
    {
        SnapshotBuilder builder = minute();
        builder.raw().info.config.waits = true;
        builder.cpu("main;work 1000\n");
        const ThreadId idle = builder.tables().addThread({.process = builder.process(), .tid = 101});
        builder.raw().activities.push_back({idle, builder.image(), builder.stack("run;flushNowAndThen"),
            Activity::wait(WaitClass::Sleep), 60, 59'000'000'000, 0, 0, 60, 0});
        QVERIFY(!find(*recommendations(builder.build()), "sleeping_work"));
    }

    void saysWhatItNeedsToJudgeCallsAndWaits()
    {
        SnapshotBuilder builder = minute();
        builder.metric(Metric::ReadCalls, std::vector<std::int64_t>(60, 5000));
        const Recommendations all = *recommendations(builder.build());
        const auto says = [&all](const char *words) {
            return std::any_of(all.notLookedAt.begin(), all.notLookedAt.end(),
                [words](const std::string &sentence) { return sentence.find(words) != std::string::npos; });
        };
        QVERIFY(says("needs --syscalls to say (there are up to 5,000 reads and writes a second)"));
        QVERIFY(says("needs --waits to say"));
    }

    void ranksByWhatIsToBeGained()
    {
        const Snapshot snapshot
            = minute()
                  .cpu("main;small;libc.so.6!regcomp 100\nmain;large;libc.so.6!regcomp 600\nmain;x;y 300\n")
                  .build();
        const Recommendations all = *recommendations(snapshot);
        QCOMPARE(all.items.front().place, std::string("large"));
        for (std::size_t i = 1; i < all.items.size(); ++i)
            QVERIFY(all.items[i - 1].score >= all.items[i].score);
    }

    void answersTheOverviewInAtMostSixCards()
    {
        SnapshotBuilder builder = minute();
        builder.growth("main;Session::attach@session.cpp:214;libc.so.6!malloc", bytesAt24Moments(steady));
        builder.cpu("main;json::parse@json.cpp:7 610\nmain;other 390\n");
        builder.metric(Metric::Rss, std::vector<std::int64_t>(60, 100'000'000));
        const Summary answers = *summary(builder.build());
        QVERIFY(answers.cards.size() >= 5 && answers.cards.size() <= 6);
        QCOMPARE(answers.cards[0].title, std::string("Growth"));
        QVERIFY(answers.cards[0].state != CardState::Ok);
        QVERIFY(answers.cards[0].number.starts_with("+"));
        QVERIFY(answers.cards[0].sentence.find("Session::attach") != std::string::npos);
        QCOMPARE(answers.cards.back().title, std::string("Capture"));
        QCOMPARE(answers.cards.back().state, CardState::Ok);
        for (const SummaryCard &card : answers.cards)
            QVERIFY(!card.number.empty() && !card.sentence.empty() && !card.action.empty());
    }

    /// Green is what was looked at for long enough to be called well, and no more.
    void isGreenOnlyAsFarAsItLooked()
    {
        SnapshotBuilder builder = minute();
        builder.growth("main;steady;libc.so.6!malloc", bytesAt24Moments([](double) { return 1e6; }));
        builder.heap("main;steady;libc.so.6!malloc 100");
        builder.metric(Metric::Rss, std::vector<std::int64_t>(60, 100'000'000));
        const Summary answers = *summary(builder.build());
        const SummaryCard &growth = answers.cards[0], &ahead = answers.cards[1];
        QCOMPARE(growth.number, std::string("nothing found"));
        QCOMPARE(growth.state, CardState::Unknown); // a minute says nothing about what grows slowly
        QVERIFY2(growth.sentence.find("slowly") != std::string::npos, growth.sentence.c_str());
        QVERIFY2(growth.sentence.find("256 KiB") != std::string::npos, growth.sentence.c_str());
        QVERIFY2(growth.qualifier.starts_with("tested 1 of 1 stacks"), growth.qualifier.c_str());
        QCOMPARE(ahead.title, std::string("Forecast"));
        QCOMPARE(ahead.state, CardState::Unknown); // no limit was looked at
    }

    void saysThatMemoryBesideTheHeapGrows()
    {
        SnapshotBuilder builder = minute();
        builder.growth("main;steady;libc.so.6!malloc", bytesAt24Moments([](double) { return 1e6; }));
        std::vector<std::int64_t> rising(60);
        for (std::size_t i = 0; i < rising.size(); ++i)
            rising[i] = 100'000'000 + static_cast<std::int64_t>(i) * 1'000'000;
        builder.metric(Metric::Rss, rising).metric(Metric::Anonymous, rising);
        const SummaryCard growth = summary(builder.build())->cards[0];
        QVERIFY2(growth.number.starts_with("+5") && growth.state == CardState::Warn, growth.number.c_str());
        QVERIFY2(growth.sentence.find("Resident memory grows") != std::string::npos, growth.sentence.c_str());
    }

    void isCalmAboutAnEmptySession()
    {
        const Summary answers = *summary(SnapshotBuilder().build());
        QCOMPARE(answers.cards.back().state, CardState::Ok); // nothing was lost
        // What nobody looked at is neither good nor bad.
        for (std::size_t i = 0; i + 1 < answers.cards.size(); ++i)
            QCOMPARE(answers.cards[i].state, CardState::Unknown);
    }

    void stopsWhenAsked()
    {
        const auto source = std::make_unique<std::stop_source>();
        source->request_stop();
        const Snapshot snapshot = minute().cpu("main;a 1000\n").build();
        QVERIFY(!recommendations(snapshot, source->get_token()));
        QVERIFY(!summary(snapshot, source->get_token()));
    }
};

QTEST_APPLESS_MAIN(RecommendationsTest)
#include "recommendations_test.moc"

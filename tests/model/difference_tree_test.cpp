// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/compare/difference_tree.h"
#include "model/layout/flame_layout.h"
#include "model/report/comparison_report.h"
#include "model/report/comparison_summary.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <cmath>
#include <sstream>

using namespace model;
using tests::SnapshotBuilder;

namespace {

using SnapshotPointer = std::shared_ptr<const Snapshot>;

/// All modules of one build: then a function of one session only is new, and not the other's under another name.
void setBuild(Snapshot &snapshot)
{
    auto tables = std::make_shared<ProgramTables>(*snapshot.tables);
    tables->strings.emplace_back("build");
    for (Module &module : tables->modules)
        module.buildId = StringId(tables->strings.size() - 1);
    snapshot.tables = tables;
}

SnapshotPointer heapOf(std::string_view lines)
{
    SnapshotBuilder builder;
    builder.heap(lines);
    builder.raw().info.config.heap = HeapMode::Full;
    Snapshot snapshot = builder.build();
    setBuild(snapshot);
    return std::make_shared<const Snapshot>(std::move(snapshot));
}

SnapshotPointer cpuOf(std::string_view lines)
{
    SnapshotBuilder builder;
    builder.cpu(lines);
    builder.raw().info.cpuEvent = "cpu-clock";
    Snapshot snapshot = builder.build();
    setBuild(snapshot);
    return std::make_shared<const Snapshot>(std::move(snapshot));
}

ComparedSessions compared(
    const SnapshotPointer &a, const SnapshotPointer &b, std::string_view cost, const Normalisation &per = {})
{
    auto result = compareSessions(a, b, per, comparableCostsOf(cost));
    if (!result)
        qFatal("%s", result.error().text().c_str());
    return std::move(*result);
}

/// The tree as "before→after name", indented; '*' where it is significant.
std::string textOf(const DifferenceTree &tree, NodeId node = DifferenceTree::root())
{
    const DifferenceNode &at = tree.node(node);
    std::string text = std::string(at.depth * 2, ' ')
        + QString::asprintf("%.0f→%.0f%s ", at.total.a, at.total.b, at.total.isSignificant ? "*" : "").toStdString()
        + (node == DifferenceTree::root() ? "all" : tree.name(node)) + '\n';
    for (std::size_t i = 0; i < at.childCount; ++i)
        text += textOf(tree, tree.child(node, i));
    return text;
}

} // namespace

class DifferenceTreeTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void mergesWhatBothSessionsHave()
    {
        const ComparedSessions both = compared(heapOf("main;parse;malloc 600\nmain;log;malloc 200\nmain;old 40"),
            heapOf("main;parse;malloc 900\nmain;log;malloc 200\nmain;fresh 60"), "allocated");
        const auto tree = differenceTree(both.costs.front());
        QVERIFY(tree);
        QCOMPARE(textOf(*tree),
            std::string("840→1160* all\n"
                        "  840→1160* main\n"
                        "    600→900* parse\n"
                        "      600→900* malloc\n"
                        "    200→200 log\n"
                        "      200→200 malloc\n"
                        "    0→60* fresh\n"
                        "    40→0* old\n"));
        QCOMPARE(tree->node(tree->child(tree->root(), 0)).parent, tree->root());
    }

    void givesRoomToWhatIsGoneAndNeverMoreThanThereIs()
    {
        const ComparedSessions both
            = compared(heapOf("main;a 100\nmain;b 300"), heapOf("main;a 200\nmain;c 333"), "allocated");
        const auto tree = differenceTree(both.costs.front());
        QCOMPARE(tree->total(tree->root()), DifferenceTree::kWholeWeight);
        for (std::size_t i = 0; i < tree->size(); ++i) {
            std::int64_t below = 0;
            for (std::size_t row = 0; row < tree->node(NodeId(i)).childCount; ++row)
                below += tree->total(tree->child(NodeId(i), row));
            QVERIFY(below <= tree->total(NodeId(i)));
        }
        const FlameLayout layout = flameLayout(*tree, {.widthPx = 933});
        QCOMPARE(layout.rows, 3u);
        QCOMPARE(layout.rects.size(), std::size_t{5});
        for (const FlameRect &rect : layout.rects)
            if (tree->name(rect.node) == "b")
                QVERIFY(std::abs(rect.width - 300) < 1);
    }

    void samplesAreSignificantBeyondChanceOnly()
    {
        const ComparedSessions both = compared(cpuOf("main;same 1000\nmain;more 100\nmain;few 3"),
            cpuOf("main;same 1020\nmain;more 300\nmain;few 5"), "cpu");
        const auto tree = differenceTree(both.costs.front());
        QVERIFY(tree->certainty() == Certainty::Estimated);
        for (std::size_t i = 1; i < tree->size(); ++i) {
            const DifferenceNode &node = tree->node(NodeId(i));
            const std::string name = tree->name(NodeId(i));
            QVERIFY2(node.total.isSignificant == (name == "more" || name == "main"), name.c_str());
            QVERIFY(node.total.ratio95.low < node.total.b / node.total.a);
            QVERIFY(node.total.ratio95.high > node.total.b / node.total.a);
        }
    }

    void costsAreDividedByWork()
    {
        const auto withMarks = [](std::string_view lines, std::size_t count) {
            Snapshot snapshot = *heapOf(lines);
            for (std::size_t i = 0; i < count; ++i)
                snapshot.marks.push_back({snapshot.span.begin, MarkKind::User, "request"});
            return std::make_shared<const Snapshot>(std::move(snapshot));
        };
        const ComparedSessions both = compared(withMarks("main;f 100\nmain;f -100", 2),
            withMarks("main;f 150\nmain;f -150", 3), "allocated", {PerWork::Mark, "request"});
        QCOMPARE(textOf(*differenceTree(both.costs.front())), std::string("50→50 all\n  50→50 main\n    50→50 f\n"));
    }

    void coloursByHowMuchAndOnlyWhatIsSignificant()
    {
        Difference difference{.a = 100, .b = 200};
        QCOMPARE(differenceShade(difference), 0.0);
        difference.isSignificant = true;
        QCOMPARE(differenceShade(difference), 1.0);
        difference.b = 50;
        QCOMPARE(differenceShade(difference), -1.0);
        difference.b = 0;
        QCOMPARE(differenceShade(difference), -1.0);
        difference.b = 110;
        QVERIFY(differenceShade(difference) > 0.1 && differenceShade(difference) < 0.2);
        difference.a = 0;
        QCOMPARE(differenceShade(difference), 1.0);
    }

    void endsWhenAskedTo()
    {
        const ComparedSessions both = compared(heapOf("main 1"), heapOf("main 2"), "allocated");
        std::stop_source stop;
        stop.request_stop();
        QVERIFY(!differenceTree(both.costs.front(), stop.get_token()));
        QVERIFY(!compareSessions(heapOf("main 1"), heapOf("main 2"), {}, comparableCosts(), stop.get_token()));
    }

    void dividesByCounters()
    {
        SnapshotBuilder builder;
        builder.heap("main;f 100\nmain;f 100\nmain;f 100\nmain;f 100");
        builder.metric(Metric::ReadBytes, std::vector<std::int64_t>(10, 1 << 19)); // half a MiB a second, for ten
        const Snapshot snapshot = builder.build();
        QCOMPARE(*workOf(snapshot, {PerWork::Counter, "allocations"}), 4.0);
        QVERIFY(std::abs(*workOf(snapshot, {PerWork::Counter, "read_mib"}) - 5) < 0.51); // the first tick has no begin
        QCOMPARE(perWorkText({PerWork::Counter, "read_mib"}), std::string("per MiB read"));
        const auto unknown = workOf(snapshot, {PerWork::Counter, "mojo"});
        QVERIFY(!unknown && unknown.error().text().find("\"read_mib\"") != std::string::npos);
        const auto none = workOf(snapshot, {PerWork::Counter, "written_mib"});
        QVERIFY(!none && none.error().text().find("MiB written") != std::string::npos);
        std::vector<std::string> names;
        for (const Normalisation &each : possibleWork(snapshot))
            names.push_back(each.name);
        QCOMPARE(names, (std::vector<std::string>{"allocations", "read_mib"}));
    }

    void saysWhatGotWorseAndBetter()
    {
        const ComparedSessions both
            = compared(heapOf("main;f 100\nmain;f -100\nmain;f 100\nmain;f -100"), heapOf("main;f 1000"), "heap");
        const ComparisonSummary summary = comparisonSummary(both);
        QVERIFY2(summary.sentence.find("Worse: Bytes at the peak") == 0, summary.sentence.c_str());
        QVERIFY2(summary.sentence.find("Better: Allocations −50 %.") != std::string::npos, summary.sentence.c_str());
        QVERIFY2(summary.unmatched.find("100 % of Live at the end") != std::string::npos, summary.unmatched.c_str());
        const ComparisonSummary same
            = comparisonSummary(compared(heapOf("main;f 100"), heapOf("main;f 100"), "allocations"));
        QVERIFY(same.worse.empty() && same.better.empty());
        QVERIFY(same.sentence.find("No total differs") == 0);
        const ComparisonSummary apart
            = comparisonSummary(compared(heapOf("main;f 100"), heapOf("main;g 100"), "allocations"));
        QCOMPARE(apart.unmatched, std::string("100 % of Allocations"));
    }

    /// What was attached to did as much less as it was recorded for less time.
    void saysHowLongPartsOfRunsLast()
    {
        const auto lasting = [](const char *lines, std::int64_t ms, bool isAttached) {
            Snapshot snapshot = *heapOf(lines);
            snapshot.span.end = snapshot.span.begin + Duration{ms * 1'000'000};
            if (isAttached)
                snapshot.info.config.command.clear();
            return std::make_shared<const Snapshot>(std::move(snapshot));
        };
        const auto sentence = [&](std::int64_t ms, bool isAttached, const Normalisation &per = {}) {
            return comparisonSummary(compared(lasting("main;f 1000", 3165, isAttached),
                                         lasting("main;f 950", ms, isAttached), "allocated", per))
                .sentence;
        };
        const std::string better = "Better: Allocated bytes −5.0 %.";
        QCOMPARE(sentence(3024, true),
            std::string(
                "A lasts 3.17 s and B 3.02 s (−4.5 %), and parts of runs are not the same work: compare per second. As "
                "counted: better: Allocated bytes −5.0 %."));
        QCOMPARE(sentence(3150, true), better);
        QCOMPARE(sentence(3024, false), better);
        QVERIFY(sentence(3024, true, {PerWork::Second, {}}).find("lasts") == std::string::npos);
    }

    /// The totals below the verdict are those that it is about.
    void doesNotDenyWhatTheTotalsShow()
    {
        const SnapshotPointer a = heapOf("main;f 100\nmain;f -100"), b = heapOf("main;f 150\nmain;f -150");
        QCOMPARE(comparisonSummary(compared(a, b, "allocated")).sentence, std::string("Worse: Allocated bytes +50 %."));
        QCOMPARE(
            comparisonSummary(compared(a, a, "allocated")).sentence, std::string("No total differs by 0.1 % or more."));
        // Where what they follow from differs too, that is told.
        QVERIFY(comparisonSummary(compared(a, heapOf("main;f 150\nmain;f 150"), "heap")).sentence.find("Allocated")
            == std::string::npos);
        const auto text = [](const ComparedSessions &both) {
            std::ostringstream out;
            writeComparisonText(out, both);
            return out.str();
        };
        // Where that does not, or who looks asked for both by name, its functions are told too.
        const std::string larger = text(compared(a, b, "heap"));
        QVERIFY2(larger.find("Worse: Allocated bytes +50 %.") != std::string::npos
                && larger.find("\nAllocated bytes: 1 of 1 groups") != std::string::npos,
            larger.c_str());
        std::vector<ComparableCost> named = comparableCostsOf("allocations");
        named.push_back(comparableCostsOf("allocated").front());
        const auto both = compareSessions(a, heapOf("main;f 150\nmain;f 150"), {}, named);
        QVERIFY(both);
        QCOMPARE(comparisonSummary(*both).sentence, std::string("Worse: Allocated bytes +200 %, Allocations +100 %."));
        QVERIFY(text(*both).find("\nAllocated bytes: 1 of 1 groups") != std::string::npos);
        const auto blocked = [](std::int64_t ms) {
            SnapshotBuilder builder;
            builder.raw().info.config.waits = true;
            ActivityCost &row = builder.raw().activities.emplace_back();
            row.stack = builder.stack("main;f");
            row.activity = Activity::wait(WaitClass::Lock);
            row.count = 1;
            row.timeNs = ms * 1'000'000;
            return std::make_shared<const Snapshot>(builder.build());
        };
        QCOMPARE(comparisonSummary(compared(blocked(100), blocked(50), "blocked")).sentence,
            std::string("No total is known to differ; how much these vary from run to run is not known: Blocked time "
                        "−50 %."));
    }

    void saysFirstThatProgramsAreNotTheSame()
    {
        const std::string first = "These look like different programs: ";
        const SnapshotPointer a = cpuOf("main;f 500\nstart 10"), b = cpuOf("run;g 100\nstart 2");
        const std::string apart = comparisonSummary(compared(a, b, "cpu")).sentence;
        QVERIFY2(apart.starts_with(first + "2.0 % of CPU time is on stacks that both have")
                && apart.find("Better: CPU") != std::string::npos,
            apart.c_str());
        // Ten samples have no stack twice in the same program either; and a program that changed much is still the same.
        const ComparedSessions few = compared(a, cpuOf("run;g 10"), "cpu");
        QVERIFY(comparisonSummary(few).sentence.find(first) == std::string::npos);
        const ComparedSessions changed = compared(a, cpuOf("main;f 50\nrun;g 400"), "cpu");
        QVERIFY(comparisonSummary(changed).sentence.find(first) == std::string::npos);
        const ComparedSessions heaps = compared(heapOf("main;f 100"), heapOf("run;g 100"), "allocated");
        QVERIFY(comparisonSummary(heaps).sentence.starts_with(first));
    }

    void htmlSaysAllAndTakesNoMarkupFromNames()
    {
        const ComparedSessions both = compared(heapOf("main;f<int>(int) 64"), heapOf("main;f<int>(int) 96"), "heap");
        std::ostringstream out;
        writeComparisonHtml(out, both);
        const std::string page = out.str();
        QVERIFY(page.find("<svg class=\"diff\"") != std::string::npos);
        QVERIFY(page.find("f&lt;int&gt;(int)") != std::string::npos);
        QVERIFY(page.find("f<int>") == std::string::npos);
        QVERIFY(page.find("64 B → 96 B") != std::string::npos);
        QVERIFY(page.find("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'") != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(DifferenceTreeTest)
#include "difference_tree_test.moc"

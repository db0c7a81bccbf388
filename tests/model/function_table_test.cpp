// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/caller_callee.h"
#include "model/aggregate/function_table.h"
#include "model/aggregate/stack_text.h"
#include "model/report/distinct_names.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

using namespace model;
using tests::SnapshotBuilder;

class FunctionTableTest : public QObject
{
    Q_OBJECT

private:
    static std::string text(const FunctionTable &table)
    {
        std::string lines;
        for (const FunctionCost &row : table.rows)
            lines += table.functions->name(row.function) + ' ' + std::to_string(row.self) + ' '
                + std::to_string(row.total) + '\n';
        return lines;
    }

    static std::string text(const std::vector<CallEdge> &edges, const FunctionIndex &functions)
    {
        std::string lines;
        for (const CallEdge &edge : edges)
            lines += functions.name(edge.function) + ' ' + std::to_string(edge.cost) + '\n';
        return lines;
    }

private Q_SLOTS:
    void countsRecursionOnce()
    {
        const Snapshot snapshot = SnapshotBuilder().cpu("main;f;f;f;g 4\nmain;f 1\nmain;g 2\n").build();
        const FunctionTable table = *functionTable(snapshot, CostKind::CpuSamples);
        QCOMPARE(text(table), std::string("g 6 6\nf 1 5\nmain 0 7\n"));
        QCOMPARE(table.all, std::int64_t(7));
    }

    void givesInlinedFunctionsTheirShare()
    {
        const Snapshot snapshot = SnapshotBuilder().cpu("main;f|g|h 4\n").build();
        QCOMPARE(text(*functionTable(snapshot, CostKind::CpuSamples)), std::string("h 4 4\nf 0 4\ng 0 4\nmain 0 4\n"));
    }

    void findsCallersAndCallees()
    {
        const Snapshot snapshot = SnapshotBuilder()
                                      .cpu("main;a;work;copy 5\n"
                                           "main;b;work 3\n"
                                           "main;a;work;work;send 2\n")
                                      .build();
        const std::optional<CallerCallee> found = callerCallee(snapshot, CostKind::CpuSamples, "work");
        QVERIFY(found);
        QCOMPARE(found->total, std::int64_t(10));
        QCOMPARE(found->self, std::int64_t(3));
        QCOMPARE(text(found->callers, *found->functions), std::string("a 7\nb 3\nwork 2\n"));
        QCOMPARE(text(found->callees, *found->functions), std::string("copy 5\nsend 2\nwork 2\n"));
    }

    void findsNoFunctionThatNoStackHas()
    {
        const Snapshot snapshot = SnapshotBuilder().cpu("main;a 5\n").build();
        QVERIFY(!callerCallee(snapshot, CostKind::CpuSamples, "b"));
        QVERIFY(!callerCallee(snapshot, CostKind::CpuSamples, "a", "libc.so.6"));
        QVERIFY(callerCallee(snapshot, CostKind::CpuSamples, "a", "app"));
    }

    void printsStacksLeafFirstWithPlaces()
    {
        SnapshotBuilder builder;
        const StackId stack = builder.stack("[stack cut off];main@src/main.cpp:7|run@src/run.h:3;libc.so.6!malloc");
        const Snapshot snapshot = builder.build();
        FunctionIndex index(snapshot.tables);
        const std::vector<StackLine> lines = stackLines(index, stack);
        QCOMPARE(lines.size(), std::size_t(4));
        QCOMPARE(lines[0].name, std::string("malloc"));
        QCOMPARE(lines[0].moduleName, std::string("libc.so.6"));
        QCOMPARE(lines[1].name, std::string("run"));
        QVERIFY(lines[1].isInlined);
        QCOMPARE(shortPlace(lines[1].file, lines[1].line), std::string("run.h:3"));
        QVERIFY(!lines[2].isInlined);
        QCOMPARE(lines[3].name, std::string("[stack cut off]"));
        QCOMPARE(collapsedStack(index, stack), std::string("[stack cut off];main;run;malloc"));
    }

    void keepsCollapsedStacksOnOneLineEach()
    {
        SnapshotBuilder builder;
        const FrameId frame = builder.tables().frame(
            builder.tables().module("/usr/bin/app", "", ModuleKind::File), 0x10, FrameKind::Exact);
        builder.tables().setSymbols(
            frame, FrameSymbols::State::Resolved, {{builder.tables().string("a;b\nc"), StringId(0u), 0}});
        const StackId stack = builder.tables().stack(TableBuilder::root(StackEnd::ReachedStart), frame);
        FunctionIndex index(builder.build().tables);
        QCOMPARE(collapsedStack(index, stack), std::string("a:b?c"));
    }

    void shortensNames_data()
    {
        QTest::addColumn<QString>("whole");
        QTest::addColumn<QString>("shortened");
        const auto row = [](const char *whole, const char *shortened) {
            QTest::newRow(whole) << QString::fromUtf8(whole) << QString::fromUtf8(shortened);
        };
        row("main", "main");
        row("Session::attachBuffer(int, char const*)", "Session::attachBuffer");
        row("std::vector<int, std::allocator<int> >::push_back(int const&)", "std::vector<…>::push_back");
        row("void std::sort<int*>(int*, int*)", "std::sort<…>");
        row("std::ostream& operator<< <char>(std::ostream&, char)", "operator<< <…>");
        row("Foo::operator()(int) const", "Foo::operator()");
        row("operator new(unsigned long)", "operator new");
        row("operator delete[](void*)", "operator delete[]");
        row("(anonymous namespace)::run(int)", "run");
        row("(anonymous)::operator()", "operator()");
        row("void app::(anonymous namespace)::run((anonymous namespace)::Order const&)", "app::run");
        row("main::{lambda(int)#1}::operator()(int) const", "main::{lambda#1}::operator()");
        row("parse(int) [clone .cold]", "parse [clone .cold]");
        row("Smart<Foo>::operator->() const", "Smart<…>::operator->");
        row("main.(*Tree).Walk", "main.(*Tree).Walk");
        row("main.(*Map[go.shape.int64_0]).Get", "main.(*Map[go.shape.int64_0]).Get");
        row("main.(*Tree).Walk.func1", "main.(*Tree).Walk.func1");
        row("main.Sum[go.shape.int64_0]", "main.Sum[go.shape.int64_0]");
        row("[stack cut off]", "[stack cut off]");
        row("libc.so.6+0x1a2b", "libc.so.6+0x1a2b");
        row("JS:*fib /srv/app.js:1:13", "fib"); // by V8
        row("JS:~Store.get size file:///srv/my app.js:3:5", "Store.get size");
        row("LazyCompile:^ node:internal/timers:507:25", "(anonymous) timers:507:25");
        row("Script:~ /srv/app.js:1:1", "(anonymous) app.js:1:1");
        row("JS:+tick", "tick");
        row("my prog (2)+0x1169", "my prog (2)+0x1169"); // the name of a file ends at no blank
    }

    void keepsTemplateArgumentsAsDeepAsAsked_data()
    {
        QTest::addColumn<QString>("whole");
        QTest::addColumn<QString>("one");
        QTest::addColumn<QString>("two");
        const auto row = [](const char *whole, const char *one, const char *two) {
            QTest::newRow(whole) << QString::fromUtf8(whole) << QString::fromUtf8(one) << QString::fromUtf8(two);
        };
        row("unsigned long spin<100000>(unsigned long)", "spin<100000>", "spin<100000>");
        row("void std::sort<Item<int> >(Item<int>*)", "std::sort<Item<…>>", "std::sort<Item<int>>");
        row("std::vector<unsigned long> fill<(app::Kind)2, char const*>(int)", "fill<(app::Kind)2, char const*>",
            "fill<(app::Kind)2, char const*>");
        row("std::function<void (int)> make<f(int)::{lambda(int)#1}>(int)", "make<f(int)::{lambda(int)#1}>",
            "make<f(int)::{lambda(int)#1}>");
        row("Map<(anonymous namespace)::Key>::at(int) const", "Map<Key>::at", "Map<Key>::at");
        row("std::ostream& operator<< <char>(std::ostream&, char)", "operator<< <char>", "operator<< <char>");
        row("main", "main", "main");
    }

    void keepsTemplateArgumentsAsDeepAsAsked()
    {
        QFETCH(QString, whole);
        QFETCH(QString, one);
        QFETCH(QString, two);
        QCOMPARE(QString::fromStdString(shortFunctionName(whole.toStdString(), 1)), one);
        QCOMPARE(QString::fromStdString(shortFunctionName(whole.toStdString(), 2)), two);
    }

    void tellsRowsApartThatWouldLookTheSame()
    {
        const auto names
            = [](std::vector<NamedRow> rows, std::size_t columns = 28) { return distinctNames(rows, columns); };
        using Names = std::vector<std::string>;
        const std::string spin1 = "unsigned long spin<100000>(unsigned long)";
        const std::string spin2 = "unsigned long spin<200000>(unsigned long)";
        QCOMPARE(names({{spin1, "hot.cpp:10"}, {"main", "hot.cpp:14"}, {spin2, "hot.cpp:10"}}),
            (Names{"spin<100000>", "main", "spin<200000>"}));
        // What tells them apart already stays short, as does what is the same function.
        QCOMPARE(names({{spin1, "hot.cpp:10"}, {spin2, "hot.cpp:11"}}), (Names{"spin<…>", "spin<…>"}));
        QCOMPARE(names({{spin1, "hot.cpp:10"}, {spin1, "hot.cpp:10"}}), (Names{"spin<…>", "spin<…>"}));
        // As deep as the difference, and no deeper.
        QCOMPARE(
            names({{"void f<A<B<int> > >()", "x"}, {"void f<A<B<char> > >()", "x"}, {"void f<C<B<int> > >()", "x"}}),
            (Names{"f<A<B<int>>>", "f<A<B<char>>>", "f<C<B<int>>>"}));
        QCOMPARE(names({{"void f<A<int> >()", "x"}, {"void f<C<int> >()", "x"}}), (Names{"f<A<…>>", "f<C<…>>"}));
        // Overloads without lines.
        QCOMPARE(names({{"f(int)", "app"}, {"f(char)", "app"}}), (Names{"f(int)", "f(char)"}));
        // The difference is where names are cut.
        const std::string lead = "void run<a_very_long_name_of_a_type, another_very_long_";
        const auto cut = names(
            {{lead + "one, and_the_last_is_long_too>()", "x"}, {lead + "two, and_the_last_is_long_too>()", "x"}});
        QCOMPARE(cut, (Names{"run<a_ver…g_one, and_the_la…", "run<a_ver…g_two, and_the_la…"}));
    }

    void shortensNames()
    {
        QFETCH(QString, whole);
        QFETCH(QString, shortened);
        QCOMPARE(QString::fromStdString(shortFunctionName(whole.toStdString())), shortened);
    }
};

QTEST_APPLESS_MAIN(FunctionTableTest)
#include "function_table_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/tables/table_builder.h"

#include <QTest>

using namespace model;

class TableBuilderTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void givesEqualThingsEqualIds()
    {
        TableBuilder builder;
        const ModuleId libc = builder.module("/lib/libc.so.6", "ab12", ModuleKind::File);
        QCOMPARE(builder.module("/lib/libc.so.6", "ab12", ModuleKind::File).value, libc.value);
        QVERIFY(builder.module("/lib/libc.so.6", "ab13", ModuleKind::File) != libc);
        QVERIFY(builder.module("/lib/libc.so.6", "ab12", ModuleKind::Jit) != libc);
        const FrameId call = builder.frame(libc, 0x1000, FrameKind::ReturnAddress);
        QCOMPARE(builder.frame(libc, 0x1000, FrameKind::ReturnAddress).value, call.value);
        QVERIFY(builder.frame(libc, 0x1000, FrameKind::Exact) != call);
        QVERIFY(builder.frame(libc, 0x1001, FrameKind::ReturnAddress) != call);
    }

    void keepsTheEndOfAStackInItsNodes()
    {
        TableBuilder builder;
        const ModuleId module = builder.module("/bin/x", "", ModuleKind::File);
        const FrameId outer = builder.frame(module, 1, FrameKind::ReturnAddress);
        const FrameId inner = builder.frame(module, 2, FrameKind::ReturnAddress);
        const StackId whole = builder.stack(builder.stack(TableBuilder::root(StackEnd::ReachedStart), outer), inner);
        const StackId cut = builder.stack(builder.stack(TableBuilder::root(StackEnd::Truncated), outer), inner);
        QVERIFY(whole != cut);
        QCOMPARE(builder.tables().endOf(whole), StackEnd::ReachedStart);
        QCOMPARE(builder.tables().endOf(cut), StackEnd::Truncated);
    }

    void putsParentsBeforeChildren()
    {
        TableBuilder builder;
        const ModuleId module = builder.module("/bin/x", "", ModuleKind::File);
        StackId node = TableBuilder::root(StackEnd::ReachedStart);
        for (std::uint64_t depth = 1; depth <= 100; ++depth)
            node = builder.stack(node, builder.frame(module, depth, FrameKind::ReturnAddress));
        const auto &stacks = builder.tables().stacks;
        QCOMPARE(stacks.size(), std::size_t{kStackEndCount + 100});
        for (std::size_t i = kStackEndCount; i < stacks.size(); ++i)
            QVERIFY(stacks[i].parent.index() < i);
    }

    void programIsCalledAsItWasStarted()
    {
        ProgramTables tables;
        tables.strings = {"", "/usr/bin/redis-check-rdb"};
        const auto name = [&tables](const char *commandLine) {
            tables.strings.resize(2);
            tables.strings.emplace_back(commandLine);
            return std::string(tables.programName({.executable = StringId(1u), .commandLine = StringId(2u)}));
        };
        QCOMPARE(name("/usr/bin/redis-server --port 7"), std::string("redis-server"));
        QCOMPARE(name("'redis-server *:6379'"), std::string("redis-server")); // as it calls itself later
        tables.strings[1] = "/opt/my app/my prog";
        for (const char *blank : {"'./my prog' 5", "'my prog'", "'/opt/my app/my prog' x"})
            QCOMPARE(name(blank), std::string("my prog"));
        tables.strings[1] = "/usr/bin/redis-check-rdb";
        for (const char *none : {"", "'/opt/my app/bin/server' x", "-bash", "'***' x", "postgres: writer"})
            QCOMPARE(name(none), std::string("redis-check-rdb"));
    }

    void resolvesAFrameOnce()
    {
        TableBuilder builder;
        const FrameId frame
            = builder.frame(builder.module("/bin/x", "", ModuleKind::File), 1, FrameKind::ReturnAddress);
        const StringId file = builder.string("x.cpp");
        builder.setSymbols(frame, FrameSymbols::State::Resolved,
            {{builder.string("inlined"), file, 7}, {builder.string("outer"), file, 12}});
        builder.setSymbols(frame, FrameSymbols::State::NoFile, {});
        const auto lines = builder.tables().linesOf(frame);
        QCOMPARE(lines.size(), std::size_t{2});
        QCOMPARE(builder.tables().text(lines.first->function), std::string("inlined"));
        QCOMPARE(builder.takeNewSymbols().size(), std::size_t{1});
        QCOMPARE(builder.takeNewSymbols().size(), std::size_t{0});
    }

    void reportsEachChangedRowOnce()
    {
        TableBuilder builder;
        const ProcessId process = builder.addProcess({.pid = 7});
        builder.changeProcess(process).pid = 8;
        builder.changeProcess(process).end = Timestamp{5};
        const auto changes = builder.takeChanges();
        QCOMPARE(changes.processes.size(), std::size_t{1});
        QCOMPARE(changes.processes.front().value, process.value);
        QVERIFY(builder.takeChanges().processes.empty());
        QCOMPARE(builder.tables().processes.front().pid, 8);
    }
};

QTEST_APPLESS_MAIN(TableBuilderTest)
#include "table_builder_test.moc"

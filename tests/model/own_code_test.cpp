// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/own_code.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

class OwnCodeTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tellsLibraryTemplatesInTheProgramFromItsOwnCode_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<bool>("isOwn");
        QTest::newRow("plain") << QByteArray("parse") << true;
        QTest::newRow("of a class") << QByteArray("Parser::add(std::string const&)") << true;
        QTest::newRow("template of its own") << QByteArray("void run<std::vector<int> >(std::vector<int>&)") << true;
        QTest::newRow("vector") << QByteArray("std::vector<Row>::push_back(Row&&)") << false;
        QTest::newRow("returns a pointer") << QByteArray("unsigned long* std::__fill_n<unsigned long>(int)") << false;
        QTest::newRow("returns itself") << QByteArray("std::string* std::__do_uninit_copy<char>(char)") << false;
        QTest::newRow("system library") << QByteArray("libssl.so.3!SSL_read") << false;
        QTest::newRow("program in a library folder") << QByteArray("cc1plus!c_parse_file") << true;
        QTest::newRow("boost") << QByteArray("boost::asio::io_context::run()") << false;
        QTest::newRow("returned by boost") << QByteArray("void boost::checked_delete<Row>(Row*)") << false;
    }
    void tellsLibraryTemplatesInTheProgramFromItsOwnCode()
    {
        QFETCH(QByteArray, name);
        QFETCH(bool, isOwn);
        tests::SnapshotBuilder builder;
        const model::StackId stack = builder.stack("main;" + name.toStdString());
        const model::Snapshot snapshot = builder.build();
        model::FunctionIndex index(snapshot.tables);
        const model::StackLine leaf = model::stackLines(index, stack).front();
        QCOMPARE(QByteArray::fromStdString(leaf.name), name.mid(name.indexOf('!') + 1));
        QCOMPARE(model::isOwnCode(index, leaf.function), isOwn);
    }

    /// A program below /usr/lib has libraries of its own beside it.
    void librariesInTheProgramsFolderAreItsOwn()
    {
        const auto place = [](const char *text, const char *executable) {
            tests::SnapshotBuilder other;
            other.tables().changeImage(other.image()).executable = other.tables().string(executable);
            const model::StackId stack = other.stack(text);
            const model::Snapshot snapshot = other.build();
            model::FunctionIndex index(snapshot.tables);
            return model::callerLine(index, stack).name;
        };
        const char *const stack = "libc.so.6!__libc_start_main;office/program/office.bin!+0x1070;"
                                  "office/program/libsoft.so!run;office/program/libsoft.so!load;libxml2.so.2!parse;"
                                  "libc.so.6!malloc";
        QCOMPARE(place(stack, "/usr/lib/office/program/office.bin"), std::string("load"));
        // Elsewhere everything descends from that function without a name, which says nothing: what it calls is named.
        QCOMPARE(place(stack, "/usr/lib/office.bin"), std::string("run"));
        QCOMPARE(place(stack, "/usr/lib/x86_64-linux-gnu/office.bin"), std::string("run"));
        QCOMPARE(place("libc.so.6!__libc_start_main;+0x10;libc.so.6!malloc", "/usr/bin/app"), std::string("app+0x10"));
    }

    void placeOfAnAllocationIsWhoCallsTheWayToIt()
    {
        const auto place = [](const char *text) {
            tests::SnapshotBuilder builder;
            const model::StackId stack = builder.stack(text);
            const model::Snapshot snapshot = builder.build();
            model::FunctionIndex index(snapshot.tables);
            return model::callerLine(index, stack).name;
        };
        QCOMPARE(place("main;parse;xmalloc;libc.so.6!malloc"), std::string("parse"));
        QCOMPARE(place("main;libc.so.6!malloc"), std::string("main"));
        // A name with such a part may be no way to it: main is no better answer.
        QCOMPARE(place("main;alloc_a;libc.so.6!malloc"), std::string("alloc_a"));
        QCOMPARE(place("main;alloc_table;xmalloc;libc.so.6!malloc"), std::string("alloc_table"));
        QCOMPARE(place("main;run;alloc_table;my_alloc;libc.so.6!malloc"), std::string("run"));
    }

    void aStackIsCalledAfterWhatCanBeOpened()
    {
        const auto named = [](const char *text) {
            tests::SnapshotBuilder builder;
            const model::StackId stack = builder.stack(text);
            const model::Snapshot snapshot = builder.build();
            model::FunctionIndex index(snapshot.tables);
            const std::vector<model::StackLine> lines = model::stackLines(index, stack);
            return lines.empty() ? std::string() : lines[model::namedPosition(index, lines)].name;
        };
        QCOMPARE(named("main@a.cpp:1;parse@a.cpp:2;xmalloc@a.cpp:3;libc.so.6!malloc"), std::string("parse"));
        QCOMPARE(named("main@a.cpp:1;load@a.cpp:2;plugin;libc.so.6!malloc"), std::string("load"));
        QCOMPARE(named("main;plugin;libc.so.6!malloc@malloc.c:9"), std::string("plugin"));
        QCOMPARE(named("libc.so.6!malloc"), std::string("malloc"));
        QCOMPARE(named(""), std::string());
    }
};

QTEST_MAIN(OwnCodeTest)
#include "own_code_test.moc"

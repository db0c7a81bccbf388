// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/proc_reader.h"
#include "capture/target/target_process.h"
#include "tests/capture/proc_fixture.h"

#include <QTest>

#include <poll.h>

using tests::FakeProcess;
using tests::kSecond;
using Fixture = tests::ProcFixture;

class ProcTitlesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    /// Servers write over their arguments what each of their processes is for.
    void titlesThatAreSetLaterReplaceTheCommandLine()
    {
        Fixture f;
        f.table.setCommandLineFilter([](std::string_view text) {
            return text.find("secret") == std::string_view::npos ? std::string(text) : std::string("hidden");
        });
        const auto commandLine = [&f](int pid) {
            return f.builder.tables().text(f.builder.tables().images.at(f.table.currentImage(pid).index()).commandLine);
        };
        using namespace std::string_literals;
        FakeProcess server{.pid = 10, .startTicks = 1000, .commandLine = "server\0-D\0"s, .children = "11 "};
        FakeProcess worker{.pid = 11, .parentPid = 10, .startTicks = 1000, .isFork = true};
        worker.commandLine = server.commandLine;
        f.proc.set(server);
        f.proc.set(worker);
        f.start({10});
        f.tickAfter(kSecond);
        QCOMPARE(commandLine(10), std::string("server -D"));
        server.commandLine = "server: master\0\0\0\0\0"s;
        worker.commandLine = "server: worker"s;
        f.proc.set(server);
        f.proc.set(worker);
        for (int tick = 0; tick < 10; ++tick)
            f.tickAfter(kSecond);
        QCOMPARE(commandLine(10), std::string("'server: master' [started as server -D]"));
        QCOMPARE(commandLine(11), std::string("'server: worker'")); // what a fork was started with is its parent's
        QCOMPARE(f.builder.tables().images.size(), std::size_t{2});
        // The next look is twice as far away, and hides what the first did.
        server.commandLine = "secret"s;
        f.proc.set(server);
        for (int tick = 0; tick < 9; ++tick)
            f.tickAfter(kSecond);
        QCOMPARE(commandLine(10), std::string("'server: master' [started as server -D]"));
        for (int tick = 0; tick < 12; ++tick)
            f.tickAfter(kSecond);
        QCOMPARE(commandLine(10), std::string("hidden [started as server -D]"));
    }

    /// Of a process with other rights the link to its executable cannot be read, its arguments can.
    void whatItWasStartedAsNamesAProcessWhoseExecutableIsHidden()
    {
        using namespace std::string_literals;
        Fixture f;
        FakeProcess hidden{.pid = 10, .name = "a_daemon_with_a", .startTicks = 500, .startCode = 1, .startStack = 0};
        hidden.executable.clear();
        hidden.commandLine = "/opt/a_daemon_with_a_name\0-D\0"s;
        FakeProcess mute{.pid = 11, .name = "mute", .startTicks = 500, .startCode = 1, .startStack = 0};
        mute.executable.clear();
        mute.commandLine.clear();
        f.proc.set(hidden);
        f.proc.set(mute);
        f.proc.write("10/comm", hidden.name + '\n');
        f.proc.write("11/comm", mute.name + '\n');
        f.start({10, 11}, capture::RootOrigin::Running);
        f.tickAfter(kSecond);
        const auto commandLine = [&f](int pid) {
            return f.builder.tables().text(f.builder.tables().images.at(f.table.currentImage(pid).index()).commandLine);
        };
        QCOMPARE(commandLine(10), std::string("/opt/a_daemon_with_a_name -D"));
        QCOMPARE(commandLine(11), std::string("mute"));
        QCOMPARE(capture::programOf(10, f.proc.root()), std::string("a_daemon_with_a_name"));
        QCOMPARE(capture::programOf(11, f.proc.root()), std::string("mute"));
    }

    /// What a server says of its workers names no program, and may be secret.
    void titlesAreNoNames_data()
    {
        using namespace std::string_literals;
        QTest::addColumn<std::string>("arguments");
        QTest::addColumn<std::string>("name");
        const auto row = [](const char *tag, const std::string &arguments, const std::string &name) {
            QTest::newRow(tag) << arguments << name;
        };
        row("colon", "averylongservername: worker 3 of secret\0\0\0"s, "averylongservername");
        row("blank", "averylongservername worker /of/secret\0"s, "averylongservername");
        row("path in the title", "averylongservername: /of/secret\0"s, "averylongservername");
        row("behind a path", "/opt/a b/averylongservername: worker\0"s, "averylongservername");
        row("colon at the end", "averylongserver: worker\0"s, "averylongserver");
        row("arguments", "/opt/averylongservername\0of secret\0"s, "averylongservername");
        row("another", "worker of averylongservername\0"s, "averylongserver");
    }
    void titlesAreNoNames()
    {
        QFETCH(const std::string, arguments);
        QFETCH(const std::string, name);
        QCOMPARE(capture::wholeName("averylongserver", arguments), name);
        QCOMPARE(capture::wholeName("averylong", arguments), std::string("averylong")); // all of a short name is known
    }
};

QTEST_GUILESS_MAIN(ProcTitlesTest)
#include "proc_titles_test.moc"

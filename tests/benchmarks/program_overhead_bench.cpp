// SPDX-License-Identifier: GPL-3.0-or-later
// What tracing the heap costs real programs: each one measures itself, untraced, under `genprof record` (full and sampled) and under
// heaptrack where it is installed, in turn. Prints the medians of work per second, untraced = 1.
#include "tests/integration/genprof_runner.h"

#include <QFile>
#include <QRegularExpression>
#include <QStandardPaths>
#include <QtTest>

#include <algorithm>
#include <vector>

using tests::GenprofRunner;
using tests::Ran;

namespace {

int rounds()
{
    const int wanted = qEnvironmentVariableIntValue("GENESIS_BENCH_ROUNDS");
    return wanted > 0 ? wanted : 5;
}

QString find(const char *program) { return QStandardPaths::findExecutable(QString::fromUtf8(program)); }

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values.at(values.size() / 2);
}

/// The sum of the numbers that the pattern's first group finds; what it searched is printed where it finds none.
double sumOf(const QByteArray &text, const char *pattern)
{
    double sum = 0;
    auto found = QRegularExpression(QString::fromUtf8(pattern), QRegularExpression::MultilineOption)
                     .globalMatch(QString::fromUtf8(text));
    while (found.hasNext())
        sum += found.next().captured(1).toDouble();
    if (sum <= 0)
        qFatal("no figure in: %s", text.constData());
    return sum;
}

/// The command with its tracer in front of it.
using Tracer = QStringList;

/// A program that says how long its work took.
struct Program
{
    QStringList command;
    QByteArray input;
    const char *seconds; ///< pattern of what it prints
};

Program python()
{
    const char *script
        = "import json, time\n"
          "start = time.perf_counter()\n"
          "text = json.dumps([{'id': i, 'name': 'n%d' % i, 'tags': [str(i), str(i * 7)]} for i in range(20000)])\n"
          "for i in range(12): json.loads(text)\n"
          "words = {}\n"
          "for i in range(600000): words['%d' % (i % 50000)] = [i]\n"
          "print('took', time.perf_counter() - start)\n";
    return {
        {QStringLiteral("/usr/bin/python3"), QStringLiteral("-c"), QString::fromUtf8(script)}, {}, "^took ([\\d.]+)"};
}

Program sqlite()
{
    const char *script = ".timer on\n"
                         "create table t (a integer, b text);\n"
                         "with recursive n(i) as (select 1 union all select i + 1 from n where i < 400000)\n"
                         "insert into t select i, printf('%d-%d', i * 7919 % 100003, i) from n;\n"
                         "create index i on t (b);\n"
                         "select count(*) from t x join t y on y.b = x.b where x.a % 4 = 0;\n";
    return {{find("sqlite3"), QStringLiteral(":memory:")}, script, "^Run Time: real ([\\d.]+)"};
}

Program compiler(const GenprofRunner &runner)
{
    const QString source = runner.path(QStringLiteral("heavy.cpp")), flat = runner.path(QStringLiteral("heavy.ii"));
    QFile file(source);
    if (!file.open(QFile::WriteOnly))
        qFatal("cannot write %s", qPrintable(source));
    file.write("#include <algorithm>\n#include <map>\n#include <regex>\n#include <string>\n"
               "bool f(const std::string &text) { return std::regex_match(text, std::regex(\"a+b*\")); }\n");
    file.close();
    runner.run(QStringLiteral("g++"), {QStringLiteral("-E"), source, QStringLiteral("-o"), flat});
    const QByteArray cc1plus = runner.run(QStringLiteral("g++"), {QStringLiteral("-print-prog-name=cc1plus")}).out;
    return {{QString::fromUtf8(cc1plus.trimmed()), QStringLiteral("-quiet"), QStringLiteral("-O2"),
                QStringLiteral("-ftime-report"), QStringLiteral("-fpreprocessed"), flat, QStringLiteral("-o"),
                QStringLiteral("/dev/null")},
        {}, "^ TOTAL .*?[\\d.]+ +[\\d.]+ +([\\d.]+)"};
}

/// Work per second.
double speed(const GenprofRunner &runner, const Program &program, const Tracer &tracer)
{
    const QStringList command = tracer + program.command;
    const Ran ran = runner.run(command.first(), command.mid(1), program.input);
    return 1 / sumOf(ran.out + ran.err, program.seconds);
}

/// Requests per second of a server under redis-benchmark.
double redisSpeed(const GenprofRunner &runner, const QString &server, const Tracer &tracer)
{
    const QString socket = runner.path(QStringLiteral("redis"));
    const QStringList command = tracer
        + QStringList{server, QStringLiteral("--port"), QStringLiteral("0"), QStringLiteral("--unixsocket"), socket,
            QStringLiteral("--save"), QString()};
    QProcess process;
    process.start(command.first(), command.mid(1));
    tests::readUntil(process, "accept");
    const Ran ran = runner.run(find("redis-benchmark"),
        {QStringLiteral("-s"), socket, QStringLiteral("-n"), QStringLiteral("150000"), QStringLiteral("-t"),
            QStringLiteral("set,get,lpush"), QStringLiteral("--csv")});
    runner.run(find("redis-cli"), {QStringLiteral("-s"), socket, QStringLiteral("shutdown"), QStringLiteral("nosave")});
    tests::waitForExit(process);
    return sumOf(ran.out, "^\"[A-Z]+\",\"([\\d.]+)\"");
}

} // namespace

class ProgramOverheadBench : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void programs_data()
    {
        QTest::addColumn<QString>("name");
        for (const char *name : {"python3", "sqlite3", "cc1plus", "redis-server"})
            QTest::newRow(name) << QString::fromUtf8(name);
    }
    void programs()
    {
        QFETCH(QString, name);
        const GenprofRunner runner;
        const QString redis = runner.redisServer();
        const bool isServer = name == u"redis-server";
        if (isServer ? redis.isEmpty() || find("redis-benchmark").isEmpty()
                     : name != u"cc1plus" && find(name.toUtf8()).isEmpty())
            QSKIP("it is not installed");
        const Program program = name == u"python3" ? python()
            : name == u"sqlite3"                   ? sqlite()
            : name == u"cc1plus"                   ? compiler(runner)
                                                   : Program{};
        const auto genprof = [&](const char *mode) {
            return Tracer{GenprofRunner::program(), QStringLiteral("record"), QStringLiteral("-q"),
                QStringLiteral("--cpu"), QStringLiteral("off"), QStringLiteral("--heap"), QString::fromUtf8(mode),
                QStringLiteral("-o"), runner.session(), QStringLiteral("--")};
        };
        std::vector<std::pair<const char *, Tracer>> tracers{
            {"untraced", {}}, {"full", genprof("full")}, {"sampled", genprof("sampled")}};
        if (!find("heaptrack").isEmpty())
            tracers.push_back({"heaptrack --raw",
                {find("heaptrack"), QStringLiteral("--raw"), QStringLiteral("-o"),
                    runner.path(QStringLiteral("raw"))}});
        std::vector<std::vector<double>> speeds(tracers.size());
        for (int round = 0; round < rounds(); ++round)
            for (std::size_t i = 0; i < tracers.size(); ++i) {
                QFile::remove(runner.session());
                speeds[i].push_back(isServer ? redisSpeed(runner, redis, tracers[i].second)
                                             : speed(runner, program, tracers[i].second));
            }
        const double base = median(speeds[0]);
        for (std::size_t i = 1; i < tracers.size(); ++i)
            qInfo("%s, %s: %.3f of the untraced speed, x %.3f of its time", qPrintable(name), tracers[i].first,
                median(speeds[i]) / base, base / median(speeds[i]));
    }
};

QTEST_GUILESS_MAIN(ProgramOverheadBench)
#include "program_overhead_bench.moc"

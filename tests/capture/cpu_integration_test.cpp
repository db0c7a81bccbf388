// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/cpu_instrument.h"
#include "capture/proc/proc_reader.h"
#include "capture/proc/stolen_time.h"
#include "capture/target/host_probe.h"
#include "tests/capture/stopped_child.h"

#include <QFile>
#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <poll.h>
#include <sys/resource.h>
#include <time.h>

#include <functional>
#include <map>
#include <set>

using namespace capture;
using namespace model;

namespace {

std::int64_t monotonicNs()
{
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

std::string targetPath(const char *name)
{
    return qEnvironmentVariable("GENESIS_BUILD_DIR").toStdString() + "/tests/targets/" + name;
}

/// The addresses of a target's functions, as its own symbol table has them (nm prints them sorted).
std::map<std::uint64_t, std::string> functionsOf(const std::string &program)
{
    std::map<std::uint64_t, std::string> functions;
    FILE *pipe = popen(("nm -C --defined-only '" + program + "'").c_str(), "r");
    char line[1024];
    while (pipe && std::fgets(line, sizeof(line), pipe)) {
        char type = 0, name[1000] = {};
        unsigned long address = 0;
        if (std::sscanf(line, "%lx %c %999[^(\n]", &address, &type, name) == 3 && (type == 'T' || type == 't'))
            functions[address] = name;
    }
    if (pipe)
        pclose(pipe);
    return functions;
}

/// What the machine denies, as its probe says it: no failure of the instrument hides behind that. Empty where it works, if with less.
std::string deniedBecause(const char *id)
{
    static const Capabilities machine = probeHost();
    const Capability *item = machine.find(id);
    return item && item->level == CapabilityLevel::Denied ? item->sentence : std::string();
}

/// A recording of one target, driven as the recorder drives it.
struct Recording
{
    TableBuilder tables;
    ProcessTable processes{tables};
    std::int64_t originNs = monotonicNs();
    std::unique_ptr<CpuInstrument> instrument;
    EventBatch all;
    std::string error;
    rusage usage = {};
    double recorderUs = 0; ///< CPU time of this thread while it recorded

    Timestamp now() const { return {monotonicNs() - originNs}; }

    void drainOnce()
    {
        std::vector<pollfd> polled;
        for (const int fd : instrument->descriptors())
            polled.push_back({.fd = fd, .events = POLLIN, .revents = 0});
        poll(polled.data(), polled.size(), instrument->drainIntervalMs());
        while (instrument->drain(now())) { }
    }
    /// Runs the command under the instrument until it ended.
    bool run(const std::vector<std::string> &command, const CpuEventOptions &options)
    {
        StoppedChild child(command);
        processes.processSeen(child.pid(), 0, now());
        return take(CpuInstrument::launch(options, child.pid(), processes, originNs)) && child.start() && follow(child);
    }
    /// Attaches to the command as soon as it runs, and records until it ended.
    bool runAttached(const std::vector<std::string> &command, const CpuEventOptions &options)
    {
        StoppedChild child(command);
        const std::string program = "/proc/" + std::to_string(child.pid()) + "/exe";
        if (!child.start())
            return false;
        char path[4096] = {};
        while (command[0] != path && !child.hasEnded()) {
            const ssize_t bytes = readlink(program.c_str(), path, sizeof(path) - 1);
            path[bytes > 0 ? bytes : 0] = '\0';
        }
        processes.processSeen(child.pid(), 0, now());
        processes.execSeen(child.pid(), now(), ProcessSource::Proc, command[0], command[0]);
        return take(CpuInstrument::attach(options, {child.pid()}, processes, originNs, now())) && follow(child);
    }
    bool take(Result<std::unique_ptr<CpuInstrument>> made)
    {
        if (!made)
            error = made.error().text();
        else
            instrument = std::move(*made);
        return made.has_value();
    }
    bool follow(StoppedChild &child)
    {
        timespec before = {}, after = {};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
        Timestamp tick = now();
        while (!child.hasEnded()) {
            drainOnce();
            if (now() - tick > Duration::fromMs(250)) {
                instrument->collect(now(), all);
                tick = now();
            }
        }
        while (instrument->drain(now())) { }
        instrument->collect(now(), all);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
        recorderUs = static_cast<double>(after.tv_sec - before.tv_sec) * 1e6
            + static_cast<double>(after.tv_nsec - before.tv_nsec) * 1e-3;
        usage = child.usage();
        return WIFEXITED(child.status()) && WEXITSTATUS(child.status()) == 0;
    }
    /// CPU seconds of the target and the children it waited for, as the kernel counted them; and as sampled.
    double usedSeconds() const
    {
        const auto seconds
            = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
        return seconds(usage.ru_utime) + seconds(usage.ru_stime);
    }
    double sampledSeconds() const
    {
        double sum = 0;
        for (const CpuDelta &delta : all.cpu)
            sum += static_cast<double>(delta.samples * delta.periodNs) * 1e-9;
        return sum;
    }

    /// Why it did not work.
    const char *trouble() const { return error.empty() ? "the target failed" : error.c_str(); }

    std::int64_t lost(LossKind kind) const
    {
        std::int64_t count = 0;
        for (const Loss &loss : all.losses)
            count += loss.kind == kind ? loss.count : 0;
        return count;
    }
    std::int64_t samples() const
    {
        std::int64_t count = 0;
        for (const CpuDelta &delta : all.cpu)
            count += delta.samples;
        return count;
    }
    const Module &moduleOf(StackId node) const
    {
        const ProgramTables &t = tables.tables();
        return t.modules[t.frames[t.stacks[node.index()].frame.index()].module.index()];
    }
    /// Name of a node's function: its own symbol, else by the target's list.
    std::string name(
        StackId node, const std::map<std::uint64_t, std::string> &functions, const std::string &program) const
    {
        const ProgramTables &t = tables.tables();
        const FrameId id = t.stacks[node.index()].frame;
        const Frame &frame = t.frames[id.index()];
        if (t.symbols[id.index()].count > 0)
            return t.text(t.lines[t.symbols[id.index()].first].function);
        if (t.text(moduleOf(node).path) != program)
            return {};
        const auto next = functions.upper_bound(frame.address - (frame.kind == FrameKind::ReturnAddress ? 1 : 0));
        return next == functions.begin() ? std::string() : std::prev(next)->second;
    }
    /// Calls `visit` with each stack's functions, leaf first, its end and its samples.
    void eachStack(const std::string &program,
        const std::function<void(const std::vector<std::string> &, StackEnd, std::int64_t)> &visit) const
    {
        const auto functions = functionsOf(program);
        for (const CpuDelta &delta : all.cpu) {
            std::vector<std::string> names;
            StackId node = delta.stack;
            for (; !isRoot(node); node = tables.tables().stacks[node.index()].parent)
                names.push_back(name(node, functions, program));
            visit(names, tables.tables().endOf(delta.stack), delta.samples);
        }
    }
};

bool holds(const std::vector<std::string> &names, const char *name)
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

class CpuIntegrationTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void findsTheSharesOfAMixAndItsWholeRecursion_data()
    {
        QTest::addColumn<unsigned>("hz");
        QTest::addColumn<QByteArray>("units");
        QTest::newRow("999 Hz") << 999U << QByteArray("1200");
        QTest::newRow("4000 Hz") << 4000U << QByteArray("600");
    }
    void findsTheSharesOfAMixAndItsWholeRecursion()
    {
        QFETCH(unsigned, hz);
        QFETCH(QByteArray, units);
        const std::string program = targetPath("cpu_mix");
        Recording recording;
        if (const std::string denied = deniedBecause("cpu_sampling"); !denied.empty())
            QSKIP(denied.c_str());
        QVERIFY2(recording.run({program, units.toStdString()}, {.hz = hz}), recording.trouble());
        std::map<std::string, double> counts;
        double total = 0;
        std::int64_t brokenRecursions = 0, deepRecursions = 0, whole = 0, samples = 0;
        recording.eachStack(program, [&](const std::vector<std::string> &names, StackEnd end, std::int64_t count) {
            samples += count;
            whole += end == StackEnd::ReachedStart ? count : 0;
            for (const char *function : {"fifty", "thirty", "fifteen", "five"}) {
                if (!holds(names, function))
                    continue;
                counts[function] += static_cast<double>(count);
                total += static_cast<double>(count);
            }
            // On its way down and up the recursion is shallower; that takes less than a thousandth of its time.
            const auto depth = std::count(names.begin(), names.end(), "fifteen");
            deepRecursions += depth == 61 ? count : 0;
            if (depth > 0 && (end != StackEnd::ReachedStart || !holds(names, "main")))
                brokenRecursions += count;
        });
        QVERIFY(total > 500);
        const std::pair<const char *, double> truths[] = {{"fifty", 50}, {"thirty", 30}, {"fifteen", 15}, {"five", 5}};
        for (const auto &[function, truth] : truths) {
            const double share = 100 * counts[function] / total;
            QVERIFY2(share > truth - 1.5 && share < truth + 1.5,
                qPrintable(QStringLiteral("%1: %2 %").arg(QLatin1String(function)).arg(share)));
        }
        QCOMPARE(brokenRecursions, 0);
        QVERIFY(static_cast<double>(deepRecursions) > 0.95 * counts["fifteen"]);
        qInfo("%s: %lld samples, %.2f %% whole, rings of %zu KiB, %.1f us of the recorder each",
            recording.instrument->event().c_str(), static_cast<long long>(samples),
            100.0 * static_cast<double>(whole) / static_cast<double>(samples), recording.instrument->ringBytes() >> 10,
            recording.recorderUs / static_cast<double>(samples));
        QCOMPARE(recording.lost(LossKind::SamplesLost), 0);
        QCOMPARE(recording.lost(LossKind::BadRecords), 0);
    }

    void countsTheTimeOfEveryThreadAndChildOnce_data()
    {
        QTest::addColumn<QByteArray>("mode");
        QTest::addColumn<bool>("isAttached");
        QTest::newRow("threads, launched") << QByteArray("threads") << false;
        QTest::newRow("children, launched") << QByteArray("fork") << false;
        QTest::newRow("threads, attached") << QByteArray("threads") << true;
        QTest::newRow("children, attached") << QByteArray("fork") << true;
    }
    void countsTheTimeOfEveryThreadAndChildOnce()
    {
        QFETCH(QByteArray, mode);
        QFETCH(bool, isAttached);
        const std::string program = targetPath("cpu_threads");
        const std::vector<std::string> command = {program, "12", mode.toStdString()};
        Recording recording;
        if (const std::string denied = deniedBecause("cpu_sampling"); !denied.empty())
            QSKIP(denied.c_str());
        const bool isDone
            = isAttached ? recording.runAttached(command, {.hz = 999}) : recording.run(command, {.hz = 999});
        QVERIFY2(isDone, recording.trouble());
        // A thread's last part of a period is never sampled: 0.5 of some 30 ms here.
        const double ratio = recording.sampledSeconds() / recording.usedSeconds();
        QVERIFY2(ratio > (isAttached ? 0.88 : 0.93) && ratio < 1.07,
            qPrintable(
                QStringLiteral("%1 s sampled of %2 s").arg(recording.sampledSeconds()).arg(recording.usedSeconds())));
        std::int64_t whole = 0;
        recording.eachStack(program, [&](const auto &, StackEnd end, std::int64_t count) {
            whole += end == StackEnd::ReachedStart ? count : 0;
        });
        QVERIFY(static_cast<double>(whole) > 0.99 * static_cast<double>(recording.samples()));
        QVERIFY(recording.processes.livePids().empty());
        QVERIFY(recording.tables.tables().threads.size() >= 49);
    }

    void followsAShellAndWhatItRuns()
    {
        const std::string program = targetPath("cpu_mix");
        Recording recording;
        if (const std::string denied = deniedBecause("cpu_sampling"); !denied.empty())
            QSKIP(denied.c_str());
        QVERIFY2(recording.run({"/bin/sh", "-c", program + " 60; " + program + " 60 | cat"}, {.hz = 999}),
            recording.trouble());
        const ProgramTables &t = recording.tables.tables();
        std::map<std::string, int> images;
        for (const Image &image : t.images)
            ++images[t.text(image.executable)];
        QCOMPARE(images[program], 2);
        std::int64_t mixed = 0;
        for (const CpuDelta &delta : recording.all.cpu) {
            const bool isMix = t.text(t.images[delta.image.index()].executable) == program;
            mixed += isMix ? delta.samples : 0;
            QVERIFY(isMix || delta.samples < 100);
        }
        QVERIFY(static_cast<double>(mixed) > 0.9 * static_cast<double>(recording.samples()));
    }

    void attributesTimeInTheKernelToItsCaller()
    {
        const std::string program = targetPath("cpu_kernel");
        Recording recording;
        if (const std::string denied = deniedBecause("cpu_sampling"); !denied.empty())
            QSKIP(denied.c_str());
        QVERIFY2(recording.run({program, "8000"}, {.hz = 999}), recording.trouble());
        if (const std::string denied = deniedBecause("kernel_frames"); !denied.empty())
            QSKIP(denied.c_str());
        std::int64_t inKernel = 0, called = 0;
        const ProgramTables &t = recording.tables.tables();
        for (const CpuDelta &delta : recording.all.cpu) {
            if (recording.moduleOf(delta.stack).kind == ModuleKind::Kernel)
                inKernel += delta.samples;
        }
        recording.eachStack(program, [&](const std::vector<std::string> &names, StackEnd, std::int64_t count) {
            called += holds(names, "readZeros") ? count : 0;
        });
        QVERIFY(static_cast<double>(inKernel) > 0.8 * static_cast<double>(recording.samples()));
        QVERIFY(static_cast<double>(called) > 0.9 * static_cast<double>(recording.samples()));
        for (std::size_t i = 0; i < t.frames.size(); ++i) {
            if (t.modules[t.frames[i].module.index()].kind == ModuleKind::Kernel)
                QCOMPARE(t.symbols[i].state, FrameSymbols::State::Resolved);
        }
    }

    void namesGeneratedCodeAndItsCallers_data()
    {
        QTest::addColumn<bool>("isLate");
        QTest::newRow("names while it runs") << false;
        QTest::newRow("names at its end") << true;
    }
    void namesGeneratedCodeAndItsCallers()
    {
        QFETCH(bool, isLate);
        const std::string program = targetPath("cpu_jit");
        Recording recording;
        if (const std::string denied = deniedBecause("cpu_sampling"); !denied.empty())
            QSKIP(denied.c_str());
        QVERIFY2(recording.run({program, "2000", isLate ? "late" : "early"}, {.hz = 999}), recording.trouble());
        for (const Process &process : recording.tables.tables().processes)
            QFile::remove(QStringLiteral("/tmp/perf-%1.map").arg(process.pid));
        std::int64_t named = 0, called = 0;
        recording.eachStack(program, [&](const std::vector<std::string> &names, StackEnd end, std::int64_t count) {
            named += holds(names, "generated_loop") ? count : 0;
            called
                += holds(names, "callGenerated") && holds(names, "main") && end == StackEnd::ReachedStart ? count : 0;
        });
        QVERIFY(static_cast<double>(named) > 0.9 * static_cast<double>(recording.samples()));
        QVERIFY(static_cast<double>(called) > 0.9 * static_cast<double>(recording.samples()));
    }

    void followsFramePointersIntoCodeWithTables()
    {
        const std::string program = targetPath("cpu_frames");
        Recording recording;
        if (const std::string denied = deniedBecause("cpu_sampling"); !denied.empty())
            QSKIP(denied.c_str());
        QVERIFY2(recording.run({program, "100000"}, {.hz = 999}), recording.trouble());
        std::int64_t inMain = 0, inThread = 0, broken = 0;
        recording.eachStack(program, [&](const std::vector<std::string> &names, StackEnd end, std::int64_t count) {
            const auto depth = std::count(names.begin(), names.end(), "descend");
            const bool isFromMain = holds(names, "main");
            // A function that calls none has no frame, and hides its caller: without tables nobody can tell.
            if (depth < 5)
                return;
            inMain += isFromMain && depth >= 12 ? count : 0;
            inThread += holds(names, "sortInThread") && holds(names, "compareSlowly") ? count : 0;
            broken += end != StackEnd::ReachedStart ? count : 0;
        });
        QVERIFY2(inMain > 50, qPrintable(QString::number(inMain)));
        QVERIFY2(inThread > 50, qPrintable(QString::number(inThread)));
        QCOMPARE(broken, 0);
    }

    void stacksOfGoroutinesEndAtTheirBegin()
    {
        if (const std::string denied = deniedBecause("cpu_sampling"); !denied.empty())
            QSKIP(denied.c_str());
        const QString compiler = QStandardPaths::findExecutable(QStringLiteral("go"));
        if (compiler.isEmpty())
            QSKIP("there is no Go compiler");
        QTemporaryDir directory;
        qputenv("GOCACHE", directory.filePath(QStringLiteral("cache")).toLocal8Bit());
        QFile source(directory.filePath(QStringLiteral("busy.go")));
        QVERIFY(source.open(QIODevice::WriteOnly));
        source.write(
            "package main\n//go:noinline\nfunc work(n int) (s int) { for i := 0; i < n; i++ { s += i * n }; return }\n"
            "func main() { done := make(chan int); go func() { done <- work(300000000) }(); "
            "println(<-done + work(300000000)) }\n");
        source.close();
        const QString program = directory.filePath(QStringLiteral("busy"));
        // Stripped: the end of a stack is no matter of symbols.
        QCOMPARE(QProcess::execute(compiler,
                     {QStringLiteral("build"), QStringLiteral("-ldflags=-s -w"), QStringLiteral("-o"), program,
                         source.fileName()}),
            0);
        Recording recording;
        QVERIFY2(recording.run({program.toStdString()}, {.hz = 999}), recording.trouble());
        std::int64_t whole = 0;
        recording.eachStack(program.toStdString(), [&](const auto &, StackEnd end, std::int64_t count) {
            whole += end == StackEnd::ReachedStart ? count : 0;
        });
        QVERIFY2(static_cast<double>(whole) > 0.95 * static_cast<double>(recording.samples()),
            qPrintable(QStringLiteral("%1 of %2").arg(whole).arg(recording.samples())));
    }

    void countsTheSamplesThatShortProcessesHadNoTimeFor()
    {
        Recording recording;
        // Each child lives for less than the 5 ms of a sample's period; altogether they use far more than that.
        if (const std::string denied = deniedBecause("cpu_sampling"); !denied.empty())
            QSKIP(denied.c_str());
        QVERIFY2(
            recording.run({"/bin/sh", "-c", "i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done"}, {.hz = 199}),
            recording.trouble());
        if (!deniedBecause("kernel_frames").empty())
            QSKIP("time in the kernel is counted but not sampled here");
        const std::int64_t used = static_cast<std::int64_t>(recording.usedSeconds() * 199);
        QVERIFY(recording.lost(LossKind::SamplesMissed) > 0);
        QVERIFY(recording.samples() < used);
        QVERIFY(recording.samples() + recording.lost(LossKind::SamplesMissed) <= 2 * used);

        Recording steady;
        QVERIFY(steady.run({targetPath("cpu_mix"), "100"}, {.hz = 199}));
        // What is stolen from a machine counts for none, where it is told; the ticks in which it is are no finer than two of these periods.
        const auto times = capture::parseProcessorTimes(capture::readProcFile("/proc/stat", 512).value_or(""));
        const std::int64_t factor = times && times->stolen > 0 ? 20 : 4;
        QVERIFY2(steady.lost(LossKind::SamplesMissed) * factor <= steady.samples() + 2 * factor,
            qPrintable(QString::number(steady.lost(LossKind::SamplesMissed))));
    }

    void copiesLessOfTheStackTheMoreOftenItSamples_data()
    {
        QTest::addColumn<std::uint32_t>("hz");
        QTest::addColumn<std::uint32_t>("bytes");
        QTest::newRow("seldom") << 1U << 32768U;
        QTest::newRow("default") << 199U << 32768U;
        QTest::newRow("often") << 500U << 16384U;
        QTest::newRow("always") << 20'000U << 8192U;
    }
    void copiesLessOfTheStackTheMoreOftenItSamples()
    {
        QFETCH(std::uint32_t, hz);
        QTEST(capture::stackBytesFor(hz), "bytes");
    }

    void refusesARateAboveTheKernelsLimitBeforeTheTargetStarts()
    {
        Recording recording;
        QVERIFY(!recording.run({targetPath("cpu_mix"), "1"}, {.hz = 100'000'000}));
        QVERIFY2(recording.error.find("perf_event_max_sample_rate") != std::string::npos, recording.error.c_str());
    }
};

QTEST_GUILESS_MAIN(CpuIntegrationTest)
#include "cpu_integration_test.moc"

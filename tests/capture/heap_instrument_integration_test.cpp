// SPDX-License-Identifier: GPL-3.0-or-later
// The heap instrument as the recorder uses it: programs started with its environment, ticks collected while they run.
#include "capture/file_descriptor.h"
#include "capture/heap/heap_instrument.h"
#include "capture/wire/rendezvous.h"
#include "tests/capture/no_more_files.h"
#include "tests/capture/thread_niceness.h"

#include <QtTest>

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>

using namespace capture;

namespace {

std::string built(const std::string &path) { return std::string(std::getenv("GENESIS_BUILD_DIR")) + "/" + path; }

std::int64_t monotonicNs()
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// A recorder with nothing but a heap instrument, and the sums of what it collected.
struct Recorder
{
    Recorder()
    {
        auto made = HeapInstrument::create(processes, built(GENESIS_TRACER_PATH), origin);
        if (!made)
            qFatal("%s", made.error().text().c_str());
        instrument = std::move(*made);
    }

    model::Timestamp now() const { return {monotonicNs() - origin}; }

    void tick()
    {
        model::EventBatch batch;
        instrument->collect(now(), batch);
        for (const model::HeapDelta &row : batch.heap) {
            model::HeapCounts &counts = byStack[row.stack];
            counts += {
                row.allocations, row.allocatedBytes, row.frees, row.freedBytes, row.temporaries, row.temporaryBytes};
            live[row.image] += row.allocatedBytes - row.freedBytes;
        }
        for (const model::HeapTick &row : batch.heapTicks) {
            total += {row.allocations, row.allocatedBytes, row.frees, row.freedBytes, row.temporaries, 0};
            lastLive[row.image] = row.liveBytes;
            isWithinBounds
                = isWithinBounds && row.leastLiveBytes <= row.liveBytes && row.liveBytes <= row.mostLiveBytes;
        }
        for (const model::HeapSizeDelta &row : batch.heapSizes)
            sizes += row.allocations;
        for (const model::HeapPeak &row : batch.heapPeaks)
            peaks[row.image] = row.bytes;
        for (const model::HeapPeakRow &row : batch.heapPeakRows)
            peakRows[{row.image, row.stack}] = row.bytes;
        for (const model::Loss &loss : batch.losses) {
            qInfo("%s: %lld %s", model::lossKey(loss.kind).data(), static_cast<long long>(loss.count),
                loss.detail.c_str());
            losses[loss.kind] += loss.count;
        }
    }

    /// Starts a program under the tracer.
    pid_t start(const std::vector<std::string> &command, int output, std::uint64_t dataBytes = 0)
    {
        const auto environment = instrument->environment("");
        const pid_t child = ::fork();
        if (child != 0)
            return child;
        ::dup2(output, 1);
        for (const auto &[name, value] : environment)
            ::setenv(name.c_str(), value.c_str(), 1);
        const rlimit data{dataBytes, dataBytes};
        if (dataBytes != 0)
            ::setrlimit(RLIMIT_DATA, &data);
        std::vector<char *> arguments;
        for (const std::string &argument : command)
            arguments.push_back(const_cast<char *>(argument.c_str()));
        arguments.push_back(nullptr);
        ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }

    /// Runs a program to its end with a tick every 20 ms; its output.
    std::string run(const std::vector<std::string> &command)
    {
        int pipe[2];
        if (::pipe(pipe) != 0)
            return {};
        const pid_t child = start(command, pipe[1]);
        ::close(pipe[1]);
        waitFor(child, command[0]);
        std::string output;
        char buffer[512];
        for (ssize_t count; (count = ::read(pipe[0], buffer, sizeof buffer)) > 0;)
            output.append(buffer, static_cast<std::size_t>(count));
        ::close(pipe[0]);
        return output;
    }

    /// Ticks until a program that was started has ended, and once more.
    void waitFor(pid_t child, const std::string &file)
    {
        processes.execSeen(child, now(), model::ProcessSource::Launcher, file, file);
        int status = 0;
        while (::waitpid(child, &status, WNOHANG) == 0) {
            tick();
            QTest::qWait(20);
        }
        processes.processEnded(child, now(), status);
        tick();
    }

    std::int64_t origin = monotonicNs();
    model::TableBuilder tables;
    model::ProcessTable processes{tables};
    std::unique_ptr<HeapInstrument> instrument;
    std::map<model::StackId, model::HeapCounts> byStack;
    model::HeapCounts total;
    std::map<model::ImageId, std::int64_t> live, lastLive, peaks;
    std::map<std::pair<model::ImageId, model::StackId>, std::int64_t> peakRows;
    std::map<model::LossKind, std::int64_t> losses;
    std::int64_t sizes = 0;
    bool isWithinBounds = true;
};

std::int64_t truth(const std::string &output, const std::string &key)
{
    const std::size_t at = output.find(" " + key + " ");
    return at == std::string::npos ? -1 : std::atoll(output.c_str() + at + key.size() + 2);
}

/// Sums over the stacks whose leaf lies in the module with this file name.
model::HeapCounts countsOf(const Recorder &recorder, const std::string &fileName)
{
    model::HeapCounts counts;
    const model::ProgramTables &tables = recorder.tables.tables();
    for (const auto &[stack, row] : recorder.byStack) {
        if (model::isRoot(stack))
            continue;
        const model::Module &module
            = tables.modules[tables.frames[tables.stacks[stack.index()].frame.index()].module.index()];
        const std::string &path = tables.text(module.path);
        if (path.substr(path.rfind('/') + 1) == fileName)
            counts += row;
    }
    return counts;
}

} // namespace

class HeapInstrumentTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    /// Without CPU samples, and within a tick of /proc, nobody else sees that they end; what they hold counts no longer than they live.
    void endsProcessesThatNobodyElseTellsOf()
    {
        Recorder recorder;
        recorder.instrument->tellEnds();
        recorder.run({"/bin/sh", "-c", "i=0; while [ $i -lt 20 ]; do /bin/cat /dev/null; i=$((i+1)); done"});
        const model::ProgramTables &tables = recorder.tables.tables();
        std::map<model::Timestamp, model::Timestamp> lives; // of cat, end by start
        for (const model::Image &image : tables.images) {
            const model::Process &process = tables.processes[image.process.index()];
            QVERIFY2(process.end, tables.text(image.executable).c_str());
            QVERIFY(image.end && *image.end >= image.start && *image.end <= *process.end);
            if (tables.text(image.executable).ends_with("/cat"))
                lives[image.start] = *image.end;
        }
        QCOMPARE(lives.size(), std::size_t{20});
        std::int64_t lastEndNs = 0;
        int together = 0;
        for (const auto &[start, end] : lives) {
            together += start.ns < lastEndNs ? 1 : 0;
            lastEndNs = end.ns;
        }
        QCOMPARE(together, 0);
    }

    void ticksAddUpToTheTruth_data()
    {
        QTest::addColumn<int>("threads");
        QTest::addColumn<int>("operations");
        QTest::newRow("1 thread") << 1 << 300000;
        QTest::newRow("4 threads") << 4 << 100000;
        QTest::newRow("50 threads") << 50 << 8000;
    }
    void ticksAddUpToTheTruth()
    {
        QFETCH(int, threads);
        QFETCH(int, operations);
        Recorder recorder;
        const std::string output
            = recorder.run({built("tests/targets/heap_truth"), std::to_string(threads), std::to_string(operations)});
        const model::HeapCounts counts = countsOf(recorder, "heap_truth");
        QCOMPARE(counts.allocations, truth(output, "allocations"));
        QCOMPARE(counts.allocatedBytes, truth(output, "allocated_bytes"));
        QCOMPARE(counts.frees, truth(output, "frees"));
        QCOMPARE(counts.freedBytes, truth(output, "freed_bytes"));
        QVERIFY2(recorder.losses.empty(), qPrintable(QString::number(recorder.losses.size())));
        QVERIFY(recorder.isWithinBounds);
        QCOMPARE(recorder.live, recorder.lastLive);
        QCOMPARE(recorder.sizes, recorder.total.allocations);
        std::map<model::ImageId, std::int64_t> peaks;
        for (const auto &[key, bytes] : recorder.peakRows)
            peaks[key.first] += bytes;
        QCOMPARE(peaks, recorder.peaks);
        const model::ProgramTables &tables = recorder.tables.tables();
        QCOMPARE(tables.images.size(), std::size_t{1});
        QCOMPARE(tables.images[0].heap, model::HeapState::Full);
        QVERIFY(tables.threads.size() >= static_cast<std::size_t>(threads));
        for (const model::Module &module : tables.modules)
            QVERIFY2(!tables.text(module.buildId).empty(), tables.text(module.path).c_str());
    }

    void pausedSpanKeepsTheLiveSetTrue()
    {
        Recorder recorder;
        recorder.instrument->setPaused(true);
        const std::string output = recorder.run({built("tests/targets/heap_truth"), "1", "100000"});
        const model::HeapCounts counts = countsOf(recorder, "heap_truth");
        QVERIFY(counts.allocations < truth(output, "allocations") / 10);
        QCOMPARE(counts.allocations - counts.frees, truth(output, "live_blocks"));
        QCOMPARE(counts.allocatedBytes - counts.freedBytes, truth(output, "live_bytes"));
        QCOMPARE(recorder.live, recorder.lastLive);
        QCOMPARE(recorder.sizes, 0);
    }

    /// Whoever is answered too late runs untraced, and that is said.
    void programThatIsNotAnsweredInTimeCountsAsNotTraced()
    {
        Recorder recorder;
        std::string name, token;
        for (const auto &[key, value] : recorder.instrument->environment("")) {
            if (key != wire::kRendezvousVariable)
                continue;
            name = value.substr(0, value.find(':'));
            token = value.substr(name.size() + 1, 2 * wire::kTokenBytes);
        }
        wire::Hello hello;
        hello.pid = ::getpid();
        const QByteArray bytesOfToken = QByteArray::fromHex(QByteArray::fromStdString(token));
        std::memcpy(hello.token, bytesOfToken.constData(), sizeof hello.token);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        name.copy(address.sun_path + 1, name.size());
        const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
        // Each knows the token, and holds the others up for half a second: what became of it is waited for.
        std::vector<FileDescriptor> silent;
        for (int i = 0; i < 6; ++i) {
            silent.emplace_back(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
            QCOMPARE(::connect(silent.back().get(), reinterpret_cast<const sockaddr *>(&address), bytes), 0);
            QCOMPARE(::send(silent.back().get(), &hello, sizeof hello, 0), static_cast<ssize_t>(sizeof hello));
        }
        recorder.run({built("tests/targets/heap_truth")});
        const model::ProgramTables &tables = recorder.tables.tables();
        const auto isSaid = [&] {
            return std::any_of(tables.images.begin(), tables.images.end(), [&](const model::Image &image) {
                return tables.processes[image.process.index()].pid != ::getpid()
                    && tables.text(image.heapNote).find("in vain") != std::string_view::npos;
            });
        };
        for (int i = 0; i < 200 && !isSaid(); ++i) {
            recorder.tick();
            QTest::qWait(20);
        }
        QVERIFY(isSaid());
        QCOMPARE(recorder.losses[model::LossKind::HeapNotTraced], 1);
        QCOMPARE(recorder.total.allocations, std::int64_t{0});
    }

    void forkedChildIsAProcessOfItsOwn()
    {
        Recorder recorder;
        recorder.run({built("tests/targets/heap_processes"), "fork"});
        const model::ProgramTables &tables = recorder.tables.tables();
        QCOMPARE(tables.processes.size(), std::size_t{2});
        QCOMPARE(tables.images[1].heap, model::HeapState::Inherited);
        QCOMPARE(tables.processes[1].parent, model::ProcessId(0u));
        // Those of blocks that the parent allocated, which heap_tracing_integration_test counts, are no loss.
        QCOMPARE(recorder.losses[model::LossKind::UnknownFrees], 0);
    }

    /// Its first event comes when those that it was forked from are gone.
    void daemonInheritsTheMappingsOfWhoItWasForkedFrom()
    {
        Recorder recorder;
        int pipe[2];
        QVERIFY(::pipe(pipe) == 0);
        const std::string file = built("tests/targets/heap_processes");
        const pid_t child = recorder.start({file, "daemon"}, pipe[1]);
        ::close(pipe[1]);
        const FileDescriptor output(pipe[0]);
        char line[32] = {};
        QVERIFY(::read(output.get(), line, sizeof line - 1) > 0);
        const int daemon = std::atoi(line);
        QVERIFY(daemon > 0);
        recorder.waitFor(child, file);
        recorder.tick(); // now nothing is left of its image
        QCOMPARE(::kill(daemon, SIGUSR1), 0);
        QVERIFY(::read(output.get(), line, sizeof line - 1) > 0);
        const KnownMemory known = recorder.instrument->knownMemory(daemon);
        QCOMPARE(::kill(daemon, SIGKILL), 0);
        QVERIFY(known.isTraced);
        QVERIFY(known.isWhole);
        const auto isTheParents = [](const KnownMemory::Range &range) { return range.end - range.begin == 8u << 20; };
        QCOMPARE(std::count_if(known.mappings.begin(), known.mappings.end(), isTheParents), 1);
    }

    void childrenWithNothingToTellAreInheritedWhateverWasSeenOfThem()
    {
        // One that others tell of after the last tick, one that lives on, one whose end was seen.
        Recorder recorder;
        recorder.run({built("tests/targets/heap_truth"), "1", "10"});
        const std::int32_t parent = recorder.tables.tables().processes[0].pid;
        constexpr std::int32_t kNobody = 0x3fffff00;
        const auto fork = [&](std::int32_t pid) { recorder.processes.processSeen(pid, parent, {1}); };
        fork(kNobody);
        fork(kNobody + 1);
        recorder.processes.processEnded(kNobody + 1, recorder.now(), 0);
        recorder.tick();
        fork(kNobody + 2);
        model::EventBatch batch;
        recorder.instrument->conclude(batch);
        const model::ProgramTables &tables = recorder.tables.tables();
        QCOMPARE(tables.images.size(), std::size_t{4});
        for (std::size_t i = 1; i < 4; ++i)
            QCOMPARE(tables.images[i].heap, model::HeapState::Inherited);
        QVERIFY(batch.losses.empty());
    }

    void staticProgramIsSaidNotToBeTraced()
    {
        Recorder recorder;
        recorder.run({built("tests/targets/static_program")});
        const model::ProgramTables &tables = recorder.tables.tables();
        QCOMPARE(tables.images.size(), std::size_t{1});
        QCOMPARE(tables.images[0].heap, model::HeapState::NotTraced);
        QVERIFY(!tables.text(tables.images[0].heapNote).empty());
        QCOMPARE(recorder.losses[model::LossKind::HeapNotTraced], 1);
        recorder.tick();
        QCOMPARE(recorder.losses[model::LossKind::HeapNotTraced], 1);
    }

    void programForWhichNoDescriptorIsLeftIsSaidNotToBeTraced()
    {
        Recorder recorder;
        const NoMoreFiles limit;
        recorder.waitFor(recorder.start({"/bin/true"}, 1), "/bin/true");
        const model::ProgramTables &tables = recorder.tables.tables();
        QCOMPARE(tables.images.size(), std::size_t{1});
        QCOMPARE(tables.images[0].heap, model::HeapState::NotTraced);
        QVERIFY(tables.text(tables.images[0].heapNote).find("ulimit -n") != std::string_view::npos);
        QVERIFY(tables.text(tables.images[0].executable).ends_with("true"));
        QCOMPARE(recorder.losses[model::LossKind::HeapNotTraced], 1);
    }

    void programWithoutMemoryForTheTracerIsSaidNotToBeTraced()
    {
        Recorder recorder;
        recorder.waitFor(recorder.start({"/bin/true"}, 1, 350'000), "/bin/true"); // for itself, that is enough
        const model::ProgramTables &tables = recorder.tables.tables();
        QCOMPARE(tables.images.size(), std::size_t{1});
        QCOMPARE(tables.images[0].heap, model::HeapState::NotTraced);
        QVERIFY(tables.text(tables.images[0].heapNote).find("ulimit -d") != std::string_view::npos);
        QCOMPARE(recorder.losses[model::LossKind::HeapNotTraced], 1);
    }

    /// Which libraries are not seen is said beside why nothing is, whichever comes first.
    void reasonsForNotSeeingTheHeapStandBesideEachOther()
    {
        Recorder recorder;
        const pid_t child
            = recorder.start({built("tests/targets/unseen_then_silent"), built("tests/targets/libheap_module_3.so"),
                                 built("tests/targets/libheap_module_5.so")},
                1);
        const model::ProgramTables &tables = recorder.tables.tables();
        const auto isSaid = [&](const char *text) {
            return !tables.images.empty()
                && tables.text(tables.images[0].heapNote).find(text) != std::string_view::npos;
        };
        recorder.processes.execSeen(child, recorder.now(), model::ProcessSource::Launcher, "unseen", "unseen");
        for (int i = 0; i < 500 && !isSaid("libheap_module_3.so"); ++i) {
            recorder.tick();
            QTest::qWait(20);
        }
        QVERIFY(isSaid("libheap_module_3.so, opened by dlmopen"));
        QCOMPARE(::kill(child, SIGUSR1), 0);
        int status = 0;
        QCOMPARE(::waitpid(child, &status, 0), child);
        QCOMPARE(status, 0);
        recorder.processes.processEnded(child, recorder.now(), status);
        recorder.tick();
        QVERIFY(isSaid("its heap is not recorded from"));
        QVERIFY(isSaid("; libheap_module_3.so, libheap_module_5.so, opened by dlmopen"));
        QCOMPARE(recorder.losses[model::LossKind::HeapNotTraced], 1);
    }

    void tracerThatIsNotThereIsAnError()
    {
        model::TableBuilder tables;
        model::ProcessTable processes(tables);
        const auto made = HeapInstrument::create(processes, built("no/such/tracer.so"), 0);
        QVERIFY(!made);
        QVERIFY(made.error().text().find("no/such/tracer.so") != std::string::npos);
    }

    void preloadOfTheUserComesAfterTheTracer()
    {
        Recorder recorder;
        const auto environment = recorder.instrument->environment("/usr/lib/libother.so");
        QCOMPARE(environment.at(0).first, std::string("LD_PRELOAD"));
        QCOMPARE(environment.at(0).second, built(GENESIS_TRACER_PATH) + ":/usr/lib/libother.so");
        QCOMPARE(environment.at(1).first, std::string("GENESIS_TRACER"));
    }

    /// On a busy machine a program with full rings would wait for its turn, and for ours.
    void ringsAreReadBeforeOthersHaveTheirTurn()
    {
        const Recorder recorder;
        QTRY_VERIFY(tests::nicenessOf("heap-drain"));
        const int ours = ::getpriority(PRIO_PROCESS, 0);
        if (::setpriority(PRIO_PROCESS, 0, ours - 10) != 0)
            QSKIP("Only who has CAP_SYS_NICE or RLIMIT_NICE may ask for precedence");
        QCOMPARE(::setpriority(PRIO_PROCESS, 0, ours), 0);
        QTRY_COMPARE(tests::nicenessOf("heap-drain").value_or(ours), std::max(ours - 10, -20));
    }

    void programRunsOnWhenTheInstrumentIsGone()
    {
        int pipe[2];
        QVERIFY(::pipe(pipe) == 0);
        pid_t child;
        {
            Recorder recorder;
            child = recorder.start({built("tests/targets/heap_processes"), "outlive"}, pipe[1]);
            char line[16];
            QVERIFY(::read(pipe[0], line, sizeof line) > 0);
            recorder.tick();
            QVERIFY(recorder.total.allocations > 0);
        }
        int status = -1;
        QTRY_VERIFY_WITH_TIMEOUT(status != -1 || ::waitpid(child, &status, WNOHANG) == child, 10000);
        QCOMPARE(status, 0);
        ::close(pipe[0]);
        ::close(pipe[1]);
    }
};

QTEST_GUILESS_MAIN(HeapInstrumentTest)
#include "heap_instrument_integration_test.moc"

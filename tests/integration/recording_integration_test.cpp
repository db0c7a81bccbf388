// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/monotonic_clock.h"
#include "capture/recording/recording.h"
#include "capture/scan/scan_source.h"

#include <QTemporaryDir>
#include <QTest>

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <optional>
#include <thread>
#include <utility>

using capture::EndReason;
using capture::monotonicNs;
using capture::Recording;
using capture::TargetProcess;
using model::GapKind;

namespace {

/// A request to a recorder and its reply, once that comes.
std::string asked(const std::string &address, const std::string &line)
{
    const capture::FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    address.copy(name.sun_path, sizeof name.sun_path - 1);
    const std::string request = line + "\n";
    if (::connect(socket.get(), reinterpret_cast<const sockaddr *>(&name), sizeof name) != 0
        || ::write(socket.get(), request.data(), request.size()) != static_cast<ssize_t>(request.size()))
        return {};
    char reply[4096];
    const ssize_t bytes = ::read(socket.get(), reply, sizeof reply);
    return {reply, static_cast<std::size_t>(std::max<ssize_t>(bytes, 0))};
}

/// A process can be copied, but the copy ends before it is read, and the process cannot be stopped again.
class UnreadScans final : public capture::ScanSource
{
public:
    capture::ScanStart beginScan(const capture::ScanParameters &) override
    {
        m_isUnread = true;
        return {1, {}};
    }
    bool hasEnds() const override { return false; }
    capture::ScanStart scanEnds() override { return {}; }
    bool hasUnread() const override { return m_isUnread; }
    capture::ScanStart scanAgain() override
    {
        m_isUnread = false;
        return {0, "The process has gone"};
    }
    bool hasScans() const override { return false; }
    bool isScanning() const override { return m_isUnread; }
    void waitForScans(std::chrono::milliseconds) override { }

private:
    bool m_isUnread = false;
};

/// What a fake instrument was asked for.
struct Asked
{
    int drains = 0;
    int collects = 0;
    bool isPaused = false;
    std::optional<model::Timestamp> firstDrain;
    bool isFirstDrainSlow = false;
    std::optional<model::Timestamp> slowCollect; ///< the first one from then on takes kSlow
};

constexpr std::chrono::milliseconds kSlow{350};

/// Counts one event at stack 0 in each drain, but for the time it is paused.
class FakeInstrument final : public capture::Instrument
{
public:
    explicit FakeInstrument(Asked &asked)
        : m_asked(asked)
    {
    }
    std::vector<int> descriptors() const override { return {}; }
    int drainIntervalMs() const override { return 5; }
    bool drain(model::Timestamp now) override
    {
        m_asked.firstDrain = m_asked.firstDrain.value_or(now);
        ++m_asked.drains;
        if (std::exchange(m_asked.isFirstDrainSlow, false))
            std::this_thread::sleep_for(kSlow);
        m_count += m_asked.isPaused ? 0 : 1;
        return false;
    }
    void collect(model::Timestamp now, model::EventBatch &batch) override
    {
        ++m_asked.collects;
        if (m_asked.slowCollect && now >= *m_asked.slowCollect) {
            m_asked.slowCollect.reset();
            std::this_thread::sleep_for(kSlow);
        }
        if (m_count > 0)
            batch.cpu.push_back({model::ThreadId(0u), model::ImageId(0u), model::StackId(0u), m_count, 1});
        m_count = 0;
    }
    void setPaused(bool paused) override { m_asked.isPaused = paused; }

private:
    Asked &m_asked;
    std::int64_t m_count = 0;
};

class FakeSink final : public capture::BatchSink
{
public:
    model::Result<void> write(const model::EventBatch &batch, model::TableBuilder &) override
    {
        ++attempts;
        if (attempts <= failures)
            return model::Error("Cannot write: No space left on device");
        if (!batch.span.isEmpty())
            batches.push_back(batch);
        return {};
    }
    void expectEnd() override { }
    model::Result<void> updateInfo(const model::SessionInfo &changed) override
    {
        if (infoFailures-- > 0)
            return model::Error("Cannot write: No space left on device");
        states.push_back(changed.state);
        wasToldUnwritten = wasToldUnwritten || changed.unwritten.has_value();
        address = changed.controlAddress;
        return {};
    }
    model::Result<void> finish(const model::SessionInfo &last) override
    {
        info = last;
        return {};
    }
    std::int64_t storedBytes() const override { return 0; }

    std::int64_t samples() const
    {
        std::int64_t sum = 0;
        for (const model::EventBatch &batch : batches)
            for (const model::CpuDelta &row : batch.cpu)
                sum += row.samples;
        return sum;
    }

    int failures = 0;
    int infoFailures = 0;
    bool wasToldUnwritten = false; ///< before the end
    int attempts = 0;
    std::vector<model::EventBatch> batches;
    std::vector<model::SessionState> states;
    std::string address; ///< of the control socket
    model::SessionInfo info;
};

/// A recording of a shell command with a fake instrument and sink.
class Fixture
{
public:
    explicit Fixture(const std::string &script, std::int64_t tickMs = 100)
        : m_processes(m_tables)
        , m_signals(*capture::SignalWatch::create())
        , m_target(*TargetProcess::launch({{"/bin/sh", "-c", script}, {}, {}}, capture::InheritedState::capture()))
    {
        info.config.tick = model::Duration::fromMs(tickMs);
    }

    /// Records from now on; `onTick` is called with the number of each tick.
    EndReason run(std::function<void(Recording &, std::int64_t)> onTick = {})
    {
        std::vector<std::unique_ptr<capture::Instrument>> instruments;
        instruments.push_back(std::make_unique<FakeInstrument>(asked));
        recording.emplace(
            Recording::Parts{
                m_target, m_signals, sink, m_processes, std::move(instruments), scans, nullptr, monotonicNs(), info},
            [this, onTick](const capture::RecordingStatus &status) {
                if (onTick)
                    onTick(*recording, status.ticks);
            },
            [this](const std::string &text) { messages.push_back(text); });
        if (!controlFolder.empty() && !recording->listen(controlFolder) && !recording->isListening())
            qFatal("no control socket");
        if (m_target.release())
            qFatal("the shell could not be started");
        return recording->run();
    }

    TargetProcess &target() { return m_target; }
    const model::Process &process() const { return m_tables.tables().processes.at(0); }
    std::vector<model::Gap> gaps() const
    {
        std::vector<model::Gap> all;
        for (const model::EventBatch &batch : sink.batches)
            all.insert(all.end(), batch.gaps.begin(), batch.gaps.end());
        return all;
    }

    model::SessionInfo info;
    capture::ScanSource *scans = nullptr;
    std::string controlFolder; ///< empty: nobody can ask
    Asked asked;
    FakeSink sink;
    std::vector<std::string> messages;
    std::optional<Recording> recording;

private:
    model::TableBuilder m_tables;
    model::ProcessTable m_processes;
    capture::SignalWatch m_signals;
    TargetProcess m_target;
};

} // namespace

class RecordingIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void endsWithItsTarget();
    void writesTicksThatFollowEachOther();
    void countsEachTickThatWasNotInTime_data();
    void countsEachTickThatWasNotInTime();
    void endsAfterItsDurationAndWaitsForTheTarget();
    void killsATargetThatDoesNotEndWhenAsked();
    void passesASignalOnThatWasSentToItAlone();
    void notesAStoppedTargetAsAGap();
    void keepsWhatCannotBeWritten();
    void saysThatNothingIsWrittenOnceThereIsRoomForThat();
    void saysWhatIsLostWhenItCanNeverBeWritten();
    void canBeControlledOnceItsFileCanBeWritten();
    void pausesAndResumesOverTheControlSocket();
    void aScanThatCameToNothingIsNoSuccess();
};

void RecordingIntegrationTest::endsWithItsTarget()
{
    Fixture fixture("exit 3");
    QVERIFY(fixture.run() == EndReason::TargetEnded);
    QVERIFY(fixture.recording->finish().has_value());
    QCOMPARE(WEXITSTATUS(*fixture.sink.info.exitStatus), 3);
    QCOMPARE(fixture.sink.info.endReason, std::string("command ended"));
    QVERIFY(fixture.sink.info.state == model::SessionState::Complete);
    QVERIFY(fixture.sink.states.back() == model::SessionState::Stopping);
    QVERIFY(fixture.process().end.has_value());
    QCOMPARE(WEXITSTATUS(*fixture.process().waitStatus), 3);
    QVERIFY(fixture.sink.samples() == fixture.asked.drains);
}

void RecordingIntegrationTest::writesTicksThatFollowEachOther()
{
    Fixture fixture("sleep 0.35");
    fixture.run();
    const auto &batches = fixture.sink.batches;
    QVERIFY(batches.size() >= 3);
    QCOMPARE(batches.front().span.begin.ns, 0);
    for (std::size_t i = 1; i < batches.size(); ++i)
        QCOMPARE(batches[i].span.begin.ns, batches[i - 1].span.end.ns);
    QCOMPARE(fixture.sink.samples(), std::int64_t{fixture.asked.drains});
}

void RecordingIntegrationTest::countsEachTickThatWasNotInTime_data()
{
    QTest::addColumn<bool>("isFirstDrainSlow");
    QTest::addColumn<int>("slowCollectMs");
    QTest::addColumn<int>("durationMs");
    QTest::newRow("before the first look") << true << -1 << 500;
    QTest::newRow("in the first look") << false << 0 << 50;
    QTest::newRow("in a tick") << false << 90 << 700;
    QTest::newRow("in the look at the end") << false << 50 << 50;
}

/// Ticks and those that are missing make up the recording's time, wherever it was held up.
void RecordingIntegrationTest::countsEachTickThatWasNotInTime()
{
    QFETCH(bool, isFirstDrainSlow);
    QFETCH(int, slowCollectMs);
    QFETCH(int, durationMs);
    Fixture fixture("sleep 0.8");
    fixture.info.config.duration = model::Duration::fromMs(durationMs);
    fixture.asked.isFirstDrainSlow = isFirstDrainSlow;
    if (slowCollectMs >= 0)
        fixture.asked.slowCollect = model::Timestamp{} + model::Duration::fromMs(slowCollectMs);
    QVERIFY(fixture.run() == EndReason::DurationReached);
    std::int64_t late = 0;
    for (const model::EventBatch &batch : fixture.sink.batches)
        for (const model::Loss &loss : batch.losses)
            late += loss.kind == model::LossKind::TicksDelayed ? loss.count : 0;
    const model::Timestamp end = fixture.sink.batches.back().span.end;
    const std::int64_t tickNs = fixture.info.config.tick.ns;
    const auto ticks = static_cast<std::int64_t>(fixture.sink.batches.size()) + late;
    QVERIFY(late > 0);
    QVERIFY(ticks >= (end.ns - fixture.asked.firstDrain->ns) / tickNs);
    QVERIFY(ticks <= end.ns / tickNs + 1);
    ::kill(fixture.target().pid(), SIGKILL);
}

void RecordingIntegrationTest::endsAfterItsDurationAndWaitsForTheTarget()
{
    Fixture fixture("sleep 0.3; exit 4");
    fixture.info.config.duration = model::Duration::fromMs(50);
    QVERIFY(fixture.run() == EndReason::DurationReached);
    fixture.recording->releaseInstruments();
    QVERIFY(fixture.recording->finish().has_value());
    QVERIFY(!fixture.sink.info.exitStatus);
    QCOMPARE(fixture.sink.info.endReason, std::string("duration reached"));
    QVERIFY(!fixture.recording->targetHasEnded());
    const auto end = fixture.recording->waitForTarget({});
    QCOMPARE(WEXITSTATUS(end->waitStatus), 4);
}

void RecordingIntegrationTest::killsATargetThatDoesNotEndWhenAsked()
{
    Fixture fixture("trap '' TERM; exec sleep 60");
    fixture.info.config.duration = model::Duration::fromMs(50);
    fixture.run();
    QVERIFY(fixture.target().sendSignal(SIGTERM).has_value());
    const auto end = fixture.recording->waitForTarget(model::Duration::fromMs(50));
    QVERIFY(WIFSIGNALED(end->waitStatus));
    QCOMPARE(WTERMSIG(end->waitStatus), SIGKILL);
}

void RecordingIntegrationTest::passesASignalOnThatWasSentToItAlone()
{
    Fixture fixture("trap 'exit 9' TERM; while :; do sleep 0.01; done");
    fixture.run([](Recording &, std::int64_t tick) {
        if (tick == 1)
            ::pthread_kill(::pthread_self(), SIGTERM);
    });
    QVERIFY(fixture.recording->finish().has_value());
    QCOMPARE(WEXITSTATUS(*fixture.sink.info.exitStatus), 9);
}

void RecordingIntegrationTest::notesAStoppedTargetAsAGap()
{
    Fixture fixture("sleep 0.4");
    fixture.run([&](Recording &, std::int64_t tick) {
        if (tick == 1)
            QVERIFY(fixture.target().sendSignal(SIGSTOP).has_value());
        else if (tick == 3)
            QVERIFY(fixture.target().sendSignal(SIGCONT).has_value());
    });
    const std::vector<model::Gap> gaps = fixture.gaps();
    QCOMPARE(gaps.size(), std::size_t{1});
    QVERIFY(gaps[0].kind == GapKind::TargetStopped);
    QVERIFY(gaps[0].span.length().ns > 100'000'000);
    QVERIFY(gaps[0].span.length().ns < 400'000'000);
}

void RecordingIntegrationTest::keepsWhatCannotBeWritten()
{
    Fixture fixture("sleep 0.35");
    fixture.sink.failures = 2;
    fixture.run();
    QCOMPARE(fixture.messages.size(), std::size_t{2});
    QVERIFY(fixture.messages[0].find("No space left") != std::string::npos);
    QVERIFY(fixture.messages[1].find("can be written again") != std::string::npos);
    QCOMPARE(fixture.sink.batches.front().span.begin.ns, 0);
    QCOMPARE(fixture.sink.samples(), std::int64_t{fixture.asked.drains});
    QVERIFY(!fixture.sink.info.unwritten);
}

void RecordingIntegrationTest::saysThatNothingIsWrittenOnceThereIsRoomForThat()
{
    Fixture fixture("sleep 0.5");
    fixture.sink.failures = 1000;
    fixture.sink.infoFailures = 2;
    fixture.run();
    QVERIFY(fixture.sink.wasToldUnwritten);
}

void RecordingIntegrationTest::saysWhatIsLostWhenItCanNeverBeWritten()
{
    Fixture fixture("exit 0");
    fixture.sink.failures = 1000;
    fixture.run();
    QVERIFY(!fixture.recording->finish());
    QVERIFY(fixture.messages.back().find("are lost") != std::string::npos);
    QVERIFY(fixture.recording->isIncomplete());
    QVERIFY(fixture.sink.info.state != model::SessionState::Complete);
    QVERIFY(fixture.sink.info.endReason.find("could not be written") != std::string::npos);
    QVERIFY(fixture.sink.info.unwritten.has_value());
    QVERIFY(fixture.sink.info.unwritten->length.ns > 0);
    QCOMPARE(fixture.sink.info.unwritten->cpuSamples, std::int64_t{fixture.asked.drains});
}

/// The file says how to reach the recorder as soon as it can be written.
void RecordingIntegrationTest::canBeControlledOnceItsFileCanBeWritten()
{
    const QTemporaryDir directory;
    Fixture fixture("sleep 0.5");
    fixture.controlFolder = directory.path().toStdString();
    fixture.sink.infoFailures = 2;
    std::string before = "?", after;
    fixture.run([&](Recording &, std::int64_t tick) { (tick == 1 ? before : after) = fixture.sink.address; });
    QVERIFY(fixture.recording->isListening());
    QCOMPARE(before, std::string());
    QVERIFY(!after.empty());
    QVERIFY(fixture.recording->finish());
    QVERIFY(!fixture.recording->isIncomplete());
}

void RecordingIntegrationTest::pausesAndResumesOverTheControlSocket()
{
    const QTemporaryDir directory;
    Fixture fixture("sleep 0.6");
    std::int64_t samplesBefore = 0;
    const auto ask = [](Recording &recording, capture::ControlCommand command) {
        return recording.handle({command, "warm"}).error;
    };
    fixture.run([&](Recording &recording, std::int64_t tick) {
        if (tick == 1) {
            QCOMPARE(ask(recording, capture::ControlCommand::Mark), std::string());
            QCOMPARE(ask(recording, capture::ControlCommand::Pause), std::string());
            QVERIFY(!ask(recording, capture::ControlCommand::Pause).empty());
            QVERIFY(fixture.asked.isPaused);
            samplesBefore = fixture.sink.samples();
        } else if (tick == 4) {
            QCOMPARE(fixture.sink.samples(), samplesBefore);
            QCOMPARE(ask(recording, capture::ControlCommand::Resume), std::string());
            QVERIFY(!ask(recording, capture::ControlCommand::Resume).empty());
        } else if (tick == 5) {
            QCOMPARE(ask(recording, capture::ControlCommand::Stop), std::string());
        }
    });
    QVERIFY(fixture.sink.samples() > samplesBefore);
    const std::vector<model::Gap> gaps = fixture.gaps();
    QCOMPARE(gaps.size(), std::size_t{1});
    QVERIFY(gaps[0].kind == GapKind::Paused);
    QVERIFY((fixture.sink.states == std::vector{model::SessionState::Paused, model::SessionState::Recording}));
    std::vector<std::string> marks;
    for (const model::EventBatch &batch : fixture.sink.batches)
        for (const model::Mark &mark : batch.marks)
            marks.push_back(mark.text);
    QCOMPARE(marks, std::vector<std::string>{"warm"});
    ::kill(fixture.target().pid(), SIGKILL);
}

void RecordingIntegrationTest::aScanThatCameToNothingIsNoSuccess()
{
    const QTemporaryDir directory;
    Fixture fixture("exec sleep 5");
    UnreadScans scans;
    fixture.scans = &scans;
    fixture.controlFolder = directory.path().toStdString();
    std::future<std::string> reply;
    fixture.run([&](Recording &recording, std::int64_t tick) {
        if (tick == 1)
            reply = std::async(std::launch::async, asked, fixture.sink.address, R"({"command":"scan"})");
        else if (reply.wait_for(std::chrono::seconds(0)) == std::future_status::ready || tick > 30)
            recording.handle({capture::ControlCommand::Stop, {}, {}});
    });
    fixture.recording.reset(); // closes the socket
    const std::string text = reply.get();
    QVERIFY2(text.find("\"ok\":false") != std::string::npos, text.c_str());
    QVERIFY2(text.find("The process has gone") != std::string::npos, text.c_str());
    ::kill(fixture.target().pid(), SIGKILL);
}

QTEST_GUILESS_MAIN(RecordingIntegrationTest)
#include "recording_integration_test.moc"

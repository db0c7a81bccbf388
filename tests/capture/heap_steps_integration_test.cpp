// SPDX-License-Identifier: GPL-3.0-or-later
// Changes of how a busy program's blocks are recorded: what is live stays known, within the error of the samples, and nothing is left behind.
#include "capture/heap/heap_instrument.h"
#include "model/heap/sample_weight.h"

#include <QProcess>
#include <QtTest>

#include <time.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>

using namespace capture;
using model::HeapMode;
using model::HeapWish;

namespace {

QString built(const char *path)
{
    return qEnvironmentVariable("GENESIS_BUILD_DIR") + QLatin1Char('/') + QLatin1String(path);
}

std::int64_t monotonicNs()
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

HeapWish sampled(std::int64_t periodBytes) { return {HeapMode::Sampled, periodBytes, 0}; }

/// What the program's own code holds, by its word or by the recorder's.
struct Held
{
    double blocks = 0, bytes = 0, blockVariance = 0, byteVariance = 0;
};

/// tests/targets/step_truth under a heap instrument.
class BusyProgram
{
public:
    explicit BusyProgram(const QStringList &arguments = {}, std::uint64_t samplePeriodBytes = 0)
    {
        auto made = HeapInstrument::create(
            m_processes, built(GENESIS_TRACER_PATH).toStdString(), m_origin, samplePeriodBytes);
        if (!made)
            qFatal("%s", made.error().text().c_str());
        m_instrument = std::move(*made);
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        for (const auto &[name, value] : m_instrument->environment(""))
            environment.insert(QString::fromStdString(name), QString::fromStdString(value));
        m_program.setProcessEnvironment(environment);
        m_program.start(built("tests/targets/step_truth"), arguments);
    }
    ~BusyProgram()
    {
        m_program.kill();
        m_program.waitForFinished();
    }

    HeapInstrument &instrument() { return *m_instrument; }
    std::int32_t pid() const { return static_cast<std::int32_t>(m_program.processId()); }
    const std::vector<model::HeapModeChange> &changes() const { return m_changes; }
    std::int64_t losses(model::LossKind kind) const
    {
        const auto found = m_losses.find(kind);
        return found == m_losses.end() ? 0 : found->second;
    }

    void tick()
    {
        model::EventBatch batch;
        m_instrument->collect({monotonicNs() - m_origin}, batch);
        for (const model::HeapDelta &row : batch.heap) {
            if (!isOwn(row.stack))
                continue;
            m_known.blocks += static_cast<double>(row.allocations - row.frees);
            m_known.bytes += static_cast<double>(row.allocatedBytes - row.freedBytes);
        }
        for (const model::HeapSamplingDelta &row : batch.heapSampling) {
            if (!isOwn(row.stack))
                continue;
            m_known.blockVariance += row.sampling.allocationVariance - row.sampling.freeVariance;
            m_known.byteVariance += row.sampling.allocatedVariance - row.sampling.freedVariance;
        }
        for (const model::HeapTick &row : batch.heapTicks)
            m_leastLive = std::min(m_leastLive, row.leastLiveBytes);
        for (const model::Loss &loss : batch.losses) {
            qInfo("%s: %lld %s", model::lossKey(loss.kind).data(), static_cast<long long>(loss.count),
                loss.detail.c_str());
            m_losses[loss.kind] += loss.count;
        }
        for (const model::HeapModeChange &change : batch.heapModes)
            qInfo("period %lld cause %d at %.3f s", static_cast<long long>(change.periodBytes),
                static_cast<int>(change.cause), change.when.seconds());
        m_changes.insert(m_changes.end(), batch.heapModes.begin(), batch.heapModes.end());
    }

    void runFor(int milliseconds)
    {
        for (const std::int64_t end = monotonicNs() + milliseconds * 1'000'000LL; monotonicNs() < end;) {
            tick();
            QTest::qWait(20);
        }
    }

    /// Runs until the program's own code is known to hold so many blocks; false if that takes too long.
    bool runUntilKnown(double blocks)
    {
        for (int i = 0; i < 200 && m_known.blocks < blocks; ++i)
            runFor(100);
        return m_known.blocks >= blocks;
    }

    /// Asks for a mode and waits until it is in force.
    bool change(const HeapWish &wish)
    {
        const std::size_t before = m_changes.size();
        const auto answer = m_instrument->setHeapMode(wish);
        if (!answer || !*answer)
            return false;
        for (int i = 0; i < 250 && m_changes.size() == before; ++i) {
            tick();
            QTest::qWait(20);
        }
        return m_changes.size() > before;
    }

    /// The program's word after an order; nothing if it gives none.
    std::optional<Held> order(const char *word)
    {
        m_program.write(word);
        m_program.write("\n");
        QByteArray line;
        while (!line.contains('\n') && m_program.waitForReadyRead(20'000))
            line += m_program.readAllStandardOutput();
        const QList<QByteArray> words = line.trimmed().split(' ');
        if (words.size() != 5)
            return std::nullopt;
        return Held{words[2].toDouble(), words[4].toDouble(), 0, 0};
    }

    /// What is known, once all that the program has written is read.
    Held known()
    {
        tick();
        tick();
        return m_known;
    }
    /// The program has freed all that it held: so it is known, to the last block, and nothing was lost on the way.
    void verifyNothingIsLeft()
    {
        const Held left = known();
        QCOMPARE(left.blocks, 0.0);
        QCOMPARE(left.bytes, 0.0);
        QVERIFY(m_leastLive >= 0);
        for (const auto &[kind, count] : m_losses)
            QVERIFY2(count == 0, model::lossKey(kind).data());
    }

private:
    /// Whether the program's own code called the allocator, not a library that it uses.
    bool isOwn(model::StackId stack) const
    {
        const model::ProgramTables &tables = m_tables.tables();
        if (model::isRoot(stack))
            return false;
        const model::Module &module
            = tables.modules[tables.frames[tables.stacks[stack.index()].frame.index()].module.index()];
        return tables.text(module.path).ends_with("/step_truth");
    }

    std::int64_t m_origin = monotonicNs();
    model::TableBuilder m_tables;
    model::ProcessTable m_processes{m_tables};
    std::unique_ptr<HeapInstrument> m_instrument;
    QProcess m_program;
    Held m_known;
    std::int64_t m_leastLive = 0;
    std::map<model::LossKind, std::int64_t> m_losses;
    std::vector<model::HeapModeChange> m_changes;
};

/// Whether an estimate is within five standard deviations of the truth: one of two million is not. `slack`: what can be there although no
/// sample stands for it.
bool isNear(double estimate, double truth, double variance, double slack)
{
    qInfo("known %.0f, truth %.0f, deviations %.2f", estimate, truth,
        variance > 0 ? (estimate - truth) / std::sqrt(variance) : estimate - truth);
    return std::abs(estimate - truth) <= 5 * std::sqrt(std::max(variance, 0.0)) + slack;
}

} // namespace

class HeapStepsIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void liveMemoryStaysKnownThroughEachStep()
    {
        BusyProgram program;
        QVERIFY(program.runUntilKnown(15'000));
        std::int64_t longest = 0;
        const auto check = [&](bool isExact) {
            const auto truth = program.order("hold");
            QVERIFY(truth.has_value());
            const Held known = program.known();
            QVERIFY(truth->blocks > 10'000);
            const auto slack = static_cast<double>(5 * longest);
            QVERIFY(isNear(known.blocks, truth->blocks, known.blockVariance, slack / 64));
            QVERIFY(isNear(known.bytes, truth->bytes, known.byteVariance, slack));
            if (isExact)
                QCOMPARE(known.byteVariance, 0.0);
            program.order("go");
        };
        check(true);
        for (const std::int64_t period : {8192, 65536, 0, 16384}) {
            QVERIFY(program.change(period != 0 ? sampled(period) : HeapWish{}));
            longest = std::max(longest, period);
            check(false);
            program.runFor(100);
            check(false);
            QCOMPARE(program.changes().back().periodBytes, std::max<std::int64_t>(period, 1));
        }
        // Whatever was kept or sampled is freed and told of, of millions of blocks.
        const auto end = program.order("end");
        QVERIFY(end.has_value());
        QCOMPARE(end->blocks, 0.0);
        program.verifyNothingIsLeft();
    }

    /// Steps as fast as they can be asked for: each takes up threads that have not heard of the one before.
    void stepsInQuickSuccessionLeaveNothingBehind()
    {
        BusyProgram program;
        program.runFor(100);
        for (int round = 0; round < 12; ++round)
            QVERIFY(program.change(round % 3 == 2 ? HeapWish{} : sampled(round % 3 == 0 ? 4096 : 32768)));
        QVERIFY(program.order("end").has_value());
        program.verifyNothingIsLeft();
    }

    void recordingThatBeganWithSamplesCanBecomeFull()
    {
        BusyProgram program({QStringLiteral("8")}, 32768);
        program.runFor(200);
        QVERIFY(program.change({}));
        const auto truth = program.order("hold");
        QVERIFY(truth.has_value());
        const Held known = program.known();
        QVERIFY(isNear(known.blocks, truth->blocks, known.blockVariance, 5 * 32768 / 64));
        QVERIFY(isNear(known.bytes, truth->bytes, known.byteVariance, 5 * 32768));
        program.order("go");
        QVERIFY(program.order("end").has_value());
        program.verifyNothingIsLeft();
    }

    void stepThatCannotBeIsRefusedWithAReason()
    {
        BusyProgram program({QStringLiteral("4")}, 512 * 1024);
        QVERIFY(program.runUntilKnown(1));
        const auto refusal = [&](const HeapWish &wish) {
            const auto answer = program.instrument().setHeapMode(wish);
            return answer && !*answer ? QString::fromStdString(answer->error().text()) : QString();
        };
        QVERIFY(refusal(sampled(64)).contains(QStringLiteral("use that one or a longer one, or full")));
        QVERIFY(refusal({HeapMode::Off, 0, 0}).contains(QStringLiteral("cannot be left out")));
        QCOMPARE(refusal(sampled(1024 * 1024)), QString());
    }

    /// What the resident memory is for adds up only if all that the tracer has mapped is known, whatever the number of threads.
    void tracerTellsOfTheMemoryOfEachThread()
    {
        constexpr int kThreads = 300;
        constexpr std::uint64_t kLeastBytes = 40 * 1024; // of a thread's state: its caches alone
        BusyProgram program({QString::number(kThreads)});
        std::uint64_t bytes = 0;
        // A busy machine takes its time to give each thread a ring.
        for (int wait = 0; wait < 50 && bytes <= kThreads * kLeastBytes; ++wait) {
            program.runFor(100);
            bytes = 0;
            for (const KnownMemory::Range &range : program.instrument().knownMemory(program.pid()).tracerRanges)
                bytes += range.end - range.begin;
        }
        QVERIFY(program.order("hold").has_value());
        program.tick();
        QVERIFY2(bytes > kThreads * kLeastBytes, qPrintable(QString::number(bytes)));
    }

    void autoStepsDownABusyProgramAndTellsWhy()
    {
        BusyProgram program;
        program.runFor(300);
        program.instrument().setHeapMode({HeapMode::Auto, 0, 1000});
        for (int i = 0; i < 200 && program.changes().size() < 2; ++i)
            program.runFor(50);
        QVERIFY(program.changes().size() >= 2);
        const model::HeapModeChange &step = program.changes()[1];
        QVERIFY(step.cause == model::HeapModeCause::Budget || step.cause == model::HeapModeCause::Waits);
        QCOMPARE(step.periodBytes, std::int64_t{64 * 1024});
        QVERIFY(step.liveBytesBefore > 0 && step.liveVariance > 0);
        QVERIFY(program.order("end").has_value());
        program.verifyNothingIsLeft();
    }
};

QTEST_GUILESS_MAIN(HeapStepsIntegrationTest)
#include "heap_steps_integration_test.moc"

// SPDX-License-Identifier: GPL-3.0-or-later
// Stamps of threads that take turns at being the only one that records.
#include "capture/tracer/sole_thread.h"
#include "capture/tracer/stamp_turns.h"

#include <QtTest>

#include <x86intrin.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>

using capture::tracer::SoleThread;
using capture::tracer::StampTurns;

namespace {

/// A thread that records as the hooks do, and hands a block over to another now and then.
class Recording
{
public:
    Recording(SoleThread &sole, std::uint64_t id)
        : m_sole(sole)
        , m_id(reinterpret_cast<const capture::tracer::ThreadState *>(id))
    {
    }

    /// The stamp of an event that happens now.
    std::uint64_t record()
    {
        ++m_events;
        const bool isSole = m_sole.is(m_id);
        if (!m_turns.hasOwn(isSole, kBeat))
            return m_last;
        if (!isSole && m_turns.asksToBeSole())
            m_sole.tryBecome(m_id);
        const std::uint64_t now = __rdtsc();
        m_sole.afterStamp(m_id);
        m_turns.noteStamp((now - m_last) >> 6);
        m_last = now;
        ++m_stamps;
        return now;
    }
    const capture::tracer::ThreadState *id() const { return m_id; }
    std::int64_t events() const { return m_events; }
    std::int64_t stamps() const { return m_stamps; }

private:
    static constexpr std::uint64_t kBeat = 2; ///< nothing but another thread ends a turn early
    SoleThread &m_sole;
    const capture::tracer::ThreadState *m_id; ///< never looked into
    StampTurns m_turns;
    std::uint64_t m_last = 0;
    std::int64_t m_events = 0, m_stamps = 0;
};

/// A little longer than nothing.
void workOn(std::uint64_t ticks)
{
    for (const std::uint64_t begin = __rdtsc(); __rdtsc() - begin < ticks;)
        ;
}

} // namespace

class SoleThreadTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void endsWithTheEventOfAnother()
    {
        SoleThread sole;
        Recording first(sole, 64), second(sole, 128);
        sole.set(first.id());
        for (int i = 0; i < 80; ++i)
            first.record();
        QVERIFY(first.stamps() < 20);
        const std::uint64_t other = second.record();
        QVERIFY(!sole.is(first.id()) && !sole.is(second.id()));
        QVERIFY(first.record() >= other);
        for (std::uint32_t i = 0; i <= StampTurns::kLeastPatience; ++i)
            first.record();
        QVERIFY(sole.is(first.id()));
    }

    /// What a thread does with a block that another handed over is not stamped as before that other's event.
    void stampsFollowWhatIsHandedOver()
    {
        constexpr int kRounds = 200, kThreads = 3;
        constexpr std::int64_t kSkewTicks = 64 * 64; // UnsettledBlocks::kSkewUnits
        SoleThread sole;
        std::atomic<int> turn = 0;
        std::atomic<std::uint64_t> handedOver = 0; ///< stamp of the last event before
        std::array<std::int64_t, kThreads> worst{}, events{}, stamps{};
        const auto work = [&](int self) {
            Recording recording(sole, static_cast<std::uint64_t>(self + 1) * 64);
            if (self == 0)
                sole.set(recording.id());
            for (int round = 0; round < kRounds; ++round) {
                while (turn.load(std::memory_order_acquire) != self)
                    std::this_thread::yield();
                const std::uint64_t before = handedOver.load(std::memory_order_relaxed);
                // One of them does more than the others.
                std::uint64_t last = 0;
                for (int event = 0; event < (self == 0 ? 2000 : 1 + round % 3); ++event) {
                    last = recording.record();
                    if (event == 0 && before > last)
                        worst[self] = std::max(worst[self], static_cast<std::int64_t>(before - last));
                }
                workOn(kSkewTicks);
                last = std::max(last, recording.record());
                handedOver.store(last, std::memory_order_relaxed);
                turn.store((self + 1) % kThreads, std::memory_order_release);
            }
            events[self] = recording.events();
            stamps[self] = recording.stamps();
        };
        std::array<std::thread, kThreads> threads;
        for (int self = 0; self < kThreads; ++self)
            threads[self] = std::thread(work, self);
        for (std::thread &thread : threads)
            thread.join();
        for (int self = 0; self < kThreads; ++self)
            QVERIFY2(worst[self] <= kSkewTicks, qPrintable(QString::number(worst[self])));
        QVERIFY2(stamps[0] < events[0] / 2, "it never was the sole one for long");
    }
};

QTEST_APPLESS_MAIN(SoleThreadTest)
#include "sole_thread_test.moc"

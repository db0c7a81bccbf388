// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/heap/event_decoder.h"
#include "capture/heap/event_pairing.h"
#include "capture/heap/event_window.h"
#include "capture/heap/image_memory.h"
#include "capture/heap/program_events.h"
#include "capture/heap/recorder_clock.h"
#include "model/event_batch.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace capture {

/// What stands for a reason that no tracer writes.
inline constexpr wire::Retreat kDamagedRetreat{~std::uint32_t{0}};

/// A thread of a target as its ring names it.
struct RingThread
{
    std::int32_t tid = 0;
    std::string name;
    std::int64_t notBeforeNs = 0; ///< it did not have its ring yet when rings were looked at then
    std::int64_t firstSeenNs = 0; ///< it had it by then, and may have ended since
};

/// What an image's target could not record, as its counters stand.
struct TargetLosses
{
    std::uint64_t droppedRing = 0;   ///< events that found their thread's ring full for too long
    std::uint64_t droppedNoRing = 0; ///< events of threads that got no ring
    std::uint64_t reentered = 0;
    std::uint64_t nodesRefused = 0;
    std::uint64_t modulesRefused = 0;
    std::uint64_t samplesRefused = 0;
    std::uint64_t poolsRefused = 0; ///< events of pools beyond the number that a connection can tell apart
};

/// A change of how an image's blocks are recorded, once it is complete.
struct SamplingStep
{
    std::int64_t timeNs = 0;
    std::uint64_t periodBefore = 0; ///< bytes; 0: every event
    std::uint64_t periodAfter = 0;
    model::HeapModeCause cause = model::HeapModeCause::User;
    model::HeapLevel liveBefore; ///< as it was known
    model::HeapLevel liveAfter;  ///< as it is estimated from here on
    double liveVariance = 0;     ///< that thinning brought; bytes²
};

/// The rings of one program image and what their events add up to. Merges the rings in the order of their time stamps, which makes the
/// peak exact, and lets EventPairing decide where stamps alone cannot. Used by the drain thread under the
/// instrument's lock.
class ImageChannel
{
public:
    /// `pid`: the target as this process sees it. `sharesPids`: the target sees the same numbers.
    /// `ageBucket`: see model::HeapLedger.
    ImageChannel(std::unique_ptr<ImageMemory> memory, std::int32_t pid, bool sharesPids,
        model::Duration ageBucket = model::kFirstAgeBucket);

    /// Applies what the target has written up to now, but for events that wait for another ring; returns the number of events. `isFinal`: the
    /// image is gone, nothing more will come: every record is used up and unfinished reallocs are closed.
    std::uint64_t drain(const RecorderClock &clock, bool isFinal);
    /// Nothing is drained for a while now: see Header::heartbeat.
    void rest();

    /// When the last event was, in clock units; 0: there was none.
    std::uint64_t lastEvent() const;

    /// Provides what the target asked for or will soon need: slots, larger rings, pages for nodes. `mayScan`: also look for
    /// threads that have ended, which reads /proc.
    void provide(bool mayScan, const RecorderClock &clock);

    /// Whether the target waits for something, or has written so much that it will not ring again.
    bool hasMuchToRead() const;
    /// Whether something that was read waits for what another ring has yet to tell.
    bool isAnyOpen() const { return isAnyStalled() || !m_pairing.isSettled(); }
    /// The largest share of a ring that a look at it found filled since the last call, in [0, 1].
    double takeFullest() { return std::exchange(m_fullest, 0); }

    /// Why blocks cannot be recorded with this period from now on, as a sentence; empty if they can. 0: every event.
    std::string obstacleTo(std::uint64_t samplePeriodBytes);
    /// Has the target record so. From every event to samples that takes a moment: advanceStep() completes it.
    void recordBy(std::uint64_t samplePeriodBytes, model::HeapModeCause cause, const RecorderClock &clock);
    /// After each drain: goes on with a step that is under way.
    void advanceStep(const RecorderClock &clock);
    std::uint64_t samplePeriodBytes() const { return m_step ? m_step->periodAfter : m_pairing.samplePeriodBytes(); }
    /// Steps that were completed since the last call.
    std::vector<SamplingStep> takeSteps();
    /// Whether a step is under way: some threads record as before it, some as after it.
    bool isInStep() const { return m_step.has_value(); }
    /// What happened since the last call.
    struct Traffic
    {
        std::uint64_t events = 0;      ///< applied
        std::uint64_t waits = 0;       ///< times at which a thread waited for room in its ring
        std::uint64_t timedEvents = 0; ///< events of which the target measured what recording them cost it
        double timedNs = 0;            ///< and what, together
    };
    Traffic takeTraffic(const RecorderClock &clock);

    /// Stops the target's recording; it goes dormant at its next event.
    void stop();

    /// The target had blocks before it was recorded, of which frees will come.
    void expectEarlierBlocks() { m_hasEarlierBlocks = true; }

    /// Whether all that the target has written is in the books, and no thread is within a realloc, whose block is in none of them.
    bool isSettled() const;

    EventPairing &pairing() { return m_pairing; }
    ProgramEvents &program() { return m_program; }
    /// An address near the top of each thread's stack, of the threads that have rings.
    std::vector<std::uint64_t> stackTops() const;
    ImageMemory &memory() { return *m_memory; }
    std::int32_t pid() const { return m_pid; }

    /// Answers to scopes that have ended, since the last call; after a drain.
    std::vector<ScopeAnswer> takeScopeAnswers();
    /// The number of the question at the program's end, once, when all before it is in the books; 0: it was not asked.
    std::uint32_t takeExitQuestion();

    /// Threads that took a ring since the last call.
    std::vector<RingThread> takeNewThreads();
    /// What the target's counters add up to. One that falls, or grows by more than can be, is damaged: that counts as a bad record, and adds nothing.
    TargetLosses losses();
    /// Why the target records no more, of its own accord.
    wire::Retreat retreat() const;
    /// Records that made no sense, since the last call.
    std::uint64_t takeBadRecords();

private:
    /// So many records are looked at, and their memory asked for, before they are applied.
    static constexpr std::uint64_t kLeastAhead = 12, kMostAhead = 32;
    struct Ring
    {
        EventDecoder decoder;
        HeapEvent current; ///< decoded and not applied; type None: there is none
        ThreadHistory thread;
        std::uint32_t slot = 0;
        std::int32_t tid = 0;
        std::uint32_t serial = 0;
        std::uint64_t turn = 0; ///< when `current` is due in a pass, in clock units
        bool isTaken = false;   ///< a thread writes into it
        bool isStalled = false; ///< current waits for another ring
        bool isLast = false;    ///< current has its turn after the other events of the same moment
        std::uint64_t stalledInPass = 0;
        bool hasPaused
            = false; ///< since the last order its thread was seen not to be in an event: it takes the order up before the next
        std::uint64_t headAtPause = 0;         ///< what was written until then
        std::uint64_t headAtWait = UINT64_MAX; ///< what was written when its thread was last seen to wait for room
        std::uint32_t missingScans = 0;
        bool wantsLarger = false;
        std::array<wire::Record, kMostAhead>
            ahead;                     ///< copies of the records that come next, by position modulo kMostAhead
        std::uint64_t aheadEnd = 0;    ///< position of the first that is not copied
        std::uint64_t aheadUsable = 0; ///< see lookAhead()
    };
    /// An event that takes more than an entry of a window.
    struct Aside
    {
        HeapEvent event;
        Ring *ring = nullptr;
    };

    void findNewOwners(const RecorderClock &clock);
    /// `begin`: clock units before threads were last looked for.
    std::uint64_t pass(const RecorderClock &clock, std::uint64_t begin, bool isFinal);
    std::uint64_t merge(const RecorderClock &clock, std::uint64_t horizon);
    std::uint64_t runAlone(Ring &ring, const RecorderClock &clock, std::uint64_t lastUnits);
    void collect(Ring &ring);
    std::uint64_t addCurrent(Ring &ring);
    void applyWindow(const RecorderClock &clock);
    void applyUnusual(const EventWindow::Entry &entry, const RecorderClock &clock);
    std::uint64_t runStrictly(const RecorderClock &clock, bool isFinal, std::uint64_t horizon);
    std::uint64_t runQueue(const RecorderClock &clock, std::uint64_t horizon);
    std::uint64_t run(Ring &ring, const RecorderClock &clock, std::uint64_t limitUnits);
    std::uint64_t runPlainly(Ring &ring, const RecorderClock &clock, std::uint64_t limitUnits);
    bool lookAhead(Ring &ring);
    static void decodeNext(Ring &ring);
    void enqueue(Ring &ring);
    bool acceptOldest(const RecorderClock &clock, bool isFinal);
    void takeQuestion(const HeapEvent &event, Ring &ring);
    bool apply(const HeapEvent &event, Ring &ring, const RecorderClock &clock, EventPairing::Missing missing);
    bool applyCurrent(Ring &ring, const RecorderClock &clock, EventPairing::Missing missing);
    bool isInStrictOrder() const;
    bool needsNoCounterpart(const Ring &ring) const;
    void beat();
    void giveRoom(std::uint64_t applied);
    std::uint64_t expectedSamples(std::uint64_t samplePeriodBytes);
    void requireOrderedStamps();
    bool isEarlierOrderRead(const RecorderClock &clock);
    void thinAndGoOn(std::int64_t nowNs, std::uint64_t units);
    bool isAnyStalled() const;
    bool isAllApplied() const;
    /// Of all rings, or of those of which 1/`share` or more was read since the last time.
    void publishTails(std::uint64_t share = 0);
    std::uint32_t freeSlots() const;
    void offerLargerRings();
    void releaseEndedThreads();
    void release(Ring &ring);

    std::unique_ptr<ImageMemory> m_memory;
    std::int32_t m_pid;
    bool m_sharesPids;
    EventPairing m_pairing;
    ProgramEvents m_program;
    std::vector<std::unique_ptr<Ring>> m_rings; ///< by slot
    std::vector<Ring *> m_active;               ///< those a thread writes into
    std::vector<Ring *> m_queue;                ///< those that have something to apply, while a pass runs
    EventWindow m_window;                       ///< the part of them that is in work
    std::vector<Aside> m_aside;                 ///< of the window
    std::vector<Ring *> m_waiting;              ///< those whose event still waits after its second try
    std::uint32_t m_exitQuestion = 0;
    std::uint64_t m_pass = 0;
    std::uint64_t m_sinceTails = 0; ///< events applied since giveRoom() published some
    double m_fullest = 0;
    std::uint32_t m_slotsAhead
        = 2; ///< free rings that are kept for threads to come, at least; what was needed once may be again
    std::uint32_t m_stalledRings = 0;
    bool m_hasEarlierBlocks = false; ///< there were blocks before recording began
    std::vector<RingThread> m_newThreads;
    std::int64_t m_lastLookNs = 0; ///< when owners of rings were looked for last
    std::uint64_t m_badRecords = 0;
    /// A counter of the target: as it was read last, and what could be believed of its growth.
    struct FollowedCount
    {
        std::uint64_t seen = 0, sum = 0;
    };
    struct
    {
        FollowedCount droppedRing, droppedNoRing, reentered, nodesRefused, modulesRefused, samplesRefused, poolsRefused;
    } m_losses;                         ///< of TargetLosses
    std::uint64_t m_lastOfEnded = 0;    ///< last event of threads that have ended
    std::optional<SamplingStep> m_step; ///< under way; timeNs: when it was begun
    std::vector<SamplingStep> m_steps;
    Traffic m_traffic;
    std::uint64_t m_seenTimedEvents = 0, m_seenTimedUnits = 0; ///< of the target's counters
};

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"
#include "capture/heap/drain_pace.h"
#include "capture/heap/heap_attachment.h"
#include "capture/heap/heap_budget.h"
#include "capture/heap/heartbeat.h"
#include "capture/heap/image_channel.h"
#include "capture/heap/known_memory.h"
#include "capture/heap/late_attach.h"
#include "capture/heap/past_mappings.h"
#include "capture/heap/phase_keeper.h"
#include "capture/heap/rendezvous_server.h"
#include "capture/heap/scope_answers.h"
#include "capture/heap/stack_resolver.h"
#include "capture/instrument.h"
#include "capture/proc/process_tree.h"
#include "capture/scan/memory_scanner.h"
#include "capture/scan/scan_room.h"
#include "capture/scan/scan_source.h"
#include "model/tables/process_table.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace capture {

/// What loading the tracer into a tree of running processes came to.
struct TreeInjection
{
    InjectionReport sum; ///< of all: what was counted of each
    std::vector<LeftOutProcess> leftOut;
};

/// Heap tracing of a launched tree: gives each program image its rings, pairs what comes through them, and hands the
/// sums over at each tick.
///
/// Rings must be read while the capture thread waits for a disk, so they are drained by a thread of their own ("heap-drain");
/// one mutex guards the images between it, the rendezvous and `collect`. Tables are touched by the capture thread only.
class HeapInstrument final : public Instrument, public ScanSource
{
public:
    /// `tracerPath`: libgenesis_heaptracer.so. `originNs`: CLOCK_MONOTONIC at moment 0 of the recording. `processes` must
    /// outlive it. `samplePeriodBytes`: 0 records every event; else one of so many bytes is sampled, and counts are estimates.
    /// `socketFolder`: as RendezvousServer::start() takes it.
    static model::Result<std::unique_ptr<HeapInstrument>> create(model::ProcessTable &processes,
        const std::string &tracerPath, std::int64_t originNs, std::uint64_t samplePeriodBytes = 0,
        const std::string &socketFolder = {});
    /// Tells every traced process that nobody listens any more; they run on as if alone.
    ~HeapInstrument() override;

    /// Variables that the launched program must be started with, in place of those it would inherit: LD_PRELOAD (the
    /// tracer before `inheritedPreload`, which may be empty) and the address of this recorder.
    std::vector<std::pair<std::string, std::string>> environment(const std::string &inheritedPreload) const;

    /// Loads the tracer into a process that runs already. Before the first collect(); on failure the process is as before.
    model::Result<InjectionReport> attach(std::int32_t pid, const StepHandler &onStep);
    /// After attach(): the same for all that descends from that process now. One that cannot be traced runs on untraced; that is stored with
    /// it, and does not fail the rest.
    TreeInjection attachDescendants(std::int32_t pid, const StepHandler &onStep);
    /// Instead of attach(): why the process is not attached to, which is then stored with it.
    void setAttachFailure(const std::string &sentence)
    {
        m_attachFailure = sentence;
        m_isLaunched = false;
    }
    /// How long the first buckets of histories of ages are. Before anything is traced.
    void setAgeBucket(model::Duration bucket) { m_ageBucket = bucket; }
    /// Lets no thread of a target wait for room in its ring. Before it runs, or is attached to.
    void letNobodyWait() { m_server->letNobodyWait(); }
    /// Traces the images of this process alone: the children that it starts go dormant at their first event. Before it runs.
    void ignoreChildrenOf(std::int32_t pid);

    /// Nobody else tells exactly when processes end: the last event of one that is seen to be gone soon after it is taken for its end. Before
    /// anything is traced.
    void tellEnds() { m_tellsEnds = true; }

    /// Has programs that end by exit(3) wait until they are looked through for lost memory. Before anything is traced.
    void scanAtExit() { m_scansAtExit = true; }

    /// Begins with every event, and keeps what recording costs below this share of a core; see HeapBudget. Before anything is traced.
    void setBudget(std::int64_t milliPercent) { m_budget = milliPercent; }

    /// What is known about the memory of a process; what no tracer tells of is not. Capture thread.
    KnownMemory knownMemory(std::int32_t pid);

    /// The results come with collect(), when they are there.
    ScanStart beginScan(const ScanParameters &parameters) override;
    bool hasEnds() const override { return m_hasEnds; }
    ScanStart scanEnds() override;
    bool hasUnread() const override { return m_scanner && m_scanner->hasUnread(); }
    ScanStart scanAgain() override;
    bool isScanning() const override { return m_scanner && m_scanner->isBusy(); }
    bool hasScans() const override { return m_scanner && m_scanner->hasResults(); }
    void waitForScans(std::chrono::milliseconds limit) override;

    std::vector<int> descriptors() const override;
    int drainIntervalMs() const override { return 0; }
    bool drain(model::Timestamp now) override;
    void collect(model::Timestamp now, model::EventBatch &batch) override;
    void conclude(model::EventBatch &batch) override { settleUntraced(std::nullopt, batch); }
    void setPaused(bool paused) override;
    std::optional<model::Result<void>> setHeapMode(const model::HeapWish &wish) override;

private:
    /// An arrival, with what had to be done at once.
    struct Newcomer
    {
        Arrival arrival;
        FileDescriptor process; ///< pidfd
        Heartbeat::Place heart; ///< of its memory, if it has some
        bool isOver = false;    ///< the process was gone already
    };
    struct Failure
    {
        std::uint64_t arrival; ///< its number
        std::string reason;
    };
    struct GivenUp
    {
        std::int32_t pid;
    };
    /// What the rendezvous tells of: it must not wait for the images, which are busy while a process is looked through.
    using Message = std::variant<Newcomer, Failure, GivenUp>;

    /// One traced program image.
    struct Image
    {
        Image(Newcomer newcomer, model::Duration ageBucket);

        /// Whether `mappings`, as copyMappings() gave them, are all that the program has mapped.
        bool knowsAllOf(const model::MappedRanges &mappings) const
        {
            return knowsMappings && mappings.ranges().size() < ProgramEvents::kMostCopied;
        }

        // Guarded by the mutex.
        ImageChannel channel;
        std::optional<HeapBudget> budget;   ///< none: it stays as it is
        std::uint64_t seenLost = 0;         ///< when its cost was judged last
        std::uint64_t firstPeriod = 0;      ///< that it began with; bytes, 0: every event
        bool hasEnded = false;              ///< and everything it wrote has been applied
        std::optional<std::int64_t> goneNs; ///< its process ended with it: when, as far as is known
        std::uint32_t exitQuestion = 0;     ///< it waits to be looked through before it ends; 0: it does not
        bool knowsMappings = false;         ///< all that the program has mapped is known
        bool isFrozen = false;              ///< its books must stay as they are
        bool isOver = false;                ///< its process was gone when it arrived
        std::string failure;                ///< why it is not traced after all
        bool isRetreatStored = false;
        // Of the capture thread, or fixed.
        StackResolver resolver;
        Arrival arrival; ///< without its memory
        FileDescriptor process;
        Heartbeat::Place heart;
        model::ImageId id; ///< invalid until registered
        TargetLosses seenLosses;
        // What each node, and each stack, holds of the peak: a stack may have more than one node.
        std::unordered_map<std::uint32_t, model::HeapLevel> peakOfNode;
        std::unordered_map<std::uint32_t, model::HeapLevel> peakOfStack;
        bool isFailureStored = false;
        bool isModeStored = false;
        std::int64_t lastLossUs = -1;               ///< when events were last seen to be lost; -1: never
        std::vector<std::string> inOtherNamespaces; ///< libraries that may call past the tracer
        std::vector<std::string> boundElsewhere;    ///< likewise, for another reason
        std::string unseen;                         ///< what is said of both, the last part of the image's note
    };
    /// What collect() takes out of an image under the lock.
    struct Harvest;

    HeapInstrument(model::ProcessTable &processes, std::string tracerPath, std::int64_t originNs);

    void imageArrived(Arrival arrival);
    void tell(Message message);
    bool hasMessages();
    void takeMessages();
    bool take(Message &message);
    void endImagesOf(std::int32_t pid, std::int64_t nextNs);
    void adopt(Newcomer newcomer);
    void inheritMappings(Image &image);

    void drainUntilStopped(const std::stop_token &stop);
    struct Look
    {
        std::uint64_t events;
        double fullest; ///< see ImageChannel::takeFullest(), of all
    };
    Look drainAll(bool mayScan);
    void rest(DrainPace::Rest time);
    void drainOne(Image &image, bool mayScan, bool mayHaveEnded);
    void noteGone(Image &image, std::int64_t latestNs) const;
    static bool hasExited(const Image &image);
    void answerScopes(Image &image);
    void deliver(const ScopeAnswers::Job &job, const std::string &text);
    /// False: there is something to do at once.
    bool sleepAtDoorbells(std::chrono::microseconds time);

    Harvest harvest(Image &image, model::Timestamp now);
    void judge(std::int64_t nowNs);
    void addModes(Image &image, const std::vector<SamplingStep> &steps, model::EventBatch &batch);
    void waitForOutcomes(std::vector<std::pair<Image *, Harvest>> &harvests);
    void allowUserOf(std::int32_t pid);
    bool isTraced(std::int32_t pid, std::int64_t sinceNs);
    std::string attachDescendant(
        std::int32_t pid, std::int64_t sinceNs, const StepHandler &onStep, InjectionReport &sum);
    std::string attachFailureOf(const model::Process &process, std::uint32_t epoch) const;
    std::string attachNote(const Arrival &arrival) const;
    model::ImageId idOf(const Arrival &arrival);
    void registerImage(Image &image);
    void storeRefused(model::EventBatch &batch);
    /// What a program has of its own beside malloc, by its file; read once.
    const std::string &allocatorNote(const std::string &executable);
    void nameThreads(const Image &image, const std::vector<RingThread> &threads);
    void storeRetreat(Image &image, wire::Retreat retreat, model::Timestamp now, model::EventBatch &batch);
    void endProcessOf(const Image &image, std::int64_t whenNs);
    void storeFailure(Image &image, const std::string &failure, model::EventBatch &batch);
    void tellScansGivenUp(const Image &image);
    void addRows(Image &image, const Harvest &harvest, model::EventBatch &batch);
    void addAges(Image &image, Harvest &harvest, model::EventBatch &batch);
    void addProgram(Image &image, const ProgramHarvest &harvest, bool hasEnded, model::EventBatch &batch);
    void addNote(Image &image, const ProgramNote &note, model::EventBatch &batch);
    void addUnseen(Image &image, const ProgramNote &note);
    void sayOfHeap(const Image &image, const std::string &text);
    void addAreas(Image &image, const ProgramHarvest &harvest, model::EventBatch &batch);
    const std::string &poolName(const std::string &name);
    void endPhasesOf(const Image &image);
    void addLosses(Image &image, const Harvest &harvest, model::EventBatch &batch);
    void noteLosses(Image &image, const Harvest &harvest);
    void tellWhoGaveUp(model::EventBatch &batch);
    /// `now`: empty after the last tick.
    void settleUntraced(std::optional<model::Timestamp> now, model::EventBatch &batch);
    void settleOne(std::size_t index, bool isLast, model::EventBatch &batch);
    void lookForAbsence(std::size_t image, bool isForked, std::int32_t pid);
    void settle(model::ImageId id, bool isForked, model::EventBatch &batch);
    bool isStill(const model::Process &process) const;
    void attachLate(std::size_t index, model::Timestamp now);
    void endReplaced();
    void takeLateAnswers(model::EventBatch &batch);
    void refuse(std::size_t index, const std::string &why, model::EventBatch &batch);
    LateAttach::Answer includeLate(std::int32_t pid);
    void takeExitQuestion(Image &image);
    model::Result<void> scanImage(Image &image, const ScanParameters &parameters);
    struct ScanWay;
    model::Result<ScanWay> chooseScanWay(Image &image, ScanJob &job);
    model::Result<bool> tryScan(Image &image, ScanJob &job, int tries);
    void hideHelpers(const CopyRequest &request, std::int32_t snapshot, model::Timestamp begin);
    void takeCopy(ProcessCopy copy, bool isSettled, ScanJob &job) const;
    model::Result<void> expect(
        Image &image, const std::vector<MemoryMapping> &mappings, SegmentFilter *filter, ScanExtent &expected);
    void takeScans(model::EventBatch &batch);
    bool freeze(Image &image);
    void thaw(Image &image);
    void describeProof(Image &image, ScanJob &job);
    void nameNodes(Image &image, ScanJob &job);

    model::ProcessTable &m_processes;
    std::string m_tracerPath;
    std::int64_t m_originNs;
    model::Duration m_ageBucket = model::kFirstAgeBucket;
    std::vector<bool> m_isSettled; ///< by ImageId: nothing is left to say about its heap state
    std::unordered_map<std::uint32_t, std::string> m_absences; ///< by ImageId: what was seen to keep its tracer away
    std::unordered_set<std::uint32_t> m_askedLate; ///< by ImageId: of those that wait, whom to attach to was asked
    PhaseKeeper m_phases;
    std::int64_t m_markCount = 0; ///< of the program's own, kept or not
    std::int64_t m_leftOut = 0;   ///< marks and phases that were too many and are to be told of
    std::map<std::string, std::string> m_allocatorNotes;
    std::set<std::string> m_poolNames;
    std::int64_t m_unnamedPools = 0; ///< looks at pools that got no name of their own, to be told of

    Heartbeat m_heartbeat;
    std::mutex m_inboxMutex; ///< guards m_inbox; nothing is waited for while it is held
    std::vector<Message> m_inbox;

    std::mutex
        m_mutex; ///< guards m_clock, m_images, m_past, m_drainedEvents, m_fullestRing, m_budget, m_refused and what Image says
    RecorderClock m_clock;
    std::vector<std::unique_ptr<Image>> m_images; ///< only the capture thread removes
    std::vector<std::unique_ptr<Image>> m_done;   ///< removed; the drain thread may still look at them, and frees them
    PastMappings m_past;                          ///< of those that were removed
    std::uint64_t m_drainedEvents = 0;
    double m_fullestRing = 0;             ///< since the last look at all images
    std::optional<std::int64_t> m_budget; ///< of images, in thousandths of a percent of a core
    std::int64_t m_judgedNs = 0;          ///< when costs were judged last, and the CPU time of the drain thread then
    std::int64_t m_judgedCpuNs = 0;
    std::atomic<bool> m_isPaused = false;
    std::atomic<std::uint32_t> m_control = 0; ///< futex word that wakes the drain thread
    std::unique_ptr<RendezvousServer> m_server;
    std::atomic<bool> m_isLaunched = true;
    std::int32_t m_onlyPid = 0;                   ///< its children are ignored; 0: they are not
    std::unique_ptr<HeapAttachment> m_attachment; ///< null: nothing was attached to. Set under the mutex
    std::unique_ptr<LateAttach> m_late;           ///< made for the first that it is asked for
    std::multiset<std::int32_t> m_gaveUp;         ///< guarded by the mutex: pids of images that waited in vain
    std::vector<Arrival> m_refused;               ///< images for which no memory could be made, to be told of
    std::string m_attachFailure;                  ///< why it is not attached to, although it was not launched
    std::vector<LeftOutProcess> m_unattached;     ///< descendants that ran and could not be attached to
    // Set while the threads run already, before anything is traced.
    std::atomic<bool> m_tellsEnds = false;
    std::atomic<bool> m_scansAtExit = false;
    std::atomic<bool> m_hasEnds = false;          ///< an image has an exit question
    FileDescriptor m_endEvent;                    ///< readable then
    std::unique_ptr<ScopeAnswers> m_scopeAnswers; ///< made for the first one that needs words; guarded by the mutex
    std::jthread m_drainThread;
    std::unique_ptr<MemoryScanner> m_scanner; ///< made for the first scan
    std::uint32_t m_scanCount = 0;
};

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/heap_instrument.h"

#include "capture/heap/doorbell_wait.h"
#include "capture/heap/precedence.h"
#include "capture/target/open_files_limit.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace capture {

namespace {

/// Drained more than this in a round: do not go to sleep for long.
constexpr std::uint64_t kBusyEvents = 256;
constexpr unsigned kAwakeMs
    = 2; ///< between looks where events come; who sleeps for longer rests, see Header::heartbeat
constexpr unsigned kLongestSleepMs = 100; ///< also how often an idle target sees the heartbeat
constexpr std::chrono::milliseconds kBetweenScans{
    16}; ///< for threads and processes that have ended, while others are busy

} // namespace

HeapInstrument::Image::Image(Newcomer newcomer, model::Duration ageBucket)
    : channel(std::move(newcomer.arrival.memory), newcomer.arrival.pid, newcomer.arrival.sharesPids, ageBucket)
    , firstPeriod(channel.samplePeriodBytes())
    , isOver(newcomer.isOver)
    , resolver(channel.memory().view(), newcomer.arrival.names, newcomer.arrival.pid)
    , arrival(std::move(newcomer.arrival))
    , process(std::move(newcomer.process))
    , heart(std::move(newcomer.heart))
{
    if (arrival.origin != wire::Origin::Exec)
        channel.expectEarlierBlocks();
}

model::Result<std::unique_ptr<HeapInstrument>> HeapInstrument::create(model::ProcessTable &processes,
    const std::string &tracerPath, std::int64_t originNs, std::uint64_t samplePeriodBytes,
    const std::string &socketFolder)
{
    if (::access(tracerPath.c_str(), R_OK) != 0)
        return model::systemError("cannot read the tracer " + tracerPath, errno, "the installation is not complete");
    if (tracerPath.find_first_of(": \t\n") != std::string::npos)
        return model::Error("cannot preload the tracer " + tracerPath
            + ": the loader takes spaces and colons for separators; install to a path without them");
    raiseOpenFilesLimit();
    std::unique_ptr<HeapInstrument> instrument(new HeapInstrument(processes, tracerPath, originNs));
    HeapInstrument *raw = instrument.get();
    auto server = RendezvousServer::start(instrument->m_clock.kind(), samplePeriodBytes,
        {[raw](Arrival arrival) { raw->imageArrived(std::move(arrival)); },
            [raw](std::uint64_t arrival, const std::string &reason) {
                raw->tell(Failure{arrival, reason});
            },
            [raw](std::int32_t pid) { raw->tell(GivenUp{pid}); }},
        socketFolder);
    if (!server)
        return server.error();
    instrument->m_server = std::move(*server);
    instrument->m_drainThread = std::jthread([raw](const std::stop_token &stop) {
        ::pthread_setname_np(::pthread_self(), "heap-drain");
        const Precedence precedence;
        raw->drainUntilStopped(stop);
    });
    return instrument;
}

HeapInstrument::HeapInstrument(model::ProcessTable &processes, std::string tracerPath, std::int64_t originNs)
    : m_processes(processes)
    , m_tracerPath(std::move(tracerPath))
    , m_originNs(originNs)
    , m_clock(originNs)
    , m_endEvent(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{
}

HeapInstrument::~HeapInstrument()
{
    m_late.reset(); // who is being attached to must meet us
    m_server.reset();
    {
        const std::lock_guard lock(m_mutex);
        takeMessages();
    }
    m_attachment.reset(); // while rings are still read: no thread of the target has to wait
    m_drainThread.request_stop();
    wakeSleeper(m_control);
    if (m_drainThread.joinable())
        m_drainThread.join();
    m_scopeAnswers.reset(); // it looks for images
    for (const auto &image : m_images)
        image->channel.stop();
}

std::vector<std::pair<std::string, std::string>> HeapInstrument::environment(const std::string &inheritedPreload) const
{
    return {{"LD_PRELOAD", inheritedPreload.empty() ? m_tracerPath : m_tracerPath + ":" + inheritedPreload},
        {wire::kRendezvousVariable, m_server->address() + ":" + std::string(wire::kRestrictionDigits, '0')}};
}

model::Result<InjectionReport> HeapInstrument::attach(std::int32_t pid, const StepHandler &onStep)
{
    m_isLaunched = false;
    allowUserOf(pid);
    auto attachment
        = std::make_unique<HeapAttachment>(m_server->address(), TracerInjector::Options{m_tracerPath, onStep});
    auto report = attachment->include(pid, onStep);
    if (!report) {
        m_attachFailure = report.error().text();
        return report;
    }
    const std::lock_guard lock(m_mutex);
    m_attachment = std::move(attachment);
    return report;
}

void HeapInstrument::drainUntilStopped(const std::stop_token &stop)
{
    unsigned sleepMs = 1;
    DrainPace pace;
    std::chrono::steady_clock::time_point nextScan;
    while (!stop.stop_requested()) {
        const auto now = std::chrono::steady_clock::now();
        const bool mayScan = sleepMs > 1 || now >= nextScan;
        if (mayScan)
            nextScan = now + kBetweenScans;
        const Look look = drainAll(mayScan);
        if (look.events > kBusyEvents) {
            sleepMs = 1;
            rest(pace.after(look.fullest));
            continue;
        }
        sleepMs = look.events > 0 ? kAwakeMs : std::min(sleepMs * 2, kLongestSleepMs);
        if (!sleepAtDoorbells(std::chrono::milliseconds(sleepMs)) && look.events == 0)
            std::this_thread::sleep_for(DrainPace::kLeast); // what there is cannot be taken yet
    }
}

/// While a target is busy. The shortest rest hears no doorbell: who writes as fast as can be read would ring each time, and that costs it more than to
/// wait for so little.
void HeapInstrument::rest(DrainPace::Rest time)
{
    if (time <= DrainPace::kLeast || !sleepAtDoorbells(time))
        std::this_thread::sleep_for(DrainPace::kLeast);
}

HeapInstrument::Look HeapInstrument::drainAll(bool mayScan)
{
    std::vector<std::unique_ptr<Image>> done; // to be freed without the lock: of a large program that takes long
    const std::lock_guard lock(m_mutex);
    m_heartbeat.noteWork();
    const std::uint64_t before = m_drainedEvents;
    m_clock.sync();
    done.swap(m_done);
    // Who comes now may follow one that has just ended.
    const bool mayHaveEnded = mayScan || hasMessages();
    takeMessages();
    for (const auto &image : m_images)
        drainOne(*image, mayScan, mayHaveEnded);
    return {m_drainedEvents - before, std::exchange(m_fullestRing, 0)};
}

bool HeapInstrument::hasExited(const Image &image)
{
    if (!image.process.isOpen()) // there was no descriptor left for it
        return ::kill(image.channel.pid(), 0) != 0 && errno == ESRCH;
    pollfd wait{image.process.get(), POLLIN, 0};
    return ::poll(&wait, 1, 0) > 0;
}

/// It ended at some moment between its last event and now. What comes one after the other would seem to be there together.
void HeapInstrument::noteGone(Image &image, std::int64_t latestNs) const
{
    constexpr std::int64_t kSoonNs = 100'000'000;
    const std::int64_t nowNs = std::min(m_clock.toNs(m_clock.units()), latestNs);
    const std::int64_t lastNs = m_clock.toNs(image.channel.lastEvent());
    image.goneNs = m_tellsEnds && lastNs <= nowNs && nowNs - lastNs < kSoonNs ? lastNs : nowNs;
}

void HeapInstrument::drainOne(Image &image, bool mayScan, bool mayHaveEnded)
{
    if (image.hasEnded || image.isFrozen)
        return;
    // Asked first: what was written before the end is then seen by the drain.
    const bool isOver = image.isOver || (mayHaveEnded && hasExited(image));
    m_drainedEvents += image.channel.drain(m_clock, isOver);
    m_fullestRing = std::max(m_fullestRing, image.channel.takeFullest());
    image.hasEnded = isOver;
    if (isOver) {
        noteGone(image, INT64_MAX);
        return;
    }
    answerScopes(image);
    takeExitQuestion(image);
    image.channel.advanceStep(m_clock);
    image.channel.provide(mayScan, m_clock);
}

void HeapInstrument::answerScopes(Image &image)
{
    for (ScopeAnswer &answer : image.channel.takeScopeAnswers()) {
        if (answer.verdict != wire::ScopeVerdict::Exceeded) {
            image.channel.memory().answer(answer.question, answer.verdict, answer.reason);
            continue;
        }
        ScopeAnswers::Job job{image.arrival.number, image.channel.pid(), std::move(answer), {}};
        for (const ScopeExcess &excess : job.answer.excesses)
            for (const ScopeStack &stack : excess.stacks)
                job.stacks.push_back(scopeFrames(image.channel.memory().view(), stack.node));
        if (!m_scopeAnswers)
            m_scopeAnswers = std::make_unique<ScopeAnswers>(
                [this](const ScopeAnswers::Job &named, const std::string &text) { deliver(named, text); });
        const std::uint32_t question = job.answer.question;
        if (!m_scopeAnswers->submit(std::move(job)))
            image.channel.memory().answer(question, wire::ScopeVerdict::Unknown, "too many questions at once");
    }
}

void HeapInstrument::takeExitQuestion(Image &image)
{
    const std::uint32_t question = image.channel.takeExitQuestion();
    if (question == 0)
        return;
    image.exitQuestion = question;
    m_hasEnds = true;
    constexpr std::uint64_t kOne = 1;
    [[maybe_unused]] const ssize_t written = ::write(m_endEvent.get(), &kOne, sizeof kOne);
}

void HeapInstrument::deliver(const ScopeAnswers::Job &job, const std::string &text)
{
    const std::lock_guard lock(m_mutex);
    for (const auto &image : m_images)
        if (image->arrival.number == job.image && !image->hasEnded)
            image->channel.memory().answer(job.answer.question, job.answer.verdict, text);
}

bool HeapInstrument::sleepAtDoorbells(std::chrono::microseconds time)
{
    // Between two looks at a busy target an event that misses its counterpart is usual: the counterpart comes with the next look.
    const bool isShort = time <= DrainPace::kMost;
    DoorbellWait wait(m_control);
    {
        const std::lock_guard lock(m_mutex);
        for (const auto &image : m_images) {
            if (image->hasEnded)
                continue;
            if (time > std::chrono::milliseconds(kAwakeMs))
                image->channel.rest();
            wait.add(image->channel.memory().view().header());
        }
        // What came between the last drain and now would ring nobody.
        const bool isQuiet = std::none_of(m_images.begin(), m_images.end(), [=](const auto &image) {
            return !image->hasEnded && !image->isFrozen
                && (image->channel.hasMuchToRead() || (!isShort && image->channel.isAnyOpen()));
        });
        if (!isQuiet || hasMessages())
            return false;
    }
    wait.sleep(time);
    return true;
}

std::vector<int> HeapInstrument::descriptors() const
{
    std::vector<int> descriptors{m_endEvent.get()};
    if (m_scanner)
        descriptors.push_back(m_scanner->descriptor());
    return descriptors;
}

bool HeapInstrument::drain(model::Timestamp)
{
    std::uint64_t ends = 0;
    [[maybe_unused]] const ssize_t got
        = ::read(m_endEvent.get(), &ends, sizeof ends); // they are looked at with the scans
    return false;
}

void HeapInstrument::setPaused(bool paused) { m_isPaused = paused; }

} // namespace capture

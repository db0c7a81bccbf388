// SPDX-License-Identifier: GPL-3.0-or-later
// HeapInstrument's part in the meeting: program images that come, and those that cannot be traced.
#include "capture/heap/doorbell_wait.h"
#include "capture/heap/heap_instrument.h"
#include "model/base/format_units.h"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

namespace capture {

/// On the server's thread, for which the target waits, and the next one behind it.
void HeapInstrument::imageArrived(Arrival arrival)
{
    Heartbeat::Place heart;
    if (arrival.memory) {
        wire::Header &header = arrival.memory->view().header();
        header.asksAtExit = m_scansAtExit ? 1 : 0;
        heart = Heartbeat::Place(m_heartbeat, header);
    }
    FileDescriptor process(static_cast<int>(::syscall(SYS_pidfd_open, arrival.pid, 0)));
    const bool isOver = !process.isOpen() && errno == ESRCH;
    tell(Newcomer{std::move(arrival), std::move(process), std::move(heart), isOver});
}

void HeapInstrument::tell(Message message)
{
    {
        const std::lock_guard lock(m_inboxMutex);
        m_inbox.push_back(std::move(message));
    }
    wakeSleeper(m_control);
}

bool HeapInstrument::hasMessages()
{
    const std::lock_guard lock(m_inboxMutex);
    return !m_inbox.empty();
}

/// Under the lock. In the order in which they came; one that a frozen image is in the way of waits, and all behind it.
void HeapInstrument::takeMessages()
{
    std::vector<Message> messages;
    {
        const std::lock_guard lock(m_inboxMutex);
        messages.swap(m_inbox);
    }
    const auto rest
        = std::find_if(messages.begin(), messages.end(), [this](Message &message) { return !take(message); });
    if (rest == messages.end())
        return;
    const std::lock_guard lock(m_inboxMutex);
    m_inbox.insert(m_inbox.begin(), std::make_move_iterator(rest), std::make_move_iterator(messages.end()));
}

bool HeapInstrument::take(Message &message)
{
    if (auto *newcomer = std::get_if<Newcomer>(&message)) {
        const std::int32_t pid = newcomer->arrival.pid;
        if (std::any_of(m_images.begin(), m_images.end(),
                [=](const auto &image) { return image->isFrozen && image->channel.pid() == pid; }))
            return false;
        adopt(std::move(*newcomer));
    } else if (auto *failure = std::get_if<Failure>(&message)) {
        const auto it = std::find_if(m_images.begin(), m_images.end(),
            [&](const auto &image) { return image->arrival.number == failure->arrival; });
        if (it != m_images.end())
            (*it)->failure = std::move(failure->reason);
    } else {
        m_gaveUp.insert(std::get<GivenUp>(message).pid);
    }
    return true;
}

/// The pid's earlier image has ended with the exec at `nextNs` (or its process has before, and the number is used again).
void HeapInstrument::endImagesOf(std::int32_t pid, std::int64_t nextNs)
{
    for (const auto &image : m_images) {
        if (image->channel.pid() != pid || image->hasEnded)
            continue;
        m_drainedEvents += image->channel.drain(m_clock, true);
        image->hasEnded = true;
        if (hasExited(*image))
            noteGone(*image, nextNs - 1);
    }
}

void HeapInstrument::adopt(Newcomer newcomer)
{
    const Arrival &arrival = newcomer.arrival;
    const bool isForked = arrival.origin == wire::Origin::Fork
        && (!m_isLaunched || (m_attachment && m_attachment->holds(arrival.parentPid)));
    if (m_attachment && arrival.memory && (isForked || arrival.origin == wire::Origin::Attach))
        m_attachment->joined(arrival.pid);
    endImagesOf(arrival.pid, arrival.monotonicNs - m_originNs);
    if (!arrival.memory) {
        m_refused.push_back(std::move(newcomer.arrival));
        return;
    }
    m_images.push_back(std::make_unique<Image>(std::move(newcomer), m_ageBucket));
    if (m_budget)
        m_images.back()->budget.emplace(*m_budget);
    inheritMappings(*m_images.back());
}

void HeapInstrument::inheritMappings(Image &image)
{
    image.knowsMappings = image.arrival.origin == wire::Origin::Exec;
    if (image.arrival.origin != wire::Origin::Fork)
        return;
    const std::uint64_t number = image.arrival.copiedImage;
    // Where it does not say whose memory it has copied, it was forked from a parent that was meeting us for the first time.
    const auto copied = std::find_if(m_images.begin(), m_images.end(), [&](const auto &other) {
        return number != 0 ? other->arrival.number == number
                           : other->channel.pid() == image.arrival.parentPid && !other->hasEnded;
    });
    if (copied != m_images.end()) {
        drainOne(**copied, false, true); // what it mapped just before the fork
        const model::MappedRanges mappings = (*copied)->channel.program().copyMappings();
        image.knowsMappings = (*copied)->knowsAllOf(mappings) && !(*copied)->isFrozen;
        image.channel.program().inherit(mappings);
    } else if (const PastMappings::Image *past = m_past.find(number)) {
        image.knowsMappings = past->isWhole;
        image.channel.program().inherit(past->mappings);
    }
}

std::string HeapInstrument::attachNote(const Arrival &arrival) const
{
    std::string note = "attached " + model::formatOffset({arrival.monotonicNs - m_originNs}, true)
        + " after the recording began, while it ran; its blocks from before are not known";
    const InjectionReport met = m_attachment ? m_attachment->report(arrival.pid) : InjectionReport();
    if (met.interruptedCalls > 0)
        note += fmt::format("; {} of its system calls ended with EINTR", met.interruptedCalls);
    if (met.answer.slotsElsewhere > 0)
        note += fmt::format(
            "; {} calls lead to another allocator than most and are not recorded", met.answer.slotsElsewhere);
    if (met.answer.slotsFailed > 0)
        note += fmt::format("; {} calls could not be redirected and are not recorded", met.answer.slotsFailed);
    return note;
}

/// The row of the image that has arrived; made if there is none.
model::ImageId HeapInstrument::idOf(const Arrival &arrival)
{
    const model::Timestamp when{arrival.monotonicNs - m_originNs};
    if (arrival.origin == wire::Origin::Exec)
        return m_processes.execSeen(
            arrival.pid, when, model::ProcessSource::Tracer, arrival.executable, arrival.commandLine);
    m_processes.processSeen(arrival.pid, arrival.parentPid, when);
    const model::ImageId id = m_processes.imageAt(arrival.pid, when);
    return id.isValid() ? id : m_processes.currentImage(arrival.pid);
}

void HeapInstrument::registerImage(Image &image)
{
    if (image.id.isValid())
        return;
    const Arrival &arrival = image.arrival;
    const bool isFork = arrival.origin == wire::Origin::Fork;
    const bool isAttach = arrival.origin == wire::Origin::Attach;
    image.id = idOf(arrival);
    image.resolver.setImage(image.id);
    model::TableBuilder &tables = m_processes.tables();
    model::Image &row = tables.changeImage(image.id);
    row.heap = isFork ? model::HeapState::Inherited : isAttach ? model::HeapState::Attached : model::HeapState::Full;
    if (isAttach)
        row.heapNote = tables.string(attachNote(arrival));
    else
        row.heapNote = isFork ? model::StringId(0u) : tables.string(allocatorNote(arrival.executable));
    if (row.executable == model::StringId(0u))
        row.executable = tables.string(arrival.executable);
    if (row.commandLine == model::StringId(0u))
        row.commandLine = m_processes.commandLine(arrival.commandLine);
}

/// Of a process that lived for less than a tick, without CPU samples, nobody else knows that it ended.
void HeapInstrument::endProcessOf(const Image &image, std::int64_t whenNs)
{
    const std::int32_t pid = image.arrival.pid;
    const model::ProgramTables &tables = m_processes.tables().tables();
    const model::Image &row = tables.images[image.id.index()];
    // Not where it ran another program since, untraced, or its pid is another's.
    if (m_processes.lastProcess(pid) != row.process || m_processes.imageAt(pid, {whenNs}) != image.id)
        return;
    const bool isLive = m_processes.liveProcess(pid) == row.process;
    if (isLive || m_tellsEnds)
        m_processes.processEnded(pid, {std::max(whenNs, row.start.ns)}, std::nullopt);
}

void HeapInstrument::storeFailure(Image &image, const std::string &failure, model::EventBatch &batch)
{
    if (failure.empty() || std::exchange(image.isFailureStored, true))
        return;
    model::Image &row = m_processes.tables().changeImage(image.id);
    row.heap = model::HeapState::NotTraced;
    const std::string &allocator = allocatorNote(image.arrival.executable);
    sayOfHeap(image, allocator.empty() ? failure : allocator);
    batch.losses.push_back({model::LossKind::HeapNotTraced, image.id, 1, failure});
}

/// Images that were turned away, as the recorder could make no memory for them.
void HeapInstrument::storeRefused(model::EventBatch &batch)
{
    std::vector<Arrival> refused;
    {
        const std::lock_guard lock(m_mutex);
        refused = std::exchange(m_refused, {});
    }
    model::TableBuilder &tables = m_processes.tables();
    for (const Arrival &arrival : refused) {
        const model::ImageId id = idOf(arrival);
        model::Image &row = tables.changeImage(id);
        row.heap = model::HeapState::NotTraced;
        row.heapNote = tables.string(arrival.failure);
        if (row.executable == model::StringId(0u))
            row.executable = tables.string(arrival.executable);
        if (row.commandLine == model::StringId(0u))
            row.commandLine = m_processes.commandLine(arrival.commandLine);
        batch.losses.push_back({model::LossKind::HeapNotTraced, id, 1, arrival.failure});
    }
}

} // namespace capture

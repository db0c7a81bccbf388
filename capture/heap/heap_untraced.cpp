// SPDX-License-Identifier: GPL-3.0-or-later
// HeapInstrument's part in programs whose tracer does not come: attaches to those that it can, says of the others why.
#include "capture/heap/absent_tracer.h"
#include "capture/heap/heap_instrument.h"
#include "capture/pidfd.h"
#include "capture/proc/proc_clock.h"
#include "capture/proc/proc_reader.h"
#include "capture/target/program_kind.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

namespace capture {

namespace {

/// Whoever has not come by then is attached to. A program that was started with the tracer meets the recorder within milliseconds; what a shell
/// starts is mostly over by then.
constexpr model::Duration kAttachedAfter{500'000'000};

} // namespace

/// Images that were answered too late. That may be known after they have ended.
void HeapInstrument::tellWhoGaveUp(model::EventBatch &batch)
{
    model::TableBuilder &tables = m_processes.tables();
    const model::StringId note = tables.string(
        "It did not stay for the recorder's answer: it was killed, or waited 2 s in vain on a busy machine.");
    const std::lock_guard lock(m_mutex);
    for (std::size_t i = 0; i < m_isSettled.size() && !m_gaveUp.empty(); ++i) {
        const model::Image &image = tables.tables().images[i];
        const bool isUntraced = image.heap == model::HeapState::Off || image.heap == model::HeapState::Waiting
            || image.heap == model::HeapState::NotTraced;
        const auto found = m_gaveUp.find(tables.tables().processes[image.process.index()].pid);
        if (!isUntraced || image.heapNote == note || found == m_gaveUp.end())
            continue;
        m_gaveUp.erase(found);
        if (image.heap != model::HeapState::NotTraced)
            batch.losses.push_back({model::LossKind::HeapNotTraced, model::ImageId(i), 1, "answered too late"});
        model::Image &row = tables.changeImage(model::ImageId(i));
        row.heap = model::HeapState::NotTraced;
        row.heapNote = note;
        m_isSettled[i] = true;
    }
}

void HeapInstrument::settleUntraced(std::optional<model::Timestamp> now, model::EventBatch &batch)
{
    model::TableBuilder &tables = m_processes.tables();
    m_isSettled.resize(tables.tables().images.size(), false);
    tellWhoGaveUp(batch);
    takeLateAnswers(batch);
    endReplaced();
    for (std::size_t i = 0; i < m_isSettled.size(); ++i) {
        const model::Image &image = tables.tables().images[i];
        if (m_isSettled[i])
            continue;
        const bool hasEnded = image.end || tables.tables().processes[image.process.index()].end;
        const bool isUnknown = image.heap == model::HeapState::Off || image.heap == model::HeapState::Waiting;
        m_isSettled[i] = hasEnded || !isUnknown;
        if (isUnknown && (hasEnded || !now || image.heap == model::HeapState::Off))
            settleOne(i, !now, batch);
        if (isUnknown && now && !m_isSettled[i])
            attachLate(i, *now);
        if (m_isSettled[i]) {
            m_askedLate.erase(static_cast<std::uint32_t>(i));
            m_absences.erase(static_cast<std::uint32_t>(i));
        }
    }
}

/// An image that is new, has ended, or is one of the last.
void HeapInstrument::settleOne(std::size_t index, bool isLast, model::EventBatch &batch)
{
    model::TableBuilder &tables = m_processes.tables();
    model::Image &row = tables.changeImage(model::ImageId(index));
    const model::Process &process = tables.tables().processes[row.process.index()];
    const bool hasEnded = row.end || process.end;
    if (const std::string failure = attachFailureOf(process, row.epoch); !failure.empty())
        return refuse(index, failure, batch);
    const bool isForked = row.epoch == 0 && process.parent.isValid();
    if (!hasEnded && row.heap == model::HeapState::Off)
        lookForAbsence(index, isForked, process.pid);
    row.heap = model::HeapState::Waiting;
    // At the end, what is known by then decides, as if it had ended: else chance would, whether its end was seen.
    if (hasEnded || (isLast && (isForked || !m_isLaunched || m_absences.contains(static_cast<std::uint32_t>(index)))))
        settle(model::ImageId(index), isForked, batch);
}

void HeapInstrument::refuse(std::size_t index, const std::string &why, model::EventBatch &batch)
{
    model::TableBuilder &tables = m_processes.tables();
    model::Image &row = tables.changeImage(model::ImageId(index));
    row.heap = model::HeapState::NotTraced;
    row.heapNote = tables.string(why);
    m_isSettled[index] = true;
    m_absences.erase(static_cast<std::uint32_t>(index));
    batch.losses.push_back({model::LossKind::HeapNotTraced, model::ImageId(index), 1, why});
}

/// Why the tracer of an image has not come yet, if that can be told: only while it lives.
void HeapInstrument::lookForAbsence(std::size_t image, bool isForked, std::int32_t pid)
{
    const MeetingPlace place{m_tracerPath, m_server->socketPath()};
    // Under an attach it does not come by the environment.
    std::string why = isForked || !m_isLaunched ? outOfReach(pid, place) : absenceOfTracer(pid, place);
    if (!why.empty())
        m_absences[static_cast<std::uint32_t>(image)] = std::move(why);
}

/// Says of an image whose tracer never came why that is.
void HeapInstrument::settle(model::ImageId id, bool isForked, model::EventBatch &batch)
{
    model::TableBuilder &tables = m_processes.tables();
    model::Image &row = tables.changeImage(id);
    const model::Process &process = tables.tables().processes[row.process.index()];
    const auto absence = m_absences.extract(static_cast<std::uint32_t>(id.index()));
    std::string why = absence ? absence.mapped() : std::string();
    // One that was gone before anybody looked was where its parent is.
    const std::int32_t parent = isForked ? tables.tables().processes[process.parent.index()].pid : 0;
    if (why.empty() && isForked)
        why = outOfReach(parent, {m_tracerPath, m_server->socketPath()});
    // A forked child that never allocates or frees has nothing to tell, and does not connect.
    if (isForked && why.empty()) {
        row.heap = model::HeapState::Inherited;
        return;
    }
    row.heap = model::HeapState::NotTraced;
    const std::string executable = tables.tables().text(row.executable);
    const std::string obstacle = heapObstacle(executable);
    const bool isLookedInto = !executable.empty() && ::access(executable.c_str(), R_OK) == 0;
    row.heapNote = tables.string(!obstacle.empty() ? obstacle
            : !why.empty()                         ? why
            : !m_isLaunched                        ? std::string(row.end || process.end ? "It" : "The recording")
                + " ended before the tracer was loaded into it, which under an attach is done at the first tick half a "
                  "second after a program begins."
            : isLookedInto
            ? "The tracer did not connect: the program ended before that, or was started without LD_PRELOAD."
            : "The tracer did not connect: the program is statically linked or uses another C library, "
              "has more rights than its user, or was started without LD_PRELOAD.");
    batch.losses.push_back({model::LossKind::HeapNotTraced, id, 1, "no connection"});
}

void HeapInstrument::ignoreChildrenOf(std::int32_t pid)
{
    m_onlyPid = pid;
    m_server->acceptOnly(pid);
}

/// Whether the number is that of this process still, and not of another one that began later.
bool HeapInstrument::isStill(const model::Process &process) const
{
    return ProcClock::system().beganBy(process.pid, m_originNs + process.start.ns);
}

/// Has the tracer loaded into a program that has run for long enough without it.
void HeapInstrument::attachLate(std::size_t index, model::Timestamp now)
{
    const model::ProgramTables &tables = m_processes.tables().tables();
    const model::Image &image = tables.images[index];
    const model::Process &process = tables.processes[image.process.index()];
    const auto key = static_cast<std::uint32_t>(index);
    const bool isForeign = m_onlyPid != 0 && process.pid != m_onlyPid;
    if (isForeign || now - image.start < kAttachedAfter || m_askedLate.contains(key))
        return;
    // Under a program that was launched it has the tracer, or cannot have it, unless its environment was not handed on.
    const bool isForked = image.epoch == 0 && process.parent.isValid();
    if (m_isLaunched && !isForked && !m_absences.contains(key))
        return;
    m_askedLate.insert(key);
    FileDescriptor running(openPidfd(process.pid)); // before it is looked at: from then on it stands for what was seen
    if (!isStill(process))
        return;
    if (isOutOfReach(process.pid, {m_tracerPath, m_server->socketPath()}))
        return;
    if (!m_attachment) {
        const std::lock_guard lock(m_mutex);
        m_attachment = std::make_unique<HeapAttachment>(m_server->address(), TracerInjector::Options{m_tracerPath, {}});
    }
    if (!m_late)
        m_late = std::make_unique<LateAttach>([this](std::int32_t pid) { return includeLate(pid); });
    m_late->ask(model::ImageId(index), process.pid, std::move(running));
}

/// What a process held is gone when it executes another program. Where that has the tracer it says so itself; of others it is known by what /proc or
/// the kernel tells, and is sure where our memory is not mapped any more. Of one that may not be looked into (it got other rights) the books end with its
/// process.
void HeapInstrument::endReplaced()
{
    const model::ProgramTables &tables = m_processes.tables().tables();
    std::vector<Image *> replaced;
    {
        const std::lock_guard lock(m_mutex);
        for (const auto &image : m_images) {
            const bool isKnown = image->id.isValid() && !image->hasEnded && !image->isFrozen;
            const model::Image *const row = isKnown ? &tables.images[image->id.index()] : nullptr;
            if (row && row->end && !tables.processes[row->process.index()].end)
                replaced.push_back(image.get());
        }
    }
    for (Image *const image : replaced) {
        const auto maps = readProcFile(fmt::format("/proc/{}/maps", image->channel.pid()));
        if (!maps || maps->empty() || maps->find(wire::kMemoryPath) != std::string::npos)
            continue;
        const std::lock_guard lock(m_mutex);
        if (image->hasEnded || image->isFrozen)
            continue;
        m_drainedEvents += image->channel.drain(m_clock, true);
        image->hasEnded = true;
    }
}

void HeapInstrument::takeLateAnswers(model::EventBatch &batch)
{
    if (!m_late)
        return;
    for (const LateAttach::Answer &answer : m_late->takeAnswers()) {
        const auto key = static_cast<std::uint32_t>(answer.image.index());
        if (answer.outcome == LateAttach::Outcome::NotReady)
            m_askedLate.erase(key);
        const model::HeapState heap = m_processes.tables().tables().images[key].heap;
        const bool hasCome = heap != model::HeapState::Off && heap != model::HeapState::Waiting;
        if (answer.outcome != LateAttach::Outcome::Refused || hasCome)
            continue;
        const auto absence = m_absences.find(key);
        const std::string before = absence == m_absences.end() || answer.isByNature
            ? std::string()
            : absence->second + " Attaching to it failed: ";
        refuse(key, before + answer.why, batch);
    }
}

} // namespace capture

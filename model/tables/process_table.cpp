// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/tables/process_table.h"

#include <algorithm>
#include <utility>

namespace model {

namespace {

/// How long after the end of a process a report about it may come that does not say when it was true. Pids are not used again
/// as fast.
constexpr Duration kLateReports = Duration::fromMs(2000);

constexpr unsigned bit(ProcessSource source) { return 1u << static_cast<unsigned>(source); }

} // namespace

const ProcessTable::LiveImage &ProcessTable::LiveProcess::at(Timestamp when, const ProgramTables &tables) const
{
    const LiveImage *found = &images.front();
    for (const LiveImage &image : images) {
        if (tables.images[image.id.index()].start <= when)
            found = &image;
    }
    return *found;
}

ProcessTable::ProcessTable(TableBuilder &tables)
    : m_tables(tables)
{
}

ProcessTable::LiveProcess *ProcessTable::known(std::int32_t pid, Timestamp when)
{
    return const_cast<LiveProcess *>(std::as_const(*this).known(pid, when));
}

const ProcessTable::LiveProcess *ProcessTable::known(std::int32_t pid, Timestamp when) const
{
    const auto live = m_live.find(pid);
    const auto ended = m_ended.find(pid);
    if (ended != m_ended.end() && when <= row(ended->second).end.value_or(when)
        && (live == m_live.end() || when < row(live->second).start))
        return &ended->second;
    return live == m_live.end() ? nullptr : &live->second;
}

ProcessTable::LiveProcess *ProcessTable::endedLately(std::int32_t pid, Timestamp when)
{
    const auto ended = m_ended.find(pid);
    if (ended == m_ended.end() || m_live.contains(pid))
        return nullptr;
    return when <= row(ended->second).end.value_or(when) + kLateReports ? &ended->second : nullptr;
}

ProcessTable::LiveProcess &ProcessTable::addProcess(std::int32_t pid, std::int32_t parentPid, Timestamp when)
{
    Process process;
    process.pid = pid;
    process.start = when;
    Image image;
    image.start = when;
    image.executable = image.commandLine = image.heapNote = m_tables.string({});
    LiveProcess added;
    added.id = image.process = m_tables.addProcess(process);
    added.images.push_back({m_tables.addImage(image), 0});
    LiveProcess &stored = m_live.insert_or_assign(pid, std::move(added)).first->second;
    fillParent(stored, parentPid, when);
    return stored;
}

ProcessTable::LiveProcess *ProcessTable::find(ProcessId id)
{
    const std::int32_t pid = m_tables.tables().processes[id.index()].pid;
    for (auto *processes : {&m_live, &m_ended}) {
        const auto found = processes->find(pid);
        if (found != processes->end() && found->second.id == id)
            return &found->second;
    }
    return nullptr;
}

void ProcessTable::inheritImage(LiveProcess &process)
{
    const LiveImage &first = process.images.front();
    const ProcessId parentId = row(process).parent;
    const bool isInherited = first.announcedBy == 0 && !first.isSeen;
    const LiveProcess *parent = parentId.isValid() && isInherited ? find(parentId) : nullptr;
    if (!parent)
        return;
    const Image &forked = row(parent->at(row(process).start, m_tables.tables()));
    const bool isSame = row(first).executable == forked.executable && row(first).commandLine == forked.commandLine;
    if (isSame || m_tables.tables().text(forked.executable).empty())
        return;
    Image &image = m_tables.changeImage(first.id);
    image.executable = forked.executable;
    image.commandLine = forked.commandLine;
    inheritImages(process);
}

void ProcessTable::inheritImages(const LiveProcess &parent)
{
    for (const ProcessId child : parent.children) {
        if (LiveProcess *process = find(child))
            inheritImage(*process);
    }
}

ProcessTable::LiveProcess &ProcessTable::processAt(std::int32_t pid, std::int32_t parentPid, Timestamp when)
{
    if (LiveProcess *process = known(pid, when))
        return *process;
    return addProcess(pid, parentPid, when);
}

void ProcessTable::fillParent(LiveProcess &process, std::int32_t parentPid, Timestamp when)
{
    if (parentPid == 0 || row(process).parent.isValid())
        return;
    LiveProcess *parent = known(parentPid, when);
    if (!parent || parent->id == process.id)
        return;
    m_tables.changeProcess(process.id).parent = parent->id;
    parent->children.push_back(process.id);
    inheritImage(process);
}

void ProcessTable::moveStart(LiveProcess &process, Timestamp when)
{
    if (when >= row(process).start)
        return;
    m_tables.changeProcess(process.id).start = when;
    LiveImage &first = process.images.front();
    if (first.announcedBy == 0)
        m_tables.changeImage(first.id).start = when;
    else
        insertImage(process, when); // what it ran between its fork and that exec: its parent's program
    inheritImage(process);
}

ProcessId ProcessTable::processSeen(std::int32_t pid, std::int32_t parentPid, Timestamp when)
{
    LiveProcess &process = processAt(pid, parentPid, when);
    fillParent(process, parentPid, when);
    moveStart(process, when);
    return process.id;
}

bool ProcessTable::isCompatible(const LiveImage &image, std::string_view executable) const
{
    const std::string &known = m_tables.tables().text(row(image).executable);
    // The Launcher's belief may be a link, or a script whose interpreter is the true executable.
    const bool isBelieved = image.announcedBy == bit(ProcessSource::Launcher);
    // From within another root, and from without.
    const auto isWithin = [](std::string_view path, std::string_view inner) {
        return inner.starts_with('/') && path.size() > inner.size() && path.ends_with(inner);
    };
    return isBelieved || executable.empty() || known.empty() || known == executable || isWithin(known, executable)
        || isWithin(executable, known);
}

ProcessTable::LiveImage *ProcessTable::exactMatch(LiveProcess &process, Timestamp when, std::string_view executable)
{
    // The Launcher names its image when it forks, before the exec itself, and the kernel's record of that exec is never missing: the
    // first exec that is told is that image, also where later images of the same program were told before.
    LiveImage &first = process.images.front();
    const auto has
        = [](const LiveImage &image, ProcessSource source) { return (image.announcedBy & bit(source)) != 0; };
    if (has(first, ProcessSource::Launcher) && !has(first, ProcessSource::Perf) && row(first).start < when)
        return &first;
    // Others see an image after its exec, so the image is the first one from `when` on that was not reported exactly yet. One
    // that was in between would be a later exec than this, and what comes after that is later still.
    for (LiveImage &image : process.images) {
        if (row(image).start < when)
            continue;
        if (has(image, ProcessSource::Perf))
            break;
        if (image.announcedBy != 0 && isCompatible(image, executable))
            return &image;
    }
    return nullptr;
}

ProcessTable::LiveImage *ProcessTable::splitBefore(LiveProcess &process, LiveImage &image, Timestamp when)
{
    if (image.announcedBy != (bit(ProcessSource::Launcher) | bit(ProcessSource::Proc)) || image.foundByProc <= when)
        return nullptr;
    Image &later = m_tables.changeImage(image.id);
    const Timestamp start
        = std::exchange(later.start, std::min(image.foundByProc, later.end.value_or(image.foundByProc)));
    image.announcedBy = bit(ProcessSource::Proc);
    LiveImage &before = insertImage(process, start);
    before.announcedBy = bit(ProcessSource::Launcher);
    return &before;
}

ProcessTable::LiveImage *ProcessTable::matchingImage(
    LiveProcess &process, Timestamp when, ProcessSource source, std::string_view executable)
{
    LiveImage &first = process.images.front();
    // An image that nobody announced, and that this one would leave no time, is what the process ran from its start.
    const bool isFromStart = process.images.size() == 1 && first.announcedBy == 0 && when <= row(first).start;
    if (source == ProcessSource::Launcher || isFromStart)
        return &first;
    if (source == ProcessSource::Perf)
        return exactMatch(process, when, executable);
    // Tracer and Proc see the image that runs now: the last that began until `when`, if they did not report that one before.
    LiveImage *last = nullptr;
    for (LiveImage &image : process.images) {
        if (row(image).start <= when)
            last = &image;
    }
    const bool isCandidate = last && last->announcedBy != 0 && (last->announcedBy & bit(source)) == 0;
    if (isCandidate && isCompatible(*last, executable))
        return last;
    if (isCandidate && source == ProcessSource::Tracer) {
        if (LiveImage *before = splitBefore(process, *last, when))
            return before;
    }
    // The tracer tells when it connected, soon after the exec, Proc and a launcher that did not wait for the exec when they looked: what was
    // found later, and told first, is that image.
    const auto next = std::find_if(
        process.images.begin(), process.images.end(), [&](const LiveImage &image) { return row(image).start > when; });
    const bool isFoundLater = source == ProcessSource::Tracer && next != process.images.end()
        && (next->announcedBy & ~(bit(ProcessSource::Proc) | bit(ProcessSource::Launcher))) == 0
        && next->announcedBy != 0 && isCompatible(*next, executable);
    return isFoundLater ? &*next : nullptr;
}

ProcessTable::LiveImage &ProcessTable::insertImage(LiveProcess &process, Timestamp when)
{
    auto &images = process.images;
    const auto after
        = std::find_if(images.begin(), images.end(), [&](const LiveImage &image) { return row(image).start > when; });
    Image image;
    image.process = process.id;
    image.start = when;
    image.executable = image.commandLine = image.heapNote = m_tables.string({});
    if (after != images.end())
        image.end = row(*after).start;
    else
        image.end = row(process).end;
    const auto inserted = images.insert(after, {m_tables.addImage(image), 0});
    if (inserted != images.begin())
        m_tables.changeImage((inserted - 1)->id).end = when;
    for (auto it = inserted; it != images.end(); ++it)
        m_tables.changeImage(it->id).epoch = static_cast<std::uint32_t>(it - images.begin());
    return *inserted;
}

StringId ProcessTable::commandLine(std::string_view text)
{
    return m_filter ? m_tables.string(m_filter(text)) : m_tables.string(text);
}

void ProcessTable::announce(LiveProcess &process, LiveImage &image, Timestamp when, ProcessSource source,
    std::string_view executable, std::string_view commandLine)
{
    Image &changed = m_tables.changeImage(image.id);
    const bool replacesBelief = image.announcedBy == bit(ProcessSource::Launcher);
    const auto isWanted = [&](StringId known, std::string_view value) {
        return !value.empty() && (replacesBelief || m_tables.tables().text(known).empty());
    };
    // Proc may have found a later program where the Launcher's was expected; Perf knows which one came first.
    const bool isCorrected = source == ProcessSource::Perf && !replacesBelief && !isCompatible(image, executable);
    if (image.announcedBy == 0 || isCorrected) {
        changed.executable = changed.commandLine = m_tables.string({});
        image.announcedBy &= bit(ProcessSource::Launcher);
    }
    if (isWanted(changed.executable, executable))
        changed.executable = m_tables.string(executable);
    if (isWanted(changed.commandLine, commandLine))
        changed.commandLine = this->commandLine(commandLine);
    image.announcedBy |= bit(source);
    if (source == ProcessSource::Proc)
        image.foundByProc = when;
    const bool isFirst = &image == &process.images.front();
    if (when < changed.start && !isFirst) {
        changed.start = when;
        const auto index = static_cast<std::size_t>(&image - process.images.data());
        m_tables.changeImage(process.images[index - 1].id).end = when;
    } else if (when < changed.start) {
        changed.start = when;
        Process &owner = m_tables.changeProcess(process.id);
        owner.start = std::min(owner.start, when);
    }
}

void ProcessTable::endThreadsBefore(LiveProcess &process, std::int32_t pid, Timestamp when)
{
    for (const auto &[tid, live] : process.threads) {
        const Thread &thread = m_tables.tables().threads[live.id.index()];
        if (tid != pid && !thread.end && thread.start < when)
            m_tables.changeThread(live.id).end = when;
    }
}

ImageId ProcessTable::execSeen(
    std::int32_t pid, Timestamp when, ProcessSource source, std::string_view executable, std::string_view commandLine)
{
    LiveProcess *process = known(pid, when);
    LiveImage *image = nullptr;
    // Perf's times are exact: what it tells after an end is of another process.
    if (!process && source != ProcessSource::Perf)
        process = endedLately(pid, when);
    if (process) {
        when = std::min(when, row(*process).end.value_or(when));
        // A start that was known roughly: what it ran before its first exec was before this one as well.
        if (process->images.size() > 1 && process->images.front().announcedBy == 0)
            moveStart(*process, when);
        image = matchingImage(*process, when, source, executable);
        if (!image)
            image = &insertImage(*process, when);
    } else {
        process = &addProcess(pid, 0, when);
        image = &process->images.front();
    }
    announce(*process, *image, when, source, executable, commandLine);
    inheritImages(*process); // a fork may have been told before the exec that its parent had called by then
    endThreadsBefore(*process, pid, when);
    return image->id;
}

void ProcessTable::forkSeen(std::int32_t pid, std::string_view executable, std::string_view commandLine)
{
    const ProcessId id = liveProcess(pid);
    LiveProcess *process = id.isValid() ? find(id) : nullptr;
    if (!process || process->images.size() != 1 || process->images.front().announcedBy != 0)
        return;
    LiveImage &image = process->images.front();
    image.isSeen = true;
    Image &changed = m_tables.changeImage(image.id);
    changed.executable = m_tables.string(executable);
    changed.commandLine = this->commandLine(commandLine);
    inheritImages(*process);
}

ImageId ProcessTable::imageAt(std::int32_t pid, Timestamp when) const
{
    const LiveProcess *process = known(pid, when);
    if (!process) {
        const auto ended = m_ended.find(pid); // after its end: what it ran last
        if (ended == m_ended.end())
            return {};
        process = &ended->second;
    }
    return process->at(when, m_tables.tables()).id;
}

ImageId ProcessTable::currentImage(std::int32_t pid) const
{
    const auto live = m_live.find(pid);
    if (live != m_live.end())
        return live->second.images.back().id;
    const auto ended = m_ended.find(pid);
    return ended == m_ended.end() ? ImageId() : ended->second.images.back().id;
}

void ProcessTable::processEnded(std::int32_t pid, Timestamp when, std::optional<int> waitStatus)
{
    const auto live = m_live.find(pid);
    const bool isLive = live != m_live.end() && when >= row(live->second).start;
    const auto ended = m_ended.find(pid);
    if (!isLive && ended == m_ended.end())
        return;
    LiveProcess &process = isLive ? live->second : ended->second;
    Process &changed = m_tables.changeProcess(process.id);
    if (waitStatus)
        changed.waitStatus = waitStatus;
    if (!changed.end || when < *changed.end) {
        changed.end = when;
        m_tables.changeImage(process.images.back().id).end = when;
        for (const auto &[tid, thread] : process.threads) {
            const std::optional<Timestamp> end = m_tables.tables().threads[thread.id.index()].end;
            if (!end || *end > when)
                m_tables.changeThread(thread.id).end = when;
        }
    }
    if (isLive) {
        m_ended.insert_or_assign(pid, std::move(process));
        m_live.erase(live);
    }
}

ProcessId ProcessTable::liveProcess(std::int32_t pid) const
{
    const auto live = m_live.find(pid);
    return live == m_live.end() ? ProcessId() : live->second.id;
}

ProcessId ProcessTable::lastProcess(std::int32_t pid) const
{
    const auto ended = m_ended.find(pid);
    const ProcessId live = liveProcess(pid);
    return live.isValid() || ended == m_ended.end() ? live : ended->second.id;
}

void ProcessTable::hiddenEnded(std::int32_t pid, Timestamp when)
{
    constexpr Duration kKept{60'000'000'000}; // records of its end may come late
    std::erase_if(m_hidden, [&](const auto &entry) { return entry.second.to < when - kKept; });
    if (const auto hidden = m_hidden.find(pid); hidden != m_hidden.end())
        hidden->second.to = when;
}

std::vector<std::int32_t> ProcessTable::livePids() const
{
    std::vector<std::int32_t> pids;
    pids.reserve(m_live.size());
    for (const auto &[pid, process] : m_live)
        pids.push_back(pid);
    std::sort(pids.begin(), pids.end());
    return pids;
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
// What a tick brings beside the heap: marks, phases, names, pools, mappings.
#include "capture/heap/heap_instrument.h"
#include "model/base/wrapping_sum.h"
#include "model/tables/unseen_libraries.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace capture {

namespace {

constexpr std::int64_t kMostMarks = 200'000; ///< of a recording: what a reader has to keep
constexpr std::uint64_t kPageBytes = 4096;
constexpr std::string_view kBetween = "; "; ///< sentences of a note

model::AreaKind kindOf(const AreaHarvest &area)
{
    return area.isPool ? model::AreaKind::Pool : model::AreaKind::Mapping;
}

/// "a, b, c and 2 more".
std::string listOf(const std::vector<std::string> &names)
{
    constexpr std::size_t kShown = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i)
        text += (i > 0 ? ", " : "") + names[i];
    return names.size() > kShown ? text + fmt::format(" and {} more", names.size() - kShown) : text;
}

/// The tracer's own memory as the target tells it, put in order; a lie leads to a wrong share, no further.
std::vector<KnownMemory::Range> privateRanges(wire::MemoryView memory)
{
    const std::uint32_t count
        = std::min(memory.header().privateRanges.load(std::memory_order_acquire), wire::kMostPrivateRanges);
    std::vector<KnownMemory::Range> ranges;
    for (std::uint32_t i = 0; i < count; ++i) {
        const wire::AddressRange &range = memory.privateRange(i);
        const std::uint64_t begin = __atomic_load_n(&range.begin, __ATOMIC_RELAXED);
        const std::uint64_t bytes = __atomic_load_n(&range.bytes, __ATOMIC_RELAXED);
        if (begin < kMostAddress && bytes < kMostAddress && bytes > 0)
            ranges.push_back({begin & ~(kPageBytes - 1), (begin + bytes + kPageBytes - 1) & ~(kPageBytes - 1)});
    }
    std::sort(ranges.begin(), ranges.end(), [](const auto &a, const auto &b) { return a.begin < b.begin; });
    std::vector<KnownMemory::Range> joined;
    for (const KnownMemory::Range &range : ranges) {
        if (!joined.empty() && range.begin <= joined.back().end)
            joined.back().end = std::max(joined.back().end, range.end);
        else
            joined.push_back(range);
    }
    return joined;
}

} // namespace

void HeapInstrument::addProgram(Image &image, const ProgramHarvest &harvest, bool hasEnded, model::EventBatch &batch)
{
    for (const ProgramNote &note : harvest.notes)
        addNote(image, note, batch);
    addAreas(image, harvest, batch);
    if (hasEnded)
        endPhasesOf(image);
    if (harvest.badRecords > 0)
        batch.losses.push_back(
            {model::LossKind::BadRecords, image.id, harvest.badRecords, "of mappings, pools or notes"});
    // Not among the losses, which cast doubt on the heap's figures: said where the marks stand.
    m_leftOut += harvest.droppedNotes + m_phases.takeDropped();
    if (m_leftOut > 0 && !harvest.notes.empty())
        batch.marks.push_back({{harvest.notes.back().timeNs}, model::MarkKind::Program,
            fmt::format("({} marks and phases left out here: too many)", std::exchange(m_leftOut, 0))});
}

/// Says of the image which libraries may have called past the tracer.
void HeapInstrument::addUnseen(Image &image, const ProgramNote &note)
{
    constexpr std::size_t kMost = 100;
    auto &names = note.subject == static_cast<std::uint64_t>(wire::Unseen::Namespace) ? image.inOtherNamespaces
                                                                                      : image.boundElsewhere;
    const std::string name = note.text.empty() ? "a library" : note.text;
    if (names.size() >= kMost || std::find(names.begin(), names.end(), name) != names.end())
        return;
    names.push_back(name);
    // What is said beside that may have changed since.
    const model::ProgramTables &tables = m_processes.tables().tables();
    std::string rest = tables.text(tables.images[image.id.index()].heapNote);
    if (!image.unseen.empty() && rest.ends_with(image.unseen)) {
        rest.resize(rest.size() - image.unseen.size());
        if (rest.ends_with(kBetween))
            rest.resize(rest.size() - kBetween.size());
    }
    image.unseen.clear();
    if (!image.inOtherNamespaces.empty())
        image.unseen = listOf(image.inOtherNamespaces).append(model::kOpenedInNamespace);
    if (!image.boundElsewhere.empty())
        image.unseen.append(image.unseen.empty() ? "" : kBetween)
            .append(listOf(image.boundElsewhere))
            .append(model::kOpenedDeepBinding);
    sayOfHeap(image, rest);
}

/// Notes `text` of an image's heap, and behind it which libraries may have called past the tracer.
void HeapInstrument::sayOfHeap(const Image &image, const std::string &text)
{
    model::TableBuilder &tables = m_processes.tables();
    const std::string_view between = text.empty() || image.unseen.empty() ? std::string_view() : kBetween;
    const model::StringId note = tables.string(std::string(text).append(between).append(image.unseen));
    if (tables.tables().images[image.id.index()].heapNote != note)
        tables.changeImage(image.id).heapNote = note;
}

void HeapInstrument::addNote(Image &image, const ProgramNote &note, model::EventBatch &batch)
{
    const model::ProgramTables &tables = m_processes.tables().tables();
    const std::optional<model::Timestamp> end = tables.processes[tables.images[image.id.index()].process.index()].end;
    model::Timestamp when{note.timeNs};
    if (end)
        when = std::min(when, *end); // it is no later process with that pid
    const std::int32_t pid = image.arrival.pid;
    switch (note.kind) {
    case wire::NoteKind::Mark:
        if (++m_markCount > kMostMarks) {
            ++m_leftOut;
            return;
        }
        batch.marks.push_back({when, model::MarkKind::Program, note.text});
        return;
    case wire::NoteKind::PhaseBegin:
        return m_phases.begin(m_processes.threadSeen(pid, note.tid, when), note.text, when);
    case wire::NoteKind::PhaseEnd:
        return m_phases.end(m_processes.threadSeen(pid, note.tid, when), when);
    case wire::NoteKind::ThreadName:
        return m_processes.threadNamedByProgram(pid, note.tid, note.text, when);
    case wire::NoteKind::Unseen:
        return addUnseen(image, note);
    case wire::NoteKind::PoolCreate:
    case wire::NoteKind::PoolDestroy:
    case wire::NoteKind::ScopeBegin:
    case wire::NoteKind::ScopeEnd:
    case wire::NoteKind::Exit:
        return; // told by their blocks
    }
}

void HeapInstrument::endPhasesOf(const Image &image)
{
    const model::ProgramTables &tables = m_processes.tables().tables();
    const model::Image &row = tables.images[image.id.index()];
    const model::ProcessId process = row.process;
    const std::optional<model::Timestamp> end = row.end ? row.end : tables.processes[process.index()].end;
    for (const model::ThreadId thread : m_phases.threads())
        if (tables.threads[thread.index()].process == process && end)
            m_phases.endAll(thread, *end);
}

/// The name that the session has for a pool. Strings stay in it for ever, so a program that makes up names without end gets one for the rest.
const std::string &HeapInstrument::poolName(const std::string &name)
{
    constexpr std::size_t kMostNames = 4096;
    static const std::string kOther = "other pools";
    if (m_poolNames.size() >= kMostNames && !m_poolNames.contains(name)) {
        ++m_unnamedPools;
        return kOther;
    }
    return *m_poolNames.insert(name).first;
}

void HeapInstrument::addAreas(Image &image, const ProgramHarvest &harvest, model::EventBatch &batch)
{
    // Pools of one name are one area.
    model::TableBuilder &tables = m_processes.tables();
    using Key = std::pair<model::AreaKind, model::StringId>;
    std::map<Key, model::AreaTick> ticks;
    std::map<std::tuple<model::AreaKind, model::StringId, model::StackId>, model::AreaDelta> rows;
    std::map<Key, bool> hasChanged;
    for (const AreaHarvest &area : harvest.areas) {
        const Key key{kindOf(area), tables.string(area.isPool ? poolName(area.name) : area.name)};
        model::AreaTick &tick = ticks[key];
        tick.image = image.id;
        std::tie(tick.kind, tick.name) = key;
        model::addWrapping(tick.liveBytes, area.counts.liveBytes);
        tick.liveBlocks += area.counts.liveBlocks;
        model::addWrapping(tick.mostLiveBytes, area.counts.mostLiveBytes);
        hasChanged[key] = hasChanged[key] || !area.counts.isEmpty();
        for (const auto &[node, counts] : area.counts.rows) {
            const model::StackId stack = image.resolver.stackOf(node, tables);
            model::AreaDelta &row = rows[{key.first, key.second, stack}];
            row.image = image.id;
            std::tie(row.kind, row.name, row.stack) = std::tuple(key.first, key.second, stack);
            row.allocations += counts.allocations;
            model::addWrapping(row.allocatedBytes, counts.allocatedBytes);
            row.frees += counts.frees;
            model::addWrapping(row.freedBytes, counts.freedBytes);
        }
    }
    if (harvest.refusedPoolEvents > 0)
        batch.losses.push_back({model::LossKind::EventsDropped, image.id, harvest.refusedPoolEvents,
            "events of pools: more than 1,024 were live at a time"});
    if (m_unnamedPools > 0)
        batch.losses.push_back({model::LossKind::EventsDropped, image.id, std::exchange(m_unnamedPools, 0),
            "names of pools: more than 4,096, the rest is counted as \"other pools\""});
    for (const auto &[key, tick] : ticks)
        if (hasChanged[key])
            batch.areaTicks.push_back(tick);
    for (const auto &[key, row] : rows)
        batch.areas.push_back(row);
}

KnownMemory HeapInstrument::knownMemory(std::int32_t pid)
{
    KnownMemory known;
    const std::lock_guard lock(m_mutex);
    takeMessages();
    for (const auto &image : m_images) {
        if (image->channel.pid() != pid || image->hasEnded)
            continue;
        // One that another program took the place of, which has no tracer, has no memory any more.
        if (image->id.isValid() && m_processes.currentImage(pid) != image->id)
            continue;
        known.isTraced = image->failure.empty();
        known.isWhole = known.isTraced && image->knowsMappings;
        known.stackTops = image->channel.stackTops();
        known.tracerRanges = privateRanges(image->channel.memory().view());
        known.mappings.clear();
        image->channel.program().forEachMapping([&](std::uint64_t begin, const model::MappedRanges::Range &range) {
            if (ProgramEvents::isPrivate(range.sort))
                known.mappings.push_back({begin, range.end});
        });
        std::sort(known.mappings.begin(), known.mappings.end(),
            [](const KnownMemory::Range &a, const KnownMemory::Range &b) { return a.begin < b.begin; });
    }
    return known;
}

} // namespace capture

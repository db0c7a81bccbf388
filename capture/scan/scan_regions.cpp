// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/scan/scan_regions.h"

#include "capture/target/remote_process.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace capture {

namespace {

constexpr std::uint64_t kRedZoneBytes = 128; ///< below the stack pointer, which leaf functions may use (x86-64 ABI)
constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kGapBytes = 1u << 20;
constexpr std::uint64_t kArenaBytes = 64u << 20;     ///< glibc's HEAP_MAX_SIZE, to which its arenas are aligned
constexpr std::uint64_t kStaticTlsBytes = 64u << 10; ///< below a thread's control block; as much as is likely
constexpr std::string_view kTracerName = "libgenesis_heaptracer";

using Kind = ScanRegion::Kind;

std::string_view fileName(const MemoryMapping &mapping)
{
    return std::string_view(mapping.path).substr(mapping.path.rfind('/') + 1);
}

bool mayHoldPointers(const MemoryMapping &mapping)
{
    if (!mapping.isReadable)
        return false;
    if (mapping.isShared) // memory shared with children; files and the tracer's rings are not looked through
        return mapping.isWritable && mapping.path.starts_with("/dev/zero");
    if (mapping.isFile())
        return mapping.isWritable;
    return mapping.path.empty() || mapping.path == "[heap]" || mapping.path.starts_with("[stack")
        || mapping.path.starts_with("[anon:");
}

/// Cuts [begin, end) out of what is in `regions`; if `piece` is given, it takes that place.
void cut(std::vector<ScanRegion> &regions, std::uint64_t begin, std::uint64_t end, const ScanRegion *piece)
{
    std::vector<ScanRegion> result;
    for (ScanRegion &region : regions) {
        if (end <= region.begin || begin >= region.end) {
            result.push_back(std::move(region));
            continue;
        }
        if (region.begin < begin)
            result.push_back({region.begin, begin, region.kind, region.moduleBase, region.name});
        if (piece)
            result.push_back({std::max(begin, region.begin), std::min(end, region.end), piece->kind, 0, piece->name});
        if (end < region.end)
            result.push_back({end, region.end, region.kind, region.moduleBase, region.name});
    }
    regions = std::move(result);
}

class RegionList
{
public:
    explicit RegionList(const std::vector<MemoryMapping> &mappings) { fill(mappings); }

    void dropTracer(const KnownMemory &known)
    {
        for (const KnownMemory::Range &range : known.tracerRanges)
            cutAll(range.begin, range.end, nullptr);
    }
    void nameMappings(const KnownMemory &known)
    {
        const ScanRegion piece{0, 0, Kind::Mapping, 0, "memory mapped by the program"};
        for (const KnownMemory::Range &range : known.mappings)
            cutAll(range.begin, range.end, &piece);
    }
    /// What is below a stack pointer is dead, down to the begin of its mapping: below that is a guard.
    void addStack(const StoppedThread &thread)
    {
        for (const Line &line : m_lines) {
            if (thread.stackPointer < line.begin || thread.stackPointer >= line.end || line.kind == Kind::Break
                || line.kind == Kind::Variables)
                continue;
            const std::uint64_t live = std::max(thread.stackPointer - kRedZoneBytes, line.begin);
            // Only if nothing but the stack is there: a stack in a block or in the program's own mapping has neighbours.
            const bool isStack = line.isStackLine || isAround(line, thread.threadPointer);
            if (!isStack)
                return;
            const ScanRegion piece{0, 0, Kind::Stack, 0, fmt::format("stack of thread {}", thread.tid)};
            if (line.hasGuard || line.isStackLine)
                cutAll(line.begin, live, nullptr);
            cutAll(live, line.isStackLine ? line.end : endOfStack(line, thread), &piece);
            return;
        }
    }
    std::vector<ScanRegion> take() { return std::move(m_regions); }

private:
    /// A mapping that is read, as the kernel has it.
    struct Line
    {
        std::uint64_t begin, end;
        Kind kind;
        bool isStackLine;
        bool hasGuard; ///< what lies below cannot be read
    };

    static bool isAround(const Line &line, std::uint64_t address)
    {
        return address >= line.begin && address < line.end;
    }
    static std::uint64_t endOfStack(const Line &line, const StoppedThread &thread)
    {
        return std::min(line.end, (thread.threadPointer + 2 * kPageBytes) & ~(kPageBytes - 1));
    }

    void fill(const std::vector<MemoryMapping> &mappings)
    {
        const MemoryMapping *module = nullptr; // whose zeroed data may follow
        for (const MemoryMapping &mapping : mappings) {
            const bool isBehind = module && mapping.path.empty() && mapping.begin == m_last.end;
            const MemoryMapping before = std::exchange(m_last, mapping);
            if (mapping.isFile() && !mapping.isShared) {
                if (m_module.path != mapping.path)
                    m_module = mapping;
                module = &mapping;
            } else if (!isBehind) {
                module = nullptr;
            }
            // The tracer's own variables, and those of an allocator that is a library of its own, are about blocks, not of them.
            const bool isPassedOver = (mapping.isFile() || isBehind) && module
                && (fileName(*module).starts_with(kTracerName) || isAllocatorName(fileName(*module)));
            if (!mayHoldPointers(mapping) || isPassedOver)
                continue;
            add(mapping, isBehind ? module : nullptr);
            m_lines.back().hasGuard = before.end == mapping.begin && !before.isReadable && before.path.empty();
            if (isBehind)
                module = nullptr;
        }
    }
    void add(const MemoryMapping &mapping, const MemoryMapping *module)
    {
        Line line{mapping.begin, mapping.end, Kind::Anonymous, mapping.path.starts_with("[stack"), false};
        std::string name = "anonymous memory";
        if (mapping.path == "[heap]") {
            line.kind = Kind::Break;
            name = "heap";
        } else if (mapping.isFile() || module) {
            line.kind = mapping.isShared ? Kind::Mapping : Kind::Variables;
            name = mapping.isShared ? "shared memory"
                                    : fmt::format("variables of {}", fileName(module ? *module : mapping));
        } else if (line.isStackLine) {
            line.kind = Kind::Stack;
            name = "stack of the first thread";
        }
        m_lines.push_back(line);
        const bool isOfModule = line.kind == Kind::Variables;
        m_regions.push_back({line.begin, line.end, line.kind, isOfModule ? m_module.begin - m_module.fileOffset : 0,
            std::move(name), isOfModule ? m_module.path : std::string(), isOfModule ? m_module.inode : 0});
    }
    void cutAll(std::uint64_t begin, std::uint64_t end, const ScanRegion *piece)
    {
        // Only the regions that it touches are made anew.
        const auto first = std::partition_point(
            m_regions.begin(), m_regions.end(), [=](const ScanRegion &region) { return region.end <= begin; });
        auto last = first;
        while (last != m_regions.end() && last->begin < end)
            ++last;
        if (first == last)
            return;
        std::vector<ScanRegion> touched(first, last);
        cut(touched, begin, end, piece);
        m_regions.insert(m_regions.erase(first, last), touched.begin(), touched.end());
    }

    std::vector<Line> m_lines;
    std::vector<ScanRegion> m_regions;
    MemoryMapping m_last;
    MemoryMapping m_module; ///< the first mapping of the file that was met last
};

/// Adds what of [region.begin, region.end) lies outside of `holes`, which are ascending and may overlap.
struct RootWriter
{
    std::vector<model::RootRange> &roots;
    const ScanRegion &region;
    std::uint32_t root;
    std::uint64_t at;

    void hole(std::uint64_t begin, std::uint64_t end)
    {
        if (begin > at)
            roots.push_back({at, std::min(begin, region.end), root});
        at = std::max(at, std::min(end, region.end));
    }
    void finish() { hole(region.end, region.end); }
};

/// Where of a region no roots are, because it is the allocator's.
class AllocatorParts
{
public:
    AllocatorParts(const ScanRegion &region, const model::BlockIndex &blocks)
        : m_region(region)
        , m_blocks(blocks)
    {
    }

    void writeRoots(RootWriter &writer) const
    {
        const auto &all = m_blocks.blocks();
        auto block = std::partition_point(
            all.begin(), all.end(), [this](const model::ScanBlock &one) { return one.end() <= m_region.begin; });
        std::uint64_t lastEnd = 0;
        for (; block != all.end() && block->address < m_region.end; ++block) {
            std::uint64_t begin = block->address & ~(kPageBytes - 1);
            std::uint64_t end = (block->end() + kPageBytes - 1) & ~(kPageBytes - 1);
            if (lastEnd != 0 && block->address - lastEnd < kGapBytes)
                begin = std::min(begin, lastEnd);
            lastEnd = block->end();
            if (const std::uint64_t arena = arenaOf(block->address); arena != 0) {
                begin = std::min(begin, arena);
                end = std::max(end, arena + kArenaBytes);
            }
            writer.hole(begin, end);
        }
        writer.finish();
    }

private:
    /// glibc's arenas begin at multiples of their size, and so does the mapping that holds them.
    std::uint64_t arenaOf(std::uint64_t address) const
    {
        return m_region.begin % kArenaBytes == 0 ? address & ~(kArenaBytes - 1) : 0;
    }

    const ScanRegion &m_region;
    const model::BlockIndex &m_blocks;
};

bool isAlwaysRoot(Kind kind) { return kind != Kind::Break && kind != Kind::Anonymous; }

} // namespace

std::vector<ScanRegion> scanRegions(
    const std::vector<MemoryMapping> &mappings, const std::vector<StoppedThread> &threads, const KnownMemory &known)
{
    RegionList list(mappings);
    list.nameMappings(known);
    for (const StoppedThread &thread : threads)
        list.addStack(thread);
    list.dropTracer(known);
    return list.take();
}

std::vector<model::RootRange> rootRanges(const std::vector<ScanRegion> &regions,
    const std::vector<StoppedThread> &threads, const model::BlockIndex &blocks, bool knowsAllBlocks,
    const std::vector<KnownMemory::Range> &allocatorRanges)
{
    std::vector<model::RootRange> roots;
    for (std::size_t i = 0; i < regions.size(); ++i) {
        const ScanRegion &region = regions[i];
        const auto root = static_cast<std::uint32_t>(i);
        RootWriter writer{roots, region, root, region.begin};
        if (!knowsAllBlocks || isAlwaysRoot(region.kind)) {
            for (const KnownMemory::Range &range : allocatorRanges)
                if (range.begin < region.end && range.end > region.begin)
                    writer.hole(range.begin, range.end);
            writer.finish();
            continue;
        }
        // Thread-local memory that lies in what is none of the known stacks: the first thread's, and those of threads on other stacks.
        const bool holdsThread = region.kind == Kind::Anonymous
            && std::any_of(threads.begin(), threads.end(), [&](const StoppedThread &thread) {
                   return thread.threadPointer >= region.begin && thread.threadPointer < region.end + kStaticTlsBytes;
               });
        if (region.kind == Kind::Break)
            continue;
        const std::size_t before = roots.size();
        AllocatorParts(region, blocks).writeRoots(writer);
        if (!holdsThread)
            continue;
        for (const StoppedThread &thread : threads) {
            const std::uint64_t begin = std::max(region.begin, thread.threadPointer - kStaticTlsBytes);
            const std::uint64_t end = std::min(region.end, thread.threadPointer + kPageBytes);
            if (begin < end)
                roots.push_back({begin, end, root});
        }
        std::sort(roots.begin() + static_cast<std::ptrdiff_t>(before), roots.end(),
            [](const auto &a, const auto &b) { return a.begin < b.begin; });
        // Those that overlap become one.
        std::size_t kept = before;
        for (std::size_t at = before; at < roots.size(); ++at) {
            if (kept > before && roots[at].begin <= roots[kept - 1].end)
                roots[kept - 1].end = std::max(roots[kept - 1].end, roots[at].end);
            else
                roots[kept++] = roots[at];
        }
        roots.resize(kept);
    }
    return roots;
}

} // namespace capture

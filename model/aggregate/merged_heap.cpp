// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/merged_heap.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>

namespace model {

namespace {

constexpr std::uint32_t kUnknown = ~std::uint32_t{0};

/// Numbers stacks so that those that read alike get the same number. What stacks share is walked once.
class StackNumbers
{
public:
    StackNumbers(FunctionIndex &functions, StackDetail detail)
        : m_functions(functions)
        , m_tables(*functions.tables())
        , m_detail(detail)
        , m_known(m_tables.stacks.size(), kUnknown)
        , m_frames(m_tables.frames.size(), kUnknown)
    {
        for (std::uint32_t end = 0; end < kStackEndCount; ++end)
            m_known[end] = end;
    }

    std::uint32_t of(StackId stack)
    {
        m_path.clear();
        for (; m_known.at(stack.index()) == kUnknown; stack = m_tables.stacks[stack.index()].parent)
            m_path.push_back(stack);
        std::uint32_t number = m_known[stack.index()];
        for (; !m_path.empty(); m_path.pop_back()) {
            const std::uint64_t step
                = (std::uint64_t{number} << 32) | frameNumber(m_tables.stacks[m_path.back().index()].frame);
            number = m_numbers.try_emplace(step, kStackEndCount + static_cast<std::uint32_t>(m_numbers.size()))
                         .first->second;
            m_known[m_path.back().index()] = number;
        }
        return number;
    }

private:
    /// One shown function of a frame: name, path of its module, address, file, line, whether inlined; 0 where it does not count.
    using Line = std::tuple<std::uint32_t, std::uint32_t, std::uint64_t, std::uint32_t, std::uint32_t, bool>;

    std::uint32_t frameNumber(FrameId frame)
    {
        std::uint32_t &number = m_frames.at(frame.index());
        if (number != kUnknown)
            return number;
        std::vector<Line> lines;
        const FunctionIndex::Range places = m_functions.placesOf(frame);
        for (std::uint32_t i = 0; i < places.count; ++i) {
            const FunctionPlace &place = m_functions.place(places.first + i);
            const Function &function = m_functions.function(place.function);
            const std::uint32_t path
                = function.module.isValid() ? m_tables.modules.at(function.module.index()).path.value : 0;
            if (m_detail == StackDetail::Functions)
                lines.emplace_back(function.name.value, path, function.address, 0, 0, false);
            else
                lines.emplace_back(function.name.value, path, m_tables.frames[frame.index()].address, place.file.value,
                    place.line, place.isInlined);
        }
        const auto next = static_cast<std::uint32_t>(m_lines.size());
        return number = m_lines.try_emplace(std::move(lines), next).first->second;
    }

    FunctionIndex &m_functions;
    const ProgramTables &m_tables;
    StackDetail m_detail;
    std::vector<std::uint32_t> m_known;  ///< by stack
    std::vector<std::uint32_t> m_frames; ///< by frame
    std::map<std::vector<Line>, std::uint32_t> m_lines;
    std::unordered_map<std::uint64_t, std::uint32_t> m_numbers; ///< by the caller's number and the frame's
    std::vector<StackId> m_path;
};

/// Numbers images by what their programs are called.
class ProgramNumbers
{
public:
    explicit ProgramNumbers(const ProgramTables &tables)
        : m_tables(tables)
        , m_known(tables.images.size(), kUnknown)
    {
    }

    std::uint32_t of(ImageId image)
    {
        if (!image.isValid())
            return kUnknown;
        std::uint32_t &number = m_known.at(image.index());
        if (number == kUnknown)
            number = m_numbers
                         .try_emplace(std::string(m_tables.programName(m_tables.images[image.index()])),
                             static_cast<std::uint32_t>(m_numbers.size()))
                         .first->second;
        return number;
    }

private:
    const ProgramTables &m_tables;
    std::vector<std::uint32_t> m_known; ///< by image
    std::map<std::string, std::uint32_t, std::less<>> m_numbers;
};

} // namespace

void addCost(HeapCost &sum, const HeapCost &row)
{
    sum.allocations += row.allocations;
    sum.allocatedBytes += row.allocatedBytes;
    sum.frees += row.frees;
    sum.freedBytes += row.freedBytes;
    sum.temporaries += row.temporaries;
    sum.temporaryBytes += row.temporaryBytes;
    sum.liveBytes += row.liveBytes;
    sum.liveBlocks += row.liveBlocks;
    sum.liveBytesAtBegin += row.liveBytesAtBegin;
    sum.liveBlocksAtBegin += row.liveBlocksAtBegin;
    sum.peakBytes += row.peakBytes;
    sum.peakBlocks += row.peakBlocks;
    sum.samples += row.samples;
    sum.allocationVariance += row.allocationVariance;
    sum.allocatedVariance += row.allocatedVariance;
    sum.liveBlockVariance += row.liveBlockVariance;
    sum.liveVariance += row.liveVariance;
}

std::vector<MergedHeapCost> mergedHeap(const Snapshot &snapshot, FunctionIndex &functions, StackDetail detail)
{
    StackNumbers stacks(functions, detail);
    ProgramNumbers programs(*snapshot.tables);
    std::vector<MergedHeapCost> merged;
    std::unordered_map<std::uint64_t, std::size_t> rows; // by program and stack
    std::vector<std::pair<std::size_t, std::uint32_t>> processes;
    for (const HeapCost &row : snapshot.heap) {
        const std::uint64_t key = (std::uint64_t{programs.of(row.image)} << 32) | stacks.of(row.stack);
        const auto [found, isNew] = rows.try_emplace(key, merged.size());
        if (isNew)
            merged.push_back({row});
        else
            addCost(merged[found->second].cost, row);
        if (row.image.isValid())
            processes.emplace_back(found->second, snapshot.tables->images.at(row.image.index()).process.value);
    }
    // Images of one process, which it ran one after the other, are one.
    std::sort(processes.begin(), processes.end());
    processes.erase(std::unique(processes.begin(), processes.end()), processes.end());
    for (MergedHeapCost &row : merged)
        row.processes = 0;
    for (const auto &[row, process] : processes)
        ++merged[row].processes;
    for (MergedHeapCost &row : merged)
        row.processes = std::max(row.processes, 1u);
    return merged;
}

std::vector<MergedHeapCost> heaviestHeap(
    const Snapshot &snapshot, FunctionIndex &functions, StackDetail detail, CostKind kind)
{
    std::vector<MergedHeapCost> rows = mergedHeap(snapshot, functions, detail);
    std::stable_sort(rows.begin(), rows.end(), [kind](const MergedHeapCost &a, const MergedHeapCost &b) {
        return costOf(a.cost, kind) > costOf(b.cost, kind);
    });
    return rows;
}

std::vector<CpuCost> heaviestCpu(const Snapshot &snapshot, FunctionIndex &functions)
{
    StackNumbers stacks(functions, StackDetail::Functions);
    const auto isHeavier = [](const CpuCost &a, const CpuCost &b) { return a.timeNs > b.timeNs; };
    std::vector<CpuCost> sorted(snapshot.cpu.begin(), snapshot.cpu.end());
    std::stable_sort(sorted.begin(), sorted.end(), isHeavier);
    std::vector<CpuCost> merged;
    std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, std::size_t> rows; // by image, thread, stack
    for (const CpuCost &row : sorted) {
        const auto [found, isNew]
            = rows.try_emplace({row.image.value, row.thread.value, stacks.of(row.stack)}, merged.size());
        if (isNew) {
            merged.push_back(row);
            continue;
        }
        merged[found->second].samples += row.samples;
        merged[found->second].timeNs += row.timeNs;
    }
    std::stable_sort(merged.begin(), merged.end(), isHeavier);
    return merged;
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/tables/table_builder.h"

#include <algorithm>
#include <utility>

namespace model {

namespace {

constexpr std::uint64_t pack(std::uint32_t high, std::uint32_t low) { return (std::uint64_t{high} << 32) | low; }

template <typename IdType> std::vector<IdType> takeSorted(std::vector<IdType> &ids)
{
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return std::exchange(ids, {});
}

} // namespace

std::size_t TableBuilder::PairHash::operator()(const std::pair<std::uint64_t, std::uint64_t> &key) const noexcept
{
    std::uint64_t h = key.first * 0x9e3779b97f4a7c15ull + key.second;
    h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93ull;
    return h ^ (h >> 32);
}

StringId TableBuilder::string(std::string_view text)
{
    const auto [it, isNew] = m_strings.try_emplace(std::string(text), StringId(m_tables.strings.size()));
    if (isNew)
        m_tables.strings.emplace_back(text);
    return it->second;
}

ModuleId TableBuilder::module(std::string_view path, std::string_view buildId, ModuleKind kind)
{
    const Module wanted{string(path), string(buildId), kind};
    const auto key = std::pair(pack(wanted.path.value, wanted.buildId.value), static_cast<std::uint64_t>(kind));
    const auto [it, isNew] = m_modules.try_emplace(key, ModuleId(m_tables.modules.size()));
    if (isNew)
        m_tables.modules.push_back(wanted);
    return it->second;
}

FrameId TableBuilder::frame(ModuleId module, std::uint64_t address, FrameKind kind)
{
    const auto key = std::pair(address, pack(module.value, static_cast<std::uint32_t>(kind)));
    const auto [it, isNew] = m_frames.try_emplace(key, FrameId(m_tables.frames.size()));
    if (isNew) {
        m_tables.frames.push_back({module, address, kind});
        m_tables.symbols.emplace_back();
    }
    return it->second;
}

StackId TableBuilder::stack(StackId parent, FrameId frame)
{
    const auto key = std::pair(pack(parent.value, frame.value), std::uint64_t{0});
    const auto [it, isNew] = m_stacks.try_emplace(key, StackId(m_tables.stacks.size()));
    if (isNew)
        m_tables.stacks.push_back({parent, frame});
    return it->second;
}

void TableBuilder::setSymbols(FrameId frame, FrameSymbols::State state, const std::vector<SourceLine> &innermostFirst)
{
    FrameSymbols &symbols = m_tables.symbols.at(frame.index());
    if (symbols.state != FrameSymbols::State::Pending)
        return;
    const auto count = std::min<std::size_t>(innermostFirst.size(), 0xffff);
    symbols = {static_cast<std::uint32_t>(m_tables.lines.size()), static_cast<std::uint16_t>(count), state};
    m_tables.lines.insert(
        m_tables.lines.end(), innermostFirst.begin(), innermostFirst.begin() + static_cast<std::ptrdiff_t>(count));
    m_newSymbols.push_back(frame);
}

std::vector<FrameId> TableBuilder::takeNewSymbols() { return std::exchange(m_newSymbols, {}); }

ProcessId TableBuilder::addProcess(const Process &process)
{
    m_tables.processes.push_back(process);
    return m_changes.processes.emplace_back(m_tables.processes.size() - 1);
}

ImageId TableBuilder::addImage(const Image &image)
{
    m_tables.images.push_back(image);
    return m_changes.images.emplace_back(m_tables.images.size() - 1);
}

ThreadId TableBuilder::addThread(const Thread &thread)
{
    m_tables.threads.push_back(thread);
    return m_changes.threads.emplace_back(m_tables.threads.size() - 1);
}

Process &TableBuilder::changeProcess(ProcessId id)
{
    m_changes.processes.push_back(id);
    return m_tables.processes.at(id.index());
}

Image &TableBuilder::changeImage(ImageId id)
{
    m_changes.images.push_back(id);
    return m_tables.images.at(id.index());
}

Thread &TableBuilder::changeThread(ThreadId id)
{
    m_changes.threads.push_back(id);
    return m_tables.threads.at(id.index());
}

TableBuilder::Changes TableBuilder::takeChanges()
{
    return {takeSorted(m_changes.processes), takeSorted(m_changes.images), takeSorted(m_changes.threads)};
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/stack_resolver.h"

#include "capture/symbols/build_id.h"

#include <algorithm>
#include <utility>

namespace capture {

namespace {

wire::Node copyOf(const wire::Node &node)
{
    return {__atomic_load_n(&node.address, __ATOMIC_RELAXED), __atomic_load_n(&node.parent, __ATOMIC_RELAXED),
        __atomic_load_n(&node.module, __ATOMIC_RELAXED)};
}

} // namespace

StackResolver::StackResolver(wire::MemoryView view, ModuleNames names, std::int32_t pid)
    : m_view(view)
    , m_names(std::move(names))
    , m_generated(pid)
{
    static_assert(wire::kRootNodes == model::kStackEndCount);
    for (std::uint32_t root = 0; root < wire::kRootNodes; ++root) {
        m_stacks.emplace_back(root);
        m_ends.push_back(static_cast<std::uint8_t>(root));
    }
}

void StackResolver::nameGeneratedCode(model::TableBuilder &tables, bool hasEnded)
{
    m_generated.nameFrames(tables, hasEnded);
}

model::StackId StackResolver::stackOf(std::uint32_t node, model::TableBuilder &tables)
{
    // Up to the nearest node that is known, then down again. A parent has the lower number, so this ends.
    std::vector<std::pair<std::uint32_t, wire::Node>> path;
    std::uint32_t at = node;
    while (at >= m_stacks.size() || !m_stacks[at].isValid()) {
        if (at >= wire::kMaxNodes) {
            ++m_badNodes;
            at = static_cast<std::uint32_t>(model::StackEnd::BadRule);
            break;
        }
        const wire::Node copy = copyOf(m_view.node(at));
        path.emplace_back(at, copy);
        if (copy.parent >= at) {
            ++m_badNodes;
            at = static_cast<std::uint32_t>(model::StackEnd::BadRule);
            break;
        }
        at = copy.parent;
    }
    model::StackId stack = m_stacks[at];
    const std::uint8_t end = m_ends[at];
    if (!path.empty() && path.front().first >= m_stacks.size()) {
        const std::size_t size = std::max<std::size_t>(path.front().first + std::size_t{1}, m_stacks.size() * 2);
        m_stacks.resize(size);
        m_ends.resize(size);
    }
    for (auto it = path.rbegin(); it != path.rend(); ++it) {
        stack = tables.stack(stack, frameOf(it->second, tables));
        m_stacks[it->first] = stack;
        m_ends[it->first] = end;
    }
    return stack;
}

model::StackEnd StackResolver::endOf(std::uint32_t node, model::TableBuilder &tables)
{
    stackOf(node, tables);
    return node < m_ends.size() ? static_cast<model::StackEnd>(m_ends[node]) : model::StackEnd::BadRule;
}

model::FrameId StackResolver::frameOf(const wire::Node &node, model::TableBuilder &tables)
{
    const std::uint64_t address = node.address & ~wire::kExactAddress;
    const auto kind
        = (node.address & wire::kExactAddress) != 0 ? model::FrameKind::Exact : model::FrameKind::ReturnAddress;
    if (node.module == wire::kNoModule && m_image.isValid())
        return m_generated.frame(tables, m_image, address, kind);
    const KnownModule &module = moduleOf(node.module, tables);
    return tables.frame(module.id, address - module.loadBias, kind);
}

const StackResolver::KnownModule &StackResolver::moduleOf(std::uint32_t index, model::TableBuilder &tables)
{
    if (index < wire::kMaxModules) {
        if (index >= m_modules.size())
            m_modules.resize(index + std::size_t{1});
        if (!m_modules[index])
            m_modules[index] = readModule(index, tables);
        if (m_modules[index])
            return *m_modules[index];
    }
    if (!m_anonymous)
        m_anonymous = KnownModule{tables.module("[anon]", "", model::ModuleKind::Anonymous), 0, 0, 0};
    return *m_anonymous;
}

std::optional<StackResolver::KnownModule> StackResolver::readModule(std::uint32_t index, model::TableBuilder &tables)
{
    const wire::ModuleRecord &record = m_view.module(index);
    if (record.ready.load(std::memory_order_acquire) == 0) {
        ++m_badNodes;
        return std::nullopt;
    }
    const std::uint32_t offset = __atomic_load_n(&record.pathOffset, __ATOMIC_RELAXED);
    const std::uint32_t bytes = __atomic_load_n(&record.pathBytes, __ATOMIC_RELAXED);
    const std::uint64_t begin = __atomic_load_n(&record.begin, __ATOMIC_RELAXED);
    const std::uint64_t end = __atomic_load_n(&record.end, __ATOMIC_RELAXED);
    const std::uint64_t bias = __atomic_load_n(&record.loadBias, __ATOMIC_RELAXED);
    if (offset > wire::kModulePathBytes || bytes > wire::kModulePathBytes - offset) {
        ++m_badNodes;
        return std::nullopt;
    }
    std::uint8_t id[wire::kMostBuildIdBytes];
    const std::uint32_t idBytes = wire::copyBuildId(record, id);
    const ModuleNames::Name name
        = m_names.nameOf(begin, std::string(m_view.paths() + offset, bytes), hexOf({id, idBytes}));
    if (name.path == "[vdso]")
        return KnownModule{tables.module(name.path, "", model::ModuleKind::Vdso), bias, begin, end};
    return KnownModule{tables.module(name.path, name.buildId, model::ModuleKind::File), bias, begin, end};
}

std::int64_t StackResolver::takeBadNodes() { return std::exchange(m_badNodes, 0); }

} // namespace capture

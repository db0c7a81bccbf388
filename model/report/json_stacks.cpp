// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/json_stacks.h"

#include <ostream>

namespace model {

namespace {

constexpr std::int64_t kNoNode = -1;

std::string lineOf(const nlohmann::ordered_json &value)
{
    return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace

void writeJsonRows(std::ostream &out, std::string_view name, const std::vector<nlohmann::ordered_json> &rows)
{
    out << "  \"" << name << "\": [";
    for (std::size_t i = 0; i < rows.size(); ++i)
        out << (i == 0 ? "\n    " : ",\n    ") << lineOf(rows[i]);
    out << (rows.empty() ? "]" : "\n  ]");
}

std::int64_t JsonStacks::nodeAt(std::int64_t parent, const FrameKey &key, FunctionId function)
{
    const auto [frame, isNewFrame] = m_frameNumbers.try_emplace(key, static_cast<std::int64_t>(m_frames.size()));
    if (isNewFrame) {
        const ProgramTables &tables = *m_index.tables();
        const auto &[functionNumber, file, line, address, isInlined] = key;
        nlohmann::ordered_json row
            = {{"function", m_index.name(function)}, {"module", std::string(m_index.modulePath(function))}};
        if (!tables.text(StringId(file)).empty())
            row.update({{"file", tables.text(StringId(file))}, {"line", line}});
        row.update({{"address", address}, {"inlined", isInlined}});
        m_frames.push_back(std::move(row));
    }
    const auto [node, isNewNode]
        = m_nodeNumbers.try_emplace({parent, frame->second}, static_cast<std::int64_t>(m_nodes.size()));
    if (isNewNode)
        m_nodes.emplace_back(parent, frame->second);
    return node->second;
}

nlohmann::ordered_json JsonStacks::nodeOf(StackId stack)
{
    const ProgramTables &tables = *m_index.tables();
    // Up to what is known, and down again.
    std::vector<StackId> path;
    StackId at = stack;
    auto known = m_leaves.find(at.value);
    for (; known == m_leaves.end() && !isRoot(at); known = m_leaves.find(at.value)) {
        path.push_back(at);
        at = tables.stacks.at(at.index()).parent;
    }
    std::int64_t node = known == m_leaves.end() ? kNoNode : known->second;
    if (known == m_leaves.end()) {
        const auto end = static_cast<StackEnd>(at.value);
        if (end != StackEnd::ReachedStart) {
            const FunctionId function = FunctionIndex::endFunction(end);
            node = nodeAt(kNoNode, {function.value, 0, 0, 0, false}, function);
        }
        m_leaves.emplace(at.value, node);
    }
    for (; !path.empty(); path.pop_back()) {
        const FrameId frame = tables.stacks.at(path.back().index()).frame;
        const FunctionIndex::Range places = m_index.placesOf(frame);
        for (std::uint32_t i = 0; i < places.count; ++i) {
            const FunctionPlace &place = m_index.place(places.first + i);
            node = nodeAt(node,
                {place.function.value, place.file.value, place.line, tables.frames.at(frame.index()).address,
                    place.isInlined},
                place.function);
        }
        m_leaves.emplace(path.back().value, node);
    }
    return node == kNoNode ? nlohmann::ordered_json() : nlohmann::ordered_json(node);
}

void JsonStacks::write(std::ostream &out) const
{
    writeJsonRows(out, "frames", m_frames);
    out << ",\n  \"nodes\": [";
    constexpr std::size_t kNodesALine = 8;
    for (std::size_t i = 0; i < m_nodes.size(); ++i)
        out << (i == 0 ? "" : ",") << (i % kNodesALine == 0 ? "\n    " : " ") << '[' << m_nodes[i].first << ", "
            << m_nodes[i].second << ']';
    out << (m_nodes.empty() ? "]" : "\n  ]");
}

} // namespace model

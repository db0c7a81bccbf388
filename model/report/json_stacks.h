// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/function_index.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace model {

/// Writes rows of JSON one a line, behind `"name": `; no comma at the end.
void writeJsonRows(std::ostream &out, std::string_view name, const std::vector<nlohmann::ordered_json> &rows);

/// The stacks of a JSON report as a tree, so that what many stacks share is written once: deep stacks repeated in full are a hundred times as
/// large. A stack names its leaf; its frames are found by going from parent to parent.
class JsonStacks
{
public:
    explicit JsonStacks(FunctionIndex &index)
        : m_index(index)
    {
    }

    /// Position in `nodes` of the stack's leaf; null for a stack without frames.
    nlohmann::ordered_json nodeOf(StackId stack);

    /// `"frames": [{function, module, file, line, address, inlined}, …], "nodes": [[parent, frame], …]`: of all stacks asked for so far. Parents come
    /// before their children; the parent of an outermost frame is −1. Inlined functions are nodes of their own.
    void write(std::ostream &out) const;

private:
    using FrameKey = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::uint64_t, bool>;

    std::int64_t nodeAt(std::int64_t parent, const FrameKey &key, FunctionId function);

    FunctionIndex &m_index;
    std::unordered_map<std::uint32_t, std::int64_t> m_leaves; ///< by stack
    std::map<FrameKey, std::int64_t> m_frameNumbers;
    std::vector<nlohmann::ordered_json> m_frames;
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> m_nodeNumbers;
    std::vector<std::pair<std::int64_t, std::int64_t>> m_nodes; ///< parent, frame
};

} // namespace model

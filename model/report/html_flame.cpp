// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/html_flame.h"

#include "model/aggregate/call_tree.h"
#include "model/aggregate/own_code.h"
#include "model/aggregate/stack_text.h"
#include "model/report/html_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <ostream>
#include <unordered_map>

namespace model {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kLeastPart = 1000; ///< of all: lighter nodes are left out

/// JSON that may stand in a script element: nothing in it ends the element or begins a comment.
std::string scriptText(const Json &json)
{
    std::string text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
    for (std::size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at))
        text.replace(at, 1, "\\u003c");
    return text;
}

/// The nodes worth drawing, callers first: a node is [depth, function, place, cost …].
class FlameData
{
public:
    explicit FlameData(const CallTree &tree)
        : m_tree(tree)
    {
        for (std::size_t column = 0; column < tree.kinds().size(); ++column)
            m_least.push_back(std::max<std::int64_t>(tree.all(column) / kLeastPart, 1));
    }

    Json make()
    {
        add(CallTree::root());
        Json kinds = Json::array();
        for (const CostKind kind : m_tree.kinds())
            kinds.push_back({{"label", costInfo(kind).label}, {"isBytes", costInfo(kind).unit == Unit::Bytes},
                {"isTime", costInfo(kind).unit == Unit::Nanoseconds}});
        return {{"kinds", kinds}, {"functions", m_functions}, {"nodes", m_nodes}, {"hidden", m_hidden}};
    }

private:
    // The tree is as deep as the deepest stack, so it is walked without the program's own stack.
    void add(NodeId root)
    {
        std::vector<NodeId> ahead{root};
        while (!ahead.empty()) {
            const NodeId id = ahead.back();
            ahead.pop_back();
            const CallNode &node = m_tree.node(id);
            Json row = Json::array({node.depth, functionOf(node),
                shortPlace(std::string(m_tree.functions().tables()->text(node.file)), node.line)});
            for (std::size_t column = 0; column < m_least.size(); ++column)
                row.push_back(m_tree.total(id, column));
            m_nodes.push_back(std::move(row));
            for (std::size_t i = node.childCount; i-- > 0;) {
                const NodeId child = m_tree.child(id, i);
                if (isWorthDrawing(child))
                    ahead.push_back(child);
                else
                    ++m_hidden;
            }
        }
    }

    bool isWorthDrawing(NodeId id) const
    {
        for (std::size_t column = 0; column < m_least.size(); ++column)
            if (m_tree.total(id, column) >= m_least[column])
                return true;
        return false;
    }

    std::size_t functionOf(const CallNode &node)
    {
        const auto [at, isNew] = m_numbers.try_emplace(node.function.value, m_functions.size());
        if (isNew) {
            const FunctionIndex &index = m_tree.functions();
            const std::string name = index.name(node.function);
            m_functions.push_back(Json::array({shortFunctionName(name), name,
                std::string(index.moduleName(node.function)), isOwnCode(index, node.function) ? 1 : 0}));
        }
        return at->second;
    }

    const CallTree &m_tree;
    std::vector<std::int64_t> m_least;
    std::unordered_map<std::uint32_t, std::size_t> m_numbers;
    Json m_functions = Json::array();
    Json m_nodes = Json::array();
    std::int64_t m_hidden = 0;
};

} // namespace

void writeHtmlFlame(std::ostream &out, const Snapshot &snapshot, const std::vector<CostKind> &kinds)
{
    const std::optional<CallTree> all = callTree(snapshot, kinds);
    std::vector<CostKind> present;
    for (std::size_t column = 0; column < kinds.size(); ++column)
        if (all && all->all(column) > 0)
            present.push_back(kinds[column]);
    if (present.empty())
        return;
    const std::optional<CallTree> tree = present == kinds ? all : callTree(snapshot, present);
    out << "<div class=\"flame\"><noscript>The flame graph is drawn by a script.</noscript>"
        << "<script type=\"application/json\">" << scriptText(FlameData(*tree).make()) << "</script></div>\n";
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/tree_text.h"

namespace tests {

using namespace model;

namespace {

void append(const CallTree &tree, NodeId id, std::string &text)
{
    const CallNode &node = tree.node(id);
    if (node.depth > 0) {
        text += std::string((node.depth - 1) * 2, ' ') + tree.name(id) + ' ' + std::to_string(tree.total(id));
        if (tree.self(id) != 0)
            text += " self " + std::to_string(tree.self(id));
        text += node.isInlined ? " inlined" : "";
        text += node.recursion > 1 ? " ×" + std::to_string(node.recursion) : "";
        text += node.isCut ? " cut\n" : "\n";
    }
    for (std::uint32_t i = 0; i < node.childCount; ++i)
        append(tree, tree.child(id, i), text);
}

} // namespace

std::string treeText(const CallTree &tree)
{
    std::string text;
    append(tree, CallTree::root(), text);
    return text;
}

} // namespace tests

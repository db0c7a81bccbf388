// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/flame_graph_view.h"

#include "model/aggregate/own_code.h"
#include "ui/text.h"

namespace ui {

FlameGraphView::FlameGraphView(QWidget *parent)
    : FlameView(parent)
    , m_tree(std::make_shared<const model::CallTree>())
{
    setAccessibleName(tr("Flame graph"));
}

void FlameGraphView::setTree(std::shared_ptr<const model::CallTree> tree, std::size_t column)
{
    const std::vector<QString> zoomed = pathOf(zoom());
    m_tree = std::move(tree);
    m_column = column;
    treeChanged(zoomed);
}

FlameView::Place FlameGraphView::place(model::NodeId node) const
{
    const model::CallNode &at = m_tree->node(node);
    return {at.parent, at.firstChild, at.childCount};
}

QString FlameGraphView::wholeName(model::NodeId node) const { return text(m_tree->name(node)); }

QColor FlameGraphView::fillOf(model::NodeId node) const
{
    const Colors &colors = Colors::of(this);
    const model::FunctionId function = m_tree->node(node).function;
    if (node == model::CallTree::root() || !function.isValid() || model::FunctionIndex::isEnd(function))
        return ModuleTint().color(colors);
    const model::FunctionIndex &functions = m_tree->functions();
    if (!model::isOwnCode(functions, function) || model::isTracerCode(functions, function))
        return ModuleTint().color(colors);
    return ModuleTint(*functions.tables(), functions.function(function).module).color(colors);
}

model::FlameLayout FlameGraphView::layoutFor(const model::FlameOptions &options) const
{
    model::FlameOptions ours = options;
    ours.column = m_column;
    return model::flameLayout(*m_tree, ours);
}

QString FlameGraphView::explanation(const model::FlameRect &rect) const
{
    const auto unit = model::costInfo(m_tree->kinds().at(m_column)).unit;
    const auto value = [&](std::int64_t cost) { return text(model::formatValue(static_cast<double>(cost), unit)); };
    const QString share = text(model::formatShareOf(rect.total, m_tree->all(m_column)));
    if (rect.merged)
        return tr("%n more functions, too narrow to draw", nullptr, static_cast<int>(rect.merged)) + u'\n'
            + value(rect.total) + QStringLiteral(" · ") + share;
    QString words = rect.node == model::CallTree::root() ? tr("all") : text(m_tree->name(rect.node));
    const model::CallNode &node = m_tree->node(rect.node);
    if (node.function.isValid() && !model::FunctionIndex::isEnd(node.function))
        words += u'\n' + text(m_tree->functions().moduleName(node.function));
    if (node.isInlined)
        words += tr(" · inlined");
    if (node.recursion > 1)
        words += tr(" · recursive, %1 deep").arg(node.recursion);
    words += u'\n' + value(rect.total) + QStringLiteral(" · ") + share;
    if (const std::int64_t self = m_tree->self(rect.node, m_column))
        words += tr(" · self %1").arg(value(self));
    return words;
}

} // namespace ui

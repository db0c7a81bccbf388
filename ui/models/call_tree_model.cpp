// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/call_tree_model.h"

#include "model/aggregate/stack_text.h"
#include "model/report/distinct_names.h"
#include "ui/text.h"

#include <algorithm>

namespace ui {

CallTreeModel::CallTreeModel(QObject *parent)
    : QAbstractItemModel(parent)
    , m_tree(std::make_shared<const model::CallTree>())
{
}

void CallTreeModel::setTree(std::shared_ptr<const model::CallTree> tree, const CostView &view)
{
    beginResetModel();
    m_tree = std::move(tree);
    m_view = view;
    m_names.clear();
    endResetModel();
}

model::NodeId CallTreeModel::nodeAt(const QModelIndex &index) const
{
    return index.isValid() ? model::NodeId(static_cast<std::uint32_t>(index.internalId())) : model::CallTree::root();
}

QModelIndex CallTreeModel::indexOf(model::NodeId node, int column) const
{
    if (!node.isValid() || node == model::CallTree::root() || node.index() >= m_tree->size())
        return {};
    return createIndex(static_cast<int>(m_tree->rowOf(node)), column, quintptr{node.value});
}

QModelIndex CallTreeModel::index(int row, int column, const QModelIndex &parent) const
{
    if (!hasIndex(row, column, parent))
        return {};
    return createIndex(row, column, quintptr{m_tree->child(nodeAt(parent), static_cast<std::size_t>(row)).value});
}

QModelIndex CallTreeModel::parent(const QModelIndex &child) const
{
    return child.isValid() ? indexOf(m_tree->node(nodeAt(child)).parent) : QModelIndex();
}

int CallTreeModel::rowCount(const QModelIndex &parent) const
{
    return parent.column() > 0 ? 0 : static_cast<int>(m_tree->node(nodeAt(parent)).childCount);
}

int CallTreeModel::columnCount(const QModelIndex &) const { return 1 + static_cast<int>(m_view.columns.size()); }

std::int64_t CallTreeModel::valueOf(model::NodeId node, const CostColumn &column) const
{
    return column.part == CostPart::Self ? m_tree->self(node, column.cost) : m_tree->total(node, column.cost);
}

/// Told apart from what stands beside it; not among thousands, of which the last weigh next to nothing.
std::string CallTreeModel::shownName(model::NodeId node) const
{
    constexpr std::size_t kMostToldApart = 500;
    const model::NodeId parent = m_tree->node(node).parent;
    const std::size_t position = parent.isValid() ? m_tree->rowOf(node) : kMostToldApart;
    if (position >= kMostToldApart)
        return model::shortFunctionName(m_tree->name(node));
    const auto [names, isNew] = m_names.try_emplace(parent.value);
    if (isNew) {
        std::vector<model::NamedRow> rows;
        for (std::size_t i = 0; i < std::min<std::size_t>(m_tree->node(parent).childCount, kMostToldApart); ++i)
            rows.push_back({m_tree->name(m_tree->child(parent, i)), {}});
        names->second = model::distinctNames(rows);
    }
    return names->second[position];
}

QVariant CallTreeModel::nameData(model::NodeId node, int role) const
{
    const model::CallNode &found = m_tree->node(node);
    const auto place
        = [&] { return text(model::shortPlace(m_tree->functions().tables()->text(found.file), found.line)); };
    switch (role) {
    case Qt::DisplayRole: {
        QString words = text(shownName(node));
        if (found.recursion > 1)
            words += tr(" ×%1 recursive").arg(found.recursion);
        return found.isCut ? words + QStringLiteral(" …") : words;
    }
    case SortRole:
    case FullTextRole:
        return text(m_tree->name(node));
    case Qt::ToolTipRole: {
        QString words = text(m_tree->name(node));
        if (const std::string_view module = m_tree->functions().moduleName(found.function); !module.empty())
            words += u'\n' + text(module);
        if (found.line)
            words += QStringLiteral(" · ") + place();
        if (found.isInlined)
            words += tr(" · inlined");
        return found.isCut ? words + tr("\nIts callers weigh too little to be opened.") : words;
    }
    case SourceRole:
        return found.line ? QVariant(place()) : QVariant();
    default:
        return {};
    }
}

QVariant CallTreeModel::figureData(model::NodeId node, const CostColumn &column, int role) const
{
    const std::int64_t value = valueOf(node, column);
    const std::int64_t all = m_tree->all(column.cost);
    switch (role) {
    case Qt::DisplayRole:
        if (column.asShare)
            return text(model::formatShareOf(value, all));
        return value == 0 ? QString() : costText(value, model::costInfo(m_view.kinds[column.cost]).unit);
    case Qt::TextAlignmentRole:
        return QVariant(Qt::AlignRight | Qt::AlignVCenter);
    case SortRole:
        return QVariant::fromValue(qlonglong{value});
    case ShareRole:
        return column.hasBar && all > 0 ? QVariant(static_cast<double>(value) / static_cast<double>(all)) : QVariant();
    case Qt::ToolTipRole:
        return QStringLiteral("%1 · %2").arg(text(model::formatCount(value)), text(model::formatShareOf(value, all)));
    default:
        return {};
    }
}

QVariant CallTreeModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    const model::NodeId node = nodeAt(index);
    if (role == NodeRole)
        return node.value;
    if (role == StackRole) {
        const model::StackId stack = m_tree->node(node).stack;
        return stack.isValid() ? QVariant(stack.value) : QVariant();
    }
    if (index.column() == 0)
        return nameData(node, role);
    return figureData(node, m_view.columns.at(static_cast<std::size_t>(index.column() - 1)), role);
}

QVariant CallTreeModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant((section == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    if (section == 0)
        return tr("Function");
    const auto column = static_cast<std::size_t>(section - 1);
    return column < m_view.columns.size() ? columnTitle(m_view, m_view.columns[column]) : QString();
}

} // namespace ui

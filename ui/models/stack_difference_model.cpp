// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/stack_difference_model.h"

#include "model/aggregate/stack_text.h"
#include "ui/text.h"

#include <algorithm>
#include <cmath>

namespace ui {

void StackDifferenceModel::setCost(std::shared_ptr<const model::ComparedSessions> compared, std::size_t cost)
{
    beginResetModel();
    m_compared = std::move(compared);
    m_cost = cost;
    m_most = 0;
    m_frames.clear();
    if (m_compared) {
        m_frames.resize(comparison().stacks.size());
        for (const model::StackDifference &row : comparison().stacks)
            m_most = std::max(m_most, std::abs(row.cost.change()));
    }
    endResetModel();
}

const std::vector<StackDifferenceModel::FrameText> &StackDifferenceModel::framesOf(std::size_t group) const
{
    std::optional<std::vector<FrameText>> &made = m_frames[group];
    if (made)
        return *made;
    made.emplace();
    const model::StackDifference &row = comparison().stacks[group];
    for (const model::StackLine &line :
        model::stackLines(*comparison().indexes[model::sideIndex(row.side)], row.stack)) {
        FrameText frame{text(model::shortFunctionName(line.name)), text(line.name)};
        if (const std::string place = model::shortPlace(line.file, line.line); !place.empty())
            frame.shown += QStringLiteral("   ") + text(place);
        if (line.isInlined)
            frame.shown += tr("   inlined");
        made->push_back(std::move(frame));
    }
    return *made;
}

const model::StackDifference *StackDifferenceModel::groupAt(const QModelIndex &index) const
{
    if (!index.isValid() || !m_compared)
        return nullptr;
    const std::size_t group = index.internalId() > 0 ? index.internalId() - 1 : static_cast<std::size_t>(index.row());
    return group < comparison().stacks.size() ? &comparison().stacks[group] : nullptr;
}

QModelIndex StackDifferenceModel::index(int row, int column, const QModelIndex &parent) const
{
    if (row < 0 || column < 0 || column >= ColumnCount || row >= rowCount(parent))
        return {};
    return createIndex(row, column, parent.isValid() ? static_cast<quintptr>(parent.row()) + 1 : 0);
}

QModelIndex StackDifferenceModel::parent(const QModelIndex &child) const
{
    if (!child.isValid() || child.internalId() == 0)
        return {};
    return createIndex(static_cast<int>(child.internalId()) - 1, 0, quintptr{0});
}

int StackDifferenceModel::rowCount(const QModelIndex &parent) const
{
    if (!m_compared || parent.column() > 0)
        return 0;
    if (!parent.isValid())
        return static_cast<int>(comparison().stacks.size());
    return parent.internalId() > 0 ? 0 : static_cast<int>(framesOf(static_cast<std::size_t>(parent.row())).size());
}

bool StackDifferenceModel::hasChildren(const QModelIndex &parent) const
{
    return m_compared && parent.column() <= 0 && (!parent.isValid() || parent.internalId() == 0);
}

int StackDifferenceModel::columnCount(const QModelIndex &) const { return ColumnCount; }

QVariant StackDifferenceModel::nameData(std::size_t group, int role) const
{
    constexpr std::size_t kShown = 3;
    const model::StackDifference &row = comparison().stacks[group];
    const std::vector<FrameText> &frames = framesOf(group);
    QStringList names;
    for (std::size_t i = 0; i < frames.size() && (role != Qt::DisplayRole || i < kShown); ++i)
        names << (role == Qt::DisplayRole ? text(model::shortFunctionName(frames[i].whole.toStdString()))
                                          : frames[i].whole);
    switch (role) {
    case Qt::DisplayRole:
        return names.join(QStringLiteral(" ← ")) + (frames.size() > kShown ? QStringLiteral(" ← …") : QString())
            + (!row.isInA        ? tr("   only after")
                    : !row.isInB ? tr("   only before")
                                 : QString());
    case SortRole:
    case FullTextRole:
        return names.join(u';');
    case Qt::ToolTipRole:
        return names.join(u'\n');
    default:
        return {};
    }
}

QVariant StackDifferenceModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid() || !m_compared)
        return {};
    if (index.internalId() > 0) {
        const FrameText &frame = framesOf(index.internalId() - 1)[static_cast<std::size_t>(index.row())];
        if (index.column() != NameColumn)
            return {};
        return role == Qt::DisplayRole                        ? QVariant(frame.shown)
            : role == Qt::ToolTipRole || role == FullTextRole ? QVariant(frame.whole)
            : role == SortRole                                ? QVariant(-index.row())
                                                              : QVariant();
    }
    const auto group = static_cast<std::size_t>(index.row());
    const model::StackDifference &row = comparison().stacks[group];
    if (role == SignificantRole)
        return row.cost.isSignificant;
    if (index.column() == NameColumn)
        return nameData(group, role);
    return differenceData(row.cost, model::costInfo(comparison().kind).unit, comparison().certainty,
        static_cast<DifferenceColumn>(index.column() - FirstColumn), m_most, role);
}

QVariant StackDifferenceModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return {};
    if (section >= FirstColumn)
        return differenceHeader(static_cast<DifferenceColumn>(section - FirstColumn), role);
    if (role == Qt::TextAlignmentRole)
        return QVariant(Qt::AlignLeft | Qt::AlignVCenter);
    return role == Qt::DisplayRole ? QVariant(tr("Stack, innermost first")) : QVariant();
}

} // namespace ui

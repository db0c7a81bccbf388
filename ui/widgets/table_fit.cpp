// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/table_fit.h"

#include <QAbstractItemModel>
#include <QHeaderView>
#include <QTableView>
#include <QTreeView>

#include <algorithm>
#include <numeric>
#include <vector>

namespace ui {

namespace {

constexpr int kLeastColumnPx = 64;

int rowHeightOf(const QAbstractItemView &view)
{
    if (const auto *table = qobject_cast<const QTableView *>(&view))
        return table->verticalHeader()->defaultSectionSize();
    const int hint = view.sizeHintForRow(0);
    return hint > 0 ? hint : view.fontMetrics().height() + 8;
}

int headerHeightOf(const QAbstractItemView &view)
{
    for (const auto *header : view.findChildren<QHeaderView *>(Qt::FindDirectChildrenOnly))
        if (header->orientation() == Qt::Horizontal)
            return header->sizeHint().height();
    return 0;
}

} // namespace

void fitHeight(QAbstractItemView &view, int rows, int least, int most)
{
    const int shown = std::clamp(rows, least, most);
    view.setFixedHeight(headerHeightOf(view) + shown * rowHeightOf(view) + 2 * view.frameWidth() + 4);
}

void fitColumns(QTreeView &view, double mostShare)
{
    QHeaderView *header = view.header();
    const int last = header->count() - 1;
    const int room = view.viewport()->width();
    std::vector<int> shown;
    for (int column = 0; column < last; ++column) {
        if (header->isSectionHidden(column))
            continue;
        const int widest = static_cast<int>(room * (shown.empty() ? mostShare : 0.25));
        view.resizeColumnToContents(column);
        view.setColumnWidth(column, std::min(view.columnWidth(column) + 4, std::max(widest, kLeastColumnPx)));
        shown.push_back(column);
    }
    // Public there, not in what derives from it.
    const int content = static_cast<const QAbstractItemView &>(view).sizeHintForColumn(last);
    const int most = room - std::min(std::max(content, kLeastColumnPx), room / 5);
    const auto isNarrower = [&view](int a, int b) { return view.columnWidth(a) < view.columnWidth(b); };
    const auto used = [&] {
        return std::accumulate(
            shown.begin(), shown.end(), 0, [&view](int sum, int column) { return sum + view.columnWidth(column); });
    };
    for (int excess = used() - most; excess > 0 && !shown.empty(); excess = used() - most) {
        const int widest = *std::max_element(shown.begin(), shown.end(), isNarrower);
        const int width = view.columnWidth(widest);
        if (width <= kLeastColumnPx)
            break;
        view.setColumnWidth(widest, std::max({width - excess, width * 3 / 4, kLeastColumnPx}));
    }
}

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/areas_page.h"

#include "model/aggregate/area_snapshot.h"
#include "model/base/format_units.h"
#include "model/report/csv_report.h"
#include "ui/pages/page_text.h"
#include "ui/text.h"
#include "ui/widgets/card.h"
#include "ui/widgets/copy_menu.h"

#include <QHeaderView>
#include <QScrollBar>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <map>

namespace ui {

namespace {

using model::AreaKind;
using model::CostKind;

constexpr int kKindRole = Qt::UserRole, kNameRole = Qt::UserRole + 1;
constexpr int kMostVisibleRows = 6;
constexpr int kLowPagePx = 560;
constexpr std::size_t kMostRows = 500; ///< of one kind
constexpr int kFigureColumnPx = 88;
constexpr int kHeadMarginPx = 32; ///< what stands beside a head's words, which are bolder than the font says

QString bytesText(std::int64_t bytes) { return text(model::formatBytes(static_cast<double>(bytes))); }

void add(model::HeapCost &sum, const model::HeapCost &cost)
{
    sum.allocations += cost.allocations;
    sum.allocatedBytes += cost.allocatedBytes;
    sum.frees += cost.frees;
    sum.liveBytes += cost.liveBytes;
    sum.liveBlocks += cost.liveBlocks;
    sum.peakBytes += cost.peakBytes;
}

/// A snapshot without costs: what is shown before there are areas.
std::shared_ptr<const model::Snapshot> withoutAreas(const model::Snapshot &snapshot)
{
    auto bare = std::make_shared<model::Snapshot>();
    bare->file = snapshot.file;
    bare->info = snapshot.info;
    bare->tables = snapshot.tables;
    bare->selection = snapshot.selection;
    bare->span = snapshot.span;
    return bare;
}

} // namespace

AreasPage::AreasPage(Selection &selection, QWidget *parent)
    : CostPage(selection,
        {{CostKind::Live, tr("Live")}, {CostKind::Allocated, tr("Taken")}, {CostKind::Allocations, tr("Count")}},
        Token::Memory, parent)
{
    setUpList();
}

void AreasPage::setUpList()
{
    m_listCard = new Card(tr("Areas"), this);
    m_listCard->setCaption(tr("memory beside malloc's; the chosen one is shown by stack below"));
    m_listCard->addExport(QStringLiteral("CSV"), [this]() -> Export {
        std::vector<Export> all = exports();
        return all.empty() ? Export{} : std::move(all.front());
    });
    m_list = new QTreeWidget(m_listCard);
    m_list->setHeaderLabels({tr("Area"), tr("Live"), tr("Blocks"), tr("Peak"), tr("Taken in all"), tr("Times")});
    m_list->setUniformRowHeights(true);
    m_list->setItemsExpandable(false);
    m_list->setRootIsDecorated(false);
    addCopyMenu(*m_list);
    m_list->setAccessibleName(tr("Areas"));
    m_list->header()->setStretchLastSection(false);
    m_list->header()->setSectionsMovable(false);
    for (int column = 1; column < m_list->columnCount(); ++column) {
        m_list->headerItem()->setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);
        m_list->header()->setSectionResizeMode(column, QHeaderView::Fixed);
        const int words = m_list->fontMetrics().horizontalAdvance(m_list->headerItem()->text(column));
        m_list->header()->resizeSection(column, std::max(kFigureColumnPx, words + kHeadMarginPx));
    }
    m_list->header()->setSectionResizeMode(0, QHeaderView::Stretch);
    m_listCard->body()->addWidget(m_list);
    m_listCard->hide();
    static_cast<QVBoxLayout *>(layout())->insertWidget(0, m_listCard);
    connect(m_list, &QTreeWidget::currentItemChanged, this, [this](QTreeWidgetItem *row) { choose(row); });
}

void AreasPage::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    if (!snapshot || !m_raw || snapshot->file != m_raw->file)
        m_isChosen = false;
    m_raw = std::move(snapshot);
    fillList();
    showChosen();
}

void AreasPage::showChosen()
{
    if (!m_raw)
        return CostPage::setSnapshot(nullptr);
    CostPage::setSnapshot(m_raw->areas.empty()
            ? withoutAreas(*m_raw)
            : std::make_shared<const model::Snapshot>(model::areaSnapshot(*m_raw, m_chosen.first, m_chosen.second)));
}

void AreasPage::choose(QTreeWidgetItem *row)
{
    if (row == nullptr || !m_raw)
        return;
    const QVariant name = row->data(0, kNameRole);
    m_chosen = {static_cast<AreaKind>(row->data(0, kKindRole).toInt()),
        name.isValid() ? std::optional(model::StringId(name.toUInt())) : std::nullopt};
    m_isChosen = true;
    showChosen();
    showCost(shownCost());
}

void AreasPage::fillList()
{
    const QSignalBlocker blocker(m_list);
    const int scrolled = m_list->verticalScrollBar()->value();
    m_list->clear();
    const bool hasAreas = m_raw && !m_raw->areas.empty();
    m_listCard->setVisible(hasAreas);
    if (!hasAreas)
        return;
    if (!m_isChosen) {
        const bool hasMappings = std::any_of(m_raw->areas.begin(), m_raw->areas.end(),
            [](const model::MemoryArea &area) { return area.kind == AreaKind::Mapping; });
        m_chosen = {hasMappings ? AreaKind::Mapping : AreaKind::Pool, std::nullopt};
    }
    addRows(AreaKind::Mapping, tr("All mappings"));
    addRows(AreaKind::Pool, tr("All pools"));
    m_list->expandAll();
    fitList();
    m_list->verticalScrollBar()->setValue(scrolled);
}

void AreasPage::addRows(AreaKind kind, const QString &all)
{
    model::HeapCost sum;
    std::map<model::StringId, model::HeapCost> byName; // the same area of several processes
    for (const model::MemoryArea &area : m_raw->areas)
        if (area.kind == kind) {
            add(byName[area.name], area.total);
            add(sum, area.total);
        }
    if (byName.empty())
        return;
    addRow({kind, std::nullopt}, all, sum, nullptr);
    QTreeWidgetItem *parent = m_list->topLevelItem(m_list->topLevelItemCount() - 1);
    std::vector<std::pair<model::StringId, model::HeapCost>> rows(byName.begin(), byName.end());
    std::stable_sort(
        rows.begin(), rows.end(), [](const auto &a, const auto &b) { return a.second.liveBytes > b.second.liveBytes; });
    for (std::size_t i = 0; i < std::min(rows.size(), kMostRows); ++i)
        addRow({kind, rows[i].first}, text(m_raw->tables->text(rows[i].first)), rows[i].second, parent);
    if (rows.size() > kMostRows) {
        auto *more = new QTreeWidgetItem(
            parent, {tr("… and %1 more (the CSV has all)").arg(text(model::formatCount(rows.size() - kMostRows)))});
        more->setFlags(Qt::NoItemFlags);
    }
}

void AreasPage::addRow(const Choice &choice, const QString &name, const model::HeapCost &sum, QTreeWidgetItem *parent)
{
    auto *row
        = new QTreeWidgetItem(QStringList{name, bytesText(sum.liveBytes), text(model::formatCount(sum.liveBlocks)),
            bytesText(sum.peakBytes), bytesText(sum.allocatedBytes), text(model::formatCount(sum.allocations))});
    for (int column = 1; column < m_list->columnCount(); ++column)
        row->setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);
    row->setToolTip(0, name);
    row->setData(0, kKindRole, static_cast<int>(choice.first));
    if (choice.second)
        row->setData(0, kNameRole, choice.second->value);
    if (parent != nullptr)
        parent->addChild(row);
    else
        m_list->addTopLevelItem(row);
    if (choice == m_chosen)
        m_list->setCurrentItem(row);
}

void AreasPage::resizeEvent(QResizeEvent *event)
{
    CostPage::resizeEvent(event);
    fitList();
}

/// As high as its rows, up to some. Where the window is low, what stands below needs the room more.
void AreasPage::fitList()
{
    const bool isLow = height() < kLowPagePx;
    m_listCard->setTitle(isLow ? QString() : tr("Areas"));
    const int margin = isLow ? 4 : 12;
    m_listCard->body()->setContentsMargins(16, margin, 16, margin);
    int rows = m_list->topLevelItemCount();
    for (int i = 0; i < m_list->topLevelItemCount(); ++i)
        rows += m_list->topLevelItem(i)->childCount();
    const int shown = std::clamp(rows, 1, isLow ? kMostVisibleRows / 2 : kMostVisibleRows);
    const int rowPx = std::max(m_list->sizeHintForRow(0), m_list->fontMetrics().height() + 4);
    m_list->setFixedHeight(m_list->header()->sizeHint().height() + shown * rowPx + 2 * m_list->frameWidth() + 2);
}

QString AreasPage::wholeText(const model::Snapshot &snapshot) const
{
    const model::HeapSummary &sum = snapshot.heapSummary;
    const bool isLive = shownCost() == CostKind::Live;
    const std::int64_t bytes = isLive ? sum.liveBytes : sum.allocatedBytes;
    const std::int64_t count = isLive ? sum.liveBlocks : sum.allocations;
    const QString amount = m_chosen.first == AreaKind::Pool ? tr("%1 in %2 blocks of pools") : tr("%1 in %2 mappings");
    return amount.arg(bytesText(bytes), text(model::formatCount(count))) + allThreadsText(snapshot);
}

QString AreasPage::emptyText(const model::Snapshot &snapshot) const
{
    if (!snapshot.heap.empty())
        return {};
    if (snapshot.info.config.heap == model::HeapMode::Off)
        return tr("What the program maps is traced with its heap, which this recording left out.\nRecord with --heap "
                  "full to see who maps memory, and the program's own pools.");
    const QString what = snapshot.selection.time ? tr("Nothing was mapped in the selected time, and no pool was used.")
                                                 : tr("Nothing was mapped, and no pool was used.");
    return what
        + tr("\nThis page shows memory beside malloc's: what the program maps itself, by stack, and its own pools, "
             "which "
             "it tells of through genesis_profiler.h.");
}

void AreasPage::writeStacks(std::ostream &out, const model::Snapshot &snapshot) const
{
    model::writeHeapStacksCsv(out, snapshot, shownCost());
}

std::vector<Export> AreasPage::exports()
{
    std::vector<Export> all = CostPage::exports();
    if (!all.empty() && m_raw)
        all.insert(all.begin(),
            {key() + QStringLiteral("-list"), tr("Areas"), {},
                [snapshot = m_raw](std::ostream &out) { model::writeAreasCsv(out, *snapshot); }});
    return all;
}

} // namespace ui

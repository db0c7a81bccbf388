// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/lost_page.h"

#include "model/aggregate/own_code.h"
#include "model/aggregate/stack_text.h"
#include "model/analysis/leak_scan_words.h"
#include "model/base/format_counted.h"
#include "model/report/lost_report.h"
#include "ui/pages/page_text.h"
#include "ui/text.h"
#include "ui/widgets/card.h"
#include "ui/widgets/copy_menu.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/table_fit.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

namespace ui {

namespace {

constexpr int kStackRole = Qt::UserRole;
constexpr std::size_t kMostRows = 200;

QString bytesText(std::int64_t bytes) { return text(model::formatBytes(static_cast<double>(bytes))); }
QString countText(std::int64_t count) { return text(model::formatCount(count)); }

QLabel *newWrapped(const QString &shown, const char *tone = nullptr)
{
    QLabel *label = newLabel(shown, TextSize::Body, TextWeight::Normal, tone);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    return label;
}

QTreeWidget *newList(const QStringList &headers, int wide)
{
    auto *list = new QTreeWidget;
    list->setRootIsDecorated(false);
    addCopyMenu(*list);
    list->setUniformRowHeights(true);
    list->setHeaderLabels(headers);
    list->header()->setStretchLastSection(false);
    list->header()->setSectionResizeMode(QHeaderView::ResizeToContents);
    list->header()->setSectionResizeMode(wide, QHeaderView::Stretch);
    list->header()->setMinimumSectionSize(96);
    for (int column = 1; column < headers.size(); ++column)
        if (column != wide)
            list->headerItem()->setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);
    return list;
}

void addRow(QTreeWidget *list, const QStringList &cells, model::StackId stack, const QString &tip)
{
    auto *row = new QTreeWidgetItem(cells);
    for (int column = 0; column < cells.size(); ++column) {
        if (column > 0)
            row->setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);
        row->setToolTip(column, tip);
    }
    row->setData(0, kStackRole, stack.value);
    list->addTopLevelItem(row);
}

QString functionOf(model::FunctionIndex &index, model::StackId stack)
{
    return text(model::shortFunctionName(model::callerLine(index, stack).name));
}

} // namespace

LostPage::LostPage(Selection &selection, QWidget *parent)
    : Page(parent)
    , m_selection(selection)
{
    auto *outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    setUpTop(outer);
    m_column = addScrollingColumn(outer);
    updateButton();
}

void LostPage::setUpTop(QVBoxLayout *outer)
{
    auto *line = new QHBoxLayout;
    m_scan = newPrimaryButton(tr("Scan now"));
    m_scan->setToolTip(tr("Stops the program for some milliseconds, and finds the blocks that no pointer leads to"));
    line->addWidget(m_scan);
    line->addStretch(1);
    outer->addLayout(line);
    connect(m_scan, &QPushButton::clicked, this, &LostPage::scan);
}

bool LostPage::canScan(const model::Snapshot &snapshot)
{
    return (snapshot.info.state == model::SessionState::Recording || snapshot.info.state == model::SessionState::Paused)
        && snapshot.info.config.heap != model::HeapMode::Off;
}

void LostPage::scan()
{
    if (m_isScanning || !m_snapshot || !canScan(*m_snapshot))
        return;
    m_isScanning = true;
    updateButton();
    Q_EMIT scanWanted();
}

QString LostPage::subtitle() const
{
    if (!m_snapshot)
        return {};
    if (m_scans.empty())
        return tr("no scan yet") + allThreadsText(*m_snapshot);
    const model::MemoryScan &last = *m_scans.back();
    return tr("scan %1 at %2 · %3 lost")
               .arg(last.id)
               .arg(text(model::formatOffset(last.when)), bytesText(last.lost().bytes))
        + allThreadsText(*m_snapshot);
}

void LostPage::setScanEnded()
{
    m_isScanning = false;
    updateButton();
}

void LostPage::updateButton()
{
    m_scan->setVisible(m_snapshot && canScan(*m_snapshot));
    m_scan->setEnabled(!m_isScanning);
    m_scan->setText(m_isScanning ? tr("Scanning…") : tr("Scan now"));
}

void LostPage::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    const bool isOther = !m_snapshot || !snapshot || m_snapshot->file != snapshot->file;
    m_snapshot = std::move(snapshot);
    if (isOther)
        m_isScanning = false;
    auto scans = m_snapshot ? model::lastScans(*m_snapshot) : decltype(m_scans)();
    const bool isSame = !isOther && scans == m_scans && m_column->count() > 0;
    m_scans = std::move(scans);
    updateButton();
    if (!isSame)
        showScans();
}

void LostPage::showScans()
{
    while (QLayoutItem *item = m_column->takeAt(0)) {
        if (item->widget() != nullptr)
            item->widget()->deleteLater();
        std::unique_ptr<QLayoutItem> taken(item);
    }
    if (m_snapshot && m_scans.empty()) {
        auto *empty = new EmptyState;
        empty->setText(tr("No scan for lost memory"),
            tr("A scan finds the blocks that no pointer leads to any more. It can be made while a program is recorded, "
               "here or with “genprof ctl FILE scan”, or by itself with “genprof record --scan-every 10m” and "
               "“--scan-at-exit”."));
        m_column->addWidget(empty, 4);
    }
    auto scans = m_scans;
    std::stable_sort(
        scans.begin(), scans.end(), [](const auto &a, const auto &b) { return a->lost().bytes > b->lost().bytes; });
    for (const auto &scan : scans)
        addScan(*scan);
    m_column->addStretch(1);
    Q_EMIT subtitleChanged();
}

void LostPage::addScan(const model::MemoryScan &scan)
{
    auto *card = new Card(text(model::scannedText(*m_snapshot, scan)));
    card->setCaption(tr("scan %1 at %2").arg(scan.id).arg(text(model::formatOffset(scan.when, true))));
    QLabel *sentence = newLabel(text(model::scanSentence(*m_snapshot, scan)), TextSize::Body, TextWeight::Strong);
    sentence->setWordWrap(true);
    card->body()->addWidget(sentence);
    card->body()->addWidget(newClasses(scan));
    card->body()->addWidget(newWrapped(text(model::scanProofText(scan)), "muted"));
    card->body()->addWidget(newWrapped(text(model::scanCostText(scan)), "muted"));
    m_column->addWidget(card);
    if (QTreeWidget *stacks = newStacks(scan)) {
        auto *lost = new Card(tr("Lost by stack"));
        lost->setCaption(tr("what could be freed and never will be"));
        stacks->setAccessibleName(lost->accessibleName());
        lost->body()->addWidget(stacks);
        lost->body()->addWidget(newGrowthLine(stacks, scan));
        m_column->addWidget(lost);
    }
    if (QTreeWidget *holders = newHolders(scan)) {
        auto *held = new Card(tr("Who holds most"));
        held->setCaption(tr("what would go with a block, and the way to it"));
        holders->setAccessibleName(held->accessibleName());
        held->body()->addWidget(holders);
        held->body()->addWidget(newGrowthLine(holders, scan));
        if (const std::string rest = model::restOfHeldText(scan); !rest.empty())
            held->body()->addWidget(newWrapped(text(rest), "muted"));
        m_column->addWidget(held);
    }
}

QWidget *LostPage::newClasses(const model::MemoryScan &scan) const
{
    auto *classes = new QWidget;
    auto *grid = new QGridLayout(classes);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(24);
    grid->setVerticalSpacing(4);
    grid->setColumnStretch(3, 1);
    const auto add = [grid](const QString &name, const model::BlockSum &sum) {
        const int row = grid->rowCount();
        grid->addWidget(newLabel(name, TextSize::Body, TextWeight::Normal, "muted"), row, 0);
        grid->addWidget(newLabel(bytesText(sum.bytes)), row, 1, Qt::AlignRight);
        grid->addWidget(newLabel(text(model::formatCounted(sum.blocks, "block"))), row, 2, Qt::AlignRight);
    };
    for (const model::ReachClass reach : {model::ReachClass::Directly, model::ReachClass::Indirectly,
             model::ReachClass::Possibly, model::ReachClass::Reachable, model::ReachClass::Unjudged})
        add(text(model::reachClassLabel(reach)), scan.sums[static_cast<std::size_t>(reach)]);
    if (scan.confirms != 0)
        add(tr("Confirmed by scan %1").arg(scan.confirms), scan.confirmed);
    return classes;
}

QTreeWidget *LostPage::newStacks(const model::MemoryScan &scan)
{
    QTreeWidget *list = newList({tr("Function"), tr("Lost"), tr("Blocks"), tr("Held"), tr("Confirmed")}, 0);
    model::FunctionIndex index(m_snapshot->tables);
    for (const model::ScannedStack &stack : scan.stacks) {
        if (!model::isLost(stack) || list->topLevelItemCount() == static_cast<int>(kMostRows))
            continue;
        model::BlockSum lost = stack.sums[static_cast<std::size_t>(model::ReachClass::Directly)];
        lost += stack.sums[static_cast<std::size_t>(model::ReachClass::Indirectly)];
        addRow(list,
            {functionOf(index, stack.stack), bytesText(lost.bytes), countText(lost.blocks), bytesText(stack.held.bytes),
                bytesText(stack.confirmed.bytes)},
            stack.stack, text(model::collapsedStack(index, stack.stack)));
    }
    if (list->topLevelItemCount() == 0) {
        list->deleteLater();
        return nullptr;
    }
    inspectOnActivation(list, scan.image);
    return list;
}

QTreeWidget *LostPage::newHolders(const model::MemoryScan &scan)
{
    if (scan.paths.empty())
        return nullptr;
    QTreeWidget *list = newList({tr("Function"), tr("Retains"), tr("Blocks"), tr("Held by")}, 3);
    model::FunctionIndex index(m_snapshot->tables);
    for (const model::HolderPath &path : scan.paths) {
        const QString way = text(model::holderText(index, path));
        addRow(list,
            {functionOf(index, path.stack), bytesText(path.retained.bytes), countText(path.retained.blocks), way},
            path.stack, way);
        list->topLevelItem(list->topLevelItemCount() - 1)->setTextAlignment(3, Qt::AlignLeft | Qt::AlignVCenter);
    }
    inspectOnActivation(list, scan.image);
    return list;
}

void LostPage::inspectOnActivation(QTreeWidget *list, model::ImageId image)
{
    fitHeight(*list, list->topLevelItemCount(), 3, 12);
    connect(list, &QTreeWidget::currentItemChanged, this, [this, image](QTreeWidgetItem *item) {
        if (item != nullptr && item->isSelected()) // where the focus arrives is no choice
            m_selection.setInspected(InspectedStack{model::StackId(item->data(0, kStackRole).toUInt()), image});
    });
}

/// What Leaks says of the chosen stack, where it says anything: the two look for different things, and may seem to disagree.
QLabel *LostPage::newGrowthLine(QTreeWidget *list, const model::MemoryScan &scan)
{
    QLabel *line = newWrapped({}, "muted");
    line->hide();
    const auto kept
        = *std::find_if(m_scans.begin(), m_scans.end(), [&scan](const auto &each) { return each.get() == &scan; });
    connect(list, &QTreeWidget::currentItemChanged, line, [this, kept, line](const QTreeWidgetItem *item) {
        const bool isChosen = item != nullptr && item->isSelected();
        const QString said = isChosen && m_snapshot
            ? text(model::growthOfScanned(*m_snapshot, *kept, model::StackId(item->data(0, kStackRole).toUInt())))
            : QString();
        line->setText(said);
        line->setVisible(!said.isEmpty());
    });
    return line;
}

std::vector<Export> LostPage::exports()
{
    if (!m_snapshot)
        return {};
    return {{QStringLiteral("lost-stacks"), tr("Lost memory"), {},
        [shown = m_snapshot](std::ostream &out) { model::writeLostCsv(out, *shown); }}};
}

} // namespace ui

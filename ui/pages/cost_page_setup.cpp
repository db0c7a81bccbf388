// SPDX-License-Identifier: GPL-3.0-or-later
// How a CostPage is put together; what it does stands in cost_page.cpp.
#include "ui/charts/flame_graph_view.h"
#include "ui/models/call_tree_model.h"
#include "ui/models/function_table_model.h"
#include "ui/models/node_filter_model.h"
#include "ui/pages/cost_page.h"
#include "ui/theme.h"
#include "ui/widgets/card.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/noted_tree_view.h"
#include "ui/widgets/search_field.h"
#include "ui/widgets/share_delegate.h"
#include "ui/widgets/thread_box.h"

#include <QButtonGroup>
#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QSplitter>
#include <QStackedWidget>
#include <QTimer>
#include <QTreeView>

#include <utility>

namespace ui {

namespace {

constexpr int kGap = 8;
constexpr int kLeastNameColumnPx = 240;
constexpr int kLeastFieldPx = 96;
constexpr int kLeastRows = 4;         ///< of the table
constexpr int kLeastFlameHeight = 78; ///< three functions and a half: there is more to scroll to

} // namespace

CostPage::CostPage(Selection &selection, std::vector<Choice> costs, Token barToken, QWidget *parent)
    : Page(parent)
    , m_selection(selection)
    , m_costs(std::move(costs))
    , m_barToken(barToken)
    , m_kind(m_costs.front().kind)
    , m_job(new BackgroundJob(this))
{
    auto *box = new QVBoxLayout(this);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(kGap);
    setUpControls();
    setUpContent();
    setUpConnections();
}

void CostPage::addCostButtons(QBoxLayout *row)
{
    m_costButtons = new QButtonGroup(this);
    m_costBox = new QWidget(this);
    m_costBox->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    auto *box = new QHBoxLayout(m_costBox);
    box->setContentsMargins(0, 0, 0, 0);
    box->setSpacing(kGap);
    m_costList = new QComboBox(this);
    m_costList->setAccessibleName(tr("Cost"));
    for (std::size_t i = 0; m_costs.size() > 1 && i < m_costs.size(); ++i) {
        auto *button = new QPushButton(m_costs[i].label, m_costBox);
        button->setCheckable(true);
        button->setChecked(i == 0);
        m_costButtons->addButton(button, static_cast<int>(i));
        box->addWidget(button);
        m_costList->addItem(m_costs[i].label);
    }
    row->addWidget(m_costBox);
    row->addWidget(m_costList);
    m_costBox->setVisible(m_costs.size() > 1);
    m_costList->hide();
    const auto choose = [this](int id) { showCost(m_costs[static_cast<std::size_t>(id)].kind); };
    connect(m_costButtons, &QButtonGroup::idClicked, this, choose);
    connect(m_costList, &QComboBox::activated, this, choose);
}

void CostPage::addOrderButtons(QBoxLayout *row)
{
    m_orderButtons = new QButtonGroup(this);
    const auto add = [&](Order order, const QString &label, const QString &hint) {
        auto *button = new QPushButton(label, this);
        button->setCheckable(true);
        button->setChecked(order == m_order);
        button->setToolTip(hint);
        m_orderButtons->addButton(button, static_cast<int>(order));
        row->addWidget(button);
    };
    add(Order::CalleesFirst, tr("Top down"), tr("Callers above what they call"));
    add(Order::CallersFirst, tr("Bottom up"), tr("Where the cost arises first, below it who called that"));
    add(Order::Functions, tr("Functions"), tr("Each function once, whoever called it"));
    connect(m_orderButtons, &QButtonGroup::idClicked, this, [this](int id) {
        m_order = static_cast<Order>(id);
        m_tables->setCurrentIndex(m_order == Order::Functions ? 1 : 0);
        showHiddenColumns();
        m_wantsHotPath = true;
        m_isOtherTree = true;
        m_isFitted = false; // not every order has all columns
        rebuild();
    });
}

void CostPage::setUpControls()
{
    m_controls = new QBoxLayout(QBoxLayout::LeftToRight);
    m_controls->setSpacing(kGap);
    auto *costs = new QHBoxLayout;
    auto *rest = new QHBoxLayout;
    for (QHBoxLayout *row : {costs, rest}) {
        row->setSpacing(kGap);
        m_controls->addLayout(row, row == rest ? 1 : 0);
    }
    addCostButtons(costs);
    costs->addStretch();
    if (m_costs.size() > 1)
        m_controls->insertSpacing(1, kGap);
    addOrderButtons(rest);
    rest->addStretch();
    if (model::costInfo(m_kind).source != model::CostSource::Heap) {
        m_threads = new ThreadBox(m_selection, this);
        m_threads->setMinimumWidth(kLeastFieldPx);
        rest->addWidget(m_threads);
    }
    m_filter = new SearchField(tr("Filter functions"), this);
    m_filter->setMinimumWidth(kLeastFieldPx);
    m_filter->setMaximumWidth(240);
    rest->addWidget(m_filter, 1);
    static_cast<QVBoxLayout *>(layout())->addLayout(m_controls);
}

/// Costs and the rest stand in one row, or in two where that is too long; costs that fill more than one are a list.
void CostPage::resizeEvent(QResizeEvent *event)
{
    Page::resizeEvent(event);
    const bool isList = m_costs.size() > 1 && m_costBox->sizeHint().width() > widthBesideInspector();
    m_costBox->setVisible(m_costs.size() > 1 && !isList);
    m_costList->setVisible(isList);
    if (m_threads != nullptr) { // last to come where there is little room
        int least = m_filter->minimumWidth() + m_threads->minimumWidth() + 2 * kGap;
        for (const QAbstractButton *button : m_orderButtons->buttons())
            least += button->sizeHint().width() + kGap;
        m_threads->setVisible(widthBesideInspector() >= least);
    }
    const QLayout &rest = *m_controls->itemAt(m_controls->count() - 1)->layout();
    const int costs = isList ? m_costList->sizeHint().width() : m_costBox->sizeHint().width();
    int wanted = costs + 3 * kGap + rest.sizeHint().width() + m_filter->minimumWidth() - m_filter->sizeHint().width();
    if (m_threads != nullptr && !m_threads->isHidden()) // it gives way, as the filter does
        wanted -= m_threads->sizeHint().width() - m_threads->minimumWidth();
    const bool isNarrow = m_costs.size() > 1 && widthBesideInspector() < wanted;
    m_controls->setDirection(isNarrow ? QBoxLayout::TopToBottom : QBoxLayout::LeftToRight);
}

bool CostPage::eventFilter(QObject *watched, QEvent *event)
{
    // Not within the events: the views have not dealt with them yet.
    for (NotedTreeView *view : {m_treeView, m_functionView}) {
        if (view == nullptr || watched != view->viewport())
            continue;
        if (event->type() == QEvent::Resize)
            QTimer::singleShot(0, view, [this, view] { showColumnsThatFit(view); });
        // Headers have their font only now.
        if (event->type() == QEvent::Paint && !view->property("isSeen").toBool()) {
            view->setProperty("isSeen", true);
            view->updateGeometry();
            QTimer::singleShot(0, view, [this, view] { fitColumns(view, view == m_treeView); });
        }
    }
    if (event->type() == QEvent::Paint && m_opensWhenSeen && watched == m_treeView->viewport()) {
        QTimer::singleShot(0, this, [this] {
            if (std::exchange(m_opensWhenSeen, false)) // not if something was chosen in the meantime
                openHotPath();
        });
    }
    return Page::eventFilter(watched, event);
}

void CostPage::showColumnsThatFit(QTreeView *view)
{
    // The name and the cost that the page is about come first; what stands beside them waits for a wider window.
    QHeaderView *header = view->header();
    int left = view->viewport()->width() - kLeastNameColumnPx;
    for (int column = 1; column < header->count(); ++column) {
        const bool wasHidden = header->isSectionHidden(column);
        header->setSectionHidden(column, false);
        left -= header->sectionSize(column);
        const bool isHidden = left < 0 && column > 2;
        header->setSectionHidden(column, isHidden);
        if (wasHidden && !isHidden && header->sectionSize(column) == 0)
            view->resizeColumnToContents(column);
    }
    fitIndentation();
    showHiddenColumns();
}

/// Nothing goes without a word.
void CostPage::showHiddenColumns()
{
    const QTreeView *view = m_order == Order::Functions ? m_functionView : m_treeView;
    QStringList titles;
    for (int column = 1; column < view->header()->count(); ++column)
        if (view->header()->isSectionHidden(column))
            titles << view->model()->headerData(column, Qt::Horizontal).toString();
    m_hiddenColumns->setText(tr("In a wider window also: %1").arg(titles.join(QStringLiteral(", "))));
    m_hiddenColumns->setVisible(!titles.isEmpty());
}

void CostPage::setUpContent()
{
    m_stack = new QStackedWidget(this);
    m_splitter = new QSplitter(Qt::Vertical, m_stack);
    m_splitter->setChildrenCollapsible(false);
    m_splitter->setHandleWidth(kGap);
    m_splitter->addWidget(makeFlameCard());
    m_splitter->addWidget(makeTableCard());
    m_splitter->setStretchFactor(0, 2);
    m_splitter->setStretchFactor(1, 3);
    m_empty = new EmptyState(m_stack);
    m_stack->addWidget(m_splitter);
    m_stack->addWidget(m_empty);
    layout()->addWidget(m_stack);
}

QWidget *CostPage::makeFlameCard()
{
    m_flameCard = new Card(tr("Flame graph"), m_splitter);
    m_zoomOut = newLinkButton(tr("Whole graph"));
    m_zoomOut->setFont(textFont(font(), TextSize::Caption));
    m_zoomOut->setToolTip(tr("Shows the whole graph again (Home); Esc goes back one zoom"));
    m_zoomOut->hide();
    m_flameCard->header()->addWidget(m_zoomOut);
    m_flameCard->addExport(QStringLiteral("PNG"), [this] { return flameExport(key()); });
    m_flameCard->addExport(QStringLiteral("CSV"), [this] { return tableExport(); });
    m_flame = new FlameGraphView(m_flameCard);
    m_flame->setFont(textFont(font(), TextSize::Caption));
    m_flame->setMinimumHeight(kLeastFlameHeight);
    m_flameCard->body()->addWidget(m_flame);
    return m_flameCard;
}

NotedTreeView *CostPage::makeView()
{
    auto *view = new NotedTreeView(this);
    view->setItemDelegate(new ShareDelegate(m_barToken, view));
    view->viewport()->installEventFilter(this);
    view->setUniformRowHeights(true);
    view->setLeastRows(kLeastRows);
    view->setSortingEnabled(true);
    view->setTextElideMode(Qt::ElideMiddle);
    view->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    view->setSelectionBehavior(QAbstractItemView::SelectRows);
    view->setContextMenuPolicy(Qt::CustomContextMenu);
    view->header()->setStretchLastSection(false);
    view->header()->setDefaultAlignment(Qt::AlignRight | Qt::AlignVCenter);
    view->header()->setSectionsMovable(false);
    view->header()->setMinimumSectionSize(48);
    return view;
}

QWidget *CostPage::makeTableCard()
{
    auto *card = new Card({}, m_splitter);
    m_tables = new QStackedWidget(card);
    m_treeModel = new CallTreeModel(this);
    m_treeFilter = new NodeFilterModel(this);
    m_treeFilter->setSourceModel(m_treeModel);
    m_treeView = makeView();
    m_treeView->setModel(m_treeFilter);
    m_treeView->sortByColumn(1, Qt::DescendingOrder);
    m_treeView->setAccessibleName(tr("Call tree"));
    m_functionModel = new FunctionTableModel(this);
    m_functionFilter = new NodeFilterModel(this);
    m_functionFilter->setSourceModel(m_functionModel);
    m_functionView = makeView();
    m_functionView->setRootIsDecorated(false);
    m_functionView->setModel(m_functionFilter);
    m_functionView->sortByColumn(FunctionTableModel::SelfColumn, Qt::DescendingOrder);
    m_functionView->setAccessibleName(tr("Functions"));
    m_tables->addWidget(m_treeView);
    m_tables->addWidget(m_functionView);
    card->body()->addWidget(m_tables);
    m_hiddenColumns = newLabel({}, TextSize::Caption, TextWeight::Normal, "muted");
    m_hiddenColumns->hide();
    card->body()->addWidget(m_hiddenColumns);
    return card;
}

void CostPage::setUpConnections()
{
    connect(m_filter, &QLineEdit::textEdited, &m_selection, &Selection::setFindText);
    connect(m_filter, &QLineEdit::returnPressed, this, &CostPage::takeKeys);
    connect(m_filter, &SearchField::left, this, &CostPage::takeKeys);
    connect(m_filter, &QLineEdit::textChanged, this, [this](const QString &needle) {
        if (needle.isEmpty())
            m_selection.setFindText(needle);
    });
    connect(&m_selection, &Selection::findTextChanged, this, &CostPage::applyFind);
    // At a press of the mouse Qt makes a row the current one first, and selects it then. A click on what is selected
    // already opens an inspector that was closed.
    connect(
        m_treeView->selectionModel(), &QItemSelectionModel::selectionChanged, this, &CostPage::treeSelectionChanged);
    connect(m_treeView, &QTreeView::clicked, this, &CostPage::treeSelectionChanged);
    connect(m_treeView, &QTreeView::expanded, this, &CostPage::noteDepth);
    connect(m_treeView, &QTreeView::expanded, this, &CostPage::takeInHand);
    connect(m_treeView, &QTreeView::collapsed, this, &CostPage::takeInHand);
    for (const QAbstractScrollArea *area : std::initializer_list<const QAbstractScrollArea *>{m_treeView, m_flame})
        connect(area->verticalScrollBar(), &QScrollBar::actionTriggered, this, &CostPage::takeInHand);
    connect(m_functionView->selectionModel(), &QItemSelectionModel::selectionChanged, this,
        &CostPage::functionSelectionChanged);
    connect(m_functionView, &QTreeView::clicked, this, &CostPage::functionSelectionChanged);
    connect(m_functionView, &QTreeView::activated, this, &CostPage::showCallers);
    connect(m_zoomOut, &QPushButton::clicked, m_flame, &FlameGraphView::zoomOut);
    connect(m_flame, &FlameGraphView::zoomChanged, this, &CostPage::showFlameCaption);
    connect(m_flame, &FlameGraphView::nodeSelected, this, &CostPage::flameSelectionChanged);
    connect(m_flame, &FlameGraphView::contextMenuRequested, this, [this](model::NodeId node, const QPoint &position) {
        showMenu(QString::fromStdString(m_result.topDown->name(node)), node, position);
    });
    for (NotedTreeView *view : {m_treeView, m_functionView}) {
        connect(view, &QTreeView::customContextMenuRequested, this, [this, view](const QPoint &position) {
            const QModelIndex index = view->indexAt(position);
            if (!index.isValid())
                return;
            const bool isOfFlame = m_order != Order::CallersFirst; // else the graph's nodes are others than the tree's
            showMenu(index.siblingAtColumn(0).data(FullTextRole).toString(),
                isOfFlame ? m_flame->selected() : model::NodeId(), view->viewport()->mapToGlobal(position));
        });
    }
}

} // namespace ui

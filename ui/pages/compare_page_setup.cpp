// SPDX-License-Identifier: GPL-3.0-or-later
// How a ComparePage is put together; what it does stands in compare_page.cpp.
#include "ui/charts/difference_flame_view.h"
#include "ui/charts/timeline_view.h"
#include "ui/models/function_difference_model.h"
#include "ui/models/stack_difference_model.h"
#include "ui/models/total_difference_model.h"
#include "ui/pages/compare_page.h"
#include "ui/theme.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/card.h"
#include "ui/widgets/columns_that_fit.h"
#include "ui/widgets/compare_chooser.h"
#include "ui/widgets/compared_sides.h"
#include "ui/widgets/copy_menu.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/search_field.h"
#include "ui/widgets/share_delegate.h"

#include <QButtonGroup>
#include <QCheckBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QSplitter>
#include <QStackedWidget>
#include <QStyledItemDelegate>
#include <QTimer>
#include <QTreeView>

#include <vector>

namespace ui {

namespace {

constexpr int kUnmatchedPx = 116;
const QList<int> kParts{4700, 5300}; ///< of totals and details, before somebody drags
constexpr int kLeastCostPx = 120;
constexpr int kLeastNamePx = 200;
constexpr int kLeastStackPx = 300;
constexpr int kLeastFilterPx = 140;
constexpr int kLeastForColumnsPx = 680;  ///< of the page: below that the details stand under the totals
constexpr int kLeastForTimelinePx = 560; ///< of the page: below that the other session's timeline waits to be asked for

QLabel *newWrapped(TextWeight weight, const char *tone = nullptr)
{
    QLabel *label = newLabel({}, TextSize::Body, weight, tone);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    return label;
}

int widthOf(DifferenceColumn column)
{
    switch (column) {
    case DifferenceColumn::Before:
    case DifferenceColumn::After:
    case DifferenceColumn::Change:
        return 98; // "123,456,789"
    case DifferenceColumn::Relative:
        return 88;
    case DifferenceColumn::Interval:
        return 136;
    }
    return 0;
}

void setFigures(QTreeView &view, int first)
{
    QHeaderView *header = view.header();
    header->setSectionResizeMode(0, QHeaderView::Stretch);
    for (int i = 0; i < kDifferenceColumns; ++i)
        header->resizeSection(first + i, widthOf(static_cast<DifferenceColumn>(i)));
}

/// Of what a difference is, its share of what was before goes last.
std::vector<int> givingWay(int first, std::vector<int> before)
{
    for (const DifferenceColumn column :
        {DifferenceColumn::Interval, DifferenceColumn::Before, DifferenceColumn::After, DifferenceColumn::Change})
        before.push_back(first + static_cast<int>(column));
    return before;
}

} // namespace

ComparePage::ComparePage(Selection &selection, QWidget *parent)
    : Page(parent)
    , m_selection(selection)
{
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    m_stack = new QStackedWidget;
    m_chooser = new CompareChooser;
    m_content = new QWidget;
    auto *content = new QVBoxLayout(m_content);
    content->setContentsMargins(0, 0, 0, 0);
    QVBoxLayout *scrolled = addScrollingColumn(content);
    scrolled->setSpacing(8);
    setUpTop(scrolled);
    setUpContent(scrolled);
    m_stack->addWidget(m_chooser);
    m_stack->addWidget(m_content);
    column->addWidget(m_stack);
    m_slow = new QTimer(this);
    m_slow->setInterval(1000);
    setUpConnections();
    showState();
}

void ComparePage::setUpTop(QBoxLayout *column)
{
    m_sides = new ComparedSides;
    m_otherSelection = new Selection(this);
    m_otherHint = newLabel({}, TextSize::Caption, TextWeight::Normal, "muted");
    m_otherTimeline = new TimelineView(*m_otherSelection);
    m_otherTimeline->setMostTracks(1);
    m_otherTimeline->setAccessibleName(tr("Timeline of the other session: drag to select the time that is compared"));
    connect(m_sides, &ComparedSides::timeToggled, this, [this](bool isWanted) {
        m_isTimelineWanted = isWanted;
        showOtherTimeline();
    });
    m_sides->body()->addWidget(m_otherHint);
    m_sides->body()->addWidget(m_otherTimeline);
    m_progress = new Banner;
    m_sentence = newWrapped(TextWeight::Strong);
    m_notes = newLabel({}, TextSize::Caption, TextWeight::Normal, "muted");
    m_notes->setWordWrap(true);
    column->addWidget(m_sides);
    column->addWidget(m_progress);
    column->addWidget(m_sentence);
    column->addWidget(m_notes);
}

void ComparePage::setUpContent(QBoxLayout *column)
{
    m_results = new QSplitter(Qt::Horizontal);
    m_results->setChildrenCollapsible(false);
    m_results->setHandleWidth(8);
    m_results->addWidget(newTotals());
    m_results->addWidget(newDetails());
    m_results->setSizes(kParts);
    column->addWidget(m_results, 1);
    column->addStretch(0);
}

/// Totals, and beside them where the chosen one changed: both at a glance. In a narrow window one stands below the other.
void ComparePage::resizeEvent(QResizeEvent *event)
{
    Page::resizeEvent(event);
    const Qt::Orientation wanted = width() < kLeastForColumnsPx ? Qt::Vertical : Qt::Horizontal;
    if (m_results->orientation() != wanted) {
        m_results->setOrientation(wanted);
        m_results->setSizes(kParts);
    }
    showOtherTimeline();
}

bool ComparePage::isTimelineShown() const
{
    return m_other && !m_isHeld && m_isTimelineWanted.value_or(height() >= kLeastForTimelinePx);
}

/// All in one row, or what is set below what is shown; functions can be searched for in the bar too.
void ComparePage::placeDetailControls()
{
    constexpr int kSpacing = 8;
    const int room = m_details->width() - 2 * 16;
    int shown = kSpacing;
    for (const QButtonGroup *group : {m_views, m_parts})
        for (const QAbstractButton *button : group->buttons())
            shown += button->isHidden() ? 0 : button->sizeHint().width() + kSpacing;
    const int settings = m_scale->isHidden() ? m_onlyDifferent->sizeHint().width() : m_scale->sizeHint().width();
    const bool isOneRow = shown + kSpacing + settings <= room;
    m_controls->setDirection(isOneRow ? QBoxLayout::LeftToRight : QBoxLayout::TopToBottom);
    m_filter->setVisible((isOneRow ? shown + kSpacing : 0) + settings + kLeastFilterPx <= room);
}

bool ComparePage::eventFilter(QObject *watched, QEvent *event)
{
    if (watched == m_details && event->type() == QEvent::Resize)
        placeDetailControls();
    return Page::eventFilter(watched, event);
}

QTreeView *ComparePage::newView(const QString &name)
{
    auto *view = new QTreeView;
    view->setAccessibleName(name);
    addCopyMenu(*view);
    view->setItemDelegate(new ShareDelegate(Token::Danger, view, Token::Memory));
    view->setUniformRowHeights(true);
    view->setTextElideMode(Qt::ElideMiddle);
    view->setSelectionBehavior(QAbstractItemView::SelectRows);
    view->setIndentation(14);
    view->header()->setStretchLastSection(false);
    view->header()->setMinimumSectionSize(48);
    view->header()->setSectionsMovable(false);
    return view;
}

QWidget *ComparePage::newTotals()
{
    auto *card = new Card(tr("Totals"));
    card->setCaption(tr("choose a cost to see where it changed"));
    card->addExport(QStringLiteral("CSV"), [this] { return exports().empty() ? Export{} : exports().front(); });
    m_totals = new TotalDifferenceModel(this);
    m_totalView = newView(tr("Totals of every cost"));
    m_totalView->setRootIsDecorated(false);
    m_totalView->setModel(m_totals);
    m_totalView->setTextElideMode(Qt::ElideRight); // costs differ in how they begin
    m_totalView->setItemDelegateForColumn(TotalDifferenceModel::CostColumn, new QStyledItemDelegate(m_totalView));
    setFigures(*m_totalView, TotalDifferenceModel::FirstColumn);
    m_totalView->header()->resizeSection(TotalDifferenceModel::UnmatchedColumn, kUnmatchedPx);
    constexpr int kNoArrowPx = 8; // it is not sorted
    const int relative = TotalDifferenceModel::FirstColumn + static_cast<int>(DifferenceColumn::Relative);
    m_totalView->header()->resizeSection(relative, widthOf(DifferenceColumn::Relative) - kNoArrowPx);
    m_totalColumns = new ColumnsThatFit(*m_totalView, TotalDifferenceModel::CostColumn, kLeastCostPx,
        givingWay(TotalDifferenceModel::FirstColumn, {TotalDifferenceModel::UnmatchedColumn}));
    m_totalView->setMinimumHeight(96);
    m_totalView->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Ignored);
    card->body()->addWidget(m_totalView, 1);
    return card;
}

QWidget *ComparePage::newDetailControls()
{
    auto *controls = new QWidget;
    controls->setMinimumWidth(1); // else one row would keep the room that two of them give back
    m_controls = new QBoxLayout(QBoxLayout::LeftToRight, controls);
    m_controls->setContentsMargins(0, 0, 0, 0);
    auto *shown = new QHBoxLayout;
    auto *settings = new QHBoxLayout;
    m_controls->addLayout(shown);
    m_controls->addLayout(settings, 1);
    for (QBoxLayout *row : std::initializer_list<QBoxLayout *>{m_controls, shown, settings})
        row->setSpacing(8);
    const auto addGroup = [&](const QStringList &names, int checked) {
        auto *group = new QButtonGroup(this);
        for (int i = 0; i < names.size(); ++i) {
            auto *button = new QPushButton(names[i]);
            button->setCheckable(true);
            button->setChecked(i == checked);
            group->addButton(button, i);
            shown->addWidget(button);
        }
        return group;
    };
    m_views = addGroup({tr("Flame graph"), tr("Functions"), tr("Stacks")}, FlameGraph);
    shown->addSpacing(8);
    m_parts = addGroup({tr("Total"), tr("Self")}, static_cast<int>(CostPart::Self));
    shown->addStretch();
    m_onlyDifferent = new QCheckBox(tr("Only what differs"));
    m_onlyDifferent->setChecked(true);
    m_onlyDifferent->setToolTip(tr("Leave out what did not change, or not by more than sampling explains"));
    settings->addWidget(m_onlyDifferent);
    m_scale = new DifferenceScale;
    settings->addWidget(m_scale);
    settings->addStretch(1);
    m_filter = new SearchField(tr("Filter functions"));
    m_filter->setMinimumWidth(kLeastFilterPx);
    m_filter->setMaximumWidth(220);
    settings->addWidget(m_filter, 1);
    return controls;
}

QWidget *ComparePage::newDetails()
{
    m_details = new Card(tr("Where"));
    m_details->installEventFilter(this);
    m_details->addExport(QStringLiteral("PNG"), [this] {
        for (Export &what : exports())
            if (what.picture)
                return std::move(what);
        return Export{};
    });
    m_details->body()->addWidget(newDetailControls());
    m_viewStack = new QStackedWidget;
    m_flame = new DifferenceFlameView;
    m_flame->setFont(textFont(font(), TextSize::Caption));
    m_functions = new FunctionDifferenceModel(this);
    m_functionFilter = new DifferenceFilterModel(this);
    m_functionFilter->setSourceModel(m_functions);
    m_functionView = newView(tr("Functions that differ"));
    m_functionView->setRootIsDecorated(false);
    m_functionView->setModel(m_functionFilter);
    setFigures(*m_functionView, FunctionDifferenceModel::FirstColumn);
    m_functionView->header()->resizeSection(FunctionDifferenceModel::PlaceColumn, 170);
    m_functionColumns = new ColumnsThatFit(*m_functionView, FunctionDifferenceModel::NameColumn, kLeastNamePx,
        givingWay(FunctionDifferenceModel::FirstColumn, {FunctionDifferenceModel::PlaceColumn}));
    m_stacks = new StackDifferenceModel(this);
    m_stackFilter = new DifferenceFilterModel(this);
    m_stackFilter->setSourceModel(m_stacks);
    m_stackView = newView(tr("Stacks that differ"));
    m_stackView->setModel(m_stackFilter);
    setFigures(*m_stackView, StackDifferenceModel::FirstColumn);
    m_stackColumns = new ColumnsThatFit(*m_stackView, StackDifferenceModel::NameColumn, kLeastStackPx,
        givingWay(StackDifferenceModel::FirstColumn, {}));
    for (QTreeView *view : {m_functionView, m_stackView})
        view->setSortingEnabled(true);
    m_functionView->sortByColumn(
        FunctionDifferenceModel::FirstColumn + static_cast<int>(DifferenceColumn::Change), Qt::DescendingOrder);
    m_stackView->sortByColumn(
        StackDifferenceModel::FirstColumn + static_cast<int>(DifferenceColumn::Change), Qt::DescendingOrder);
    m_nothing = newWrapped(TextWeight::Normal, "muted");
    m_nothing->setAlignment(Qt::AlignCenter);
    for (QWidget *view : std::initializer_list<QWidget *>{m_flame, m_functionView, m_stackView, m_nothing})
        m_viewStack->addWidget(view);
    m_viewStack->setMinimumHeight(120);
    m_viewStack->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Ignored);
    m_details->body()->addWidget(m_viewStack, 1);
    return m_details;
}

void ComparePage::setUpConnections()
{
    connect(m_chooser, &CompareChooser::sessionChosen, this, [this](const QString &path) {
        setOtherWaiting(path);
        Q_EMIT otherWanted(path);
    });
    connect(m_chooser, &CompareChooser::fileWanted, this, &ComparePage::fileWanted);
    connect(m_chooser, &CompareChooser::holdWanted, this, &ComparePage::hold);
    connect(m_sides, &ComparedSides::dropWanted, this, &ComparePage::drop);
    connect(m_sides, &ComparedSides::swapWanted, this, [this] {
        m_isSwapped = !m_isSwapped;
        rebuild();
    });
    connect(m_sides, &ComparedSides::normalisationChosen, this, [this](const model::Normalisation &chosen) {
        m_normalisation = chosen;
        m_isPerSecondAsHeld = false;
        m_isNormalisationChosen = true;
        rebuild();
    });
    connect(m_otherSelection, &Selection::changed, this, [this](const model::Selection &selection) {
        if (m_other && !m_isHeld)
            Q_EMIT otherTimeWanted(selection);
    });
    connect(m_progress, &Banner::actionWanted, this, &ComparePage::cancel);
    connect(m_slow, &QTimer::timeout, this, [this] {
        m_progress->setText(
            (m_isWaiting ? tr("Reading the other session… %1 s") : tr("Comparing… %1 s")).arg(++m_slowSeconds),
            tr("Cancel"));
    });
    connect(m_totalView->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
        [this](const QModelIndex &row) { chooseRow(row.row()); });
    connect(m_views, &QButtonGroup::idClicked, this, [this] { showDetails(); });
    connect(m_parts, &QButtonGroup::idClicked, this, [this] { showDetails(); });
    connect(m_onlyDifferent, &QCheckBox::toggled, this, [this] { showDetails(); });
    connect(m_filter, &QLineEdit::textEdited, &m_selection, &Selection::setFindText);
    connect(m_filter, &QLineEdit::textChanged, this, [this](const QString &needle) {
        if (needle.isEmpty())
            m_selection.setFindText(needle);
    });
    connect(&m_selection, &Selection::findTextChanged, this, &ComparePage::applyFind);
    connect(m_stackView->selectionModel(), &QItemSelectionModel::currentRowChanged, this, &ComparePage::inspect);
    connect(&m_job, &BackgroundJob::finished, this, &ComparePage::settle);
    connect(&m_treeJob, &BackgroundJob::finished, this, &ComparePage::settle);
}

} // namespace ui

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
#include "ui/widgets/compare_chooser.h"
#include "ui/widgets/compared_sides.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/search_field.h"
#include "ui/widgets/share_delegate.h"

#include <QButtonGroup>
#include <QCheckBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QSplitter>
#include <QStackedWidget>
#include <QTimer>
#include <QTreeView>

namespace ui {

namespace {

constexpr int kUnmatchedPx = 104;

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
        return 100; // "123,456,789"
    case DifferenceColumn::Change:
        return 108;
    case DifferenceColumn::Relative:
        return 80;
    case DifferenceColumn::Interval:
        return 124;
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
    auto *splitter = new QSplitter(Qt::Vertical);
    splitter->setChildrenCollapsible(false);
    splitter->setHandleWidth(8);
    splitter->addWidget(newTotals());
    splitter->addWidget(newDetails());
    splitter->setStretchFactor(0, 2);
    splitter->setStretchFactor(1, 3);
    m_results = splitter;
    column->addWidget(splitter, 1);
    column->addStretch(0);
}

QTreeView *ComparePage::newView(const QString &name)
{
    auto *view = new QTreeView;
    view->setAccessibleName(name);
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
    setFigures(*m_totalView, TotalDifferenceModel::FirstColumn);
    m_totalView->header()->resizeSection(TotalDifferenceModel::UnmatchedColumn, kUnmatchedPx);
    m_totalView->setMinimumHeight(132);
    m_totalView->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Ignored);
    card->body()->addWidget(m_totalView, 1);
    return card;
}

QWidget *ComparePage::newDetailControls()
{
    auto *controls = new QWidget;
    auto *line = new QHBoxLayout(controls);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(8);
    const auto addGroup = [&](const QStringList &names, int checked) {
        auto *group = new QButtonGroup(this);
        for (int i = 0; i < names.size(); ++i) {
            auto *button = new QPushButton(names[i]);
            button->setCheckable(true);
            button->setChecked(i == checked);
            group->addButton(button, i);
            line->addWidget(button);
        }
        return group;
    };
    m_views = addGroup({tr("Flame graph"), tr("Functions"), tr("Stacks")}, FlameGraph);
    line->addSpacing(8);
    m_parts = addGroup({tr("Total"), tr("Self")}, static_cast<int>(CostPart::Self));
    m_onlyDifferent = new QCheckBox(tr("Only what differs"));
    m_onlyDifferent->setChecked(true);
    m_onlyDifferent->setToolTip(tr("Leave out what did not change, or not by more than sampling explains"));
    line->addWidget(m_onlyDifferent);
    m_scale = new DifferenceScale;
    line->addWidget(m_scale);
    line->addStretch(1);
    m_filter = new SearchField(tr("Filter functions"));
    m_filter->setMaximumWidth(220);
    line->addWidget(m_filter, 1);
    return controls;
}

QWidget *ComparePage::newDetails()
{
    m_details = new Card(tr("Where"));
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
    m_stacks = new StackDifferenceModel(this);
    m_stackFilter = new DifferenceFilterModel(this);
    m_stackFilter->setSourceModel(m_stacks);
    m_stackView = newView(tr("Stacks that differ"));
    m_stackView->setModel(m_stackFilter);
    setFigures(*m_stackView, StackDifferenceModel::FirstColumn);
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
    m_viewStack->setMinimumHeight(200);
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

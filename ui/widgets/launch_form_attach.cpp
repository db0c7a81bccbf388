// SPDX-License-Identifier: GPL-3.0-or-later
// The part of a LaunchForm that lists running programs.
#include "ui/widgets/columns_that_fit.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/launch_form.h"
#include "ui/widgets/search_field.h"

#include <QFocusEvent>
#include <QHeaderView>
#include <QTableView>
#include <QTimer>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

namespace ui {

using namespace Qt::StringLiterals;

namespace {

/// Where the keyboard comes to a table in which nothing is chosen it begins with the first row.
class FirstRow : public QObject
{
public:
    explicit FirstRow(QTableView &table)
        : QObject(&table)
        , m_table(table)
    {
        table.installEventFilter(this);
    }

    bool eventFilter(QObject *, QEvent *event) override
    {
        if (event->type() != QEvent::FocusIn)
            return false;
        // Not where a window comes back to the front.
        const Qt::FocusReason reason = static_cast<QFocusEvent *>(event)->reason();
        if (reason == Qt::TabFocusReason || reason == Qt::BacktabFocusReason || reason == Qt::OtherFocusReason)
            QTimer::singleShot(0, &m_table, [this] {
                if (!m_table.selectionModel()->hasSelection())
                    m_table.selectRow(0);
            });
        return false;
    }

private:
    QTableView &m_table;
};

} // namespace

QWidget *LaunchForm::newAttachFields()
{
    auto *area = new QWidget;
    auto *column = new QVBoxLayout(area);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    m_search = new SearchField(tr("Search running programs by name, argument or PID"));
    m_programs = new RunningProgramsModel(this);
    m_shown = new RunningProgramsFilter(*m_programs, this);
    m_table = new QTableView;
    m_table->setModel(m_shown);
    m_table->setAccessibleName(tr("Running programs"));
    new FirstRow(*m_table);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setShowGrid(false);
    m_table->setWordWrap(false); // else a long argument is cut with all its room left
    m_table->setSortingEnabled(true);
    m_table->setTabKeyNavigation(false);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setDefaultSectionSize(m_table->fontMetrics().height() + 10);
    m_table->horizontalHeader()->setSectionResizeMode(RunningProgramsModel::Program, QHeaderView::Stretch);
    m_table->horizontalHeader()->setHighlightSections(false);
    m_table->sortByColumn(RunningProgramsModel::Memory, Qt::DescendingOrder);
    fitPrograms();
    QLabel *note = newLabel(tr("With the heap, the tracer is loaded into the program, which takes it a few "
                               "milliseconds; it stays there, asleep. The children that it has are recorded with it."),
        TextSize::Caption, TextWeight::Normal, "muted");
    note->setWordWrap(true);
    column->addWidget(m_search);
    column->addWidget(m_table, 1);
    column->addWidget(note);
    connect(m_search, &SearchField::left, m_table, qOverload<>(&QWidget::setFocus));
    connect(m_search, &QLineEdit::textChanged, m_shown, &RunningProgramsFilter::setSearch);
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &LaunchForm::follow);
    connect(m_table, &QTableView::activated, this, &LaunchForm::start);
    return area;
}

/// What tells programs apart, their name and arguments, has the room; figures have what they need, and where it is narrow some of them wait.
void LaunchForm::fitPrograms()
{
    constexpr int kLeastNamePx = 240;
    constexpr int kMarginsPx = 26;  // of a cell
    constexpr int kSortMarkPx = 16; // beside the heading that it is sorted by
    const std::pair<int, QString> widest[]{{RunningProgramsModel::Pid, u"4194304"_s},
        {RunningProgramsModel::User, u"username"_s}, {RunningProgramsModel::Cpu, u"9999 %"_s},
        {RunningProgramsModel::Memory, u"99.9 MiB"_s}, {RunningProgramsModel::Threads, u"9,999"_s},
        {RunningProgramsModel::Age, u"59 min 59 s"_s}};
    QHeaderView *header = m_table->horizontalHeader();
    const QFontMetrics metrics(m_table->font());
    for (const auto &[column, words] : widest) {
        const QString heading = m_programs->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString();
        header->resizeSection(column,
            kMarginsPx + std::max(metrics.horizontalAdvance(words), metrics.horizontalAdvance(heading) + kSortMarkPx));
    }
    auto *columns = new ColumnsThatFit(*m_table, RunningProgramsModel::Program, kLeastNamePx,
        {RunningProgramsModel::User, RunningProgramsModel::Threads, RunningProgramsModel::Age});
    columns->setWanted(RunningProgramsModel::User, false);
}

} // namespace ui

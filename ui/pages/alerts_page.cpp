// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/alerts_page.h"

#include "model/report/alert_report.h"
#include "ui/text.h"
#include "ui/theme.h"
#include "ui/widgets/alert_rules_card.h"
#include "ui/widgets/card.h"
#include "ui/widgets/copy_menu.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/table_fit.h"

#include <QHeaderView>
#include <QScrollBar>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <limits>

namespace ui {

namespace {

enum Column {
    StateColumn,
    RuleColumn,
    ConditionColumn,
    FiredColumn,
    LastedColumn,
    ValueColumn,
    WorstColumn,
    ColumnCount
};

constexpr std::size_t kMostRows = 2000;
constexpr int kRightAligned = FiredColumn;

std::size_t activeCount(const model::Snapshot &snapshot)
{
    return static_cast<std::size_t>(std::count_if(snapshot.alerts.begin(), snapshot.alerts.end(),
        [](const model::AlertEvent &alert) { return !alert.ended.has_value(); }));
}

} // namespace

AlertsPage::AlertsPage(Selection &selection, QWidget *parent)
    : Page(parent)
    , m_selection(selection)
{
    auto *outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    QVBoxLayout *column = addScrollingColumn(outer);
    m_empty = new Card(tr("No alert fired"));
    QLabel *why = newLabel(
        tr("The recorder looks for memory that grows or nears its limit, for busy processors and for a forecast that "
           "ends soon, and after a scan for newly lost memory. Its rules stand below."),
        TextSize::Body, TextWeight::Normal, "muted");
    why->setWordWrap(true);
    m_empty->body()->addWidget(why);
    column->addWidget(m_empty);
    m_card = new Card(tr("Alerts"));
    m_table = new QTreeWidget;
    m_table->setAccessibleName(m_card->accessibleName());
    m_table->setHeaderLabels(
        {tr("State"), tr("Alert"), tr("Condition"), tr("Fired"), tr("Lasted"), tr("Value"), tr("Worst")});
    m_table->setRootIsDecorated(false);
    addCopyMenu(*m_table);
    m_table->setUniformRowHeights(true);
    m_table->setTextElideMode(Qt::ElideRight);
    m_table->header()->setStretchLastSection(false);
    m_table->header()->setMinimumSectionSize(72); // headers are bolder than what they are measured by
    m_table->header()->setSectionResizeMode(ConditionColumn, QHeaderView::Stretch);
    m_table->header()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    for (int i = kRightAligned; i < ColumnCount; ++i)
        m_table->headerItem()->setTextAlignment(i, Qt::AlignRight | Qt::AlignVCenter);
    m_card->body()->addWidget(m_table);
    m_card->addExport(QStringLiteral("CSV"), [this] { return exports().empty() ? Export{} : exports().front(); });
    column->addWidget(m_card);
    m_rules = new AlertRulesCard;
    m_rules->hide();
    column->addWidget(m_rules);
    column->addStretch(1);
    connect(m_table, &QTreeWidget::itemActivated, this,
        [this](QTreeWidgetItem *row) { select(row->data(0, Qt::UserRole).toULongLong()); });
}

void AlertsPage::setRuleAccess(model::AlertRuleAccess access)
{
    m_rules->setAccess(std::move(access));
    m_rules->show();
}

QString AlertsPage::subtitle() const
{
    if (!m_snapshot || m_snapshot->alerts.empty())
        return {};
    return tr("%n fired", nullptr, static_cast<int>(m_snapshot->alerts.size())) + QStringLiteral(" · ")
        + (m_snapshot->info.state == model::SessionState::Complete
                ? tr("%n not over at the end", nullptr, static_cast<int>(activeCount(*m_snapshot)))
                : tr("%n active", nullptr, static_cast<int>(activeCount(*m_snapshot))));
}

void AlertsPage::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    m_snapshot = std::move(snapshot);
    const bool hasAny = m_snapshot && !m_snapshot->alerts.empty();
    m_empty->setVisible(!hasAny);
    m_card->setVisible(hasAny);
    if (!m_snapshot)
        return;
    showAlerts();
    Q_EMIT activeCounted(static_cast<int>(activeCount(*m_snapshot)));
    Q_EMIT subtitleChanged();
}

std::vector<std::size_t> AlertsPage::order() const
{
    // Newest first, and those that go on before the others.
    const std::vector<model::AlertEvent> &alerts = m_snapshot->alerts;
    std::vector<std::size_t> order;
    for (std::size_t i = alerts.size(); i-- > 0 && order.size() < kMostRows;)
        order.push_back(i);
    std::stable_partition(order.begin(), order.end(), [&](std::size_t i) { return !alerts[i].ended.has_value(); });
    return order;
}

/// Changes the rows in place, so that what is selected and scrolled to stays the same alert while more of them come.
void AlertsPage::showAlerts()
{
    const std::vector<std::size_t> rows = order();
    const auto alertOf = [](const QTreeWidgetItem *row) {
        return row ? row->data(0, Qt::UserRole).toULongLong() : std::numeric_limits<qulonglong>::max();
    };
    const qulonglong current = alertOf(m_table->currentItem());
    const bool isScrolled = m_table->verticalScrollBar()->value() > 0;
    const qulonglong top = alertOf(m_table->itemAt(0, 0));
    m_table->setAutoScroll(false);
    while (m_table->topLevelItemCount() > static_cast<int>(rows.size()))
        delete m_table->takeTopLevelItem(m_table->topLevelItemCount() - 1);
    while (m_table->topLevelItemCount() < static_cast<int>(rows.size()))
        new QTreeWidgetItem(m_table);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        QTreeWidgetItem *row = m_table->topLevelItem(static_cast<int>(i));
        fill(*row, rows[i]);
        if (rows[i] == current)
            m_table->setCurrentItem(row);
        if (rows[i] == top && isScrolled)
            m_table->scrollToItem(row, QAbstractItemView::PositionAtTop);
    }
    m_table->setAutoScroll(true);
    fitColumns();
    fitHeight(*m_table, static_cast<int>(rows.size()), 3, 12);
}

/// A column keeps the width that somebody gave it until its texts get longer or shorter.
void AlertsPage::fitColumns()
{
    std::vector<qsizetype> longest(ColumnCount, 0);
    for (int i = 0; i < m_table->topLevelItemCount(); ++i)
        for (int column = 0; column < ColumnCount; ++column) {
            qsizetype &most = longest[static_cast<std::size_t>(column)];
            most = std::max(most, m_table->topLevelItem(i)->text(column).size());
        }
    m_longest.resize(longest.size(), -1);
    for (int column = 0; column < ColumnCount; ++column)
        if (column != ConditionColumn
            && m_longest[static_cast<std::size_t>(column)] != longest[static_cast<std::size_t>(column)])
            m_table->resizeColumnToContents(column);
    m_longest = std::move(longest);
}

void AlertsPage::fill(QTreeWidgetItem &row, std::size_t index) const
{
    const model::AlertEvent &alert = m_snapshot->alerts[index];
    const model::SessionInfo &info = m_snapshot->info;
    const bool isOver = info.state == model::SessionState::Complete;
    const QStringList cells{alert.ended ? tr("over")
            : isOver                    ? tr("not over")
                                        : tr("active"),
        text(alert.rule), text(alert.condition),
        text(model::formatMoment(alert.fired, info.duration, info.startWallNs, info.utcOffset)),
        alert.ended  ? text(model::formatDuration(*alert.ended - alert.fired))
            : isOver ? tr("to the end")
                     : tr("goes on"),
        text(model::formatValue(alert.value, alert.unit)), text(model::formatValue(alert.worst, alert.unit))};
    row.setData(0, Qt::UserRole, static_cast<qulonglong>(index));
    row.setForeground(StateColumn, Colors::of(this)[alert.ended ? Token::InkMuted : Token::Danger]);
    row.setToolTip(ConditionColumn, cells[ConditionColumn]);
    for (int column = 0; column < ColumnCount; ++column) {
        row.setText(column, cells[column]);
        if (column >= kRightAligned)
            row.setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);
    }
}

void AlertsPage::select(std::size_t alert)
{
    if (!m_snapshot || alert >= m_snapshot->alerts.size())
        return;
    const model::AlertEvent &event = m_snapshot->alerts[alert];
    const model::Timestamp end = event.ended.value_or(model::Timestamp{m_snapshot->info.duration.ns});
    if (event.began < end)
        m_selection.setTime(model::TimeRange{event.began, end});
}

std::vector<Export> AlertsPage::exports()
{
    if (!m_snapshot)
        return {};
    return {{QStringLiteral("alerts"), tr("Alerts"), {},
        [snapshot = m_snapshot](std::ostream &out) { model::writeAlertsCsv(out, *snapshot); }}};
}

} // namespace ui

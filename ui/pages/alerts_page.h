// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/alert_rule_text.h"
#include "ui/pages/page.h"
#include "ui/selection.h"

class QTreeWidget;
class QTreeWidgetItem;

namespace ui {

class AlertRulesCard;
class Card;

/// Which alert rules fired, when, for how long, and on what values; and the rules themselves, to be edited. A row selects its time.
class AlertsPage : public Page
{
    Q_OBJECT

public:
    explicit AlertsPage(Selection &selection, QWidget *parent = nullptr);

    QString key() const override { return QStringLiteral("alerts"); }
    QString title() const override { return tr("Alerts"); }
    QString iconName() const override { return QStringLiteral("warning"); }
    QString subtitle() const override;
    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot) override;
    std::vector<Export> exports() override;

    /// How the rules of this user are read and kept; without it there is no list of rules.
    void setRuleAccess(model::AlertRuleAccess access);

Q_SIGNALS:
    /// How many alerts go on.
    void activeCounted(int count);

private:
    /// Positions of the alerts in the order of the rows.
    std::vector<std::size_t> order() const;
    void showAlerts();
    void fitColumns();
    void fill(QTreeWidgetItem &row, std::size_t index) const;
    void select(std::size_t alert);

    Selection &m_selection;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    Card *m_card = nullptr;
    QTreeWidget *m_table = nullptr;
    Card *m_empty = nullptr; ///< in place of the table
    AlertRulesCard *m_rules = nullptr;
    std::vector<qsizetype> m_longest; ///< text of each column, when they were fitted
};

} // namespace ui

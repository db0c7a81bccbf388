// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/alert_rule_text.h"
#include "ui/widgets/card.h"

class QLineEdit;
class QPushButton;
class QTreeWidget;
class QTreeWidgetItem;

namespace ui {

/// The alert rules of this user: which there are, and an editor for them. Changes are kept once they are saved, and hold for recordings that begin
/// after that.
class AlertRulesCard : public Card
{
    Q_OBJECT

public:
    explicit AlertRulesCard(QWidget *parent = nullptr);

    /// Reads the rules through `access`, now and whenever they are saved or given up.
    void setAccess(model::AlertRuleAccess access);

protected:
    void changeEvent(QEvent *event) override;

private:
    void setUpTable();
    void setUpCommands();
    void setUpButtons();
    void reload();
    void save();
    void showRules();
    void fill(QTreeWidgetItem &row, const model::AlertRuleText &rule) const;
    void takeToggle(QTreeWidgetItem *row);
    void edit(int index); ///< −1: a new rule
    void remove();
    void changed();
    void say(const QString &sentence, const char *tone);
    /// What a recording would say to these rules, without the place in a file that is not written yet.
    QString problemOf(const model::AlertRuleFile &file) const;
    int current() const;

    model::AlertRuleAccess m_access;
    model::AlertRuleFile m_stored;
    model::AlertRuleFile m_file; ///< as edited
    QTreeWidget *m_table = nullptr;
    QLineEdit *m_fired = nullptr; ///< the command of rules that have none
    QLineEdit *m_over = nullptr;  ///< of all rules, when an alert is over
    QLabel *m_note = nullptr;
    QPushButton *m_edit = nullptr;
    QPushButton *m_remove = nullptr;
    QPushButton *m_revert = nullptr;
    QPushButton *m_save = nullptr;
};

} // namespace ui

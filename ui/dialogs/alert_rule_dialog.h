// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/alert_rule_text.h"

#include <QDialog>

#include <functional>

class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;

namespace ui {

/// Edits one alert rule. It can be accepted only as a rule that a recording would take.
class AlertRuleDialog : public QDialog
{
    Q_OBJECT

public:
    /// What a recording would say to this rule; empty: it is right.
    using Check = std::function<QString(const model::AlertRuleText &)>;

    AlertRuleDialog(const model::AlertRuleText &rule, Check check, QWidget *parent = nullptr);

    model::AlertRuleText rule() const;

    void accept() override;

private:
    void setUpFields();
    QString missing() const;
    void fill(const model::AlertRuleText &rule);
    void showFields();

    Check m_check;
    bool m_isEnabled = true;
    QFormLayout *m_form = nullptr;
    QLineEdit *m_name = nullptr;
    QComboBox *m_source = nullptr;
    QComboBox *m_test = nullptr;
    QLineEdit *m_threshold = nullptr;
    QLineEdit *m_within = nullptr;
    QLineEdit *m_holds = nullptr;
    QLineEdit *m_clearsAt = nullptr;
    QLineEdit *m_command = nullptr;
    QLabel *m_problem = nullptr;
};

} // namespace ui

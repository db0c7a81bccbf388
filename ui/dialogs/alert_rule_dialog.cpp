// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/dialogs/alert_rule_dialog.h"

#include "ui/text.h"
#include "ui/widgets/labels.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QVBoxLayout>

#include <algorithm>

namespace ui {

AlertRuleDialog::AlertRuleDialog(const model::AlertRuleText &rule, Check check, QWidget *parent)
    : QDialog(parent)
    , m_check(std::move(check))
{
    setWindowTitle(rule.name.empty() ? tr("New alert rule") : tr("Alert rule"));
    setMinimumWidth(460);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(24, 20, 24, 16);
    column->setSpacing(12);
    setUpFields();
    column->addLayout(m_form);
    m_problem = newLabel({}, TextSize::Body, TextWeight::Normal, "danger");
    m_problem->setWordWrap(true);
    m_problem->hide();
    column->addWidget(m_problem);
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel);
    column->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::accepted, this, &AlertRuleDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    fill(rule);
}

void AlertRuleDialog::setUpFields()
{
    m_form = new QFormLayout;
    m_form->setVerticalSpacing(8);
    m_form->setHorizontalSpacing(12);
    m_form->setLabelAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    const auto add = [this](const QString &label, QLineEdit *&field, const QString &example) {
        field = new QLineEdit;
        field->setPlaceholderText(example);
        m_form->addRow(label, field);
    };
    add(tr("&Name"), m_name, tr("queue too long"));
    m_source = new QComboBox;
    m_source->setMaxVisibleItems(20);
    for (const model::SeriesSource &source : model::seriesSources()) {
        const model::SeriesInfo info = model::seriesInfo(source);
        m_source->addItem(text(info.label), text(info.key));
    }
    m_form->addRow(tr("&Quantity"), m_source);
    m_test = new QComboBox;
    for (const model::AlertTestName &test : model::alertTestNames())
        m_test->addItem(text(test.label), text(test.key));
    m_form->addRow(tr("&Condition"), m_test);
    add(tr("&Threshold"), m_threshold, tr("1.5GiB, 80%, 500 or 8h"));
    add(tr("&Within"), m_within, tr("1h: how far growth looks back; silent until then"));
    add(tr("&Holds for"), m_holds, tr("30s: before it fires, and before it ends"));
    add(tr("&Ends at"), m_clearsAt, tr("5 % on the good side of the threshold"));
    add(tr("&Run"), m_command, tr("shell command; none"));
    connect(m_test, &QComboBox::currentIndexChanged, this, &AlertRuleDialog::showFields);
}

/// Fields that the condition has no use for are not there.
void AlertRuleDialog::showFields()
{
    const QString test = m_test->currentData().toString();
    const bool isLoss = test == QLatin1String("newly_lost");
    m_form->setRowVisible(m_source, !isLoss);
    m_form->setRowVisible(m_within, test == QLatin1String("grows"));
    m_form->setRowVisible(m_holds, !isLoss);
    m_form->setRowVisible(m_clearsAt, !isLoss);
    m_problem->hide();
    adjustSize();
}

void AlertRuleDialog::fill(const model::AlertRuleText &rule)
{
    m_isEnabled = rule.isEnabled;
    m_name->setText(text(rule.name));
    const auto select = [](QComboBox *box, const std::string &key, const char *usual) {
        const int index = box->findData(key.empty() ? QString::fromLatin1(usual) : text(key));
        box->setCurrentIndex(std::max(index, 0));
    };
    select(m_source, rule.source, rule.test == "above_of_cores" ? "cpu_percent" : "rss_bytes");
    select(m_test, rule.test, "above");
    m_threshold->setText(text(rule.threshold));
    m_within->setText(text(rule.within));
    m_holds->setText(text(rule.holds));
    m_clearsAt->setText(text(rule.clearsAt));
    m_command->setText(text(rule.command));
    showFields();
}

model::AlertRuleText AlertRuleDialog::rule() const
{
    // A field that is not shown says nothing.
    const auto textOf = [this](QLineEdit *field) {
        return m_form->isRowVisible(field) ? field->text().trimmed().toStdString() : std::string();
    };
    return {.isEnabled = m_isEnabled,
        .name = textOf(m_name),
        .source = m_form->isRowVisible(m_source) ? m_source->currentData().toString().toStdString() : std::string(),
        .test = m_test->currentData().toString().toStdString(),
        .threshold = textOf(m_threshold),
        .within = textOf(m_within),
        .holds = textOf(m_holds),
        .clearsAt = textOf(m_clearsAt),
        .command = textOf(m_command)};
}

/// What is missing, in the words of this dialog: the check speaks of the file that the rules stand in.
QString AlertRuleDialog::missing() const
{
    const auto isEmpty = [this](QLineEdit *field) {
        const bool isMissing = m_form->isRowVisible(field) && field->text().trimmed().isEmpty();
        if (isMissing)
            field->setFocus();
        return isMissing;
    };
    if (isEmpty(m_name))
        return tr("Give the rule a name; an alert is told by it.");
    if (isEmpty(m_threshold))
        return tr("The threshold is missing. Write it like 1.5GiB, 80%, 500 or 8h.");
    if (isEmpty(m_within))
        return tr("“Within” is missing: how far growth looks back, like 1h.");
    return {};
}

void AlertRuleDialog::accept()
{
    const QString gap = missing();
    QString problem = gap.isEmpty() ? m_check(rule()) : gap;
    // The check calls fields by the keys that they have in the file.
    const std::pair<QString, QString> names[]{{m_test->currentData().toString(), tr("Threshold")},
        {QStringLiteral("within"), tr("Within")}, {QStringLiteral("for"), tr("For")},
        {QStringLiteral("clears_at"), tr("Ends at")}};
    for (const auto &[key, name] : names)
        if (const QString begin = key + QStringLiteral(" is "); problem.startsWith(begin))
            problem = tr("%1: %2 is needed.").arg(name, problem.mid(begin.size()).remove(u'"'));
    m_problem->setText(problem);
    m_problem->setVisible(!problem.isEmpty());
    adjustSize();
    if (problem.isEmpty())
        QDialog::accept();
}

} // namespace ui

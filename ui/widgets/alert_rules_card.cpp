// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/alert_rules_card.h"

#include "ui/dialogs/alert_rule_dialog.h"
#include "ui/text.h"
#include "ui/theme.h"
#include "ui/widgets/copy_menu.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/table_fit.h"

#include <QEvent>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QRegularExpression>
#include <QSignalBlocker>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace ui {

using namespace Qt::StringLiterals;

namespace {

enum Column { NameColumn, ConditionColumn, HoldsColumn, EndsColumn, RunsColumn, ColumnCount };

constexpr int kCheckBoxPx = 24; ///< is in no size hint of a styled row

/// An amount as all else shows it: "80%" of the file as "80 %", "5m" as "5 min". What is not a number and a unit stays.
QString shownAmount(const std::string &amount)
{
    static const QRegularExpression numberAndUnit(u"^([0-9.]+)(%|[A-Za-z]+(?:/[sh])?)$"_s);
    const QRegularExpressionMatch parts = numberAndUnit.match(text(amount));
    if (!parts.hasMatch())
        return text(amount);
    const QString unit = parts.captured(2);
    return parts.captured(1) + u' ' + (unit == u"m" ? u"min"_s : unit);
}

QString conditionOf(const model::AlertRuleText &rule)
{
    const QString threshold = shownAmount(rule.threshold);
    if (rule.test == "above_of_cores")
        return AlertRulesCard::tr("CPU use is above %1 of all processors").arg(threshold);
    if (rule.test == "newly_lost")
        return QStringList{u"0"_s, u"0 B"_s}.contains(threshold)
            ? AlertRulesCard::tr("A scan finds newly lost memory")
            : AlertRulesCard::tr("A scan finds more than %1 newly lost").arg(threshold);
    QString what = AlertRulesCard::tr("Resident memory");
    if (const auto source = model::seriesSourceOf(rule.source))
        what = text(model::seriesInfo(*source).label);
    if (rule.test == "above_of_limit")
        return AlertRulesCard::tr("%1 is above %2 of its limit").arg(what, threshold);
    if (rule.test == "reaches_limit_within")
        return AlertRulesCard::tr("%1 reaches its limit within %2, by forecast").arg(what, threshold);
    for (const model::AlertTestName &test : model::alertTestNames())
        if (test.key == rule.test)
            what += u' ' + text(test.label);
    what += u' ' + threshold;
    return rule.within.empty() ? what : what + AlertRulesCard::tr(" within %1").arg(shownAmount(rule.within));
}

} // namespace

AlertRulesCard::AlertRulesCard(QWidget *parent)
    : Card(tr("Rules"), parent)
{
    setUpTable();
    setUpCommands();
    m_note = newLabel({}, TextSize::Caption, TextWeight::Normal, "muted");
    m_note->setWordWrap(true);
    body()->addWidget(m_note);
    setUpButtons();
}

void AlertRulesCard::setUpTable()
{
    m_table = new QTreeWidget;
    m_table->setAccessibleName(tr("Alert rules"));
    m_table->setHeaderLabels({tr("Rule"), tr("Fires when"), tr("For"), tr("Ends at"), tr("Runs")});
    m_table->setRootIsDecorated(false);
    addCopyMenu(*m_table);
    m_table->setUniformRowHeights(true);
    m_table->header()->setStretchLastSection(false);
    m_table->header()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_table->header()->setMinimumSectionSize(80); // headers are bolder than what they are measured by
    m_table->setTextElideMode(Qt::ElideMiddle);
    m_table->header()->setSectionResizeMode(NameColumn, QHeaderView::Interactive);
    m_table->header()->setSectionResizeMode(ConditionColumn, QHeaderView::Stretch);
    m_table->header()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    body()->addWidget(m_table, 1);
    connect(m_table, &QTreeWidget::itemChanged, this, &AlertRulesCard::takeToggle);
    connect(m_table, &QTreeWidget::itemActivated, this, [this] { edit(current()); });
    connect(m_table, &QTreeWidget::currentItemChanged, this, [this] { changed(); });
}

/// What all rules have in common.
void AlertRulesCard::setUpCommands()
{
    auto *form = new QFormLayout;
    form->setHorizontalSpacing(12);
    form->setVerticalSpacing(8);
    const auto add = [&](const QString &label, QLineEdit *&field, const QString &hint,
                         std::string model::AlertRuleFile::*command) {
        field = new QLineEdit;
        field->setPlaceholderText(tr("shell command; none"));
        field->setToolTip(hint);
        form->addRow(label, field);
        connect(field, &QLineEdit::textEdited, this, [this, command](const QString &typed) {
            m_file.*command = typed.trimmed().toStdString();
            showRules();
        });
    };
    add(tr("When one &fires, run"), m_fired, tr("Of rules that have no command of their own (on_alert in the file)"),
        &model::AlertRuleFile::command);
    add(tr("When one is &over, run"), m_over, tr("Of all rules (on_resolve in the file)"),
        &model::AlertRuleFile::resolveCommand);
    body()->addLayout(form);
}

void AlertRulesCard::setUpButtons()
{
    auto *line = new QHBoxLayout;
    line->setSpacing(8);
    auto *add = new QPushButton(tr("Add…"));
    m_edit = new QPushButton(tr("Edit…"));
    m_remove = new QPushButton(tr("Remove"));
    m_revert = new QPushButton(tr("Revert"));
    m_save = new QPushButton(tr("Save"));
    for (QPushButton *button : {add, m_edit, m_remove})
        line->addWidget(button);
    line->addStretch(1);
    for (QPushButton *button : {m_revert, m_save})
        line->addWidget(button);
    body()->addLayout(line);
    connect(add, &QPushButton::clicked, this, [this] { edit(-1); });
    connect(m_edit, &QPushButton::clicked, this, [this] { edit(current()); });
    connect(m_remove, &QPushButton::clicked, this, &AlertRulesCard::remove);
    connect(m_revert, &QPushButton::clicked, this, &AlertRulesCard::reload);
    connect(m_save, &QPushButton::clicked, this, &AlertRulesCard::save);
}

void AlertRulesCard::setAccess(model::AlertRuleAccess access)
{
    m_access = std::move(access);
    reload();
}

void AlertRulesCard::reload()
{
    const auto file = m_access.load();
    m_stored = m_file = file ? *file : model::AlertRuleFile();
    m_table->setEnabled(file.has_value());
    m_fired->setText(text(m_file.command));
    m_over->setText(text(m_file.resolveCommand));
    m_fired->setEnabled(file.has_value());
    m_over->setEnabled(file.has_value());
    showRules();
    setCaption(text(m_access.path));
    if (!file)
        say(tr("%1. Nothing is changed here until that is mended in the file.").arg(text(file.error().text())),
            "danger");
}

/// Changes the rows in place: this is called from within the change of one of them.
void AlertRulesCard::showRules()
{
    const QSignalBlocker blocker(m_table);
    const int count = static_cast<int>(m_file.rules.size());
    const int kept = current();
    while (m_table->topLevelItemCount() > count)
        delete m_table->takeTopLevelItem(m_table->topLevelItemCount() - 1);
    while (m_table->topLevelItemCount() < count)
        new QTreeWidgetItem(m_table);
    for (int i = 0; i < count; ++i)
        fill(*m_table->topLevelItem(i), m_file.rules[static_cast<std::size_t>(i)]);
    for (const int column : {HoldsColumn, EndsColumn, RunsColumn}) { // what no rule says takes no room from the others
        bool isSaid = false;
        for (int i = 0; i < count; ++i)
            isSaid = isSaid || !m_table->topLevelItem(i)->text(column).isEmpty();
        m_table->setColumnHidden(column, !isSaid);
    }
    m_table->resizeColumnToContents(NameColumn);
    m_table->header()->resizeSection(NameColumn, m_table->header()->sectionSize(NameColumn) + kCheckBoxPx);
    fitHeight(*m_table, count, 3, 12);
    if (count > 0)
        m_table->setCurrentItem(m_table->topLevelItem(std::clamp(kept, 0, count - 1)));
    changed();
}

void AlertRulesCard::fill(QTreeWidgetItem &row, const model::AlertRuleText &rule) const
{
    const QStringList cells{text(rule.name), conditionOf(rule), shownAmount(rule.holds), shownAmount(rule.clearsAt),
        text(rule.command.empty() ? m_file.command : rule.command)};
    row.setCheckState(NameColumn, rule.isEnabled ? Qt::Checked : Qt::Unchecked);
    for (int column = 0; column < ColumnCount; ++column) {
        row.setText(column, cells[column]);
        row.setData(column, Qt::ForegroundRole,
            rule.isEnabled ? QVariant() : QVariant(QBrush(Colors::of(this)[Token::InkMuted])));
    }
    row.setToolTip(ConditionColumn, cells[ConditionColumn]);
    row.setToolTip(RunsColumn, cells[RunsColumn]);
}

void AlertRulesCard::changeEvent(QEvent *event)
{
    Card::changeEvent(event);
    if (event->type() != QEvent::PaletteChange || m_table == nullptr)
        return;
    const QSignalBlocker blocker(m_table);
    for (int i = 0; i < m_table->topLevelItemCount(); ++i)
        fill(*m_table->topLevelItem(i), m_file.rules[static_cast<std::size_t>(i)]);
}

int AlertRulesCard::current() const { return m_table->indexOfTopLevelItem(m_table->currentItem()); }

void AlertRulesCard::changed()
{
    const bool isChanged = m_file != m_stored;
    m_edit->setEnabled(current() >= 0);
    m_remove->setEnabled(current() >= 0);
    m_revert->setEnabled(isChanged);
    m_save->setEnabled(isChanged && m_table->isEnabled());
    const bool looksBack = std::any_of(m_file.rules.begin(), m_file.rules.end(),
        [](const model::AlertRuleText &rule) { return rule.isEnabled && !rule.within.empty(); });
    QString note = isChanged
        ? tr("Not saved yet.")
        : tr("For recordings that begin from now on; those that run keep the rules they began with.");
    if (looksBack)
        note += tr(" A rule about growth is silent until a recording has lasted as long as it looks back.");
    say(note, "muted");
}

void AlertRulesCard::say(const QString &sentence, const char *tone)
{
    m_note->setText(sentence);
    setTone(m_note, tone);
}

void AlertRulesCard::takeToggle(QTreeWidgetItem *row)
{
    const int index = m_table->indexOfTopLevelItem(row);
    if (index < 0)
        return;
    m_file.rules[static_cast<std::size_t>(index)].isEnabled = row->checkState(NameColumn) == Qt::Checked;
    showRules();
}

QString AlertRulesCard::problemOf(const model::AlertRuleFile &file) const
{
    const auto checked = m_access.check(file);
    if (checked)
        return {};
    QString problem = text(checked.error().text());
    const QString place = text(m_access.path) + u':';
    if (problem.startsWith(place))
        problem = problem.mid(problem.indexOf(u": ", place.size()) + 2);
    return problem;
}

void AlertRulesCard::edit(int index)
{
    const bool isNew = index < 0;
    const auto at = [this, isNew, index](const model::AlertRuleText &rule) {
        model::AlertRuleFile file = m_file;
        if (isNew)
            file.rules.push_back(rule);
        else
            file.rules[static_cast<std::size_t>(index)] = rule;
        return file;
    };
    AlertRuleDialog dialog(
        isNew ? model::AlertRuleText() : m_file.rules[static_cast<std::size_t>(index)],
        [this, &at](const model::AlertRuleText &rule) { return problemOf(at(rule)); }, this);
    if (dialog.exec() != QDialog::Accepted)
        return;
    m_file = at(dialog.rule());
    showRules();
    if (isNew)
        m_table->setCurrentItem(m_table->topLevelItem(m_table->topLevelItemCount() - 1));
}

void AlertRulesCard::remove()
{
    if (current() < 0)
        return;
    m_file.rules.erase(m_file.rules.begin() + current());
    showRules();
}

void AlertRulesCard::save()
{
    if (const auto saved = m_access.save(m_file); !saved) {
        say(text(saved.error().text()), "danger");
        return;
    }
    reload();
    say(tr("Saved. Recordings that begin from now on follow them."), "ok");
}

} // namespace ui

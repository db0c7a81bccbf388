// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/advice_page.h"

#include "model/base/format_units.h"
#include "model/report/advice_report.h"
#include "model/report/csv_report.h"
#include "model/report/done_advice_text.h"
#include "ui/pages/page_text.h"
#include "ui/text.h"
#include "ui/widgets/card.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/labels.h"

#include <QDateTime>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

namespace ui {

namespace {

QLabel *newWrapped(const QString &shown, const char *tone = nullptr)
{
    QLabel *label = newLabel(shown, TextSize::Body, TextWeight::Normal, tone);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    return label;
}

/// "Session::attach, session.cpp:214 in server".
QString placeText(const model::Recommendation &item)
{
    QString shown = text(item.place);
    if (!item.where.empty())
        shown += QStringLiteral(", ") + text(item.where);
    if (!item.module.empty() && item.module != item.place)
        shown = AdvicePage::tr("%1 in %2").arg(shown, text(item.module));
    return shown;
}

/// The page where the evidence stands, and the button that leads there.
std::pair<model::CardPage, QString> evidencePage(const model::Recommendation &item)
{
    switch (model::costInfo(*item.cost).source) {
    case model::CostSource::Cpu:
        return {model::CardPage::Cpu, AdvicePage::tr("Show in CPU")};
    case model::CostSource::SystemCall:
        return {model::CardPage::SystemCalls, AdvicePage::tr("Show in System calls")};
    case model::CostSource::Wait:
        return {model::CardPage::Waits, AdvicePage::tr("Show in Waits")};
    case model::CostSource::Heap:
        break;
    }
    return {model::CardPage::Heap, AdvicePage::tr("Show in Heap")};
}

} // namespace

AdvicePage::AdvicePage(Selection &selection, QWidget *parent)
    : Page(parent)
    , m_selection(selection)
{
    auto *outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    m_column = addScrollingColumn(outer);
    m_area = m_column->parentWidget();
    connect(&m_job, &BackgroundJob::finished, this, &Page::settled);
    connect(&m_measureJob, &BackgroundJob::finished, this, &Page::settled);
}

QString AdvicePage::subtitle() const
{
    if (!m_snapshot)
        return {};
    return m_found && !m_found->items.empty() ? text(m_found->sentence) : selectionText(*m_snapshot);
}

void AdvicePage::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    const bool isOther = !m_snapshot || !snapshot || m_snapshot->file != snapshot->file;
    const bool isLive = snapshot && snapshot->info.state == model::SessionState::Recording;
    const bool isSameView = m_snapshot && snapshot && m_snapshot->selection == snapshot->selection;
    if (isOther) {
        m_found.reset();
        m_done.clear();
        m_measuring.clear();
        m_keepProblem.clear();
        m_measureProblem.clear();
        m_measureJob.cancel();
    }
    // What somebody reads does not move under their eyes: while recording the list is renewed every five seconds.
    if (isLive && isSameView && m_found
        && (m_job.isRunning() || snapshot->info.duration - m_found->timeSeen < model::Duration::fromMs(5000)))
        return;
    m_snapshot = std::move(snapshot);
    if (!m_snapshot) {
        m_job.cancel();
        Q_EMIT openCounted(0);
        return;
    }
    m_job.run([shown = m_snapshot](std::stop_token stop) { return model::recommendations(*shown, stop); },
        [this](model::Recommendations found) { show(found); });
}

void AdvicePage::show(const model::Recommendations &found)
{
    m_found = found;
    while (QLayoutItem *item = m_column->takeAt(0)) {
        if (item->widget() != nullptr)
            item->widget()->deleteLater();
        std::unique_ptr<QLayoutItem> taken(item);
    }
    for (const QString &problem : {m_keepProblem, m_measureProblem})
        if (!problem.isEmpty())
            m_column->addWidget(newWrapped(problem, "danger"));
    if (found.items.empty()) {
        auto *nothing = new EmptyState;
        // Of a short time not all can be said.
        nothing->setText(found.notLookedAt.empty() ? tr("Nothing worth changing was found")
                                                   : tr("Nothing worth changing was found in what could be looked at"),
            text(found.sentence));
        m_column->addWidget(nothing, 1);
    }
    for (const model::Recommendation &item : found.items)
        m_column->addWidget(newItem(item));
    if (!found.notLookedAt.empty())
        m_column->addWidget(newNotLookedAt());
    if (!found.items.empty())
        m_column->addStretch(1);
    Q_EMIT subtitleChanged();
    Q_EMIT openCounted(static_cast<int>(std::count_if(found.items.begin(), found.items.end(),
        [this](const model::Recommendation &item) { return doneOf(item) == m_done.end(); })));
}

QWidget *AdvicePage::newItem(const model::Recommendation &item)
{
    auto *card = new Card(text(item.label));
    const QString where = text(item.where.empty() ? item.module : item.where);
    card->setCaption(doneOf(item) == m_done.end() ? where : where + tr(" · done"));
    QLabel *title = newLabel(text(item.title), TextSize::Body, TextWeight::Strong);
    title->setWordWrap(true);
    card->body()->addWidget(title);
    if (doneOf(item) == m_done.end())
        card->body()->addWidget(newFacts(item));
    else
        addMeasured(item, *card);
    card->body()->addWidget(newActions(item));
    return card;
}

QWidget *AdvicePage::newFacts(const model::Recommendation &item)
{
    auto *facts = new QWidget;
    auto *form = new QFormLayout(facts);
    form->setContentsMargins(0, 0, 0, 0);
    form->setVerticalSpacing(4);
    form->setHorizontalSpacing(16);
    form->setLabelAlignment(Qt::AlignLeft);
    const auto add = [form](const QString &name, const QString &value) {
        QLabel *label = newLabel(name, TextSize::Body, TextWeight::Normal, "muted");
        label->setMinimumWidth(170); // the same in every card
        label->setAlignment(Qt::AlignLeft | Qt::AlignTop);
        form->addRow(label, newWrapped(value));
    };
    add(tr("What to do"), text(item.advice));
    add(tr("Expected gain"), text(model::gainText(item)));
    for (const model::Evidence &evidence : item.evidence) {
        QString name = text(evidence.what);
        if (!name.isEmpty())
            name[0] = name[0].toUpper();
        add(name, text(evidence.text));
    }
    add(tr("Place"), placeText(item));
    add(tr("Confidence, effort"),
        tr("%1 · %2").arg(text(model::formatShare(item.confidence)), text(model::effortText(item.effort))));
    if (!item.check.empty())
        add(tr("How to check"), text(item.check));
    if (!item.caution.empty())
        add(tr("Bear in mind"), text(item.caution));
    return facts;
}

QWidget *AdvicePage::newActions(const model::Recommendation &item)
{
    auto *actions = new QWidget;
    auto *line = new QHBoxLayout(actions);
    line->setContentsMargins(0, 4, 0, 0);
    auto *evidence = new QPushButton(evidencePage(item).second);
    line->addWidget(evidence);
    evidence->setVisible(item.cost.has_value()); // else it is about the process
    addDoneActions(item, *line);
    line->addStretch(1);
    connect(evidence, &QPushButton::clicked, this, [this, item] {
        const model::CardPage page = evidencePage(item).first;
        if (item.stack.isValid()) {
            Q_EMIT stackWanted(page, item.cost, InspectedStack{item.stack, item.image});
            return;
        }
        m_selection.setFindText(text(item.place));
        Q_EMIT pageWanted(page, item.cost);
    });
    return actions;
}

std::vector<model::DoneAdvice>::iterator AdvicePage::doneOf(const model::Recommendation &item)
{
    const std::string id = model::recommendationId(item);
    return std::find_if(m_done.begin(), m_done.end(), [&id](const model::DoneAdvice &done) { return done.id == id; });
}

void AdvicePage::addDoneActions(const model::Recommendation &item, QHBoxLayout &line)
{
    const bool isDone = doneOf(item) != m_done.end();
    auto *mark = new QPushButton(isDone ? tr("Not done") : tr("Mark as done"));
    const bool isLive = m_snapshot->info.state == model::SessionState::Recording
        || m_snapshot->info.state == model::SessionState::Paused;
    mark->setEnabled(!isLive);
    mark->setToolTip(isLive ? tr("It is kept with the session, once its recording has ended") : QString());
    line.addWidget(mark);
    connect(mark, &QPushButton::clicked, this, [this, item, isDone] { setDoneOf(item, !isDone); });
    if (!isDone)
        return;
    auto *measure = new QPushButton(tr("Measure with a later session…"));
    measure->setEnabled(m_measuring.empty());
    line.addWidget(measure);
    connect(measure, &QPushButton::clicked, this, [this, item] {
        m_measuring = model::recommendationId(item);
        m_measureProblem.clear();
        Q_EMIT laterWanted();
    });
}

void AdvicePage::addMeasured(const model::Recommendation &item, Card &card) const
{
    const std::string id = model::recommendationId(item);
    for (const model::DoneAdvice &done : m_done) {
        if (done.id != id)
            continue;
        const QString when = QDateTime::fromMSecsSinceEpoch(done.doneWallNs / 1'000'000).toString(u"yyyy-MM-dd HH:mm");
        card.body()->addWidget(
            newWrapped(tr("Done %1. Expected: %2.").arg(when, text(model::gainText(item))), "muted"));
        if (done.measured)
            card.body()->addWidget(
                newWrapped(tr("Measured: %1.").arg(text(model::measuredGainText(*done.measured, item.gainKind))),
                    done.measured->verdict == model::GainVerdict::Less ? "warn" : "ok"));
    }
}

void AdvicePage::setDoneOf(const model::Recommendation &item, bool isDone)
{
    const auto found = doneOf(item);
    if (isDone && found == m_done.end())
        m_done.push_back({model::recommendationId(item), QDateTime::currentMSecsSinceEpoch() * 1'000'000, {}});
    else if (!isDone && found != m_done.end())
        m_done.erase(found);
    Q_EMIT doneChanged(m_done);
    show(model::Recommendations(*m_found));
}

void AdvicePage::setDone(std::vector<model::DoneAdvice> done)
{
    m_done = std::move(done);
    if (m_found)
        show(model::Recommendations(*m_found));
}

void AdvicePage::setKeepProblem(const QString &sentence)
{
    const QString problem = sentence.isEmpty() ? QString() : tr("What is done could not be kept: %1").arg(sentence);
    if (std::exchange(m_keepProblem, problem) != problem && m_found)
        show(model::Recommendations(*m_found));
}

void AdvicePage::setLater(std::shared_ptr<const model::Snapshot> later)
{
    if (m_measuring.empty() || !m_found)
        return;
    const std::string id = std::exchange(m_measuring, {});
    for (const model::Recommendation &item : m_found->items) {
        if (model::recommendationId(item) != id)
            continue;
        m_measureJob.run([item, before = m_snapshot, later](
                             std::stop_token stop) { return model::measuredGain(item, before, later, stop); },
            [this, item, name = std::string(model::fileNameOf(later->file))](model::Result<model::MeasuredGain> gain) {
                if (!gain)
                    return setLaterFailed(text(gain.error().text()));
                const auto done = doneOf(item);
                if (done == m_done.end())
                    return;
                gain->later = name;
                done->measured = *gain;
                Q_EMIT doneChanged(m_done);
                show(model::Recommendations(*m_found));
            });
        return;
    }
}

void AdvicePage::setLaterFailed(const QString &sentence)
{
    m_measuring.clear();
    m_measureProblem = sentence;
    if (m_found)
        show(model::Recommendations(*m_found));
}

QWidget *AdvicePage::newNotLookedAt() const
{
    auto *card = new Card(tr("Not looked at"));
    for (const std::string &sentence : m_found->notLookedAt)
        card->body()->addWidget(newWrapped(text(sentence), "muted"));
    return card;
}

std::vector<Export> AdvicePage::exports()
{
    if (!m_found)
        return {};
    return {{QStringLiteral("advice-list"), tr("Advice"), {},
        [found = *m_found](std::ostream &out) { model::writeRecommendationsCsv(out, found); }}};
}

} // namespace ui

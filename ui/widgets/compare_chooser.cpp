// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/compare_chooser.h"

#include "model/report/session_words.h"
#include "ui/pages/page_text.h"
#include "ui/text.h"
#include "ui/widgets/card.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/recent_row.h"

#include <QFileInfo>
#include <QHBoxLayout>
#include <QScrollArea>

#include <algorithm>

namespace ui {

namespace {

constexpr std::size_t kMostRows = 5;

/// The program that a command line begins with, without folders.
QString programOf(const std::string &command)
{
    const QString whole = text(command);
    return QFileInfo(whole.section(u' ', 0, 0)).fileName();
}

} // namespace

CompareChooser::CompareChooser(QWidget *parent)
    : QWidget(parent)
{
    auto *outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    auto *scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    auto *area = new QWidget;
    auto *column = new QVBoxLayout(area);
    column->setContentsMargins(0, 0, 6, 0);
    column->setSpacing(16);
    m_problem = newLabel({}, TextSize::Body, TextWeight::Normal, "danger");
    m_problem->setWordWrap(true);
    m_problem->hide();
    column->addWidget(m_problem);
    m_recent = new Card(tr("Compare with another session"));
    QPushButton *file = newLinkButton(tr("Choose a file…"));
    m_recent->header()->addWidget(file);
    QLabel *hint
        = newLabel(tr("Stacks are matched by the names of their functions, so another build of the same source "
                      "compares. A session can also be dropped onto the window."),
            TextSize::Body, TextWeight::Normal, "muted");
    hint->setWordWrap(true);
    m_recent->body()->addWidget(hint);
    m_rows = new QVBoxLayout;
    m_rows->setSpacing(0);
    m_recent->body()->addLayout(m_rows);
    column->addWidget(m_recent);
    auto *times = new Card(tr("Compare two times of this session"));
    m_holdSentence = newLabel({}, TextSize::Body, TextWeight::Normal, "muted");
    m_holdSentence->setWordWrap(true);
    m_hold = new QPushButton(tr("Hold the selected time"));
    times->body()->addWidget(m_holdSentence);
    times->body()->addWidget(m_hold, 0, Qt::AlignLeft);
    column->addWidget(times);
    column->addStretch(1);
    scroll->setWidget(area);
    outer->addWidget(scroll);
    connect(file, &QPushButton::clicked, this, &CompareChooser::fileWanted);
    connect(m_hold, &QPushButton::clicked, this, &CompareChooser::holdWanted);
    showHold();
}

void CompareChooser::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    m_snapshot = std::move(snapshot);
    showHold();
    const QString listed
        = m_snapshot ? text(m_snapshot->file) + u'\n' + programOf(model::commandText(*m_snapshot)) : QString();
    if (listed == m_listed)
        return;
    m_listed = listed;
    showRecent();
}

void CompareChooser::setRecent(std::vector<model::RecentSession> sessions)
{
    m_sessions = std::move(sessions);
    showRecent();
}

void CompareChooser::setProblem(const QString &sentence)
{
    m_problem->setText(sentence);
    m_problem->setVisible(!sentence.isEmpty());
}

void CompareChooser::showRecent()
{
    while (QLayoutItem *item = m_rows->takeAt(0)) {
        const std::unique_ptr<QLayoutItem> taken(item);
        if (item->widget() != nullptr)
            item->widget()->deleteLater();
    }
    if (!m_snapshot)
        return;
    const QString program = programOf(model::commandText(*m_snapshot));
    std::vector<const model::RecentSession *> shown;
    for (const model::RecentSession &session : m_sessions)
        if (session.isThere && session.path != m_snapshot->file)
            shown.push_back(&session);
    std::stable_partition(shown.begin(), shown.end(),
        [&](const model::RecentSession *session) { return programOf(session->command) == program; });
    if (shown.empty())
        m_rows->addWidget(newLabel(tr("No other session was recorded or opened on this machine."), TextSize::Body,
            TextWeight::Normal, "muted"));
    for (std::size_t i = 0; i < std::min(shown.size(), kMostRows); ++i) {
        auto *row = new RecentRow(*shown[i], tr("Compare with %1"));
        connect(row, &QPushButton::clicked, this, [this, row] { Q_EMIT sessionChosen(row->path()); });
        m_rows->addWidget(row);
    }
}

void CompareChooser::showHold()
{
    const bool hasTime = m_snapshot && m_snapshot->selection.time;
    m_hold->setEnabled(hasTime);
    m_holdSentence->setText(hasTime
            ? tr("Hold %1, then select another time above: the two are compared.").arg(selectionText(*m_snapshot))
            : tr("Drag over the timeline above to select a time and hold it; then select another one to compare it "
                 "with."));
}

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/session_bar.h"

#include "model/aggregate/heap_modes.h"
#include "model/aggregate/sampling_error.h"
#include "model/base/format_units.h"
#include "model/report/session_words.h"
#include "ui/icons.h"
#include "ui/pages/page_text.h"
#include "ui/shown_time.h"
#include "ui/text.h"
#include "ui/widgets/filter_chip.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/process_menu.h"
#include "ui/widgets/row_fit.h"
#include "ui/widgets/search_field.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QInputDialog>
#include <QLineEdit>
#include <QMenu>
#include <QShortcut>
#include <QToolButton>

#include <csignal>
#include <optional>
#include <vector>

namespace ui {

namespace {

bool isLive(const std::shared_ptr<const model::Snapshot> &snapshot)
{
    return snapshot
        && (snapshot->info.state == model::SessionState::Recording
            || snapshot->info.state == model::SessionState::Paused);
}

struct StateText
{
    Token token;
    QString text;
};

/// The wait status of the recorded command where it came to something else than success.
std::optional<int> failureOf(const model::Snapshot &snapshot)
{
    std::optional<int> status = snapshot.info.exitStatus;
    if (!status && !snapshot.tables->processes.empty())
        status = snapshot.tables->processes.front().waitStatus;
    // What ends the recording may end the command with it, by a signal: --then-kill, and a soak test.
    const int signal = status.value_or(0) & 0x7f;
    const std::string &reason = snapshot.info.endReason;
    const bool wasEnded
        = !reason.empty() && !reason.starts_with(model::kCommandEnded) && (signal == SIGTERM || signal == SIGKILL);
    return status.value_or(0) != 0 && !wasEnded ? status : std::nullopt;
}

StateText stateText(const model::SessionInfo &info)
{
    switch (info.state) {
    case model::SessionState::Recording:
        return {Token::Danger, SessionBar::tr("recording")};
    case model::SessionState::Paused:
        return {Token::Warn, SessionBar::tr("paused")};
    case model::SessionState::Stopping:
        return {Token::Warn, SessionBar::tr("finishing")};
    case model::SessionState::Complete:
        return {Token::Ok, SessionBar::tr("complete")};
    case model::SessionState::Unfinished:
        return {Token::Warn, SessionBar::tr("unfinished")};
    }
    return {Token::InkMuted, {}};
}

} // namespace

QString sessionTitle(const model::Snapshot &snapshot)
{
    const model::CaptureConfig &config = snapshot.info.config;
    if (!config.command.empty())
        return QFileInfo(text(config.command.front())).fileName();
    if (config.attachPid) {
        const model::ProgramTables &tables = *snapshot.tables;
        const QString name = tables.images.empty() ? QString() : text(tables.programName(tables.images.front()));
        return name.isEmpty() ? SessionBar::tr("PID %1").arg(*config.attachPid) : name;
    }
    return QFileInfo(text(snapshot.file)).completeBaseName();
}

SessionBar::SessionBar(Selection &selection, QWidget *parent)
    : QFrame(parent)
    , m_selection(selection)
{
    setObjectName(QStringLiteral("sessionBar"));
    auto *layout = new QHBoxLayout(this);
    layout->setContentsMargins(16, 7, 16, 7);
    layout->setSpacing(8);
    setUpActions(layout);
    setUpSession(layout);
    setUpFilters(layout);
    setSnapshot(nullptr);
    connect(&selection, &Selection::changed, this, &SessionBar::showFilters);
}

void SessionBar::setUpActions(QHBoxLayout *layout)
{
    m_stop = newPrimaryButton(tr("Stop"));
    m_mark = new QPushButton(tr("Mark"));
    m_hold = new QPushButton(tr("Hold"));
    m_record = newPrimaryButton(tr("Record…"));
    m_back = new QPushButton(tr("Back to the session"));
    m_open = new QPushButton(tr("Open…"));
    m_hold->setCheckable(true);
    m_stop->setToolTip(tr("End the recording; the program runs on"));
    m_mark->setToolTip(tr("Name this moment (Ctrl+M)"));
    m_mark->setShortcut(Qt::CTRL | Qt::Key_M);
    m_hold->setToolTip(tr("Freeze the view; recording goes on (Ctrl+H)"));
    m_hold->setShortcut(Qt::CTRL | Qt::Key_H);
    m_open->setShortcut(QKeySequence::Open);
    for (QPushButton *button : {m_stop, m_mark, m_hold, m_back, m_record, m_open}) {
        button->setFocusPolicy(Qt::TabFocus);
        layout->addWidget(button);
    }
    connect(m_back, &QPushButton::clicked, this, &SessionBar::backWanted);
    connect(m_stop, &QPushButton::clicked, this, &SessionBar::stopWanted);
    connect(m_record, &QPushButton::clicked, this, &SessionBar::recordWanted);
    connect(m_open, &QPushButton::clicked, this, &SessionBar::openWanted);
    connect(m_mark, &QPushButton::clicked, this, &SessionBar::askForMark);
    connect(m_hold, &QPushButton::toggled, this, [this](bool on) {
        showSession();
        Q_EMIT liveViewChanged(on ? LiveView::Held : LiveView::Following);
    });
}

void SessionBar::setUpSession(QHBoxLayout *layout)
{
    m_name = new ElidedLabel;
    m_name->setFont(textFont(QApplication::font(), TextSize::Body, TextWeight::Strong));
    m_processes = newLinkButton({});
    m_processes->setFocusPolicy(Qt::TabFocus);
    m_processes->setToolTip(tr("Choose one of the processes"));
    m_processMenu = new ProcessMenu(m_selection, this);
    connect(m_processMenu, &ProcessMenu::restWanted, this, &SessionBar::processesWanted);
    connect(m_processes, &QPushButton::clicked, this, [this] {
        m_processMenu->fill();
        m_processMenu->exec(m_processes->mapToGlobal(QPoint(0, m_processes->height())));
    });
    m_details = new ElidedLabel;
    m_details->setToken(Token::InkMuted);
    m_details->setElideMode(Qt::ElideRight);
    m_dot = new StateDot;
    m_state = new ElidedLabel;
    m_state->setToken(Token::InkMuted);
    m_state->setElideMode(Qt::ElideRight);
    for (ElidedLabel *label : {m_name, m_details, m_state})
        label->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
    layout->addSpacing(12);
    layout->addWidget(m_name);
    layout->addWidget(m_processes);
    layout->addWidget(m_details);
    layout->addSpacing(4);
    layout->addWidget(m_dot);
    layout->addWidget(m_state);
    layout->addStretch(1);
}

void SessionBar::setUpFilters(QHBoxLayout *layout)
{
    m_timeChip = new FilterChip;
    m_processChip = new FilterChip;
    m_threadChip = new FilterChip;
    m_find = new SearchField(tr("Find functions"));
    m_find->setToolTip(tr("Filters tables and marks functions in flame graphs (Ctrl+F)"));
    m_menu = new QMenu(this);
    m_menuButton = new QToolButton;
    m_menuButton->setText(tr("Menu"));
    m_menuButton->setMenu(m_menu);
    m_menuButton->setPopupMode(QToolButton::InstantPopup);
    for (QWidget *widget :
        std::initializer_list<QWidget *>{m_timeChip, m_processChip, m_threadChip, m_find, m_menuButton})
        layout->addWidget(widget);
    connect(m_timeChip, &QPushButton::clicked, this, [this] { m_selection.setTime(std::nullopt); });
    connect(m_processChip, &QPushButton::clicked, this, [this] { m_selection.setProcess(std::nullopt); });
    connect(m_threadChip, &QPushButton::clicked, this, [this] { m_selection.setThread(std::nullopt); });
    connect(m_find, &QLineEdit::textChanged, &m_selection, &Selection::setFindText);
    connect(m_find, &QLineEdit::returnPressed, this, &SessionBar::findEntered);
    connect(m_find, &SearchField::left, this, &SessionBar::findLeft);
    connect(&m_selection, &Selection::findTextChanged, m_find, [this](const QString &wanted) {
        if (m_find->text() != wanted)
            m_find->setText(wanted);
    });
    auto *find = new QShortcut(QKeySequence::Find, this);
    connect(find, &QShortcut::activated, m_find, [this] { m_find->setFocus(Qt::ShortcutFocusReason); });
}

void SessionBar::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    m_snapshot = std::move(snapshot);
    m_processMenu->setSnapshot(m_snapshot);
    const bool live = isLive(m_snapshot);
    if (!live && m_hold->isChecked())
        m_hold->setChecked(false);
    showActions();
    showSession();
    showFilters();
}

void SessionBar::setStartShown(bool isShown)
{
    m_isStartShown = isShown;
    showActions();
}

void SessionBar::showActions()
{
    const bool live = isLive(m_snapshot);
    for (QPushButton *button : {m_stop, m_mark, m_hold})
        button->setVisible(live);
    m_back->setVisible(m_snapshot && m_isStartShown);
    m_record->setVisible(m_snapshot && !live && !m_isStartShown);
    m_open->setVisible(!live);
    m_find->setVisible(m_snapshot && !m_isStartShown);
    m_dot->setVisible(m_snapshot != nullptr);
    fit();
}

void SessionBar::showTime(Form form)
{
    const auto &time = m_selection.current().time;
    if (!m_snapshot || !time)
        return m_timeChip->setFilter({}, {});
    const QString words = timeText(*m_snapshot, *time);
    const QString length = text(model::formatDuration(shownTime(*m_snapshot, *time).length()));
    m_timeChip->setFilter(form == Form::Short ? words : tr("%1 · %2").arg(words, length),
        tr("Only this time, %1; click for the whole recording").arg(length));
}

void SessionBar::showProcesses(Form form)
{
    if (!m_snapshot || m_snapshot->tables->processes.size() < 2)
        return;
    const auto &processes = m_snapshot->tables->processes;
    const auto count = [](std::size_t many) { return text(model::formatCount(static_cast<std::int64_t>(many))); };
    m_processes->setText(form == Form::Short
            ? tr("%1 processes").arg(count(processes.size()))
            : tr("pid %1 and %2 more").arg(processes.front().pid).arg(count(processes.size() - 1)));
}

void SessionBar::toggleHold()
{
    if (isLive(m_snapshot))
        m_hold->toggle();
}

QString SessionBar::detailsText() const
{
    const model::SessionInfo &info = m_snapshot->info;
    QStringList parts;
    const auto &processes = m_snapshot->tables->processes;
    if (processes.size() == 1)
        parts << tr("pid %1").arg(processes.front().pid);
    if (info.config.heap == model::HeapMode::Off)
        parts << tr("no heap");
    else if (model::isHeapSampled(*m_snapshot))
        parts << (model::isHeapPartlySampled(*m_snapshot) ? tr("one allocation each %1 at times")
                                                          : tr("one allocation each %1"))
                     .arg(text(model::formatBytes(static_cast<double>(model::longestPeriod(*m_snapshot)))));
    else
        parts << tr("every allocation");
    parts << (info.config.cpuHz > 0 ? tr("CPU %1 Hz").arg(info.config.cpuHz) : tr("no CPU samples"));
    if (info.config.systemCalls)
        parts << tr("system calls");
    if (info.config.waits)
        parts << tr("waits");
    return parts.join(QStringLiteral(" · "));
}

void SessionBar::showSession()
{
    if (!m_snapshot) {
        m_name->setText(QStringLiteral("Genesis Profiler"));
        m_processes->hide();
        m_details->setText({});
        m_state->setText({});
        fit();
        return;
    }
    StateText state = stateText(m_snapshot->info);
    const bool live = isLive(m_snapshot);
    const bool isDamaged = !live && !m_snapshot->damage.empty();
    const std::optional<int> failure = failureOf(*m_snapshot);
    if (isDamaged)
        state = {Token::Warn, tr("damaged")};
    else if (failure && state.token == Token::Ok)
        state.token = Token::Warn;
    m_name->setText(sessionTitle(*m_snapshot));
    const auto &processes = m_snapshot->tables->processes;
    m_processes->setVisible(processes.size() > 1);
    m_details->setText(detailsText());
    m_dot->setToken(state.token);
    // In whole seconds while it counts.
    constexpr std::int64_t kSecond = 1'000'000'000;
    const model::Duration length = m_snapshot->info.duration;
    const model::Duration shown = live ? model::Duration{length.ns / kSecond * kSecond} : length;
    QStringList parts{state.text, text(model::formatDuration(shown))};
    if (live && m_hold->isChecked())
        parts.last() = tr("view held at %1").arg(parts.last());
    if (failure)
        parts << waitStatusText(*failure);
    m_state->setText(parts.join(QStringLiteral(" · ")));
    const QString reason = text(m_snapshot->info.endReason);
    m_state->setToolTip(isDamaged ? text(m_snapshot->damage) : reason.isEmpty() ? m_state->text() : reason);
    fit();
}

void SessionBar::showFilters()
{
    if (!m_snapshot) {
        for (FilterChip *chip : {m_timeChip, m_processChip, m_threadChip})
            chip->setFilter({}, {});
        fit();
        return;
    }
    const model::Selection &now = m_selection.current();
    const model::ProgramTables &tables = *m_snapshot->tables;
    const bool hasProcess = now.process && now.process->index() < tables.processes.size();
    m_processChip->setFilter(hasProcess ? tr("pid %1").arg(tables.processes[now.process->index()].pid) : QString(),
        tr("Only this process; click for all"));
    const bool hasThread = now.thread && now.thread->index() < tables.threads.size();
    m_threadChip->setFilter(hasThread ? threadText(tables, *now.thread) : QString(),
        hasThread
            ? tr("CPU, system calls and waits of this thread only (tid %1); memory is of all threads. Click for all.")
                  .arg(tables.threads[now.thread->index()].tid)
            : QString());
    fit();
}

/// Filters stay readable and can be taken away: what was recorded gives way first, then the search, then state and duration, then long names.
void SessionBar::fit()
{
    constexpr int kLeastFind = 88, kLeastName = 72; // px
    enum Turn { Details, Find, State, Names };
    const std::vector<GivingWidget> parts{{m_details, 0, Details}, {m_find, kLeastFind, Find}, {m_state, 0, State},
        {m_name, kLeastName, Names}, {m_timeChip, m_timeChip->minimumSizeHint().width(), Names},
        {m_processChip, m_processChip->minimumSizeHint().width(), Names},
        {m_threadChip, m_threadChip->minimumSizeHint().width(), Names}};
    const auto isTooLong
        = [&] { return missingWidth(*this, parts) > m_details->sizeHint().width() + m_state->sizeHint().width(); };
    showProcesses(Form::Whole);
    showTime(Form::Whole);
    if (isTooLong())
        showProcesses(Form::Short);
    if (isTooLong())
        showTime(Form::Short);
    fitRow(*this, parts);
}

/// Its texts are cut where it is narrow.
QSize SessionBar::minimumSizeHint() const { return {1, QFrame::minimumSizeHint().height()}; }

void SessionBar::resizeEvent(QResizeEvent *event)
{
    QFrame::resizeEvent(event);
    fit();
}

void SessionBar::showEvent(QShowEvent *event)
{
    QFrame::showEvent(event);
    fit(); // the style sheet is known from here on
}

void SessionBar::changeEvent(QEvent *event)
{
    QFrame::changeEvent(event);
    if (m_menuButton != nullptr && (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange))
        fit();
}

void SessionBar::askForMark()
{
    constexpr int kSentencePx = 440; // a mark is often a sentence, and takes a while to write
    QElapsedTimer since;
    since.start();
    QInputDialog dialog(this);
    dialog.setWindowTitle(tr("Mark this moment"));
    dialog.setLabelText(tr("What happens now:"));
    dialog.setTextValue(tr("mark"));
    dialog.setMinimumWidth(kSentencePx);
    dialog.resize(kSentencePx, dialog.sizeHint().height());
    if (dialog.exec() != QDialog::Accepted)
        return;
    if (const QString name = dialog.textValue().trimmed(); !name.isEmpty())
        Q_EMIT markWanted(name, {since.nsecsElapsed()});
}

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/start_page.h"

#include "model/base/format_units.h"
#include "ui/file_path.h"
#include "ui/text.h"
#include "ui/widgets/card.h"
#include "ui/widgets/code_line.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/launch_form.h"
#include "ui/widgets/recent_row.h"

#include <QClipboard>
#include <QContextMenuEvent>
#include <QGridLayout>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QMenu>
#include <QScrollArea>
#include <QVBoxLayout>

#include <algorithm>
#include <memory>

namespace ui {

namespace {

constexpr int kMostRecent = 6;

void clear(QLayout *layout)
{
    while (QLayoutItem *item = layout->takeAt(0)) {
        const std::unique_ptr<QLayoutItem> taken(item);
        if (item->widget() != nullptr)
            item->widget()->deleteLater();
    }
}

Token levelToken(model::CapabilityLevel level)
{
    return level == model::CapabilityLevel::Ok     ? Token::Ok
        : level == model::CapabilityLevel::Limited ? Token::Warn
                                                   : Token::Danger;
}

QWidget *newCapabilityRow(const model::Capability &item)
{
    auto *row = new QWidget;
    auto *line = new QHBoxLayout(row);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(8);
    auto *words = new QVBoxLayout;
    words->setSpacing(4);
    words->addWidget(newLabel(text(item.label)));
    QLabel *sentence = newLabel(text(item.sentence), TextSize::Caption, TextWeight::Normal, "muted");
    sentence->setWordWrap(true);
    words->addWidget(sentence);
    if (item.level != model::CapabilityLevel::Ok && !item.remedy.empty())
        words->addWidget(new CodeLine(text(item.remedy)));
    auto *dot = new StateDot(levelToken(item.level));
    dot->setAccessibleName(item.level == model::CapabilityLevel::Ok ? StartPage::tr("works")
            : item.level == model::CapabilityLevel::Limited         ? StartPage::tr("limited")
                                                                    : StartPage::tr("denied"));
    line->addWidget(dot, 0, Qt::AlignTop);
    line->addLayout(words, 1);
    return row;
}

} // namespace

StartPage::StartPage(QWidget *parent)
    : QWidget(parent)
{
    auto *outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    auto *scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    auto *area = new QWidget;
    m_grid = new QGridLayout(area);
    m_grid->setContentsMargins(32, 20, 32, 24);
    m_grid->setHorizontalSpacing(24);
    m_grid->setVerticalSpacing(6);
    m_form = new LaunchForm;
    m_grid->addWidget(newLabel(tr("Record"), TextSize::Number, TextWeight::Strong), 0, 0);
    m_grid->addWidget(newLabel(tr("Start a program under the profiler, or attach to one that runs. Everything goes "
                                  "into one session file."),
                          TextSize::Body, TextWeight::Normal, "muted"),
        1, 0, 1, 2);
    m_grid->addWidget(m_form, 2, 0, Qt::AlignTop);
    m_column = new QVBoxLayout;
    m_column->setSpacing(16);
    setUpRecent();
    setUpMachine();
    m_column->addStretch(1);
    m_grid->addLayout(m_column, 2, 1);
    m_grid->setColumnStretch(0, 13);
    m_grid->setColumnStretch(1, 7);
    m_grid->setRowStretch(2, 1);
    scroll->setWidget(area);
    outer->addWidget(scroll);
    setFocusProxy(m_form);
    connect(m_form, &LaunchForm::recordWanted, this, &StartPage::recordWanted);
    connect(m_form, &LaunchForm::runningWanted, this, &StartPage::runningWanted);
}

void StartPage::setUpRecent()
{
    m_recent = new Card(tr("Recent sessions"));
    QPushButton *open = newLinkButton(tr("Open file…"));
    m_recent->header()->addWidget(open);
    m_recentRows = new QVBoxLayout;
    m_recentRows->setSpacing(0);
    m_recent->body()->addLayout(m_recentRows);
    m_column->addWidget(m_recent);
    connect(open, &QPushButton::clicked, this, &StartPage::openDialogWanted);
    setRecent({});
}

void StartPage::setUpMachine()
{
    m_machine = new Card(tr("This machine"));
    m_machineRows = new QVBoxLayout;
    m_machineRows->setSpacing(10);
    m_machine->body()->addLayout(m_machineRows);
    m_column->addWidget(m_machine);
}

void StartPage::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    // On a wide screen lines would get too long to read: keep the two columns together in the middle.
    const int margin = std::max(24, (width() - 1200) / 2);
    m_grid->setContentsMargins(margin, 20, margin, 24);
    m_form->setRoom(height());
}

/// Of a recent session; here, as a row whose file is gone takes no events.
void StartPage::contextMenuEvent(QContextMenuEvent *event)
{
    const auto rows = m_recent->findChildren<RecentRow *>();
    const auto row = std::find_if(rows.begin(), rows.end(),
        [event](const RecentRow *each) { return each->rect().contains(each->mapFromGlobal(event->globalPos())); });
    if (row == rows.end())
        return QWidget::contextMenuEvent(event);
    auto *menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const QString path = (*row)->path();
    menu->addAction(tr("Open"), this, [this, path] { Q_EMIT openWanted(path); })->setEnabled((*row)->isEnabled());
    menu->addAction(tr("Copy path"), this, [path] { QGuiApplication::clipboard()->setText(shownPath(path)); });
    menu->addSeparator();
    menu->addAction(tr("Take off this list"), this, [this, path] { Q_EMIT forgetWanted(path); })
        ->setToolTip(tr("The session itself stays where it is"));
    menu->setToolTipsVisible(true);
    menu->popup(event->globalPos());
}

void StartPage::setRecent(const std::vector<model::RecentSession> &sessions)
{
    clear(m_recentRows);
    if (sessions.empty()) {
        QLabel *nothing = newLabel(
            tr("Sessions that you record or open are listed here."), TextSize::Body, TextWeight::Normal, "muted");
        nothing->setWordWrap(true);
        m_recentRows->addWidget(nothing);
    }
    // Files that are gone take no place from those that can be opened.
    std::vector<model::RecentSession> shown = sessions;
    std::stable_partition(
        shown.begin(), shown.end(), [](const model::RecentSession &session) { return session.isThere; });
    shown.resize(std::min<std::size_t>(shown.size(), kMostRecent));
    for (const model::RecentSession &session : shown) {
        auto *row = new RecentRow(session, tr("Open %1"));
        connect(row, &QPushButton::clicked, this, [this, row] { Q_EMIT openWanted(row->path()); });
        m_recentRows->addWidget(row);
    }
}

void StartPage::setCapabilities(const model::Capabilities &capabilities)
{
    clear(m_machineRows);
    for (const model::Capability &item : capabilities.items)
        m_machineRows->addWidget(newCapabilityRow(item));
}

void StartPage::setRunning(std::vector<model::RunningProcess> programs, std::int64_t nowWallNs)
{
    m_form->setRunning(std::move(programs), nowWallNs);
}

void StartPage::setRecordingsFolder(const QString &folder) { m_form->setRecordingsFolder(folder); }

void StartPage::setRequest(const LaunchRequest &request) { m_form->setRequest(request); }

void StartPage::setFailure(const QString &sentence) { m_form->setFailure(sentence); }

} // namespace ui

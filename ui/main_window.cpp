// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/main_window.h"

#include "model/analysis/coverage.h"
#include "model/base/format_units.h"
#include "model/report/session_words.h"
#include "ui/background_job.h"
#include "ui/charts/timeline_view.h"
#include "ui/file_path.h"
#include "ui/text.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/empty_state.h"
#include "ui/widgets/inspector.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/page_list.h"
#include "ui/widgets/status_line.h"

#include <QCloseEvent>
#include <QHBoxLayout>
#include <QScreen>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace ui {

namespace {

QString pageKey(model::CardPage page)
{
    switch (page) {
    case model::CardPage::Heap:
        return QStringLiteral("heap");
    case model::CardPage::Areas:
        return QStringLiteral("areas");
    case model::CardPage::Cpu:
        return QStringLiteral("cpu");
    case model::CardPage::SystemCalls:
        return QStringLiteral("system-calls");
    case model::CardPage::Waits:
        return QStringLiteral("waits");
    case model::CardPage::HeatMap:
        return QStringLiteral("heat-map");
    case model::CardPage::Forecast:
        return QStringLiteral("forecast");
    case model::CardPage::Recommendations:
        return QStringLiteral("advice");
    case model::CardPage::Losses:
        break;
    }
    return QStringLiteral("capture");
}

} // namespace

MainWindow::MainWindow(Selection &selection, Theme &theme, QWidget *parent)
    : QMainWindow(parent)
    , m_selection(selection)
    , m_theme(theme)
{
    auto *central = new QWidget;
    auto *column = new QVBoxLayout(central);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_bar = new SessionBar(selection);
    m_body = new QStackedWidget;
    m_session = newSessionArea();
    m_failure = new EmptyState;
    m_body->addWidget(m_session);
    m_body->addWidget(m_failure);
    m_progress = new Banner;
    column->addWidget(m_bar);
    column->addWidget(m_progress);
    column->addWidget(m_body, 1);
    setCentralWidget(central);
    m_report = new BackgroundJob(this);
    setUpMenu();
    setWindowTitle(QStringLiteral("Genesis Profiler"));
    // A small screen, or one on which all is drawn larger, may have less: what does not fit there is scrolled to.
    setMinimumSize(QSize(900, 600).boundedTo(screen()->availableSize()));
    setAcceptDrops(true);
    m_slow.setInterval(1000);
    connect(&m_slow, &QTimer::timeout, this, [this] {
        const QString what = m_snapshot ? tr("Reading the selected time…") : tr("Reading the session…");
        m_progress->setText(tr("%1 %2 s").arg(what).arg(++m_slowSeconds), tr("Cancel"));
    });
    connect(m_progress, &Banner::actionWanted, this, &MainWindow::cancelWanted);
    connect(m_failure, &EmptyState::actionWanted, this, &MainWindow::againWanted);
    connect(m_failure, &EmptyState::otherActionWanted, this, &MainWindow::showStart);
    connect(m_bar, &SessionBar::recordWanted, this, &MainWindow::showStart);
    connect(m_bar, &SessionBar::backWanted, this, &MainWindow::showSession);
    connect(m_bar, &SessionBar::processesWanted, this, [this] {
        showSession();
        showPage(model::CardPage::Losses);
    });
    connect(m_bar, &SessionBar::findEntered, this, &MainWindow::showWhatWasFound);
    connect(m_bar, &SessionBar::findLeft, this, &MainWindow::giveKeysToPage);
    connect(m_body, &QStackedWidget::currentChanged, this,
        [this] { m_bar->setStartShown(m_start != nullptr && m_body->currentWidget() == m_start); });
    connect(&selection, &Selection::inspectedChanged, this, [this] {
        m_chosenOn = m_list->current();
        followInspected();
    });
}

QWidget *MainWindow::newSessionArea()
{
    auto *area = new QWidget;
    auto *column = new QVBoxLayout(area);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto *timelineArea = new QFrame;
    timelineArea->setObjectName(QStringLiteral("timelineArea"));
    auto *timelineLayout = new QVBoxLayout(timelineArea);
    timelineLayout->setContentsMargins(0, 0, 0, 1);
    m_timeline = new TimelineView(m_selection);
    timelineLayout->addWidget(m_timeline);
    connect(m_bar, &SessionBar::liveViewChanged, m_timeline,
        [this](LiveView view) { m_timeline->setHeld(view == LiveView::Held); });
    m_banner = new Banner;
    m_list = new PageList;
    m_columns = new QSplitter(Qt::Horizontal);
    m_columns->setObjectName(QStringLiteral("columns"));
    m_columns->setChildrenCollapsible(false);
    m_columns->setHandleWidth(1); // a line; Qt takes the pointer two pixels beside it as well
    m_columns->addWidget(newPageArea());
    m_columns->setStretchFactor(0, 1);
    auto *below = new QHBoxLayout;
    below->setSpacing(0);
    below->addWidget(m_list);
    below->addWidget(m_columns, 1);
    m_status = new StatusLine;
    column->addWidget(timelineArea);
    column->addWidget(m_banner);
    column->addLayout(below, 1);
    column->addWidget(m_status);
    connect(m_list, &PageList::chosen, this, &MainWindow::choose);
    return area;
}

QWidget *MainWindow::newPageArea()
{
    auto *area = new QWidget;
    auto *column = new QVBoxLayout(area);
    column->setContentsMargins(16, 12, 16, 12);
    column->setSpacing(10);
    auto *headings = new QHBoxLayout;
    headings->setSpacing(10);
    m_heading = newLabel({}, TextSize::Body, TextWeight::Strong);
    QFont font = m_heading->font();
    font.setPointSizeF(font.pointSizeF() * 1.15);
    m_heading->setFont(font);
    m_subheading = new ElidedLabel;
    m_subheading->setToken(Token::InkMuted);
    m_subheading->setElideMode(Qt::ElideRight);
    headings->addWidget(m_heading);
    headings->addWidget(m_subheading, 1);
    m_stack = new QStackedWidget;
    column->addLayout(headings);
    column->addWidget(m_stack, 1);
    // Else the widest of all pages would be the least width here, and leave nothing to what stands beside them.
    area->setMinimumWidth(400);
    return area;
}

void MainWindow::addPage(Page *page)
{
    const auto index = m_pages.size();
    m_pages.push_back(page);
    m_buttons.push_back(m_list->addEntry(page->iconName(), page->title()));
    m_stack->addWidget(page);
    connect(page, &Page::subtitleChanged, this, [this, index] {
        if (m_list->current() == static_cast<int>(index))
            showHeading();
    });
    connect(page, &Page::pageWanted, this,
        [this](model::CardPage wanted, std::optional<model::CostKind> cost) { showPage(wanted, cost); });
    connect(page, &Page::stackWanted, this, &MainWindow::showStack);
    if (index == 0)
        choose(0);
}

void MainWindow::addPageRule() { m_list->addRule(); }

void MainWindow::setInspector(Inspector *inspector)
{
    m_inspector = inspector;
    m_columns->addWidget(inspector);
    m_columns->setStretchFactor(m_columns->indexOf(inspector), 0); // a wider window is the page's
    m_inspectorWidth = inspector->sizeHint().width();
    m_columns->setSizes({1, m_inspectorWidth});
    followInspected();
}

void MainWindow::setStartPage(QWidget *start)
{
    m_start = start;
    m_body->addWidget(start);
    showStart();
}

void MainWindow::showStart()
{
    if (m_start == nullptr)
        return;
    m_body->setCurrentWidget(m_start);
    m_start->setFocus(Qt::OtherFocusReason);
}

void MainWindow::showSession()
{
    if (m_snapshot)
        m_body->setCurrentWidget(m_session);
}

void MainWindow::showFailure(const QString &title, const QString &sentence, const QString &again)
{
    closeSession();
    m_failure->setText(title, sentence, again, tr("Back to start"));
    m_body->setCurrentWidget(m_failure);
}

void MainWindow::setSnapshot(std::shared_ptr<const model::Snapshot> snapshot)
{
    const bool isOther = !m_snapshot || !snapshot || m_snapshot->file != snapshot->file;
    m_snapshot = std::move(snapshot);
    if (isOther)
        m_choices.clear(); // stacks of another session
    m_bar->setSnapshot(m_snapshot);
    m_timeline->setSnapshot(m_snapshot);
    m_status->setSnapshot(m_snapshot);
    for (Page *page : m_pages)
        page->setSnapshot(m_snapshot);
    if (m_inspector != nullptr)
        m_inspector->setSnapshot(m_snapshot);
    showHeading();
    showBanner();
    if (!m_snapshot)
        return;
    setWindowFilePath(pathOf(m_snapshot->file)); // exports are named after it, and saved beside it
    setWindowTitle(tr("%1 – Genesis Profiler").arg(sessionTitle(*m_snapshot)));
    if (isOther)
        m_body->setCurrentWidget(m_session);
}

void MainWindow::setSealed(bool isSealed) { m_status->setSealed(isSealed); }

void MainWindow::closeSession()
{
    m_selection.reset();
    setSnapshot(nullptr);
    setWindowFilePath({});
    setWindowTitle(QStringLiteral("Genesis Profiler"));
}

void MainWindow::choose(int index)
{
    if (index < 0 || index >= static_cast<int>(m_pages.size()))
        return;
    m_list->setCurrent(index);
    m_stack->setCurrentIndex(index);
    showHeading();
    takeChoiceOf(index);
    followInspected();
}

/// The next listed page in this direction.
void MainWindow::choosePageBeside(int step)
{
    int index = m_list->current() + step;
    while (index >= 0 && index < static_cast<int>(m_buttons.size())
        && m_buttons[static_cast<std::size_t>(index)]->isHidden())
        index += step;
    choose(index);
}

/// Where functions are found: on the page that is shown if it lists any, else where the session has most to list.
void MainWindow::showWhatWasFound()
{
    const auto current = static_cast<std::size_t>(m_stack->currentIndex());
    if (!m_snapshot)
        return;
    if (current >= m_pages.size() || !m_pages[current]->listsFunctions())
        showPage(m_snapshot->heap.empty() ? model::CardPage::Cpu : model::CardPage::Heap);
    giveKeysToPage();
}

void MainWindow::giveKeysToPage()
{
    if (const auto current = static_cast<std::size_t>(m_stack->currentIndex()); current < m_pages.size())
        m_pages[current]->takeKeys();
}

void MainWindow::showPage(model::CardPage page, std::optional<model::CostKind> cost)
{
    const QString key = pageKey(page);
    showPage(key);
    for (Page *each : m_pages)
        if (cost && each->key() == key)
            each->openAt(*cost);
}

void MainWindow::showPage(const QString &key)
{
    for (std::size_t i = 0; i < m_pages.size(); ++i)
        if (m_pages[i]->key() == key)
            choose(static_cast<int>(i));
}

void MainWindow::setBadge(const QString &key, int count)
{
    for (std::size_t i = 0; i < m_pages.size(); ++i)
        if (m_pages[i]->key() == key)
            m_buttons[i]->setBadge(count);
}

void MainWindow::setListed(const QString &key, bool isListed)
{
    for (std::size_t i = 0; i < m_pages.size(); ++i) {
        if (m_pages[i]->key() != key)
            continue;
        m_buttons[i]->setVisible(isListed);
        if (!isListed && m_list->current() == static_cast<int>(i))
            choose(0);
    }
}

void MainWindow::showHeading()
{
    const int index = m_list->current();
    if (index < 0 || index >= static_cast<int>(m_pages.size()))
        return;
    const Page *page = m_pages[static_cast<std::size_t>(index)];
    m_heading->setText(page->title());
    m_subheading->setText(page->subtitle());
    m_subheading->setToken(tokenOf(page->subtitleTrust()));
}

void MainWindow::showBanner()
{
    QStringList sentences;
    if (!m_trouble.isEmpty())
        sentences << m_trouble;
    if (m_snapshot && !m_snapshot->damage.empty())
        sentences << firstSentences(text(m_snapshot->damage), tr("There is more: see “Capture”."));
    if (m_snapshot)
        if (const QString asked = text(model::askedText(*m_snapshot)); !asked.isEmpty())
            sentences << tr("Showing %1 – %2: %3.")
                             .arg(text(model::formatOffset(m_snapshot->span.begin)),
                                 text(model::formatOffset(m_snapshot->span.end)), asked);
    if (m_snapshot && m_snapshot->info.unwritten)
        sentences << text(model::unwrittenText(m_snapshot->info)) + QLatin1Char('.');
    else if (m_snapshot && m_snapshot->info.state == model::SessionState::Unfinished)
        sentences << tr("This recording was not ended in order; everything up to its last tick is here.");
    m_banner->setText(sentences.join(QLatin1Char(' ')));
}

void MainWindow::setTrouble(const QString &sentence)
{
    m_trouble = sentence;
    showBanner();
}

void MainWindow::setBusy(bool isBusy)
{
    if (isBusy) {
        if (!m_slow.isActive())
            m_slow.start();
        return;
    }
    m_slow.stop();
    m_slowSeconds = 0;
    m_progress->setText({});
}

/// Where nothing can be chosen, the inspector would take the page's room; it comes back with the next page that has stacks.
void MainWindow::followInspected()
{
    const int index = m_list->current();
    const bool hasStacks = index >= 0 && m_pages[static_cast<std::size_t>(index)]->choosesStacks();
    if (m_inspector == nullptr)
        return;
    const bool isShown = hasStacks && m_selection.inspected().has_value();
    if (m_inspector->isVisible())
        m_inspectorWidth = m_inspector->width();
    for (Page *page : m_pages)
        page->setInspectorRoom(!isShown && page->choosesStacks() ? m_inspectorWidth + m_columns->handleWidth() : 0);
    m_inspector->setVisible(isShown);
}

/// What was chosen on another page is that page's, and comes back with it.
void MainWindow::takeChoiceOf(int index)
{
    if (index == m_chosenOn || !m_pages[static_cast<std::size_t>(index)]->choosesStacks())
        return;
    m_choices[m_chosenOn] = m_selection.inspected();
    m_chosenOn = index;
    m_selection.setInspected(m_choices[index]);
}

/// The page may still have to make its rows: until then the inspector shows the stack itself.
void MainWindow::showStack(model::CardPage page, std::optional<model::CostKind> cost, const InspectedStack &stack)
{
    const InspectedStack wanted = stack; // may be the one of the page that is left
    showPage(page, cost);
    m_selection.setInspected(wanted);
    m_pages[static_cast<std::size_t>(m_list->current())]->showStack(wanted);
}

void MainWindow::closeEvent(QCloseEvent *event) { Q_EMIT closing(event); }

void MainWindow::keyPressEvent(QKeyEvent *event)
{
    if (event->key() == Qt::Key_Escape && m_body->currentWidget() != m_session)
        showSession();
    else if (event->key() == Qt::Key_Escape && !m_selection.findText().isEmpty())
        m_selection.setFindText({});
    else if (event->key() == Qt::Key_Escape && m_selection.inspected()
        && (m_inspector == nullptr || !m_inspector->isHidden()))
        m_selection.setInspected(std::nullopt);
    else if (event->key() == Qt::Key_Escape)
        m_selection.stepBack();
    else if (event->key() == Qt::Key_Space && m_snapshot)
        m_bar->toggleHold();
    else
        QMainWindow::keyPressEvent(event);
}

} // namespace ui

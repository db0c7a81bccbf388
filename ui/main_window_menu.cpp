// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/background_job.h"
#include "ui/dialogs/key_list.h"
#include "ui/dialogs/save_export.h"
#include "ui/main_window.h"
#include "ui/pages/lost_page.h"
#include "ui/widgets/page_list.h"

#include <QActionGroup>
#include <QApplication>
#include <QDropEvent>
#include <QMenu>
#include <QMimeData>
#include <QShortcut>
#include <QStackedWidget>
#include <QUrl>

namespace ui {

void MainWindow::setUpMenu()
{
    QMenu *menu = m_bar->menu();
    connect(menu->addAction(tr("Record a program…")), &QAction::triggered, this, &MainWindow::showStart);
    QAction *open = menu->addAction(
        tr("Open session…") + u'\t' + QKeySequence(QKeySequence::Open).toString(QKeySequence::NativeText));
    connect(open, &QAction::triggered, m_bar, &SessionBar::openWanted);
    QAction *back = menu->addAction(tr("Back to the session"));
    connect(back, &QAction::triggered, this, &MainWindow::showSession);
    QAction *compare = menu->addAction(tr("Compare with…"));
    connect(compare, &QAction::triggered, this, [this] { showPage(QStringLiteral("compare")); });
    QAction *scan = menu->addAction(tr("Scan for lost memory"));
    connect(scan, &QAction::triggered, this, [this] {
        showPage(QStringLiteral("lost"));
        if (auto *lost = m_stack->findChild<LostPage *>())
            lost->scan();
    });
    menu->addSeparator();
    m_exportMenu = menu->addMenu(tr("Export from this page"));
    connect(m_exportMenu, &QMenu::aboutToShow, this, &MainWindow::fillExportMenu);
    QAction *report = menu->addAction(tr("Save a report (HTML)…"));
    connect(report, &QAction::triggered, this, [this] { saveReport(m_snapshot, *m_report, this); });
    menu->addSeparator();
    setUpAppearanceMenu();
    QAction *keys = menu->addAction(tr("Keys and gestures"));
    keys->setShortcut(QKeySequence::HelpContents);
    connect(keys, &QAction::triggered, this, [this] { showKeys(this); });
    addAction(keys);
    menu->addSeparator();
    for (const auto &[key, step] : {std::pair(Qt::Key_PageUp, -1), {Qt::Key_PageDown, 1}}) {
        auto *beside = new QShortcut(Qt::CTRL | key, this);
        connect(beside, &QShortcut::activated, this, [this, by = step] { choosePageBeside(by); });
    }
    QAction *quit = menu->addAction(tr("Quit"));
    quit->setShortcut(QKeySequence::Quit);
    connect(quit, &QAction::triggered, this, &QWidget::close);
    addAction(quit);
    connect(menu, &QMenu::aboutToShow, this, [this, back, report, compare, scan] {
        scan->setEnabled(m_snapshot && LostPage::canScan(*m_snapshot));
        compare->setEnabled(m_snapshot != nullptr);
        back->setEnabled(m_snapshot && m_body->currentWidget() != m_session);
        report->setEnabled(m_snapshot && !m_report->isRunning());
        m_exportMenu->setEnabled(m_snapshot && m_body->currentWidget() == m_session);
    });
}

void MainWindow::setUpAppearanceMenu()
{
    QMenu *menu = m_bar->menu()->addMenu(tr("Appearance"));
    auto *group = new QActionGroup(this);
    const std::pair<Appearance, QString> choices[]{
        {Appearance::System, tr("As the system")}, {Appearance::Light, tr("Light")}, {Appearance::Dark, tr("Dark")}};
    for (const auto &[appearance, name] : choices) {
        QAction *action = menu->addAction(name);
        action->setCheckable(true);
        action->setActionGroup(group);
        connect(action, &QAction::triggered, this, [this, chosen = appearance] { Q_EMIT appearanceChosen(chosen); });
        connect(menu, &QMenu::aboutToShow, action,
            [this, action, shown = appearance] { action->setChecked(m_theme.appearance() == shown); });
    }
}

void MainWindow::fillExportMenu()
{
    m_exportMenu->clear();
    const int index = m_list->current();
    if (index < 0)
        return;
    Page *page = m_pages[static_cast<std::size_t>(index)];
    const Export whole{page->key(), page->title(), [page] { return page->picture(); }, {}};
    connect(m_exportMenu->addAction(tr("The page (PNG)…")), &QAction::triggered, this,
        [this, whole] { saveExport(whole, this); });
    for (const Export &what : page->exports()) {
        QAction *action = m_exportMenu->addAction(tr("%1 (%2)…").arg(what.label, exportKind(what)));
        connect(action, &QAction::triggered, this, [this, what] { saveExport(what, this); });
    }
}

namespace {

/// The local files among what is dragged that are named as sessions are.
QStringList sessionsOf(const QMimeData &dragged)
{
    QStringList paths;
    for (const QUrl &url : dragged.urls())
        if (url.isLocalFile() && url.fileName().endsWith(QStringLiteral(".gprof-session")))
            paths << url.toLocalFile();
    return paths;
}

} // namespace

void MainWindow::dragEnterEvent(QDragEnterEvent *event)
{
    if (!sessionsOf(*event->mimeData()).isEmpty())
        event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent *event)
{
    const QStringList paths = sessionsOf(*event->mimeData());
    if (paths.isEmpty())
        return;
    event->acceptProposedAction();
    Q_EMIT sessionsDropped(paths, mapToGlobal(event->position().toPoint()));
}

} // namespace ui

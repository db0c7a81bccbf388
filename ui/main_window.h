// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/pages/page.h"
#include "ui/selection.h"
#include "ui/theme.h"
#include "ui/widgets/session_bar.h"

#include <QMainWindow>
#include <QTimer>

#include <map>
#include <optional>

class QLabel;
class QSplitter;
class QStackedWidget;
class QVBoxLayout;

namespace ui {

class BackgroundJob;
class Banner;
class ElidedLabel;
class EmptyState;
class Inspector;
class PageButton;
class PageList;
class StatusLine;
class TimelineView;

/// The window: assembles bar, timeline, page list, pages, inspector and status line, and hands each snapshot to them. Knows no
/// page by its class. Controllers connect to its signals.
class MainWindow : public QMainWindow
{
    Q_OBJECT

public:
    MainWindow(Selection &selection, Theme &theme, QWidget *parent = nullptr);

    /// Adds a page to the list; the window owns it.
    void addPage(Page *page);
    /// A rule in the list before the next page.
    void addPageRule();
    /// What stands at the right and shows the inspected stack; hidden while there is none. The window owns it.
    void setInspector(Inspector *inspector);
    /// What is shown while no session is open, or one wants to record. The window owns it.
    void setStartPage(QWidget *start);

    const std::vector<Page *> &pages() const { return m_pages; }
    SessionBar *bar() { return m_bar; }
    /// The page and the inspector beside it, whose sizes somebody may drag.
    QSplitter *columns() { return m_columns; }

    void showStart();
    /// Back from the start page; nothing when no session is open.
    void showSession();
    /// A calm page that says what failed and what to try, with a button that tries it `again` and one back to the start page.
    void showFailure(const QString &title, const QString &sentence, const QString &again);
    /// A new view of the session; switches to the pages when another one was shown before.
    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot);
    /// Whether the session is encrypted with a passphrase; call it before setSnapshot().
    void setSealed(bool isSealed);
    /// Forgets the session.
    void closeSession();
    /// By one of its costs, where that is said.
    void showPage(model::CardPage page, std::optional<model::CostKind> cost = std::nullopt);
    void showPage(const QString &key);
    /// Something of `key` (a page) asks for attention.
    void setBadge(const QString &key, int count);
    /// Whether `key` (a page) stands in the list: one that has nothing to say of this session need not.
    void setListed(const QString &key, bool isListed);
    /// Work on the next snapshot has begun or ended; after a second the window says so and offers to cancel.
    void setBusy(bool isBusy);
    /// Trouble of a running recording, until the next call; empty: none.
    void setTrouble(const QString &sentence);

Q_SIGNALS:
    void cancelWanted();
    /// What showFailure() told of is to be tried once more.
    void againWanted();
    void appearanceChosen(ui::Appearance appearance);
    void closing(QCloseEvent *event);
    /// Sessions were dropped onto the window, at a place of the screen.
    void sessionsDropped(const QStringList &paths, const QPoint &globalPosition);

protected:
    void dragEnterEvent(QDragEnterEvent *event) override;
    void dropEvent(QDropEvent *event) override;
    void closeEvent(QCloseEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;

private:
    QWidget *newSessionArea();
    QWidget *newPageArea();
    void setUpMenu();
    void setUpAppearanceMenu();
    void fillExportMenu();
    void choose(int index);
    void choosePageBeside(int step);
    void showHeading();
    void showBanner();
    void showWhatWasFound();
    void giveKeysToPage();
    void followInspected();
    void showStack(model::CardPage page, std::optional<model::CostKind> cost, const InspectedStack &stack);
    void takeChoiceOf(int index);

    Selection &m_selection;
    Theme &m_theme;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    std::vector<Page *> m_pages;
    std::vector<PageButton *> m_buttons;
    SessionBar *m_bar = nullptr;
    QStackedWidget *m_body = nullptr; ///< start page, session, failure
    QWidget *m_start = nullptr;
    QWidget *m_session = nullptr;
    EmptyState *m_failure = nullptr;
    TimelineView *m_timeline = nullptr;
    PageList *m_list = nullptr;
    QStackedWidget *m_stack = nullptr;
    QLabel *m_heading = nullptr;
    ElidedLabel *m_subheading = nullptr;
    Banner *m_banner = nullptr;
    Banner *m_progress = nullptr;
    StatusLine *m_status = nullptr;
    QMenu *m_exportMenu = nullptr;
    BackgroundJob *m_report = nullptr; ///< makes an HTML report
    Inspector *m_inspector = nullptr;
    int m_inspectorWidth = 0;                               ///< that it has, or had when it was shown last
    std::map<int, std::optional<InspectedStack>> m_choices; ///< by page, of pages that were left
    int m_chosenOn = -1;                                    ///< the page on which what is inspected was chosen
    QSplitter *m_columns = nullptr;                         ///< page, inspector
    QTimer m_slow;                                          ///< work that takes longer than a second
    int m_slowSeconds = 0;
    QString m_trouble;
};

} // namespace ui

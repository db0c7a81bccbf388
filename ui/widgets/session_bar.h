// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"
#include "ui/selection.h"

#include <QFrame>

#include <memory>

class QHBoxLayout;
class QMenu;
class QPushButton;
class QToolButton;

namespace ui {

class ElidedLabel;
class FilterChip;
class ProcessMenu;
class SearchField;
class StateDot;

/// Whether new ticks reach the pages.
enum class LiveView { Following, Held };

/// The bar on top: what can be done, which session this is and how it stands, what it is filtered by, and the search field.
class SessionBar : public QFrame
{
    Q_OBJECT

public:
    explicit SessionBar(Selection &selection, QWidget *parent = nullptr);

    /// Null: no session is open.
    void setSnapshot(std::shared_ptr<const model::Snapshot> snapshot);

    /// Whether the start page covers the session, so that there is a way back to it.
    void setStartShown(bool isShown);

    QMenu *menu() { return m_menu; }
    /// Holds the view or follows again; nothing while nothing is recorded.
    void toggleHold();

    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void recordWanted();
    void backWanted(); ///< from the start page to the session
    void openWanted();
    void processesWanted(); ///< all of them, where the menu has no place for them
    void stopWanted();
    void markWanted(const QString &text, model::Duration ago); ///< of the moment that long ago
    void findEntered();                                        ///< Return was pressed in the field for functions
    void findLeft();                                           ///< Esc was
    void liveViewChanged(ui::LiveView view);

protected:
    void resizeEvent(QResizeEvent *event) override;
    void showEvent(QShowEvent *event) override;
    void changeEvent(QEvent *event) override;

private:
    void setUpActions(QHBoxLayout *layout);
    void setUpSession(QHBoxLayout *layout);
    void setUpFilters(QHBoxLayout *layout);
    void showActions();
    void showSession();
    void showFilters();
    enum class Form { Whole, Short };
    void showProcesses(Form form);
    void showTime(Form form);
    void fit();
    void askForMark();
    QString detailsText() const;

    Selection &m_selection;
    std::shared_ptr<const model::Snapshot> m_snapshot;
    QPushButton *m_record = nullptr;
    QPushButton *m_back = nullptr;
    bool m_isStartShown = false;
    QPushButton *m_open = nullptr;
    QPushButton *m_stop = nullptr;
    QPushButton *m_mark = nullptr;
    QPushButton *m_hold = nullptr;
    ElidedLabel *m_name = nullptr;
    QPushButton *m_processes = nullptr; ///< of several: lets one be chosen
    ProcessMenu *m_processMenu = nullptr;
    ElidedLabel *m_details = nullptr;
    StateDot *m_dot = nullptr;
    ElidedLabel *m_state = nullptr;
    FilterChip *m_timeChip = nullptr;
    FilterChip *m_processChip = nullptr;
    FilterChip *m_threadChip = nullptr;
    SearchField *m_find = nullptr;
    QToolButton *m_menuButton = nullptr;
    QMenu *m_menu = nullptr;
};

/// The program of a session as people call it: the name of its executable, or "PID 4127".
QString sessionTitle(const model::Snapshot &snapshot);

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/advice_controller.h"
#include "app/capture_controller.h"
#include "app/comparison_controller.h"
#include "app/gui_settings.h"
#include "app/recording_remote.h"
#include "app/session_controller.h"
#include "app/system_appearance.h"
#include "ui/background_job.h"
#include "ui/layout_memory.h"
#include "ui/main_window.h"
#include "ui/selection.h"
#include "ui/theme.h"

#include <QObject>

#include <memory>
#include <optional>

class QCloseEvent;

namespace ui {
class AdvicePage;
class StartPage;
} // namespace ui

namespace app {

/// The program with a window: owns the controllers and the window, and connects them. No computation of its own.
class GuiApplication : public QObject
{
    Q_OBJECT

public:
    GuiApplication(QApplication &application, QSettings &settings);

    /// Shows the window, on `file` if there is one, compared with `before` if that is given.
    void show(const QString &file, const QString &before = {});

private:
    void connectWindow();
    void connectStartPage();
    void connectSession();
    void connectCapture();
    void connectComparison();
    void connectAdvice();
    void open(const QString &path);
    void openDialog();
    void onOpenFailed(const QString &path, const QString &sentence);
    void showUnopened(const QString &path, const QString &sentence, const QString &again);
    void onPassphraseWanted(const QString &path, bool wasWrong);
    void onSnapshot(const std::shared_ptr<const model::Snapshot> &snapshot);
    void compareWith(const QString &path, ComparisonController::Role role = ComparisonController::Role::ByTime);
    bool isOpen(const QString &path) const;
    QString sessionsFolder() const;
    void onSessionsDropped(const QStringList &paths, const QPoint &globalPosition);
    void onOtherPassphraseWanted(const QString &path, bool wasWrong);
    std::optional<QString> askPassphrase(const QString &path, bool wasWrong);
    void refreshStartPage() { forgetAndRefresh({}); }
    void forgetAndRefresh(const QString &forgotten);
    void refreshRunning();
    void remember(const model::Snapshot &snapshot);
    void onFailed(const QString &sentence);
    void onCancelled();
    void onClosing(QCloseEvent *event);

    GuiSettings m_settings;
    ui::Theme m_theme;
    SystemAppearance m_system;
    ui::Selection m_selection;
    CaptureController m_capture;
    RecordingRemote m_remote;
    ui::MainWindow m_window;
    ui::StartPage *m_start = nullptr;
    ui::LayoutMemory m_layout;
    SessionController m_session;
    ui::ComparePage *m_comparePage = nullptr;
    std::unique_ptr<ComparisonController> m_comparison;
    ui::AdvicePage *m_advice = nullptr;
    std::unique_ptr<AdviceController> m_adviceKeeper;
    QString m_before;                                  ///< to be compared with once the session is open
    QString m_earlier;                                 ///< that was open when the recording began
    bool m_staysOnStart = false;                       ///< although a session opens
    QString m_unopened;                                ///< what the window says that it could not open
    QString m_remembered;                              ///< session that stands in the catalogue already
    QString m_recorderSaid;                            ///< when it ended
    std::shared_ptr<const model::Snapshot> m_recorded; ///< newest seen of what this window records
    std::vector<model::RecentSession> m_recent;        ///< as the start page shows them
    int m_openTries = 0;
    ui::BackgroundJob m_startJob;
    ui::BackgroundJob m_runningJob;
    ui::BackgroundJob m_rememberJob;
};

} // namespace app

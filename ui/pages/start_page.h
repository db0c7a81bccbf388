// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/capabilities.h"
#include "model/recent_session.h"
#include "ui/launch_request.h"
#include "ui/models/running_programs_model.h"

#include <QWidget>

#include <vector>

class QGridLayout;
class QVBoxLayout;

namespace ui {

class Card;
class LaunchForm;

/// Where one begins: launch a program or attach to one, open what was recorded, and see what this machine allows. Knows nothing
/// about how any of it is done.
class StartPage : public QWidget
{
    Q_OBJECT

public:
    explicit StartPage(QWidget *parent = nullptr);

    void setRecent(const std::vector<model::RecentSession> &sessions);
    void setCapabilities(const model::Capabilities &capabilities);
    void setRunning(std::vector<model::RunningProcess> programs, std::int64_t nowWallNs);
    /// Where new sessions go.
    void setRecordingsFolder(const QString &folder);
    void setRequest(const LaunchRequest &request);
    /// Why the last start failed; empty: it did not.
    void setFailure(const QString &sentence);

Q_SIGNALS:
    void recordWanted(const ui::LaunchRequest &request, const QString &output);
    void openWanted(const QString &path);
    void openDialogWanted();
    void forgetWanted(const QString &path); ///< to be taken off the list of recent sessions; its file stays
    void runningWanted();                   ///< the list of running programs is looked at: fetch it anew

protected:
    void resizeEvent(QResizeEvent *event) override;
    void contextMenuEvent(QContextMenuEvent *event) override;

private:
    void setUpRecent();
    void setUpMachine();

    LaunchForm *m_form = nullptr;
    Card *m_recent = nullptr;
    QVBoxLayout *m_recentRows = nullptr;
    Card *m_machine = nullptr;
    QVBoxLayout *m_machineRows = nullptr;
    QVBoxLayout *m_column = nullptr;
    QGridLayout *m_grid = nullptr;
};

} // namespace ui

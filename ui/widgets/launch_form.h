// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/launch_request.h"
#include "ui/models/running_programs_model.h"
#include "ui/widgets/card.h"

#include <QTimer>

class QButtonGroup;
class QComboBox;
class QFormLayout;
class QLineEdit;
class QPushButton;
class QStackedWidget;
class QTableView;

namespace ui {

class CodeLine;
class SearchField;

/// Asks what to record: a preset, a program or a running process, what to capture, and shows the command that will run.
class LaunchForm : public Card
{
    Q_OBJECT

public:
    explicit LaunchForm(QWidget *parent = nullptr);

    /// How high the page around it is, in pixels: the list of programs leaves the button that starts in sight.
    void setRoom(int height);
    void setRunning(std::vector<model::RunningProcess> programs, std::int64_t nowWallNs);
    void setRecordingsFolder(const QString &folder);
    void setRequest(const LaunchRequest &request);
    LaunchRequest request() const;
    /// Where the session will go.
    QString output() const;
    void setFailure(const QString &sentence);

Q_SIGNALS:
    void recordWanted(const ui::LaunchRequest &request, const QString &output);
    void runningWanted();

protected:
    void showEvent(QShowEvent *event) override;

private:
    void setUpPresets();
    void setUpModes();
    QWidget *newLaunchFields();
    QWidget *newAttachFields();
    void fitPrograms();
    void setUpCapture();
    void setUpStart();
    QLineEdit *addField(QFormLayout *form, const QString &name, const QString &hint, QWidget *beside = nullptr);
    void choosePreset(int index);
    void chooseMode(int index);
    void browseProgram();
    void select(std::int64_t pid);
    void follow();
    QWidget *widgetOf(RequestField field) const;
    void start();

    QString m_folder;
    QButtonGroup *m_presets = nullptr;
    QButtonGroup *m_modes = nullptr;
    QStackedWidget *m_fields = nullptr;
    QLineEdit *m_program = nullptr;
    QLineEdit *m_arguments = nullptr;
    QLineEdit *m_directory = nullptr;
    QLineEdit *m_environment = nullptr;
    QLineEdit *m_output = nullptr;
    SearchField *m_search = nullptr;
    QTableView *m_table = nullptr;
    RunningProgramsModel *m_programs = nullptr;
    RunningProgramsFilter *m_shown = nullptr;
    QComboBox *m_heap = nullptr;
    QComboBox *m_children = nullptr;
    QComboBox *m_cpu = nullptr;
    QComboBox *m_kernel = nullptr; ///< system calls, waits
    QComboBox *m_tick = nullptr;
    QLineEdit *m_duration = nullptr;
    QPushButton *m_start = nullptr;
    CodeLine *m_command = nullptr;
    QLabel *m_problem = nullptr;
    bool m_isSettingPreset = false;
    QTimer m_refresh; ///< of the running programs
};

} // namespace ui

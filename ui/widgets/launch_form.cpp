// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/launch_form.h"

#include "ui/text.h"
#include "ui/widgets/code_line.h"
#include "ui/widgets/labels.h"
#include "ui/widgets/search_field.h"

#include <QButtonGroup>
#include <QComboBox>
#include <QDateTime>
#include <QDir>
#include <QFileDialog>
#include <QFormLayout>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QScrollBar>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>

#include <algorithm>

namespace ui {

using namespace Qt::StringLiterals;

namespace {

constexpr int kCustom = 3;

// What the choice of children holds.
constexpr int kNoChildren = 0;
constexpr int kChildren = 1;
constexpr int kUntilAllEnd = 2;

// And that of system calls and waits.
constexpr int kNoKernel = 0;
constexpr int kSystemCalls = 1;
constexpr int kWaits = 2;

struct Preset
{
    const char *heap;
    int cpuHz;
    int tickMs;
};
constexpr Preset kPresets[]{{"full", 199, 1000}, {"off", 999, 250}, {"off", 49, 1000}};

void selectData(QComboBox *box, int value)
{
    int index = box->findData(value);
    if (index < 0) {
        box->addItem(QString::number(value), value);
        index = box->count() - 1;
    }
    box->setCurrentIndex(index);
}

/// A way of recording the heap; one that is not on the list is added as it is written.
void selectHeap(QComboBox *box, const QString &heap)
{
    if (box->findData(heap) < 0)
        box->addItem(heap, heap);
    box->setCurrentIndex(box->findData(heap));
}

} // namespace

LaunchForm::LaunchForm(QWidget *parent)
    : Card({}, parent)
{
    body()->setContentsMargins(20, 16, 20, 16);
    body()->setSpacing(10);
    setUpPresets();
    setUpModes();
    setUpCapture();
    setUpStart();
    choosePreset(0);
    chooseMode(0);
    setFocusProxy(m_program);
    // Programs come and go while somebody looks for one.
    constexpr int kRefreshMs = 2000;
    m_refresh.setInterval(kRefreshMs);
    connect(&m_refresh, &QTimer::timeout, this, [this] {
        if (isVisible() && m_modes->checkedId() == 1)
            Q_EMIT runningWanted();
    });
    m_refresh.start();
}

void LaunchForm::setUpPresets()
{
    body()->addWidget(newLabel(tr("What do you want to know?"), TextSize::Caption, TextWeight::Normal, "muted"));
    auto *line = new QHBoxLayout;
    line->setSpacing(8);
    m_presets = new QButtonGroup(this);
    const std::pair<QString, QString> texts[]{{tr("Is it leaking?"), tr("every allocation, growth, forecast")},
        {tr("Why is it slow?"), tr("CPU 999 times a second, no heap")},
        {tr("Long watch"), tr("metrics and few samples, small file")}, {tr("Custom"), tr("choose what is captured")}};
    for (int i = 0; i < 4; ++i) {
        auto *button = new QPushButton;
        button->setProperty("kind", u"choice"_s);
        button->setCheckable(true);
        button->setMinimumHeight(66);
        button->setAccessibleName(texts[i].first);
        button->setAccessibleDescription(texts[i].second);
        button->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
        auto *words = new QVBoxLayout(button);
        words->setContentsMargins(12, 8, 8, 8);
        words->setSpacing(2);
        QLabel *what = newLabel(texts[i].second, TextSize::Caption, TextWeight::Normal, "muted");
        what->setWordWrap(true);
        what->setAlignment(Qt::AlignLeft | Qt::AlignTop);
        words->addWidget(newLabel(texts[i].first, TextSize::Body, TextWeight::Strong));
        words->addWidget(what, 1);
        m_presets->addButton(button, i);
        line->addWidget(button, 1);
    }
    body()->addLayout(line);
    connect(m_presets, &QButtonGroup::idClicked, this, &LaunchForm::choosePreset);
}

void LaunchForm::setUpModes()
{
    auto *line = new QHBoxLayout;
    line->setSpacing(16);
    m_modes = new QButtonGroup(this);
    for (int i = 0; i < 2; ++i) {
        auto *tab = new QPushButton(i == 0 ? tr("Launch") : tr("Attach"));
        tab->setProperty("kind", u"tab"_s);
        tab->setCheckable(true);
        m_modes->addButton(tab, i);
        line->addWidget(tab);
    }
    line->addStretch(1);
    body()->addLayout(line);
    auto *rule = new QFrame;
    rule->setObjectName(u"rule"_s);
    rule->setFixedHeight(1);
    body()->addWidget(rule);
    m_fields = new QStackedWidget;
    m_fields->addWidget(newLaunchFields());
    m_fields->addWidget(newAttachFields());
    body()->addWidget(m_fields, 1);
    connect(m_modes, &QButtonGroup::idClicked, this, &LaunchForm::chooseMode);
}

QLineEdit *LaunchForm::addField(QFormLayout *form, const QString &name, const QString &hint, QWidget *beside)
{
    auto *field = new QLineEdit;
    field->setPlaceholderText(hint);
    field->setFont(codeFont(font()));
    field->setAccessibleName(name);
    QLabel *label = newLabel(name, TextSize::Body, TextWeight::Normal, "muted");
    label->setBuddy(field);
    label->setMinimumWidth(92);
    auto *line = new QHBoxLayout;
    line->setSpacing(8);
    line->addWidget(field, 1);
    if (beside != nullptr)
        line->addWidget(beside);
    form->addRow(label, line);
    connect(field, &QLineEdit::textChanged, this, &LaunchForm::follow);
    connect(field, &QLineEdit::returnPressed, this, &LaunchForm::start);
    return field;
}

QWidget *LaunchForm::newLaunchFields()
{
    auto *area = new QWidget;
    auto *form = new QFormLayout(area);
    form->setContentsMargins(0, 0, 0, 0);
    form->setVerticalSpacing(8);
    form->setHorizontalSpacing(12);
    form->setLabelAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    QPushButton *browse = newLinkButton(tr("Browse…"));
    m_program = addField(form, tr("Program"), tr("path, or a name found in PATH"), browse);
    m_arguments = addField(form, tr("Arguments"), {});
    m_directory = addField(form, tr("Working folder"), QDir::currentPath());
    m_environment = addField(form, tr("Environment"), tr("NAME=VALUE …, added to this one"));
    m_output = addField(form, tr("Save as"), {});
    connect(browse, &QPushButton::clicked, this, &LaunchForm::browseProgram);
    return area;
}

void LaunchForm::setUpCapture()
{
    m_heap = new QComboBox;
    m_heap->setAccessibleName(tr("Heap"));
    m_heap->setToolTip(tr("Samples give estimates with their error, and cost a tenth. “Within 5 %” begins with every "
                          "allocation and goes over "
                          "to samples once recording costs more than that of a core."));
    m_heap->addItem(tr("heap, every allocation"), u"full"_s);
    m_heap->addItem(tr("heap, within 5 % of a core"), u"auto"_s);
    for (const auto &[size, value] : {std::pair(tr("64 KiB"), u"sampled=64KiB"_s), {tr("512 KiB"), u"sampled=512KiB"_s},
             {tr("4 MiB"), u"sampled=4MiB"_s}})
        m_heap->addItem(tr("heap, a sample each %1").arg(size), value);
    m_heap->addItem(tr("heap off"), u"off"_s);
    m_children = new QComboBox;
    m_children->setAccessibleName(tr("Programs that it starts"));
    m_children->setToolTip(
        tr("Whether the programs that it starts are recorded too, each as one of its own; and whether "
           "the recording ends with the program, or with the last of them, as daemons need it"));
    m_children->addItem(tr("with children"), kChildren);
    m_children->addItem(tr("children, until all end"), kUntilAllEnd);
    m_children->addItem(tr("without children"), kNoChildren);
    m_cpu = new QComboBox;
    m_cpu->setAccessibleName(tr("CPU samples"));
    m_cpu->addItem(tr("CPU off"), 0);
    for (const int hz : {49, 199, 999, 1999})
        m_cpu->addItem(tr("CPU %1 Hz").arg(hz), hz);
    m_kernel = new QComboBox;
    m_kernel->setAccessibleName(tr("System calls and waits"));
    m_kernel->setToolTip(
        tr("System calls: how many, how long, by stack. Waits: when threads do not run, and what they wait for. "
           "Both need rights, see below."));
    m_kernel->addItem(tr("no system calls"), kNoKernel);
    m_kernel->addItem(tr("system calls"), kSystemCalls);
    m_kernel->addItem(tr("waits"), kWaits);
    m_kernel->addItem(tr("calls and waits"), kSystemCalls | kWaits);
    m_tick = new QComboBox;
    m_tick->setAccessibleName(tr("Metrics"));
    m_tick->setToolTip(tr("How often memory, CPU use and the like are read"));
    for (const int ms : {100, 250, 1000, 5000})
        m_tick->addItem(ms < 1000 ? tr("metrics %1 ms").arg(ms) : tr("metrics %1 s").arg(ms / 1000), ms);
    m_duration = new QLineEdit;
    m_duration->setPlaceholderText(tr("10m, 48h"));
    m_duration->setAccessibleName(tr("Stop after"));
    m_duration->setToolTip(tr("End the recording after this time, like 90s, 10m or 48h; the program runs on"));
    m_duration->setMinimumWidth(72);
    auto *duration = new QHBoxLayout;
    duration->setSpacing(8);
    duration->addWidget(newLabel(tr("Stop after"), TextSize::Body, TextWeight::Normal, "muted"));
    duration->addWidget(m_duration, 1);
    // Two rows: in one they would be wider than a small screen leaves beside the recent sessions.
    constexpr int kColumns = 3;
    auto *choices = new QGridLayout;
    choices->setSpacing(8);
    QComboBox *const boxes[]{m_heap, m_cpu, m_kernel, m_tick, m_children};
    for (int i = 0; QComboBox * box : boxes) {
        choices->addWidget(box, i / kColumns, i % kColumns);
        ++i;
    }
    choices->addLayout(duration, 1, kColumns - 1);
    for (int column = 0; column < kColumns; ++column)
        choices->setColumnStretch(column, 1);
    body()->addLayout(choices);
    const auto custom = [this] {
        if (!m_isSettingPreset)
            m_presets->button(kCustom)->setChecked(true);
        follow();
    };
    connect(m_heap, &QComboBox::currentIndexChanged, this, custom);
    connect(m_children, &QComboBox::currentIndexChanged, this, &LaunchForm::follow);
    connect(m_cpu, &QComboBox::currentIndexChanged, this, custom);
    connect(m_kernel, &QComboBox::currentIndexChanged, this, &LaunchForm::follow);
    connect(m_tick, &QComboBox::currentIndexChanged, this, custom);
    connect(m_duration, &QLineEdit::textChanged, this, &LaunchForm::follow);
    connect(m_duration, &QLineEdit::returnPressed, this, &LaunchForm::start);
}

void LaunchForm::setUpStart()
{
    auto *line = new QHBoxLayout;
    line->setSpacing(12);
    m_start = newPrimaryButton(tr("Start recording"));
    m_command = new CodeLine;
    line->addWidget(m_start);
    line->addWidget(m_command, 1);
    m_problem = newLabel({}, TextSize::Body, TextWeight::Normal, "danger");
    m_problem->setWordWrap(true);
    m_problem->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_problem->hide();
    body()->addLayout(line);
    body()->addWidget(m_problem);
    connect(m_start, &QPushButton::clicked, this, &LaunchForm::start);
}

void LaunchForm::choosePreset(int index)
{
    m_presets->button(index)->setChecked(true);
    if (index == kCustom)
        return;
    m_isSettingPreset = true;
    selectHeap(m_heap, QString::fromLatin1(kPresets[index].heap));
    selectData(m_cpu, kPresets[index].cpuHz);
    selectData(m_tick, kPresets[index].tickMs);
    m_isSettingPreset = false;
    follow();
}

void LaunchForm::setRoom(int height)
{
    constexpr int kBesideTable = 500; // all else of the page, down to the button that starts
    m_table->setFixedHeight(std::clamp(height - kBesideTable, 140, 480));
}

void LaunchForm::chooseMode(int index)
{
    m_modes->button(index)->setChecked(true);
    // The form is as high as what it shows, not as the other mode.
    for (int i = 0; i < m_fields->count(); ++i) {
        const auto policy = i == index ? QSizePolicy::Preferred : QSizePolicy::Ignored;
        m_fields->widget(i)->setSizePolicy(policy, policy);
    }
    m_fields->setCurrentIndex(index);
    if (index == 1)
        Q_EMIT runningWanted();
    follow();
}

void LaunchForm::browseProgram()
{
    const QString path = QFileDialog::getOpenFileName(window(), tr("Program to record"), m_program->text());
    if (!path.isEmpty())
        m_program->setText(path);
}

LaunchRequest LaunchForm::request() const
{
    LaunchRequest request;
    request.program = m_program->text();
    request.arguments = m_arguments->text();
    request.directory = m_directory->text().trimmed();
    request.environment = m_environment->text();
    request.heap = m_heap->currentData().toString();
    request.followsChildren = m_children->currentData().toInt() != kNoChildren;
    request.untilAllEnd = m_children->currentData().toInt() == kUntilAllEnd;
    request.cpuHz = m_cpu->currentData().toInt();
    request.systemCalls = (m_kernel->currentData().toInt() & kSystemCalls) != 0;
    request.waits = (m_kernel->currentData().toInt() & kWaits) != 0;
    request.tickMs = m_tick->currentData().toInt();
    request.duration = m_duration->text();
    request.output = m_output->text().trimmed();
    if (m_modes->checkedId() == 1) {
        const QModelIndexList rows = m_table->selectionModel()->selectedRows();
        request.attachPid = 0;
        if (!rows.isEmpty()) {
            const model::RunningProcess &chosen = m_programs->at(m_shown->mapToSource(rows.front()).row());
            request.attachPid = chosen.pid;
            request.attachName = text(chosen.name);
        }
        request.output.clear();
    }
    return request;
}

void LaunchForm::setRequest(const LaunchRequest &request)
{
    m_program->setText(request.program);
    m_arguments->setText(request.arguments);
    m_directory->setText(request.directory);
    m_environment->setText(request.environment);
    selectHeap(m_heap, request.heap);
    selectData(m_children, !request.followsChildren ? kNoChildren : request.untilAllEnd ? kUntilAllEnd : kChildren);
    selectData(m_cpu, request.cpuHz);
    selectData(m_kernel, (request.systemCalls ? kSystemCalls : kNoKernel) | (request.waits ? kWaits : kNoKernel));
    selectData(m_tick, request.tickMs);
    for (int i = 0; i < kCustom; ++i)
        if (QLatin1StringView(kPresets[i].heap) == request.heap && kPresets[i].cpuHz == request.cpuHz
            && kPresets[i].tickMs == request.tickMs)
            m_presets->button(i)->setChecked(true);
}

void LaunchForm::setRunning(std::vector<model::RunningProcess> programs, std::int64_t nowWallNs)
{
    const LaunchRequest before = request();
    const int scrolled = m_table->verticalScrollBar()->value();
    const bool areOfOneUser = std::all_of(programs.begin(), programs.end(),
        [&](const model::RunningProcess &program) { return program.user == programs.front().user; });
    m_programs->setPrograms(std::move(programs), nowWallNs);
    m_table->setColumnHidden(RunningProgramsModel::User, areOfOneUser);
    for (int column = 0; column < m_programs->columnCount(); ++column)
        if (column != RunningProgramsModel::Program) // it takes what the others leave
            m_table->resizeColumnToContents(column);
    if (before.attachPid.value_or(0) > 0)
        select(*before.attachPid);
    m_table->verticalScrollBar()->setValue(scrolled);
}

void LaunchForm::select(std::int64_t pid)
{
    for (int row = 0; row < m_shown->rowCount(); ++row)
        if (m_programs->at(m_shown->mapToSource(m_shown->index(row, 0)).row()).pid == pid)
            m_table->selectRow(row);
}

void LaunchForm::setRecordingsFolder(const QString &folder)
{
    m_folder = folder;
    follow();
}

QString LaunchForm::output() const
{
    const LaunchRequest now = request();
    const QString name = now.output.isEmpty()
        ? sessionFileName(now, QDateTime::currentDateTime().toString(u"yyyyMMdd-HHmmss"_s))
        : now.output;
    return QDir::isAbsolutePath(name) ? name : QDir(m_folder).filePath(name);
}

void LaunchForm::follow()
{
    if (m_command == nullptr)
        return;
    const LaunchRequest now = request();
    const bool hasTarget = now.attachPid ? *now.attachPid > 0 : !now.program.trimmed().isEmpty();
    m_start->setEnabled(hasTarget);
    m_output->setPlaceholderText(QDir(m_folder).filePath(sessionFileName(now, tr("DATE-TIME"))));
    const QString shown = hasTarget
        ? shellCommand(now, now.output.isEmpty() ? sessionFileName(now, tr("DATE-TIME")) : now.output)
        : now.attachPid ? tr("genprof attach …")
                        : tr("genprof record …");
    m_command->setCommand(shown);
    setFailure({});
}

void LaunchForm::setFailure(const QString &sentence)
{
    m_problem->setText(sentence);
    m_problem->setVisible(!sentence.isEmpty());
}

QWidget *LaunchForm::widgetOf(RequestField field) const
{
    switch (field) {
    case RequestField::Program:
        return m_program;
    case RequestField::Arguments:
        return m_arguments;
    case RequestField::Directory:
        return m_directory;
    case RequestField::Environment:
        return m_environment;
    case RequestField::Capture:
        return m_heap;
    case RequestField::Duration:
        return m_duration;
    case RequestField::None:
        break;
    }
    return nullptr;
}

/// What was recorded last stands there: typing replaces it.
void LaunchForm::showEvent(QShowEvent *event)
{
    Card::showEvent(event);
    m_program->selectAll();
}

void LaunchForm::start()
{
    const LaunchRequest now = request();
    if (const QString problem = requestProblem(now); !problem.isEmpty()) {
        setFailure(problem);
        if (QWidget *field = widgetOf(fieldAtFault(now)))
            field->setFocus(Qt::OtherFocusReason);
        return;
    }
    if (now.attachPid && *now.attachPid == 0)
        return;
    Q_EMIT recordWanted(now, output());
}

} // namespace ui

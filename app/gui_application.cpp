// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/gui_application.h"

#include "app/gui_pages.h"
#include "app/program_paths.h"
#include "capture/proc/process_list.h"
#include "capture/target/host_probe.h"
#include "model/report/session_words.h"
#include "storage/session_catalog.h"
#include "storage/session_folder.h"
#include "ui/dialogs/choose_file.h"
#include "ui/file_path.h"
#include "ui/pages/advice_page.h"
#include "ui/pages/compare_page.h"
#include "ui/pages/lost_page.h"
#include "ui/pages/start_page.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDateTime>
#include <QDir>
#include <QFileInfo>
#include <QInputDialog>
#include <QMenu>
#include <QMessageBox>
#include <QPushButton>

#include <utility>

namespace app {

using namespace Qt::StringLiterals;

namespace {

struct StartFacts
{
    std::vector<model::RecentSession> recent;
    model::Capabilities capabilities;
};

model::Result<storage::SessionCatalog> openCatalog()
{
    const auto folder = storage::SessionCatalog::defaultFolder();
    if (!folder)
        return folder.error();
    return storage::SessionCatalog::open(*folder);
}

} // namespace

GuiApplication::GuiApplication(QApplication &application, QSettings &settings)
    : m_settings(settings)
    , m_theme(application)
    , m_capture(QDir(QString::fromStdString(programDirectory())).filePath(u"genprof"_s))
    , m_window(m_selection, m_theme)
    , m_start(new ui::StartPage)
    , m_layout(settings)
{
    addPages(m_window, m_selection);
    m_window.setStartPage(m_start);
    for (ui::Page *page : m_window.pages())
        m_layout.follow(page->key(), page);
    m_layout.follow(u"start"_s, m_start);
    m_layout.followOne(u"inspector"_s, m_window.columns());
    m_theme.setAppearance(m_settings.appearance());
    connectWindow();
    connectStartPage();
    connectSession();
    connectCapture();
    connectComparison();
    connectAdvice();
    connect(&m_system, &SystemAppearance::darkPreferred, &m_theme, &ui::Theme::setSystemPrefersDark);
    m_system.ask();
}

void GuiApplication::connectWindow()
{
    connect(&m_window, &ui::MainWindow::appearanceChosen, this, [this](ui::Appearance appearance) {
        m_settings.setAppearance(appearance);
        m_theme.setAppearance(appearance);
    });
    connect(&m_window, &ui::MainWindow::closing, this, &GuiApplication::onClosing);
    connect(&m_window, &ui::MainWindow::cancelWanted, this, &GuiApplication::onCancelled);
    connect(&m_window, &ui::MainWindow::againWanted, this, [this] { open(m_unopened); });
    connect(m_window.bar(), &ui::SessionBar::openWanted, this, &GuiApplication::openDialog);
    connect(m_window.bar(), &ui::SessionBar::recordWanted, this, &GuiApplication::refreshStartPage);
    connect(m_window.bar(), &ui::SessionBar::liveViewChanged, this,
        [this](ui::LiveView view) { m_session.setHeld(view == ui::LiveView::Held); });
    connect(m_window.bar(), &ui::SessionBar::stopWanted, this, [this] {
        if (m_session.snapshot())
            m_remote.stop(m_session.snapshot()->info);
    });
    connect(m_window.bar(), &ui::SessionBar::markWanted, this, [this](const QString &text, model::Duration ago) {
        if (m_session.snapshot())
            m_remote.mark(m_session.snapshot()->info, text, ago);
    });
    if (auto *lost = m_window.findChild<ui::LostPage *>()) {
        connect(lost, &ui::LostPage::scanWanted, this, [this] {
            if (m_session.snapshot())
                m_remote.scan(m_session.snapshot()->info);
        });
        connect(&m_remote, &RecordingRemote::scanEnded, lost, &ui::LostPage::setScanEnded);
    }
}

void GuiApplication::connectStartPage()
{
    m_start->setRecordingsFolder(m_settings.recordingsFolder());
    m_start->setRequest(m_settings.request());
    connect(m_start, &ui::StartPage::openWanted, this, &GuiApplication::open);
    connect(m_start, &ui::StartPage::openDialogWanted, this, &GuiApplication::openDialog);
    connect(m_start, &ui::StartPage::forgetWanted, this, &GuiApplication::forgetAndRefresh);
    connect(m_start, &ui::StartPage::runningWanted, this, &GuiApplication::refreshRunning);
    connect(
        m_start, &ui::StartPage::recordWanted, this, [this](const ui::LaunchRequest &request, const QString &output) {
            m_settings.setRequest(request);
            m_start->setFailure({});
            m_capture.start(request, output);
        });
}

void GuiApplication::connectSession()
{
    connect(&m_session, &SessionController::snapshotReady, this, &GuiApplication::onSnapshot);
    connect(&m_session, &SessionController::openFailed, this, &GuiApplication::onOpenFailed);
    connect(&m_session, &SessionController::passphraseWanted, this, &GuiApplication::onPassphraseWanted,
        Qt::QueuedConnection); // the reading has ended by then, and the window says so
    connect(&m_session, &SessionController::readFailed, &m_window, &ui::MainWindow::setTrouble);
    connect(&m_session, &SessionController::busyChanged, &m_window, &ui::MainWindow::setBusy);
    connect(&m_selection, &ui::Selection::changed, &m_session, &SessionController::setSelection);
}

void GuiApplication::connectCapture()
{
    connect(&m_capture, &CaptureController::sessionStarted, this, [this](const QString &path) {
        m_openTries = 0;
        const QString earlier = m_session.key() == nullptr ? m_session.path() : QString();
        open(path);
        m_earlier = earlier;
    });
    connect(&m_capture, &CaptureController::ended, this, [this](const QString &message) {
        m_earlier.clear();
        m_recorderSaid = message;
        m_recorded.reset();
    });
    connect(&m_capture, &CaptureController::failed, this, &GuiApplication::onFailed);
    connect(&m_remote, &RecordingRemote::failed, this, [this](const QString &sentence) {
        QMessageBox::warning(&m_window, tr("The recorder did not do it"), sentence);
    });
}

void GuiApplication::connectComparison()
{
    m_comparePage = m_window.findChild<ui::ComparePage *>();
    m_comparison = std::make_unique<ComparisonController>(*m_comparePage);
    connect(
        m_comparison.get(), &ComparisonController::passphraseWanted, this, &GuiApplication::onOtherPassphraseWanted);
    connect(m_comparePage, &ui::ComparePage::apartWanted, &m_session, &SessionController::readApart);
    connect(&m_session, &SessionController::apartReady, m_comparePage, &ui::ComparePage::setApart);
    connect(m_comparePage, &ui::ComparePage::fileWanted, this, [this] {
        const QString path = ui::chooseSession(&m_window, tr("Compare with a session"), sessionsFolder());
        if (!path.isEmpty())
            compareWith(path);
    });
    connect(&m_window, &ui::MainWindow::sessionsDropped, this, &GuiApplication::onSessionsDropped);
}

void GuiApplication::connectAdvice()
{
    m_advice = m_window.findChild<ui::AdvicePage *>();
    m_adviceKeeper = std::make_unique<AdviceController>(*m_advice);
    connect(m_advice, &ui::AdvicePage::laterWanted, this, [this] {
        const QString path = ui::chooseSession(&m_window, tr("The session after the change"), sessionsFolder());
        if (path.isEmpty())
            m_advice->setLaterFailed({});
        else if (!isOpen(path))
            m_comparison->compareWith(path, ComparisonController::Role::After);
        else
            m_advice->setLaterFailed(tr("%1 is the session that is open, from before the change. Choose one that was "
                                        "recorded after it.")
                                         .arg(ui::shownPath(QFileInfo(path).fileName())));
    });
    connect(m_comparison.get(), &ComparisonController::arrived, m_advice, &ui::AdvicePage::setLater);
    connect(m_comparison.get(), &ComparisonController::failed, m_advice, [this](const QString &sentence) {
        if (m_comparison->role() == ComparisonController::Role::After)
            m_advice->setLaterFailed(sentence);
    });
}

QString GuiApplication::sessionsFolder() const
{
    return ui::folderOfSessions(m_session.path(), m_recent, m_settings.recordingsFolder());
}

/// Whether this is the open session, by whatever path.
bool GuiApplication::isOpen(const QString &path) const { return ui::isSameFile(path, m_session.path()); }

void GuiApplication::compareWith(const QString &path, ComparisonController::Role role)
{
    m_window.showSession();
    m_window.showPage(m_comparePage->key());
    if (isOpen(path))
        m_comparePage->setOtherFailed(
            tr("%1 is the session that is open. Choose another one; or, to compare two times of it, "
               "select a time and hold it.")
                .arg(ui::shownPath(QFileInfo(path).fileName())));
    else
        m_comparison->compareWith(path, role);
}

void GuiApplication::onSessionsDropped(const QStringList &paths, const QPoint &globalPosition)
{
    if (paths.size() > 1) {
        open(paths[1]);
        m_before = paths[0];
        return;
    }
    const QString &path = paths.first();
    if (!m_session.snapshot()) {
        open(path);
        return;
    }
    QMenu menu(&m_window);
    const QString name = ui::shownPath(QFileInfo(path).completeBaseName());
    menu.addAction(tr("Compare %1 with this session").arg(name), this, [this, path] { compareWith(path); });
    menu.addAction(tr("Open %1 instead").arg(name), this, [this, path] { open(path); });
    menu.exec(globalPosition);
}

void GuiApplication::onOtherPassphraseWanted(const QString &path, bool wasWrong)
{
    if (std::optional<QString> passphrase = askPassphrase(path, wasWrong)) {
        m_comparison->compareWith(path, m_comparison->role(), *passphrase);
        passphrase->fill(u' ');
    } else {
        m_comparison->giveUp(
            tr("%1 is sealed, and its passphrase was not given.").arg(ui::shownPath(QFileInfo(path).fileName())));
    }
}

void GuiApplication::show(const QString &file, const QString &before)
{
    if (!m_window.restoreGeometry(m_settings.windowGeometry()))
        m_window.resize(1440, 900);
    refreshStartPage();
    m_window.show();
    if (!file.isEmpty())
        open(file);
    m_before = before;
}

void GuiApplication::open(const QString &path)
{
    m_window.closeSession();
    m_window.setTrouble({});
    m_before.clear();
    m_earlier.clear();
    m_staysOnStart = false;
    m_session.open(ui::absolutePath(path));
}

void GuiApplication::openDialog()
{
    const QString path = ui::chooseSession(&m_window, tr("Open session"), sessionsFolder());
    if (!path.isEmpty())
        open(path);
}

void GuiApplication::onOpenFailed(const QString &path, const QString &sentence)
{
    // The recorder makes its file and fills it in two steps: the first look may come between them.
    constexpr int kMostTries = 25;
    if (m_capture.isRecording() && path == m_capture.output() && ++m_openTries < kMostTries) {
        QTimer::singleShot(200, this, [this, path] {
            if (m_session.path().isEmpty() && ui::isThere(path))
                m_session.open(path);
        });
        return;
    }
    showUnopened(path, sentence, tr("Try again"));
}

void GuiApplication::showUnopened(const QString &path, const QString &sentence, const QString &again)
{
    m_unopened = path;
    m_window.showFailure(tr("%1 cannot be opened").arg(ui::shownPath(QFileInfo(path).fileName())), sentence, again);
}

std::optional<QString> GuiApplication::askPassphrase(const QString &path, bool wasWrong)
{
    bool isGiven = false;
    const QString passphrase = QInputDialog::getText(&m_window, tr("Sealed session"),
        (wasWrong ? tr("This is not the passphrase of %1. Passphrase:") : tr("%1 is sealed. Passphrase:"))
            .arg(ui::shownPath(QFileInfo(path).fileName())),
        QLineEdit::Password, {}, &isGiven);
    return isGiven && !passphrase.isEmpty() ? std::optional(passphrase) : std::nullopt;
}

void GuiApplication::onPassphraseWanted(const QString &path, bool wasWrong)
{
    const QString before = m_before;
    if (std::optional<QString> passphrase = askPassphrase(path, wasWrong)) {
        m_session.open(path, *passphrase);
        passphrase->fill(u' ');
    } else {
        showUnopened(path, tr("It is sealed, and its passphrase was not given."), tr("Enter the passphrase…"));
    }
    m_before = before;
}

void GuiApplication::onFailed(const QString &sentence)
{
    // A recording that could not begin has taken its file away; one that runs, while another was to be started, goes on.
    if (m_session.path() == m_capture.output() && !m_capture.isRecording()) {
        m_session.close();
        m_window.closeSession();
        // What was open before the start is there to go back to.
        if (const QString earlier = std::exchange(m_earlier, {}); ui::isThere(earlier)) {
            open(earlier);
            m_staysOnStart = true;
        }
    }
    m_window.showStart();
    m_start->setFailure(sentence);
}

void GuiApplication::onCancelled()
{
    m_session.cancel();
    // What is shown and what is said to be selected stay the same thing.
    if (m_session.snapshot() && m_session.snapshot()->selection != m_selection.current())
        m_selection.stepBack();
}

void GuiApplication::onSnapshot(const std::shared_ptr<const model::Snapshot> &snapshot)
{
    m_window.setSealed(m_session.key() != nullptr);
    m_window.setSnapshot(snapshot);
    if (std::exchange(m_staysOnStart, false))
        m_window.showStart();
    if (m_capture.isRecording() && ui::pathOf(snapshot->file) == m_capture.output())
        m_recorded = snapshot;
    if (snapshot->info.state == model::SessionState::Unfinished && !m_recorderSaid.isEmpty()
        && ui::pathOf(snapshot->file) == m_capture.output())
        m_window.setTrouble(m_recorderSaid);
    remember(*snapshot);
    m_adviceKeeper->follow(*snapshot, m_session.key());
    if (const QString before = std::exchange(m_before, {}); !before.isEmpty())
        compareWith(before, ComparisonController::Role::Before);
}

void GuiApplication::remember(const model::Snapshot &snapshot)
{
    // A recording is worth remembering from its first second on: before, its command may turn out not to run.
    if (snapshot.info.state == model::SessionState::Recording && snapshot.info.duration.ns == 0)
        return;
    const QString key = ui::pathOf(snapshot.file) + QString::number(static_cast<int>(snapshot.info.state));
    if (key == m_remembered)
        return;
    m_remembered = key;
    m_rememberJob.run(
        [file = snapshot.file, info = snapshot.info, command = model::commandText(snapshot)](std::stop_token) {
            auto catalog = openCatalog();
            if (!catalog)
                return false;
            const auto secrecy = storage::isSealed(file) ? storage::SessionCatalog::Secrecy::Sealed
                                                         : storage::SessionCatalog::Secrecy::Plain;
            return catalog->remember(file, info, QDateTime::currentMSecsSinceEpoch() * 1'000'000, secrecy, command)
                .has_value();
        },
        [this](bool) { refreshStartPage(); });
}

/// Looks anew at what the start page shows, without the session `forgotten`, unless this is empty.
void GuiApplication::forgetAndRefresh(const QString &forgotten)
{
    m_startJob.run(
        [forgotten = ui::pathBytes(forgotten)](std::stop_token) {
            StartFacts facts;
            facts.capabilities = capture::probeHost();
            if (auto catalog = openCatalog()) {
                if (!forgotten.empty())
                    static_cast<void>(catalog->forget(forgotten)); // else it stands there still
                if (auto recent = catalog->recent())
                    facts.recent = std::move(*recent);
            }
            for (model::RecentSession &session : facts.recent) {
                if (!session.isThere)
                    continue;
                model::SessionEntry entry = storage::describeSession(session.path);
                session.tags = std::move(entry.tags);
                session.note = std::move(entry.note);
            }
            return facts;
        },
        [this](const StartFacts &facts) {
            m_recent = facts.recent;
            m_start->setRecent(facts.recent);
            m_comparePage->setRecent(facts.recent);
            m_start->setCapabilities(facts.capabilities);
        });
}

void GuiApplication::refreshRunning()
{
    m_runningJob.run([](std::stop_token) { return capture::ProcessList().refresh(); },
        [this](std::vector<model::RunningProcess> programs) {
            m_start->setRunning(std::move(programs), QDateTime::currentMSecsSinceEpoch() * 1'000'000);
        });
}

void GuiApplication::onClosing(QCloseEvent *event)
{
    m_settings.setWindowGeometry(m_window.saveGeometry());
    // Another session may be shown: the question is about the one that is recorded.
    const auto snapshot = m_recorded;
    if (!m_capture.isRecording() || !snapshot || ui::pathOf(snapshot->file) != m_capture.output()
        || snapshot->info.state == model::SessionState::Complete)
        return;
    QMessageBox question(QMessageBox::Question, tr("Recording goes on"),
        tr("%1 is still being recorded. Go on recording without this window?").arg(ui::sessionTitle(*snapshot)),
        QMessageBox::NoButton, &m_window);
    question.setInformativeText(tr("Open the session again at any time to watch or stop it."));
    QPushButton *goOn = question.addButton(tr("Go on recording"), QMessageBox::AcceptRole);
    QPushButton *stop = question.addButton(tr("Stop recording"), QMessageBox::DestructiveRole);
    question.addButton(QMessageBox::Cancel);
    question.setDefaultButton(goOn);
    question.exec();
    if (question.clickedButton() == stop)
        m_remote.stopAndWait(snapshot->info);
    else if (question.clickedButton() != goOn)
        event->ignore();
}

} // namespace app

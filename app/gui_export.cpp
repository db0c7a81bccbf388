// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/gui_export.h"

#include "app/comparison_controller.h"
#include "app/gui_pages.h"
#include "app/session_controller.h"
#include "model/report/html_report.h"
#include "ui/dialogs/save_export.h"
#include "ui/file_path.h"
#include "ui/main_window.h"

#include <QApplication>
#include <QEventLoop>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace app {

using namespace Qt::StringLiterals;

namespace {

constexpr int kDeadlineMs = 300'000;

/// Turns the event loop until `isDone` or the deadline; returns whether it is done.
bool waitUntil(const std::function<bool()> &isDone)
{
    QEventLoop loop;
    QTimer timer;
    timer.setInterval(5);
    QObject::connect(&timer, &QTimer::timeout, &loop, [&] {
        if (isDone())
            loop.exit(0);
    });
    QTimer::singleShot(kDeadlineMs, &loop, [&loop] { loop.exit(1); });
    timer.start();
    return isDone() || loop.exec() == 0;
}

class Exporter
{
public:
    Exporter(QApplication &application, const QString &folder)
        : m_folder(folder)
        , m_theme(application)
        , m_window(m_selection, m_theme)
    {
        m_window.setAttribute(Qt::WA_DontShowOnScreen);
        m_window.resize(1440, 900);
        addPages(m_window, m_selection);
    }

    model::Result<void> load(const QString &file, const PassphraseSource &source)
    {
        QString failure;
        QObject::connect(&m_session, &SessionController::snapshotReady, &m_window, &ui::MainWindow::setSnapshot);
        QObject::connect(&m_session, &SessionController::openFailed, &m_window,
            [&failure](const QString &, const QString &sentence) { failure = sentence; });
        QObject::connect(
            &m_session, &SessionController::passphraseWanted, &m_window, [&, this](const QString &path, bool wasWrong) {
                if (const auto passphrase = passphraseFor(path, wasWrong, source, failure))
                    m_session.open(path, *passphrase);
            });
        m_window.show();
        m_session.open(ui::absolutePath(file));
        const bool isRead
            = waitUntil([&] { return (m_session.snapshot() != nullptr && !m_session.isBusy()) || !failure.isEmpty(); });
        if (!failure.isEmpty())
            return model::Error(failure.toStdString());
        if (!isRead)
            return model::Error(u"Reading %1 takes too long"_s.arg(file).toStdString());
        return {};
    }

    /// Compares with `before`, so that the page about that has something to show.
    model::Result<void> compareWith(const QString &before, const PassphraseSource &source)
    {
        auto *page = m_window.findChild<ui::ComparePage *>();
        ComparisonController comparison(*page);
        QString failure;
        QObject::connect(&comparison, &ComparisonController::failed, page,
            [&failure](const QString &sentence) { failure = sentence; });
        QObject::connect(
            &comparison, &ComparisonController::passphraseWanted, page, [&](const QString &path, bool wasWrong) {
                if (const auto passphrase = passphraseFor(path, wasWrong, source, failure))
                    comparison.compareWith(path, ComparisonController::Role::Before, *passphrase);
            });
        comparison.compareWith(before, ComparisonController::Role::Before);
        const bool isDone = waitUntil([&] { return !failure.isEmpty() || (!page->isBusy() && !comparison.isBusy()); });
        if (!failure.isEmpty())
            return model::Error(failure.toStdString());
        if (!isDone)
            return model::Error(u"Comparing with %1 takes too long"_s.arg(before).toStdString());
        return {};
    }

    model::Result<void> write()
    {
        for (ui::Page *page : m_window.pages()) {
            if (page->isEmpty())
                continue;
            m_window.showPage(page->key());
            if (!waitUntil([page] { return !page->isBusy(); }))
                return model::Error(u"The page %1 takes too long"_s.arg(page->title()).toStdString());
            QApplication::processEvents(); // what was laid out late
            const auto picture = [this] { return windowPicture(); };
            if (auto written = writeOne({page->key(), page->title(), picture, {}}); !written)
                return written;
            for (ui::Export what : page->exports()) {
                // Names tell the page, and the picture of a page is not the one of its only chart.
                if (!what.name.startsWith(page->key() + u'-'))
                    what.name = page->key() + u'-' + (what.name == page->key() ? u"chart"_s : what.name);
                if (auto written = writeOne(what); !written)
                    return written;
            }
        }
        return {};
    }

    model::Result<void> writeReport()
    {
        const auto document = [this](std::ostream &out) { model::writeSummaryHtml(out, *m_session.snapshot()); };
        return writeOne({u"report"_s, {}, {}, {}, document});
    }

    const QStringList &written() const { return m_written; }

private:
    /// The passphrase from where `source` says; why there is none goes to `failure`.
    static std::optional<QString> passphraseFor(
        const QString &path, bool wasWrong, const PassphraseSource &source, QString &failure)
    {
        if (wasWrong)
            failure = u"Cannot open %1: wrong passphrase"_s.arg(path);
        else if (!isGiven(source))
            failure
                = u"%1 is sealed; give its passphrase with --passphrase-fd N or --passphrase-keyring NAME"_s.arg(path);
        if (!failure.isEmpty())
            return std::nullopt;
        const auto passphrase = readPassphrase(source, {});
        if (!passphrase) {
            failure = QString::fromStdString(passphrase.error().text());
            return std::nullopt;
        }
        return QString::fromUtf8(passphrase->view().data(), static_cast<qsizetype>(passphrase->size()));
    }

    QImage windowPicture()
    {
        QImage image(m_window.size(), QImage::Format_RGB32);
        m_window.render(&image);
        return image;
    }

    model::Result<void> writeOne(const ui::Export &what)
    {
        const QString name = what.name + ui::exportEnding(what);
        if (auto written = ui::writeExport(what, m_folder + u'/' + name); !written)
            return written;
        m_written << name;
        return {};
    }

    QString m_folder;
    ui::Theme m_theme;
    ui::Selection m_selection;
    ui::MainWindow m_window;
    QStringList m_written;
    SessionController m_session; ///< last: its job ends before the window does
};

} // namespace

model::Result<QStringList> exportSession(QApplication &application, const QString &file, const QString &folder,
    const PassphraseSource &passphrase, const QString &before)
{
    std::error_code error; // not by QDir, which makes another name of one that is no text
    std::filesystem::create_directories(ui::pathBytes(folder), error);
    if (error)
        return model::Error(u"Cannot make the folder %1: %2; choose another one"_s
                                .arg(ui::shownPath(folder), QString::fromStdString(error.message()))
                                .toStdString());
    Exporter exporter(application, folder);
    if (auto loaded = exporter.load(file, passphrase); !loaded)
        return loaded.error();
    if (!before.isEmpty())
        if (auto compared = exporter.compareWith(before, passphrase); !compared)
            return compared.error();
    if (auto written = exporter.write(); !written)
        return written.error();
    if (auto written = exporter.writeReport(); !written)
        return written.error();
    return exporter.written();
}

} // namespace app

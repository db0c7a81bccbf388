// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/dialogs/save_export.h"

#include "model/base/result.h"
#include "model/report/html_report.h"
#include "ui/background_job.h"
#include "ui/dialogs/choose_file.h"
#include "ui/file_path.h"
#include "ui/widgets/status_line.h"

#include <QBuffer>
#include <QDir>
#include <QFileInfo>
#include <QMessageBox>
#include <QPushButton>
#include <QRandomGenerator>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <sstream>
#include <system_error>

namespace ui {

namespace {

/// A window's property: where its last export went. The dialog begins there.
constexpr const char *kExportFolder = "exportFolder";

model::Error failure(const QString &path, const QString &why)
{
    return model::Error(
        QObject::tr("Cannot write %1: %2").arg(shownPath(QDir::toNativeSeparators(path)), why).toStdString());
}

/// Why nothing can be written at `path`, and what to try; empty if that is to be seen.
QString obstacle(const QString &path)
{
    std::error_code error; // of none that is there; Qt would look for other names where these are no text
    const QString folder = shownPath(QFileInfo(path).absolutePath());
    const std::filesystem::path above = std::filesystem::absolute(pathBytes(path), error).parent_path();
    if (std::filesystem::is_directory(pathBytes(path), error))
        return QObject::tr("it is a folder. Give the file another name.");
    if (!std::filesystem::exists(above, error))
        return QObject::tr("there is no folder %1. Choose another one, or make it first.").arg(folder);
    if (!std::filesystem::is_directory(above, error))
        return QObject::tr("%1 is no folder. Choose another one.").arg(folder);
    return {};
}

/// A file that is removed unless it takes the place of another.
class PartFile
{
public:
    explicit PartFile(const std::string &path)
        : m_path(path + '.' + QString::number(QRandomGenerator::global()->generate(), 36).toStdString())
        , m_file(std::fopen(m_path.c_str(), "wxe"))
    {
    }
    ~PartFile()
    {
        m_file.reset();
        if (m_isMade)
            std::remove(m_path.c_str());
    }
    PartFile(const PartFile &) = delete;
    PartFile &operator=(const PartFile &) = delete;

    bool isOpen() const { return m_isMade; }
    /// Writes all of it; errno says why that failed.
    bool write(const QByteArray &bytes)
    {
        const auto size = static_cast<std::size_t>(bytes.size());
        return std::fwrite(bytes.constData(), 1, size, m_file.get()) == size && std::fflush(m_file.get()) == 0;
    }
    std::error_code replace(const std::string &path)
    {
        using std::filesystem::perms;
        std::error_code error;
        const auto mode = perms::owner_read | perms::owner_write | perms::group_read | perms::others_read;
        std::filesystem::permissions(m_path, mode, error);
        error.clear();
        std::filesystem::rename(m_path, path, error);
        m_isMade = m_isMade && error;
        return error;
    }

private:
    struct Close
    {
        void operator()(std::FILE *file) const { static_cast<void>(std::fclose(file)); }
    };

    std::string m_path;
    std::unique_ptr<std::FILE, Close> m_file;
    bool m_isMade = m_file != nullptr;
};

QString whyNotWritten(const QString &path, int why)
{
    return why == EACCES || why == EROFS
        ? QObject::tr("you may not write in %1. Choose another folder.").arg(shownPath(QFileInfo(path).absolutePath()))
        : QObject::tr("%1. Choose another folder, or make room.").arg(QString::fromStdString(model::errnoText(why)));
}

QByteArray contentsOf(const Export &what)
{
    if (!what.picture) {
        std::ostringstream out;
        (what.table ? what.table : what.document ? what.document : what.data)(out);
        return QByteArray::fromStdString(out.str());
    }
    QByteArray bytes;
    QBuffer buffer(&bytes);
    what.picture().save(&buffer, "PNG");
    return bytes;
}

QString kindOf(const Export &what)
{
    return what.table  ? QObject::tr("Table")
        : what.picture ? QObject::tr("Picture")
        : what.data    ? QObject::tr("Data")
                       : QObject::tr("Web page");
}

/// Asks where to save `what`: as "session-page.csv" where the last one went, or beside the session.
QString askWhere(const Export &what, QWidget *parent)
{
    QWidget *window = parent->window();
    const QFileInfo session(window->windowFilePath());
    const QString stem = window->windowFilePath().isEmpty() ? QString() : shownPath(session.completeBaseName());
    const QString name = stem.isEmpty() || what.name.isEmpty() ? stem + what.name : stem + u'-' + what.name;
    const QString path = chooseNewFile(window,
        {QObject::tr("Save %1").arg(what.label),
            firstFolder({window->property(kExportFolder).toString(),
                            session.filePath().isEmpty() ? QString() : session.absolutePath()},
                FolderUse::Writing),
            name + exportEnding(what), exportEnding(what), kindOf(what)});
    if (!path.isEmpty())
        window->setProperty(kExportFolder, QFileInfo(path).absolutePath());
    return path;
}

/// Writes `what` to `path`; where that fails it says why, and asks for another place.
void writeOrSay(const Export &what, QString path, QWidget *parent)
{
    while (!path.isEmpty()) {
        const auto written = writeExport(what, path);
        if (written) {
            if (auto *status = parent->window()->findChild<StatusLine *>())
                status->say(QObject::tr("Saved %1").arg(QFileInfo(path).fileName()), QDir::toNativeSeparators(path));
            return;
        }
        QMessageBox box(QMessageBox::Warning, QObject::tr("Not saved"), QString::fromStdString(written.error().text()),
            QMessageBox::Cancel, parent->window());
        QPushButton *again = box.addButton(QObject::tr("Save elsewhere…"), QMessageBox::AcceptRole);
        box.setDefaultButton(again);
        box.exec();
        path = box.clickedButton() == again ? askWhere(what, parent) : QString();
    }
}

} // namespace

model::Result<void> writeExport(const Export &what, const QString &path)
{
    const QByteArray bytes = contentsOf(what);
    if (bytes.isEmpty())
        return failure(path, QObject::tr("there is nothing to write."));
    if (const QString why = obstacle(path); !why.isEmpty())
        return failure(path, why);
    // Not QSaveFile: it waits for the disk, which takes seconds a file where that is busy, and an export can be made again.
    PartFile file(pathBytes(path));
    if (!file.isOpen() || !file.write(bytes))
        return failure(path, whyNotWritten(path, errno));
    if (const std::error_code error = file.replace(pathBytes(path)))
        return failure(
            path, QObject::tr("%1. Choose another folder or name.").arg(QString::fromStdString(error.message())));
    return {};
}

QString exportEnding(const Export &what) { return u'.' + exportKind(what).toLower(); }

QString exportKind(const Export &what)
{
    return what.table  ? QStringLiteral("CSV")
        : what.picture ? QStringLiteral("PNG")
        : what.data    ? QStringLiteral("JSON")
                       : QStringLiteral("HTML");
}

void saveExport(const Export &what, QWidget *parent)
{
    if (!what.table && !what.picture && !what.document && !what.data)
        return;
    writeOrSay(what, askWhere(what, parent), parent);
}

void saveReport(std::shared_ptr<const model::Snapshot> snapshot, BackgroundJob &job, QWidget *parent)
{
    Export report{{}, QObject::tr("the report"), {}, {}, [](std::ostream &) {}};
    const QString path = askWhere(report, parent);
    if (path.isEmpty())
        return;
    job.run(
        [snapshot = std::move(snapshot)](const std::stop_token &) {
            std::ostringstream out;
            model::writeSummaryHtml(out, *snapshot);
            return out.str();
        },
        [path, parent, report = std::move(report)](const std::string &page) {
            Export written = report;
            written.document = [page](std::ostream &out) { out << page; };
            writeOrSay(written, path, parent);
        });
}

} // namespace ui

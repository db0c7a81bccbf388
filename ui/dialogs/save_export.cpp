// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/dialogs/save_export.h"

#include "model/report/html_report.h"
#include "ui/background_job.h"

#include <QBuffer>
#include <QFileDialog>
#include <QFileInfo>
#include <QMessageBox>
#include <QTemporaryFile>

#include <filesystem>
#include <sstream>
#include <system_error>

namespace ui {

namespace {

model::Error failure(const QString &path, const QString &why)
{
    return model::Error(
        QStringLiteral("cannot write %1: %2; choose another folder or make room").arg(path, why).toStdString());
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

void writeOrSay(const Export &what, const QString &path, QWidget *parent)
{
    if (const auto written = writeExport(what, path); !written)
        QMessageBox::warning(
            parent->window(), QObject::tr("Not saved"), QString::fromStdString(written.error().text()));
}

} // namespace

model::Result<void> writeExport(const Export &what, const QString &path)
{
    const QByteArray bytes = contentsOf(what);
    if (bytes.isEmpty())
        return failure(path, QStringLiteral("there is nothing to write"));
    // Not QSaveFile: it waits for the disk, which takes seconds a file where that is busy, and an export can be made again.
    QTemporaryFile file(path + QStringLiteral(".XXXXXX"));
    if (!file.open() || file.write(bytes) != bytes.size() || !file.flush())
        return failure(path, file.errorString());
    file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ReadGroup | QFile::ReadOther);
    std::error_code error;
    std::filesystem::rename(file.fileName().toStdString(), path.toStdString(), error);
    if (error)
        return failure(path, QString::fromStdString(error.message()));
    file.setAutoRemove(false);
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
    const QString filter = what.table ? QObject::tr("Table (*.csv)")
        : what.picture                ? QObject::tr("Picture (*.png)")
        : what.data                   ? QObject::tr("Data (*.json)")
                                      : QObject::tr("Web page (*.html)");
    const QString path = QFileDialog::getSaveFileName(
        parent->window(), QObject::tr("Save %1").arg(what.label), what.name + exportEnding(what), filter);
    if (!path.isEmpty())
        writeOrSay(what, path, parent);
}

void saveReport(std::shared_ptr<const model::Snapshot> snapshot, BackgroundJob &job, QWidget *parent)
{
    const QString name = QFileInfo(QString::fromStdString(snapshot->file)).completeBaseName() + QStringLiteral(".html");
    const QString path = QFileDialog::getSaveFileName(
        parent->window(), QObject::tr("Save the report"), name, QObject::tr("Web page (*.html)"));
    if (path.isEmpty())
        return;
    job.run(
        [snapshot = std::move(snapshot)](const std::stop_token &) {
            std::ostringstream out;
            model::writeSummaryHtml(out, *snapshot);
            return out.str();
        },
        [path, parent](const std::string &page) {
            writeOrSay({{}, {}, {}, {}, [&page](std::ostream &out) { out << page; }}, path, parent);
        });
}

} // namespace ui

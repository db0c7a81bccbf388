// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/dialogs/save_export.h"

#include <QBuffer>
#include <QFileDialog>
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
    if (what.table) {
        std::ostringstream out;
        what.table(out);
        return QByteArray::fromStdString(out.str());
    }
    QByteArray bytes;
    QBuffer buffer(&bytes);
    what.picture().save(&buffer, "PNG");
    return bytes;
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

void saveExport(const Export &what, QWidget *parent)
{
    if (!what.table && !what.picture)
        return;
    const QString ending = what.table ? QStringLiteral(".csv") : QStringLiteral(".png");
    const QString filter = what.table ? QObject::tr("Table (*.csv)") : QObject::tr("Picture (*.png)");
    const QString path = QFileDialog::getSaveFileName(
        parent->window(), QObject::tr("Save %1").arg(what.label), what.name + ending, filter);
    if (path.isEmpty())
        return;
    if (const auto written = writeExport(what, path); !written)
        QMessageBox::warning(
            parent->window(), QObject::tr("Not saved"), QString::fromStdString(written.error().text()));
}

} // namespace ui

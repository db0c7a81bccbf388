// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/dialogs/choose_file.h"

#include "ui/file_path.h"

#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QHeaderView>
#include <QMessageBox>
#include <QTreeView>

namespace ui {

using namespace Qt::StringLiterals;

namespace {

/// Where no desktop brings its own dialog, Qt's is shown: wide enough for names, sizes and dates.
void makeRoom(QFileDialog &dialog)
{
    dialog.setViewMode(QFileDialog::Detail);
    dialog.resize(820, 480);
    for (QTreeView *list : dialog.findChildren<QTreeView *>()) {
        QHeaderView *header = list->header();
        const auto wide = [&](int column, const QString &widest) {
            if (column < header->count())
                header->resizeSection(column, list->fontMetrics().horizontalAdvance(widest) + 24);
        };
        wide(0, u"a-session-of-some-name.gprof-session"_s);
        wide(1, u"999.99 MiB"_s);
        wide(2, u"gprof-session File"_s);
        wide(3, u"26 Nov 2026 22:22:22"_s);
    }
}

} // namespace

QString chooseSession(QWidget *parent, const QString &title, const QString &folder)
{
    QFileDialog dialog(parent->window(), title, folder,
        QFileDialog::tr("Sessions (*.gprof-session)") + u";;"_s + QFileDialog::tr("All files (*)"));
    dialog.setFileMode(QFileDialog::ExistingFile);
    makeRoom(dialog);
    return dialog.exec() == QDialog::Accepted && !dialog.selectedFiles().isEmpty() ? dialog.selectedFiles().first()
                                                                                   : QString();
}

QString chooseNewFile(QWidget *parent, const NewFile &file)
{
    QFileDialog dialog(parent->window(), file.title, file.folder, u"%1 (*%2)"_s.arg(file.kind, file.ending));
    dialog.setAcceptMode(QFileDialog::AcceptSave);
    dialog.setFileMode(QFileDialog::AnyFile);
    dialog.setDefaultSuffix(file.ending.mid(1));
    dialog.selectFile(file.name);
    makeRoom(dialog);
    while (dialog.exec() == QDialog::Accepted && !dialog.selectedFiles().isEmpty()) {
        const QString typed = dialog.selectedFiles().first(), path = withEnding(typed, file.ending);
        // The dialog asked about what was typed, not about what it becomes.
        if (path == typed || !QFileInfo::exists(path)
            || QMessageBox::question(parent->window(), file.title,
                   QFileDialog::tr("%1 already exists.\nDo you want to replace it?").arg(path))
                == QMessageBox::Yes)
            return path;
    }
    return {};
}

QString withEnding(const QString &path, const QString &ending)
{
    return path.endsWith(ending, Qt::CaseInsensitive) ? path : path + ending;
}

QString firstFolder(const QStringList &folders, FolderUse use)
{
    for (const QString &folder : folders) {
        const QFileInfo info(folder);
        if (!folder.isEmpty() && info.isDir() && (use == FolderUse::Reading || info.isWritable()))
            return info.absoluteFilePath();
    }
    return QDir::homePath();
}

QString folderOfSessions(
    const QString &open, const std::vector<model::RecentSession> &recent, const QString &recordings)
{
    const model::RecentSession *newest = nullptr;
    for (const model::RecentSession &session : recent)
        if (session.isThere && (newest == nullptr || session.usedWallNs > newest->usedWallNs))
            newest = &session;
    QStringList folders;
    if (!open.isEmpty())
        folders << QFileInfo(open).absolutePath();
    if (newest != nullptr)
        folders << QFileInfo(pathOf(newest->path)).absolutePath();
    return firstFolder(folders << recordings, FolderUse::Reading);
}

} // namespace ui

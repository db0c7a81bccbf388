// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/recent_session.h"

#include <QString>
#include <QStringList>

#include <vector>

class QWidget;

namespace ui {

/// Asks for a session that is there, beginning in `folder`. Empty: none was chosen.
QString chooseSession(QWidget *parent, const QString &title, const QString &folder);

/// A file that is to be written.
struct NewFile
{
    QString title;  ///< of the dialog
    QString folder; ///< where the dialog begins
    QString name;   ///< with `ending`
    QString ending; ///< ".csv": what is typed gets it where it lacks it
    QString kind;   ///< "Table"
};

/// Asks where to write it, and before a file that is there is replaced. Empty: nowhere.
QString chooseNewFile(QWidget *parent, const NewFile &file);

/// `path` with `ending`, in whatever case it has that already.
QString withEnding(const QString &path, const QString &ending);

enum class FolderUse { Reading, Writing };
/// Where to begin: the first of these folders that is there, and may be written to if that is its use; else the home folder.
QString firstFolder(const QStringList &folders, FolderUse use);

/// Where a session is looked for: in the folder of `open`, the one that is shown, else in that of the newest of `recent` that is there, else where
/// recordings go, else in the home folder. `open` may be empty.
QString folderOfSessions(
    const QString &open, const std::vector<model::RecentSession> &recent, const QString &recordings);

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QProcessEnvironment>
#include <QString>
#include <QStringList>
#include <QTemporaryDir>

namespace tests {

/// How a program ended.
struct Outcome
{
    int exitCode = -1; ///< −1: by a signal, or not in time
    QByteArray out;
    QString text; ///< What was run and what it said, for a failure's message.
};

/// Runs a program to its end, at most two minutes. `environment` and `folder` empty: ours.
Outcome runProgram(const QString &program, const QStringList &arguments, const QProcessEnvironment &environment = {},
    const QString &folder = {});

/// The tree that `cmake --install` makes, in a folder of its own: whatever the programs need, they have to find there.
class InstalledTree
{
public:
    /// What went wrong; empty where all is well.
    QString install() const;
    QString at(const QString &path) const { return m_prefix.filePath(path); }
    QString prefix() const { return m_prefix.path(); }

private:
    QTemporaryDir m_prefix;
};

} // namespace tests

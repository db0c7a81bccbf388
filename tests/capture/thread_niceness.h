// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDir>
#include <QFile>

#include <sys/resource.h>

#include <optional>

namespace tests {

/// The niceness of this process's thread of that name; nothing if there is none. Of several any.
inline std::optional<int> nicenessOf(const char *thread)
{
    for (const QString &task : QDir(QStringLiteral("/proc/self/task")).entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
        QFile name(QStringLiteral("/proc/self/task/%1/comm").arg(task));
        if (name.open(QIODevice::ReadOnly) && name.readAll().trimmed() == thread)
            return ::getpriority(PRIO_PROCESS, task.toUInt());
    }
    return std::nullopt;
}

} // namespace tests

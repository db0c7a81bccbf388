// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"

#include <QByteArray>
#include <QTemporaryDir>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tests {

/// A pipe with a name, at which a program waits for a word.
class Fifo
{
public:
    Fifo() { ::mkfifo(path().constData(), 0600); }
    QByteArray path() const { return m_folder.filePath(QStringLiteral("word")).toUtf8(); }
    /// Waits until somebody reads; false if it cannot be written.
    bool write() const
    {
        const capture::FileDescriptor writer(::open(path().constData(), O_WRONLY | O_CLOEXEC));
        return ::write(writer.get(), "x", 1) == 1;
    }

private:
    QTemporaryDir m_folder;
};

} // namespace tests

// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/finished_file.h"

#include "storage/log_mode.h"
#include "storage/new_file.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>

namespace storage {

namespace {

using model::Result;

Result<void> makeDurable(const std::string &path, int flags)
{
    const Descriptor file(::open(path.c_str(), flags | O_CLOEXEC));
    if (!file.isOpen())
        return model::systemError("Cannot open " + path, errno);
    if (::fsync(file.get()) != 0)
        return model::systemError("Cannot make " + path + " durable", errno);
    return {};
}

std::string folderOf(const std::string &path)
{
    const auto slash = path.rfind('/');
    if (slash == std::string::npos)
        return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

Result<NewFile> compactCopy(const std::string &path, Database &database)
{
    auto copy = NewFile::makeNextTo(path);
    if (!copy)
        return copy;
    auto vacuum = database.prepare("VACUUM INTO ?");
    if (!vacuum)
        return vacuum.error();
    if (auto done = vacuum->run(std::string_view(copy->path())); !done)
        return done.error();
    if (auto done = makeDurable(copy->path(), O_RDONLY); !done)
        return done.error();
    return copy;
}

void removeLog(const std::string &path)
{
    ::unlink(walPath(path).c_str());
    ::unlink(shmPath(path).c_str());
}

} // namespace

Result<void> finishFile(const std::string &path, Database database, WriterLock lock)
{
    auto copy = compactCopy(path, database);
    const bool isDamaged = (sqlite3_errcode(database.handle()) & 0xff) == SQLITE_CORRUPT;
    // Only when the file has everything may its log go.
    if (!foldLog(database) || !copy) {
        leaveLog(database); // no room for a copy, or a reader that stays: the same file, and its log if it must be
        return copy || !isDamaged ? Result<void>() : Result<void>(copy.error());
    }
    {
        const Database closed = std::move(database);
    }
    // A log next to the new file would be taken for its own.
    removeLog(path);
    const std::string own = copy->path();
    if (!copy->takePlaceOf(path))
        return model::systemError("Cannot rename " + own + " to " + path, errno);
    removeLog(path); // of a reader that came in between
    const WriterLock released = std::move(lock);
    return makeDurable(folderOf(path), O_RDONLY | O_DIRECTORY);
}

} // namespace storage

// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/end_reserve.h"

#include "storage/statement.h"
#include "storage/writer_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace storage {

namespace {

struct Log
{
    Descriptor file; ///< SQLite's locks are not on the log, so that closing it lets none of them go
    off_t bytes = 0;
};

Log openLog(const std::string &path)
{
    Log log{Descriptor(::open(walPath(path).c_str(), O_WRONLY | O_CLOEXEC))};
    struct stat status = {};
    if (!log.file.isOpen() || ::fstat(log.file.get(), &status) != 0)
        return {};
    log.bytes = status.st_size;
    return log;
}

} // namespace

model::Result<void> keepEnd(const std::string &path, std::int64_t bytes)
{
    const Log log = openLog(path);
    if (!log.file.isOpen() || ::fallocate(log.file.get(), FALLOC_FL_KEEP_SIZE, log.bytes, bytes) == 0)
        return {};
    const int why = errno;
    if (why != ENOSPC && why != EDQUOT)
        return {};
    return model::Error("Cannot write " + path + ": " + noRoomReason(why));
}

void releaseEnd(const std::string &path)
{
    const Log log = openLog(path);
    if (log.file.isOpen()) [[maybe_unused]]
        const int done = ::ftruncate(log.file.get(), log.bytes);
}

} // namespace storage

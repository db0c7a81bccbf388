// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/writer_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace storage {

Descriptor::~Descriptor()
{
    if (m_fd >= 0)
        ::close(m_fd);
}

std::string walPath(const std::string &path) { return path + "-wal"; }

std::string shmPath(const std::string &path) { return path + "-shm"; }

model::Result<WriterLock> WriterLock::take(const std::string &path)
{
    WriterLock lock;
    lock.m_wal = Descriptor(::open(walPath(path).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (!lock.m_wal.isOpen())
        return model::systemError("Cannot open " + walPath(path), errno);
    if (::flock(lock.m_wal.get(), LOCK_EX | LOCK_NB) != 0)
        return model::systemError(
            "Cannot lock " + walPath(path), errno, "another recorder may be writing this session");
    return lock;
}

bool WriterLock::isHeld(const std::string &path)
{
    const Descriptor wal(::open(walPath(path).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!wal.isOpen())
        return false;
    return ::flock(wal.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

} // namespace storage

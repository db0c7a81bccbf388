// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/writer_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace storage {

namespace {

/// Whoever asks isHeld() has the lock for some microseconds; a recorder has it for good.
constexpr int kMostTries = 40;
constexpr long kPauseNs = 5'000'000;

} // namespace

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
    for (int tries = 0; ::flock(lock.m_wal.get(), LOCK_EX | LOCK_NB) != 0; ++tries) {
        if (errno != EWOULDBLOCK || tries == kMostTries)
            return model::systemError(
                "Cannot lock " + walPath(path), errno, "another recorder may be writing this session");
        const timespec pause{0, kPauseNs};
        ::nanosleep(&pause, nullptr);
    }
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

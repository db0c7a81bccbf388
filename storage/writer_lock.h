// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"

#include <string>
#include <utility>

namespace storage {

/// A file descriptor that is closed with the object.
class Descriptor
{
public:
    Descriptor() = default;
    explicit Descriptor(int fd)
        : m_fd(fd)
    {
    }
    Descriptor(Descriptor &&other) noexcept
        : m_fd(std::exchange(other.m_fd, -1))
    {
    }
    Descriptor &operator=(Descriptor &&other) noexcept
    {
        std::swap(m_fd, other.m_fd);
        return *this;
    }
    ~Descriptor();

    int get() const { return m_fd; }
    bool isOpen() const { return m_fd >= 0; }

private:
    int m_fd = -1;
};

/// Shows that the recorder of a session lives: a lock on the session's -wal file, which the kernel drops however the recorder ends. On
/// that file, because SQLite itself never locks it: closing any descriptor of the main or -shm file would drop SQLite's own locks.
class WriterLock
{
public:
    /// Takes the lock for the session at `path`, whose -wal must exist; waits up to 0.2 s for those who only look. The lock ends with
    /// the object.
    static model::Result<WriterLock> take(const std::string &path);

    /// Whether a recorder holds the lock for the session at `path`.
    static bool isHeld(const std::string &path);

private:
    Descriptor m_wal;
};

/// Path of the session's write-ahead log and of its index.
std::string walPath(const std::string &path);
std::string shmPath(const std::string &path);

} // namespace storage

// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/new_file.h"

#include "storage/writer_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace storage {

using model::Result;

namespace {

/// Why a file that exists is in the way, and what to try: only a file is offered to be removed.
const char *whatIsThere(const std::string &path)
{
    struct stat status = {};
    if (::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode))
        return "it is a folder; name a file in it";
    if (::lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))
        return "it is a device, pipe or socket; choose the name of a new file";
    return "it exists already; choose another name or remove it";
}

/// The same of a file that the system finds no place for.
const char *whyNotThere(const std::string &path)
{
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    return ::access(folder.c_str(), F_OK) == 0 ? "its folder takes no files; choose another folder"
                                               : "its folder does not exist; make it or choose another name";
}

/// Mode of the file at `path`, or that a new one would have.
mode_t rightsAt(const std::string &path)
{
    struct stat status = {};
    if (::stat(path.c_str(), &status) == 0)
        return status.st_mode & 0777u;
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return 0666u & ~mask;
}

} // namespace

Result<NewFile> NewFile::make(const std::string &path)
{
    const Descriptor file(::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.isOpen()) {
        NewFile made(path);
        if (::fchmod(file.get(), 0600) != 0)
            return model::systemError("Cannot set the rights of " + path, errno);
        return made;
    }
    if (errno == EEXIST || errno == EISDIR)
        return model::Error("Cannot write " + path + ": " + whatIsThere(path));
    if (errno == ENOENT)
        return model::Error("Cannot write " + path + ": " + whyNotThere(path));
    return model::systemError(
        "Cannot write " + path, errno, errno == ENAMETOOLONG ? "choose a shorter name" : "choose another folder");
}

std::optional<NewFile> NewFile::tryNextTo(const std::string &path, Rights rights)
{
    std::string name = path + ".XXXXXX";
    const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor < 0)
        return std::nullopt;
    const Descriptor file(descriptor);
    if (rights == Rights::AsReplaced)
        static_cast<void>(::fchmod(descriptor, rightsAt(path)));
    return NewFile(std::move(name));
}

Result<NewFile> NewFile::makeNextTo(const std::string &path)
{
    auto made = tryNextTo(path, Rights::Private);
    if (!made)
        return model::systemError("Cannot make a file next to " + path, errno, "check the rights on its folder");
    return std::move(*made);
}

NewFile::~NewFile()
{
    if (m_path.empty())
        return;
    for (const char *suffix : {"", "-wal", "-shm", "-journal"})
        ::unlink((m_path + suffix).c_str());
}

Result<void> NewFile::keep()
{
    const Descriptor file(::open(m_path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.isOpen() || ::fsync(file.get()) != 0)
        return model::systemError("Cannot make " + m_path + " durable", errno);
    m_path.clear();
    return {};
}

bool NewFile::takePlaceOf(const std::string &path)
{
    if (::rename(m_path.c_str(), path.c_str()) != 0)
        return false;
    m_path.clear();
    return true;
}

Result<void> NewFile::replace(const std::string &path)
{
    const std::string own = m_path;
    const Descriptor file(::open(own.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.isOpen() || ::fsync(file.get()) != 0)
        return model::systemError("Cannot make " + own + " durable", errno);
    if (!takePlaceOf(path))
        return model::systemError("Cannot rename " + own + " to " + path, errno);
    const auto slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
    const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.isOpen() || ::fsync(directory.get()) != 0)
        return model::systemError("Cannot make " + path + " durable", errno);
    return {};
}

} // namespace storage

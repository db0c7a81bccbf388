// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/replaced_file.h"

#include "storage/new_file.h"
#include "storage/writer_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

namespace storage {

namespace {

using model::Result;

constexpr int kMostTries = 100;

/// Opens `path` and holds it against others who replace it; `status` is what is known of it.
Result<Descriptor> hold(const std::string &path, struct stat &status)
{
    for (int tries = 0; tries < kMostTries; ++tries) {
        Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file.isOpen() || ::flock(file.get(), LOCK_EX) != 0 || ::fstat(file.get(), &status) != 0)
            return model::systemError("Cannot change " + path, errno);
        struct stat now = {};
        if (::stat(path.c_str(), &now) == 0 && now.st_dev == status.st_dev && now.st_ino == status.st_ino)
            return file;
    }
    return model::Error("Cannot change " + path + ": others keep replacing it");
}

Result<void> copyBytes(int from, int to, const std::string &path)
{
    std::array<char, 65536> bytes;
    for (off_t offset = 0;;) {
        const ssize_t count = ::pread(from, bytes.data(), bytes.size(), offset);
        if (count == 0)
            return {};
        if (count < 0)
            return model::systemError("Cannot read " + path, errno);
        for (ssize_t done = 0; done < count;) {
            const ssize_t written = ::write(to, bytes.data() + done, static_cast<std::size_t>(count - done));
            if (written < 0)
                return model::systemError(
                    "Cannot change " + path + ": its copy cannot be written", errno, "make room on the disk");
            done += written;
        }
        offset += count;
    }
}

/// Rights and owner of the file that is replaced. Only root gives files away; others keep the group where they are in it.
void takeOver(int copy, const struct stat &status)
{
    if (::fchown(copy, status.st_uid, status.st_gid) != 0) [[maybe_unused]]
        const int ignored = ::fchown(copy, static_cast<uid_t>(-1), status.st_gid);
    ::fchmod(copy, status.st_mode & 07777);
}

} // namespace

Result<void> replaceFile(const std::string &path, const std::function<Result<void>(const std::string &)> &change)
{
    std::error_code failure;
    const std::filesystem::path resolved = std::filesystem::canonical(path, failure);
    if (failure)
        return model::Error("Cannot change " + path + ": " + failure.message());
    struct stat status = {};
    const auto held = hold(resolved.string(), status);
    if (!held)
        return held.error();
    auto copy = NewFile::makeNextTo(resolved.string());
    if (!copy)
        return copy.error();
    {
        const Descriptor file(::open(copy->path().c_str(), O_WRONLY | O_CLOEXEC));
        if (!file.isOpen())
            return model::systemError("Cannot change " + path, errno);
        if (auto done = copyBytes(held->get(), file.get(), path); !done)
            return done;
        takeOver(file.get(), status);
    }
    if (auto done = change(copy->path()); !done)
        return done;
    return copy->replace(resolved.string());
}

} // namespace storage

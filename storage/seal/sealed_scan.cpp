// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/seal/sealed_scan.h"

#include "storage/seal/sealed_file.h"
#include "storage/writer_lock.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace storage {

namespace {

constexpr std::int64_t kMostScanned = 64LL * 1024 * 1024;

/// A file for SealedFile that is read through a descriptor of its own. Not for files on which this process holds SQLite's locks.
struct PlainFile
{
    sqlite3_file base{};
    int fd = -1;

    explicit PlainFile(int descriptor)
        : fd(descriptor)
    {
        static const sqlite3_io_methods methods = [] {
            sqlite3_io_methods m{};
            m.iVersion = 1;
            m.xRead = [](sqlite3_file *file, void *into, int count, sqlite3_int64 offset) {
                const auto wanted = static_cast<std::size_t>(count);
                const ssize_t got = ::pread(reinterpret_cast<PlainFile *>(file)->fd, into, wanted, offset);
                if (got < 0)
                    return SQLITE_IOERR_READ;
                std::memset(static_cast<char *>(into) + got, 0, wanted - static_cast<std::size_t>(got));
                return got == count ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
            };
            m.xFileSize = [](sqlite3_file *file, sqlite3_int64 *size) {
                struct stat status = {};
                if (::fstat(reinterpret_cast<PlainFile *>(file)->fd, &status) != 0)
                    return SQLITE_IOERR_FSTAT;
                *size = status.st_size;
                return SQLITE_OK;
            };
            return m;
        }();
        base.pMethods = &methods;
    }
};

} // namespace

model::Result<std::vector<char>> readSealedStart(const std::string &path, const SealKey &key, std::size_t count)
{
    const auto header = SealHeader::read(path);
    if (!header)
        return header.error();
    if (!key.opens(*header))
        return model::Error("Cannot open " + path + ": wrong passphrase");
    const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.isOpen())
        return model::systemError("Cannot open " + path, errno);
    PlainFile plain(fd.get());
    std::atomic<int> unused = 0;
    SealedFile file(&plain.base, SealedLayout::Kind::Main, key, *header, unused);
    std::vector<char> bytes(static_cast<std::size_t>(kUnitPageBytes));
    const int code = file.read(bytes.data(), static_cast<int>(kUnitPageBytes), 0);
    struct stat log = {};
    if (code != SQLITE_OK && ::stat(walPath(path).c_str(), &log) == 0 && log.st_size > 0)
        return std::vector<char>();
    if (code == SQLITE_IOERR_SHORT_READ)
        return model::Error(
            "Cannot open " + path + ": it is sealed and empty; the recording was cut off before it began");
    if (code != SQLITE_OK)
        return model::Error("Cannot open " + path
            + ": it is damaged, or was altered: its first page is not what was sealed; use another copy");
    bytes.resize(count);
    return bytes;
}

std::optional<std::int64_t> brokenUnits(const std::string &path, const SealKey &key)
{
    const auto header = SealHeader::read(path);
    const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!header || !fd.isOpen())
        return std::nullopt;
    PlainFile plain(fd.get());
    std::atomic<int> unused = 0;
    SealedFile file(&plain.base, SealedLayout::Kind::Main, key, *header, unused);
    std::int64_t size = 0;
    if (file.size(size) != SQLITE_OK || size > kMostScanned)
        return std::nullopt;
    std::int64_t broken = 0;
    std::vector<unsigned char> page(static_cast<std::size_t>(kUnitPageBytes));
    std::int64_t pages = 0; ///< as the database says
    for (std::int64_t at = 0; at < size; at += kUnitPageBytes) {
        if (file.read(page.data(), static_cast<int>(kUnitPageBytes), at) != SQLITE_OK)
            ++broken;
        else if (at == 0)
            for (std::size_t i = 28; i < 32; ++i)
                pages = pages << 8 | page[i];
    }
    return broken + std::max<std::int64_t>(0, pages - size / kUnitPageBytes);
}

} // namespace storage

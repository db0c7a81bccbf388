// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/seal/sealed_vfs.h"

#include "storage/seal/sealed_file.h"

#include <sodium.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

namespace storage {

struct SealedVfs::Private
{
    SealKeyPointer key;
    std::string name;
    sqlite3_vfs vfs{};
    sqlite3_vfs *real = nullptr;
    std::atomic<int> brokenLogUnits = 0;
};

namespace {

/// What SQLite keeps for an open file; the real one's follows it in the same memory.
struct OpenFile
{
    sqlite3_file base{};
    SealedFile *sealed = nullptr; ///< owned
};

/// A rollback journal that is kept in memory, where its pages in clear harm nobody: SQLite makes one for the copy that VACUUM INTO writes.
struct MemoryJournal
{
    sqlite3_file base{};
    std::vector<unsigned char> *bytes = nullptr; ///< owned
};

std::vector<unsigned char> &bytesOf(sqlite3_file *file) { return *reinterpret_cast<MemoryJournal *>(file)->bytes; }

const sqlite3_io_methods &journalMethods()
{
    static const sqlite3_io_methods methods = [] {
        sqlite3_io_methods m{};
        m.iVersion = 1;
        m.xClose = [](sqlite3_file *file) {
            auto *journal = reinterpret_cast<MemoryJournal *>(file);
            const std::unique_ptr<std::vector<unsigned char>> bytes(std::exchange(journal->bytes, nullptr));
            return SQLITE_OK;
        };
        m.xRead = [](sqlite3_file *file, void *into, int count, sqlite3_int64 offset) {
            const std::vector<unsigned char> &bytes = bytesOf(file);
            const auto at = std::min<std::size_t>(static_cast<std::size_t>(offset), bytes.size());
            const std::size_t there = std::min(static_cast<std::size_t>(count), bytes.size() - at);
            std::memcpy(into, bytes.data() + at, there);
            std::memset(static_cast<char *>(into) + there, 0, static_cast<std::size_t>(count) - there);
            return there == static_cast<std::size_t>(count) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
        };
        m.xWrite = [](sqlite3_file *file, const void *from, int count, sqlite3_int64 offset) {
            std::vector<unsigned char> &bytes = bytesOf(file);
            const std::size_t end = static_cast<std::size_t>(offset) + static_cast<std::size_t>(count);
            if (bytes.size() < end)
                bytes.resize(end);
            std::memcpy(bytes.data() + offset, from, static_cast<std::size_t>(count));
            return SQLITE_OK;
        };
        m.xTruncate = [](sqlite3_file *file, sqlite3_int64 size) {
            bytesOf(file).resize(static_cast<std::size_t>(size));
            return SQLITE_OK;
        };
        m.xSync = [](sqlite3_file *, int) { return SQLITE_OK; };
        m.xFileSize = [](sqlite3_file *file, sqlite3_int64 *size) {
            *size = static_cast<sqlite3_int64>(bytesOf(file).size());
            return SQLITE_OK;
        };
        m.xLock = m.xUnlock = [](sqlite3_file *, int) { return SQLITE_OK; };
        m.xCheckReservedLock = [](sqlite3_file *, int *result) {
            *result = 0;
            return SQLITE_OK;
        };
        m.xFileControl = [](sqlite3_file *, int, void *) { return SQLITE_NOTFOUND; };
        m.xSectorSize = [](sqlite3_file *) { return 4096; };
        m.xDeviceCharacteristics = [](sqlite3_file *) { return 0; };
        return m;
    }();
    return methods;
}

constexpr std::size_t kOpenFileBytes = (sizeof(OpenFile) + 15) / 16 * 16;

OpenFile *openFileOf(sqlite3_file *file) { return reinterpret_cast<OpenFile *>(file); }

sqlite3_file *realOf(sqlite3_file *file)
{
    return reinterpret_cast<sqlite3_file *>(reinterpret_cast<char *>(file) + kOpenFileBytes);
}

SealedFile &sealedOf(sqlite3_file *file) { return *openFileOf(file)->sealed; }

int closeFile(sqlite3_file *file)
{
    const std::unique_ptr<SealedFile> sealed(std::exchange(openFileOf(file)->sealed, nullptr));
    return realOf(file)->pMethods->xClose(realOf(file));
}

int fileSize(sqlite3_file *file, sqlite3_int64 *size)
{
    std::int64_t bytes = 0;
    const int code = sealedOf(file).size(bytes);
    *size = bytes;
    return code;
}

int control(sqlite3_file *file, int operation, void *argument)
{
    switch (operation) {
    case SQLITE_FCNTL_SIZE_HINT:
    case SQLITE_FCNTL_CHUNK_SIZE:
        return SQLITE_OK; // sizes below are others than SQLite thinks
    case SQLITE_FCNTL_MMAP_SIZE:
    case SQLITE_FCNTL_BEGIN_ATOMIC_WRITE:
        return SQLITE_NOTFOUND;
    default:
        return realOf(file)->pMethods->xFileControl(realOf(file), operation, argument);
    }
}

const sqlite3_io_methods &fileMethods()
{
    static const sqlite3_io_methods methods = [] {
        sqlite3_io_methods m{};
        m.iVersion = 2;
        m.xClose = closeFile;
        m.xRead = [](sqlite3_file *file, void *into, int count, sqlite3_int64 offset) {
            return sealedOf(file).read(into, count, offset);
        };
        m.xWrite = [](sqlite3_file *file, const void *from, int count, sqlite3_int64 offset) {
            return sealedOf(file).write(from, count, offset);
        };
        m.xTruncate = [](sqlite3_file *file, sqlite3_int64 size) { return sealedOf(file).truncate(size); };
        m.xSync = [](sqlite3_file *file, int flags) { return realOf(file)->pMethods->xSync(realOf(file), flags); };
        m.xFileSize = fileSize;
        m.xLock = [](sqlite3_file *file, int lock) { return realOf(file)->pMethods->xLock(realOf(file), lock); };
        m.xUnlock = [](sqlite3_file *file, int lock) { return realOf(file)->pMethods->xUnlock(realOf(file), lock); };
        m.xCheckReservedLock = [](sqlite3_file *file, int *result) {
            return realOf(file)->pMethods->xCheckReservedLock(realOf(file), result);
        };
        m.xFileControl = control;
        m.xSectorSize = [](sqlite3_file *file) { return realOf(file)->pMethods->xSectorSize(realOf(file)); };
        m.xDeviceCharacteristics = [](sqlite3_file *file) {
            return realOf(file)->pMethods->xDeviceCharacteristics(realOf(file))
                & (SQLITE_IOCAP_POWERSAFE_OVERWRITE | SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN | SQLITE_IOCAP_IMMUTABLE);
        };
        m.xShmMap = [](sqlite3_file *file, int page, int bytes, int extend, void volatile **memory) {
            return realOf(file)->pMethods->xShmMap(realOf(file), page, bytes, extend, memory);
        };
        m.xShmLock = [](sqlite3_file *file, int offset, int count, int flags) {
            return realOf(file)->pMethods->xShmLock(realOf(file), offset, count, flags);
        };
        m.xShmBarrier = [](sqlite3_file *file) { realOf(file)->pMethods->xShmBarrier(realOf(file)); };
        m.xShmUnmap
            = [](sqlite3_file *file, int remove) { return realOf(file)->pMethods->xShmUnmap(realOf(file), remove); };
        return m;
    }();
    return methods;
}

SealedVfs::Private &vfsOf(sqlite3_vfs *vfs);

/// The header of a main file: read, or written where the file is new.
int takeHeader(sqlite3_file *real, const SealKey &key, bool mayWrite, std::optional<SealHeader> &header)
{
    sqlite3_int64 size = 0;
    if (const int code = real->pMethods->xFileSize(real, &size); code != SQLITE_OK)
        return code;
    if (size == 0 && mayWrite) {
        header = key.newHeader();
        const SealHeader::Bytes bytes = header->bytes();
        return real->pMethods->xWrite(real, bytes.data(), static_cast<int>(bytes.size()), 0);
    }
    SealHeader::Bytes bytes{};
    if (const int code = real->pMethods->xRead(real, bytes.data(), static_cast<int>(bytes.size()), 0);
        code != SQLITE_OK)
        return code == SQLITE_IOERR_SHORT_READ ? SQLITE_NOTADB : code;
    auto parsed = SealHeader::parse(bytes, {});
    if (!parsed || !key.opens(*parsed))
        return SQLITE_NOTADB;
    header = *parsed;
    return SQLITE_OK;
}

/// A log belongs to the main file of the same connection.
std::optional<SealHeader> headerOfMain(const char *name)
{
    sqlite3_file *main = sqlite3_database_file_object(name);
    if (!main || main->pMethods != &fileMethods())
        return std::nullopt;
    return sealedOf(main).header();
}

int openFile(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *outFlags)
{
    SealedVfs::Private &d = vfsOf(vfs);
    file->pMethods = nullptr;
    if ((flags & SQLITE_OPEN_MAIN_JOURNAL) != 0) {
        auto *journal = reinterpret_cast<MemoryJournal *>(file);
        journal->bytes = std::make_unique<std::vector<unsigned char>>().release();
        file->pMethods = &journalMethods();
        if (outFlags)
            *outFlags = flags;
        return SQLITE_OK;
    }
    const bool isMain = (flags & SQLITE_OPEN_MAIN_DB) != 0, isLog = (flags & SQLITE_OPEN_WAL) != 0;
    if (!name || (!isMain && !isLog))
        return SQLITE_CANTOPEN;
    sqlite3_file *real = realOf(file);
    std::memset(real, 0, static_cast<std::size_t>(d.real->szOsFile));
    int opened = 0;
    int code = d.real->xOpen(d.real, name, real, flags, &opened);
    std::optional<SealHeader> header;
    if (code == SQLITE_OK && isMain)
        code = takeHeader(real, *d.key, (opened & SQLITE_OPEN_READWRITE) != 0, header);
    else if (code == SQLITE_OK)
        header = headerOfMain(name);
    if (code == SQLITE_OK && !header)
        code = SQLITE_CANTOPEN;
    if (code != SQLITE_OK) {
        if (real->pMethods)
            real->pMethods->xClose(real);
        return code;
    }
    const auto kind = isMain ? SealedLayout::Kind::Main : SealedLayout::Kind::Log;
    openFileOf(file)->sealed = std::make_unique<SealedFile>(real, kind, *d.key, *header, d.brokenLogUnits).release();
    file->pMethods = &fileMethods();
    if (outFlags)
        *outFlags = opened;
    return SQLITE_OK;
}

/// A journal beside a sealed file is none of ours: it is not looked at.
int access(sqlite3_vfs *vfs, const char *path, int flags, int *result)
{
    if (std::string_view(path).ends_with("-journal")) {
        *result = 0;
        return SQLITE_OK;
    }
    sqlite3_vfs *real = vfsOf(vfs).real;
    return real->xAccess(real, path, flags, result);
}

SealedVfs::Private &vfsOf(sqlite3_vfs *vfs) { return *static_cast<SealedVfs::Private *>(vfs->pAppData); }

void fill(SealedVfs::Private &d)
{
    sqlite3_vfs &vfs = d.vfs;
    vfs.iVersion = 2;
    vfs.szOsFile = static_cast<int>(kOpenFileBytes) + d.real->szOsFile;
    vfs.mxPathname = d.real->mxPathname;
    vfs.zName = d.name.c_str();
    vfs.pAppData = &d;
    vfs.xOpen = openFile;
    vfs.xDelete = [](sqlite3_vfs *v, const char *path, int sync) {
        if (std::string_view(path).ends_with("-journal"))
            return SQLITE_OK; // it was in memory
        sqlite3_vfs *real = vfsOf(v).real;
        return real->xDelete(real, path, sync);
    };
    vfs.xAccess = access;
    vfs.xFullPathname = [](sqlite3_vfs *v, const char *path, int bytes, char *out) {
        sqlite3_vfs *real = vfsOf(v).real;
        return real->xFullPathname(real, path, bytes, out);
    };
    vfs.xRandomness = [](sqlite3_vfs *v, int bytes, char *out) {
        sqlite3_vfs *real = vfsOf(v).real;
        return real->xRandomness(real, bytes, out);
    };
    vfs.xSleep = [](sqlite3_vfs *v, int microseconds) {
        sqlite3_vfs *real = vfsOf(v).real;
        return real->xSleep(real, microseconds);
    };
    vfs.xCurrentTime = [](sqlite3_vfs *v, double *time) {
        sqlite3_vfs *real = vfsOf(v).real;
        return real->xCurrentTime(real, time);
    };
    vfs.xGetLastError = [](sqlite3_vfs *v, int bytes, char *out) {
        sqlite3_vfs *real = vfsOf(v).real;
        return real->xGetLastError(real, bytes, out);
    };
    vfs.xCurrentTimeInt64 = [](sqlite3_vfs *v, sqlite3_int64 *time) {
        sqlite3_vfs *real = vfsOf(v).real;
        return real->xCurrentTimeInt64(real, time);
    };
}

} // namespace

model::Result<std::shared_ptr<SealedVfs>> SealedVfs::open(SealKeyPointer key)
{
    auto d = std::make_unique<Private>();
    d->key = std::move(key);
    d->real = sqlite3_vfs_find(nullptr);
    std::array<unsigned char, 12> random{};
    std::array<char, 25> hex{};
    randombytes_buf(random.data(), random.size());
    sodium_bin2hex(hex.data(), hex.size(), random.data(), random.size());
    d->name = std::string("genesis-sealed-") + hex.data();
    fill(*d);
    if (!d->real || sqlite3_vfs_register(&d->vfs, 0) != SQLITE_OK)
        return model::Error("Cannot open sealed files: SQLite takes no more file systems");
    return std::shared_ptr<SealedVfs>(new SealedVfs(std::move(d)));
}

SealedVfs::SealedVfs(std::unique_ptr<Private> p)
    : d(std::move(p))
{
}

SealedVfs::~SealedVfs() { sqlite3_vfs_unregister(&d->vfs); }

const std::string &SealedVfs::name() const { return d->name; }

int SealedVfs::brokenLogUnits() const { return d->brokenLogUnits.load(); }

} // namespace storage

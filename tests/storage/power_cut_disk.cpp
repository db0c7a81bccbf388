// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/storage/power_cut_disk.h"

#include <sqlite3.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>

namespace tests {

namespace {

constexpr std::int64_t kSectorBytes = 512;

PowerCutDisk *s_disk = nullptr; ///< that notes; SQLite's functions have no other way to it

std::string pathOf(int descriptor)
{
    char path[4096];
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    const ssize_t length = ::readlink(link.c_str(), path, sizeof path);
    return length > 0 ? std::string(path, static_cast<std::size_t>(length)) : std::string();
}

/// What SQLite keeps for an open file; the real one's follows it in the same memory.
struct OpenFile
{
    sqlite3_file base{};
    std::string *path = nullptr; ///< owned
};

std::string &pathOf(sqlite3_file *file) { return *reinterpret_cast<OpenFile *>(file)->path; }
sqlite3_file *real(sqlite3_file *file)
{
    return reinterpret_cast<sqlite3_file *>(reinterpret_cast<char *>(file) + sizeof(OpenFile));
}

const sqlite3_io_methods &methods()
{
    static const sqlite3_io_methods all = [] {
        sqlite3_io_methods m{};
        m.iVersion = 2;
        m.xClose = [](sqlite3_file *file) {
            delete &pathOf(file);
            return real(file)->pMethods->xClose(real(file));
        };
        m.xRead = [](sqlite3_file *file, void *into, int count, sqlite3_int64 offset) {
            return real(file)->pMethods->xRead(real(file), into, count, offset);
        };
        m.xWrite = [](sqlite3_file *file, const void *from, int count, sqlite3_int64 offset) {
            const int code = real(file)->pMethods->xWrite(real(file), from, count, offset);
            if (code == SQLITE_OK && s_disk)
                s_disk->written(
                    pathOf(file), offset, {static_cast<const char *>(from), static_cast<std::size_t>(count)});
            return code;
        };
        m.xTruncate = [](sqlite3_file *file, sqlite3_int64 size) {
            const int code = real(file)->pMethods->xTruncate(real(file), size);
            if (code == SQLITE_OK && s_disk)
                s_disk->truncated(pathOf(file), size);
            return code;
        };
        // The real one calls fsync or fdatasync, where it is noted.
        m.xSync = [](sqlite3_file *file, int flags) { return real(file)->pMethods->xSync(real(file), flags); };
        m.xFileSize
            = [](sqlite3_file *file, sqlite3_int64 *size) { return real(file)->pMethods->xFileSize(real(file), size); };
        m.xLock = [](sqlite3_file *file, int lock) { return real(file)->pMethods->xLock(real(file), lock); };
        m.xUnlock = [](sqlite3_file *file, int lock) { return real(file)->pMethods->xUnlock(real(file), lock); };
        m.xCheckReservedLock = [](sqlite3_file *file, int *result) {
            return real(file)->pMethods->xCheckReservedLock(real(file), result);
        };
        m.xFileControl = [](sqlite3_file *file, int what, void *value) {
            return real(file)->pMethods->xFileControl(real(file), what, value);
        };
        m.xSectorSize = [](sqlite3_file *file) { return real(file)->pMethods->xSectorSize(real(file)); };
        m.xDeviceCharacteristics
            = [](sqlite3_file *file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); };
        m.xShmMap = [](sqlite3_file *file, int page, int bytes, int extend, void volatile **at) {
            return real(file)->pMethods->xShmMap(real(file), page, bytes, extend, at);
        };
        m.xShmLock = [](sqlite3_file *file, int first, int count, int flags) {
            return real(file)->pMethods->xShmLock(real(file), first, count, flags);
        };
        m.xShmBarrier = [](sqlite3_file *file) { real(file)->pMethods->xShmBarrier(real(file)); };
        m.xShmUnmap
            = [](sqlite3_file *file, int remove) { return real(file)->pMethods->xShmUnmap(real(file), remove); };
        return m;
    }();
    return all;
}

int openFile(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *outFlags)
{
    auto *below = static_cast<sqlite3_vfs *>(vfs->pAppData);
    file->pMethods = nullptr;
    const int code = below->xOpen(below, name, real(file), flags, outFlags);
    if (code != SQLITE_OK)
        return code;
    reinterpret_cast<OpenFile *>(file)->path = new std::string(name ? name : "");
    file->pMethods = &methods();
    if (s_disk && name && (flags & SQLITE_OPEN_READWRITE) != 0)
        s_disk->opened(name);
    return code;
}

sqlite3_vfs *layer()
{
    static sqlite3_vfs vfs = [] {
        sqlite3_vfs *below = sqlite3_vfs_find("unix");
        sqlite3_vfs made = *below; // the rest takes nothing of its own, and is passed on as it is
        made.szOsFile = static_cast<int>(sizeof(OpenFile)) + below->szOsFile;
        made.zName = "power-cut";
        made.pNext = nullptr;
        made.pAppData = below;
        made.xOpen = &openFile;
        made.xDelete = [](sqlite3_vfs *own, const char *name, int syncFolder) {
            auto *under = static_cast<sqlite3_vfs *>(own->pAppData);
            return under->xDelete(under, name, syncFolder);
        };
        made.xAccess = [](sqlite3_vfs *own, const char *name, int flags, int *result) {
            auto *under = static_cast<sqlite3_vfs *>(own->pAppData);
            return under->xAccess(under, name, flags, result);
        };
        return made;
    }();
    return &vfs;
}

} // namespace

PowerCutDisk::PowerCutDisk(std::string folder)
    : m_folder(std::move(folder))
{
    s_disk = this;
    sqlite3_initialize();
    sqlite3_vfs_register(layer(), 1);
}

PowerCutDisk::~PowerCutDisk() { stop(); }

void PowerCutDisk::stop()
{
    if (s_disk == this)
        s_disk = nullptr;
    sqlite3_vfs_register(sqlite3_vfs_find("unix"), 1);
}

std::size_t PowerCutDisk::syncs(const std::string &name) const
{
    const auto file = m_names.find(name);
    return file == m_names.end()
        ? 0
        : static_cast<std::size_t>(std::count_if(m_operations.begin(), m_operations.end(),
            [&](const Operation &done) { return done.kind == Kind::Sync && done.file == file->second; }));
}

/// The name within the folder; empty for what is elsewhere, and for the index of the log, which lasts no longer than those who use it.
std::string PowerCutDisk::nameOf(const std::string &path) const
{
    if (path.size() <= m_folder.size() + 1 || path.compare(0, m_folder.size(), m_folder) != 0 || path.ends_with("-shm"))
        return {};
    return path.substr(m_folder.size() + 1);
}

void PowerCutDisk::note(Kind kind, const std::string &path, std::int64_t offset, std::string bytes)
{
    if (const auto file = m_names.find(nameOf(path)); file != m_names.end())
        m_operations.push_back({kind, file->second, offset, std::move(bytes), file->first, {}});
}

void PowerCutDisk::opened(const std::string &path)
{
    const std::string name = nameOf(path);
    if (!name.empty() && m_names.try_emplace(name, m_files).second) {
        ++m_files;
        note(Kind::Create, path);
    }
}

void PowerCutDisk::written(const std::string &path, std::int64_t offset, std::string bytes)
{
    note(Kind::Write, path, offset, std::move(bytes));
}

void PowerCutDisk::truncated(const std::string &path, std::int64_t size) { note(Kind::Truncate, path, size); }

void PowerCutDisk::synced(const std::string &path)
{
    if (path == m_folder)
        m_operations.push_back({Kind::SyncFolder, 0, 0, {}, {}, {}});
    else
        note(Kind::Sync, path);
}

void PowerCutDisk::renamed(const std::string &from, const std::string &to)
{
    note(Kind::Rename, from);
    if (const auto file = m_names.find(nameOf(from)); file != m_names.end()) {
        m_operations.back().newName = nameOf(to);
        m_names[nameOf(to)] = file->second;
        m_names.erase(file);
    }
}

void PowerCutDisk::unlinked(const std::string &path)
{
    note(Kind::Unlink, path);
    m_names.erase(nameOf(path));
}

PowerCutDisk::Names PowerCutDisk::namesAt(std::size_t operations, Loss loss, std::mt19937 &random) const
{
    std::vector<const Operation *> changes;
    std::size_t durable = 0;
    for (std::size_t i = 0; i < operations; ++i) {
        const Operation &operation = m_operations[i];
        if (operation.kind == Kind::SyncFolder)
            durable = changes.size();
        else if (operation.kind == Kind::Create || operation.kind == Kind::Rename || operation.kind == Kind::Unlink)
            changes.push_back(&operation);
    }
    std::size_t count = loss == Loss::None ? changes.size() : durable;
    if (loss == Loss::Some)
        count += random() % (changes.size() - durable + 1);
    Names names;
    for (std::size_t i = 0; i < count; ++i) {
        if (changes[i]->kind != Kind::Create)
            names.erase(changes[i]->name);
        if (changes[i]->kind != Kind::Unlink)
            names[changes[i]->kind == Kind::Rename ? changes[i]->newName : changes[i]->name] = changes[i]->file;
    }
    return names;
}

void PowerCutDisk::restore(std::size_t operations, Loss loss, std::mt19937 &random, const std::string &into) const
{
    std::vector<std::size_t> durable(static_cast<std::size_t>(m_files), 0);
    for (std::size_t i = 0; i < operations; ++i)
        if (m_operations[i].kind == Kind::Sync)
            durable[static_cast<std::size_t>(m_operations[i].file)] = i;
    std::vector<std::string> contents(durable.size());
    for (std::size_t i = 0; i < operations; ++i) {
        const Operation &operation = m_operations[i];
        const auto file = static_cast<std::size_t>(operation.file);
        const bool isSafe = loss == Loss::None || i < durable[file];
        const auto fate = isSafe ? 0u : loss == Loss::All ? 1u : static_cast<unsigned>(random() % 3); // 0 there, 1 not
        if (fate == 1)
            continue;
        if (operation.kind == Kind::Truncate)
            contents[file].resize(static_cast<std::size_t>(operation.offset));
        if (operation.kind != Kind::Write)
            continue;
        const auto begin = static_cast<std::size_t>(operation.offset), end = begin + operation.bytes.size();
        if (contents[file].size() < end)
            contents[file].resize(end);
        for (std::size_t at = begin; at < end;) {
            const std::size_t next = std::min(end, (at / kSectorBytes + 1) * kSectorBytes);
            if (fate == 0 || random() % 2 == 0)
                contents[file].replace(at, next - at, operation.bytes, at - begin, next - at);
            at = next;
        }
    }
    for (const auto &[name, file] : namesAt(operations, loss, random)) {
        std::ofstream out(into + "/" + name, std::ios::binary);
        out << contents[static_cast<std::size_t>(file)];
    }
}

} // namespace tests

// In the stead of the C library's, for this program and the libraries it loads.
extern "C" {

int fsync(int descriptor)
{
    if (tests::s_disk)
        tests::s_disk->synced(tests::pathOf(descriptor)); // noted is enough: the disk is made up
    return 0;
}

int fdatasync(int descriptor) { return fsync(descriptor); }

int rename(const char *from, const char *to) noexcept
{
    const auto result = static_cast<int>(::syscall(SYS_rename, from, to));
    if (result == 0 && tests::s_disk)
        tests::s_disk->renamed(from, to);
    return result;
}

int unlink(const char *path) noexcept
{
    const auto result = static_cast<int>(::syscall(SYS_unlink, path));
    if (result == 0 && tests::s_disk)
        tests::s_disk->unlinked(path);
    return result;
}
}

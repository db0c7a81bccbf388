// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/session_file.h"

#include "model/base/format_units.h"
#include "storage/network_file_system.h"
#include "storage/schema.h"
#include "storage/seal/sealed_scan.h"
#include "storage/writer_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace storage {

namespace {

using model::Error;
using model::Result;

/// The first bytes of a SQLite file. https://www.sqlite.org/fileformat.html, section 1.3
class FileHeader
{
public:
    static constexpr std::size_t kBytes = 100;

    static Result<FileHeader> read(const std::string &path, const SealKeyPointer &key)
    {
        FileHeader header;
        if (key) {
            auto start = readSealedStart(path, *key, kBytes);
            if (!start)
                return start.error();
            header.m_count = start->size();
            header.m_isInLog = start->empty();
            std::copy(start->begin(), start->end(), header.m_bytes.begin());
            return header;
        }
        const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
        if (!file.isOpen())
            return model::systemError("Cannot open " + path, errno, "check the rights on the file");
        const ssize_t count = ::read(file.get(), header.m_bytes.data(), kBytes);
        if (count < 0)
            return model::systemError("Cannot read " + path, errno);
        header.m_count = static_cast<std::size_t>(count);
        return header;
    }

    bool isWhole() const { return m_count == kBytes; }
    /// Torn by a power cut, and expected to be whole in the log: known once SQLite has opened both.
    bool isInLog() const { return m_isInLog; }
    bool isSqlite() const { return std::string_view(m_bytes.data(), 16) == std::string_view("SQLite format 3\0", 16); }
    bool saysItHasLog() const { return m_bytes[18] == 2 || m_bytes[19] == 2; }
    std::uint32_t applicationId() const { return word(68); }

    /// How long the file was when it was closed: pages × their size. https://www.sqlite.org/fileformat.html, sections 1.3.2 and 1.3.7
    std::int64_t statedBytes() const
    {
        const std::uint32_t size = word(16) >> 16;
        return std::int64_t{word(28)} * (size == 1 ? 65536 : size);
    }

private:
    std::uint32_t word(std::size_t offset) const
    {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < 4; ++i)
            value = (value << 8) | static_cast<unsigned char>(m_bytes[offset + i]);
        return value;
    }

    std::array<char, kBytes> m_bytes{};
    std::size_t m_count = 0;
    bool m_isInLog = false;
};

Result<FileHeader> checkedHeader(const std::string &path, const SealKeyPointer &key)
{
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0) {
        if (errno == ENOENT)
            return Error("Cannot open " + path + ": there is no such file; check the name");
        return model::systemError("Cannot open " + path, errno);
    }
    if (S_ISDIR(status.st_mode))
        return Error("Cannot open " + path + ": it is a folder; name the .gprof-session file in it");
    if (!S_ISREG(status.st_mode))
        return Error("Cannot open " + path + ": it is not a regular file; name a .gprof-session file");
    if (status.st_size == 0)
        return Error("Cannot open " + path
            + ": it is empty; the recording was cut off before anything was written, so record again");
    if (!key && isSealed(path))
        return Error("Cannot open " + path + ": it is sealed; its passphrase is needed");
    auto header = FileHeader::read(path, isSealed(path) ? key : SealKeyPointer());
    if (!header)
        return header;
    if (header->isInLog())
        return header;
    if (!header->isWhole())
        return Error(fmt::format("Cannot open {}: it is not a session, or was cut off after {} bytes; use another copy",
            path, status.st_size));
    if (!header->isSqlite())
        return Error("Cannot open " + path + ": it is not a session (no SQLite file); name a .gprof-session file");
    if (header->applicationId() != kApplicationId)
        return Error("Cannot open " + path + ": it is a SQLite file, but no session; name a .gprof-session file");
    return header;
}

bool exists(const std::string &path)
{
    struct stat status = {};
    return ::stat(path.c_str(), &status) == 0;
}

bool isFilled(const std::string &path)
{
    struct stat status = {};
    return ::stat(path.c_str(), &status) == 0 && status.st_size > 0;
}

/// The version of the format; touches the file's first page.
Result<std::int64_t> formatOf(Database &database) { return database.integer("PRAGMA user_version"); }

/// Whether the database can be read at all: its schema, which names all else.
Result<void> checkSchema(Database &database)
{
    const auto count = database.integer("SELECT count(*) FROM sqlite_schema");
    return count ? Result<void>() : Result<void>(count.error());
}

/// Copies the set of files to a folder of our own and recovers it there.
Result<SessionFile> openCopy(const std::string &path, const SealKeyPointer &key)
{
    auto folder = PrivateFolder::make();
    if (!folder)
        return folder.error();
    const std::string copy = folder->path() + "/session";
    for (const char *suffix : {"", "-wal", "-journal"}) {
        std::error_code failure;
        if (exists(path + suffix) && !std::filesystem::copy_file(path + suffix, copy + suffix, failure))
            return Error("Cannot copy " + path + suffix + " to " + folder->path() + ": " + failure.message()
                + "; make room there, or set TMPDIR");
        std::filesystem::permissions(
            copy + suffix, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, failure);
    }
    {
        auto writable = Database::open(copy, OpenMode::ReadWrite, key);
        if (!writable)
            return writable.error();
        if (auto done = writable->execute(key ? "PRAGMA trusted_schema=OFF; PRAGMA journal_mode=MEMORY"
                                              : "PRAGMA trusted_schema=OFF; PRAGMA journal_mode=DELETE");
            !done)
            return done.error();
    }
    auto database = Database::open(copy, OpenMode::Immutable, key);
    if (!database)
        return database.error();
    return SessionFile{.folder = std::move(*folder), .database = std::move(*database)};
}

/// The same, and whether it can be read at all.
Result<SessionFile> openReadableCopy(const std::string &path, const SealKeyPointer &key)
{
    auto copy = openCopy(path, key);
    if (!copy)
        return copy;
    if (auto whole = checkSchema(copy->database); !whole)
        return whole.error();
    return copy;
}

/// Opens for reading without looking at what is inside.
Result<SessionFile> openPlainly(const std::string &path, bool hasLog, bool writerLives, const SealKeyPointer &key)
{
    const bool needsRecovery = hasLog || (!key && exists(path + "-journal"));
    if (needsRecovery && !writerLives && !networkFileSystemOf(path).empty())
        return openReadableCopy(path, key); // the memory that a log needs is not to be had there
    auto database = Database::open(path, needsRecovery ? OpenMode::ReadOnly : OpenMode::Immutable, key);
    if (!database)
        return database.error();
    const auto readable = checkSchema(*database);
    if (readable || !needsRecovery || writerLives) {
        if (!readable)
            return readable.error();
        return SessionFile{.database = std::move(*database)};
    }
    // The log cannot be brought in here: no right to write next to the file.
    const int code = sqlite3_errcode(database->handle()) & 0xff;
    if (code != SQLITE_CANTOPEN && code != SQLITE_READONLY && code != SQLITE_IOERR)
        return readable.error();
    return openReadableCopy(path, key);
}

/// Opens what the damage left.
Result<SessionFile> openSalvaging(const std::string &path, const Error &why, Damage &damage, const SealKeyPointer &key)
{
    auto database = Database::open(path, OpenMode::Salvage, key);
    if (!database)
        return why;
    if (auto readable = formatOf(*database); !readable)
        return Error(why.text() + "; nothing in it can be read, use another copy");
    damage.note("The file is damaged or was cut off; what is whole in it is shown.");
    return SessionFile{.database = std::move(*database)};
}

Result<void> checkFormat(const std::string &path, Database &database)
{
    const auto format = formatOf(database);
    if (!format)
        return format.error();
    if (*format > schemaVersion())
        return Error(
            fmt::format("Cannot open {}: it was written by a newer version (format {}, this program reads up to {}); "
                        "update Genesis Profiler",
                path, *format, schemaVersion()));
    if (*format < 1)
        return Error("Cannot open " + path + ": the recording was cut off before it began; record again");
    return {};
}

/// Notes the tables that are not what the format says; a crafted declaration could run code or never end.
Result<void> checkTables(Database &database, Damage &damage)
{
    const auto format = database.integer("PRAGMA user_version");
    if (!format)
        return format.error();
    const auto expected = tableDeclarations(static_cast<int>(*format));
    if (!expected)
        return expected.error();
    std::map<std::string, std::string> found;
    const auto done = scan(database, damage, "sqlite_schema",
        "SELECT rowid, name, sql FROM sqlite_schema WHERE rowid > ? AND type = 'table' ORDER BY rowid", -1,
        [&found](const Statement &row) { found.emplace(row.text(1), row.text(2)); });
    if (!done)
        return done;
    for (const auto &[name, sql] : *expected) {
        const auto declared = found.find(name);
        if (declared == found.end() || declared->second != sql)
            damage.unusable(name);
    }
    const auto newest = tableDeclarations(schemaVersion());
    if (!newest)
        return newest.error();
    for (const auto &[name, sql] : *newest)
        if (!expected->contains(name))
            damage.absent(name);
    return {};
}

} // namespace

Result<PrivateFolder> PrivateFolder::make()
{
    const char *parent = std::getenv("TMPDIR");
    std::string name = std::string(parent && *parent ? parent : "/tmp") + "/genesis-profiler.XXXXXX";
    if (!::mkdtemp(name.data()))
        return model::systemError("Cannot make a folder " + name, errno, "set TMPDIR to a folder that can be written");
    return PrivateFolder(std::move(name));
}

PrivateFolder::~PrivateFolder()
{
    std::error_code ignored;
    if (!m_path.empty())
        std::filesystem::remove_all(m_path, ignored);
}

Result<SessionFile> openSessionFile(const std::string &path, Damage &damage, const SealKeyPointer &given)
{
    const auto header = checkedHeader(path, given);
    if (!header)
        return header.error();
    const bool writerLives = WriterLock::isHeld(path);
    const bool hasLog = writerLives || isFilled(walPath(path));
    const auto identity = identityOf(path);
    struct stat status = {};
    if (!hasLog && !isSealed(path) && ::stat(path.c_str(), &status) == 0 && status.st_size < header->statedBytes())
        damage.note(fmt::format("The file was cut off: {} of {} bytes are there.", model::formatCount(status.st_size),
            model::formatCount(header->statedBytes())));
    // Once unsealed or replaced by a plain one it is read as such.
    const SealKeyPointer key = isSealed(path) ? given : SealKeyPointer();
    // Before SQLite has it open: closing a descriptor of our own would drop SQLite's locks. Parts that were being replaced from the log when
    // the power went are read from the log.
    if (key && !hasLog)
        if (const auto broken = brokenUnits(path, *key); broken && *broken > 0)
            damage.note(fmt::format(
                "The sealed file is damaged or was altered: {} of its parts are not what was sealed.", *broken));
    auto file = openPlainly(path, hasLog, writerLives, key);
    if (!file && !writerLives)
        file = openSalvaging(path, file.error(), damage, key);
    if (!file)
        return file;
    if (file->database.brokenLogUnits() > 0)
        damage.note("The end of its log is not what was sealed: it was cut off by a power failure, is damaged or was "
                    "altered; what came after that is missing.");
    if (auto done = checkFormat(path, file->database); !done)
        return done.error();
    if (auto done = checkTables(file->database, damage); !done)
        return done.error();
    file->identity = identity.value_or(FileIdentity{});
    file->bytes = sizeOf(path);
    file->canGrow = writerLives;
    file->logIsMissing = header->saysItHasLog() && !hasLog && !exists(walPath(path));
    return file;
}

bool isSessionFile(const std::string &path)
{
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    if (isSealed(path))
        return true;
    const auto header = FileHeader::read(path, {});
    return header && header->isWhole() && header->isSqlite() && header->applicationId() == kApplicationId;
}

std::optional<FileIdentity> identityOf(const std::string &path)
{
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0)
        return std::nullopt;
    return FileIdentity{status.st_dev, status.st_ino};
}

bool hasFilledLog(const std::string &path) { return isFilled(walPath(path)); }

std::int64_t sizeOf(const std::string &path)
{
    std::int64_t bytes = 0;
    for (const std::string &file : {path, walPath(path)}) {
        struct stat status = {};
        if (::stat(file.c_str(), &status) == 0)
            bytes += status.st_size;
    }
    return bytes;
}

} // namespace storage

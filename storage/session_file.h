// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/damage.h"
#include "storage/database.h"

#include <memory>
#include <string>

namespace storage {

/// A folder of our own below the temporary folder, removed with everything in it.
class PrivateFolder
{
public:
    static model::Result<PrivateFolder> make();
    PrivateFolder(PrivateFolder &&other) noexcept
        : m_path(std::exchange(other.m_path, {}))
    {
    }
    PrivateFolder &operator=(PrivateFolder &&other) noexcept
    {
        std::swap(m_path, other.m_path);
        return *this;
    }
    ~PrivateFolder();

    const std::string &path() const { return m_path; }

private:
    explicit PrivateFolder(std::string path)
        : m_path(std::move(path))
    {
    }

    std::string m_path;
};

/// Which file stands at a path: changes when a finished session takes the place of the one being recorded.
struct FileIdentity
{
    std::uint64_t device = 0;
    std::uint64_t inode = 0;

    friend bool operator==(const FileIdentity &, const FileIdentity &) = default;
};

/// A session file, opened for reading in the way its state asks for.
struct SessionFile
{
    std::optional<PrivateFolder>
        folder; ///< holds the copy that is read, where the original cannot be recovered in place
    Database database;
    FileIdentity identity;
    std::int64_t bytes = 0;    ///< size of the main file and its log
    bool canGrow = false;      ///< a recorder writes it
    bool logIsMissing = false; ///< the file says that it has a -wal, but there is none
};

/// Opens the session at `path`; parts of it that are not whole are noted in `damage`. Fails with a sentence when it is missing, no session,
/// from a newer version, or too damaged to read anything.
/// A sealed session needs its key.
model::Result<SessionFile> openSessionFile(const std::string &path, Damage &damage, const SealKeyPointer &key = {});

/// Whether what stands at `path` is a session, finished or not, sealed or not; looks at its first bytes only.
bool isSessionFile(const std::string &path);

/// The file at `path`; nothing when there is none.
std::optional<FileIdentity> identityOf(const std::string &path);

/// Whether there is anything in the log beside the session at `path`: it is being recorded, or was left unfinished.
bool hasFilledLog(const std::string &path);

/// Size of the session at `path`, with its log.
std::int64_t sizeOf(const std::string &path);

} // namespace storage

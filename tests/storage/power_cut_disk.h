// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace tests {

/// Notes in order all that a program writes below a folder: through a layer between SQLite and the operating system, which is SQLite's default
/// while this lives, and through fsync, rename and unlink, which the test program defines itself. Of any moment it makes what a disk could
/// then hold when the power went: what was synced is there; of later writes any may be missing, late, or there for some sectors of 512 bytes;
/// names of files are those of the last sync of the folder or of a later moment, in order, as journalling file systems have them.
/// One at a time, one thread.
class PowerCutDisk
{
public:
    explicit PowerCutDisk(std::string folder);
    PowerCutDisk(const PowerCutDisk &) = delete;
    PowerCutDisk &operator=(const PowerCutDisk &) = delete;
    ~PowerCutDisk();

    /// From now on nothing is noted, and SQLite's own layer is the default again.
    void stop();

    /// How many writes, syncs and changes of names there were so far.
    std::size_t operations() const { return m_operations.size(); }
    /// How often the file of this name (without its folder) was written and synced.
    std::size_t syncs(const std::string &name) const;

    enum class Loss {
        All,  ///< of what was not synced
        None, ///< what a killed program leaves
        Some, ///< any of it
    };

    /// Puts the files that there could be after the first `operations` operations into the empty folder `into`.
    void restore(std::size_t operations, Loss loss, std::mt19937 &random, const std::string &into) const;

    // Called by the layer and by the functions in its stead.
    void opened(const std::string &path);
    void written(const std::string &path, std::int64_t offset, std::string bytes);
    void truncated(const std::string &path, std::int64_t size);
    void synced(const std::string &path);
    void renamed(const std::string &from, const std::string &to);
    void unlinked(const std::string &path);

private:
    enum class Kind : std::uint8_t { Create, Write, Truncate, Sync, Rename, Unlink, SyncFolder };
    struct Operation
    {
        Kind kind = Kind::Write;
        int file = 0;
        std::int64_t offset = 0; ///< or size
        std::string bytes;
        std::string name, newName;
    };
    using Names = std::map<std::string, int>;

    std::string nameOf(const std::string &path) const;
    void note(Kind kind, const std::string &path, std::int64_t offset = 0, std::string bytes = {});
    Names namesAt(std::size_t operations, Loss loss, std::mt19937 &random) const;

    std::string m_folder;
    std::vector<Operation> m_operations;
    Names m_names;
    int m_files = 0;
};

} // namespace tests

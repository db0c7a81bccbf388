// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/seal/seal_key.h"
#include "storage/statement.h"

#include <stop_token>
#include <string>

namespace storage {

class SealedVfs;

/// How a database is opened.
enum class OpenMode {
    ReadWrite,
    ReadWriteCreate, ///< made, empty, where it does not exist
    ReadOnly,
    Immutable, ///< read only, without locks: for a file that nobody writes, also on media that cannot be written
    Salvage,   ///< as Immutable, and read although the file is shorter than it says or parts of its schema are damaged
    Memory,    ///< a new, empty one that lives as long as the connection
};

/// A connection to one SQLite file, closed with the object. Used by one thread at a time. Connections that read run nothing the file
/// brings along: no triggers, no functions of its schema, no attached files, values of at most 16 MiB.
class Database
{
public:
    /// With a key the file is a sealed one, or becomes one where it is new; without, it is a plain one.
    static model::Result<Database> open(const std::string &path, OpenMode mode, const SealKeyPointer &key = {});

    /// Runs SQL that gives no rows, several statements if need be. `sql` is part of the program, never input.
    model::Result<void> execute(const char *sql);

    model::Result<Statement> prepare(std::string_view sql);

    /// The first column of the only row of `sql`.
    model::Result<std::int64_t> integer(std::string_view sql);

    /// Writes what a transaction has changed so far to the log, where it counts only with its end.
    model::Result<void> flush();

    sqlite3 *handle() const { return m_handle.get(); }

    /// Whether the file is sealed, and how much of its log was not what was sealed when it was recovered.
    bool isSealed() const { return m_vfs != nullptr; }
    int brokenLogUnits() const;

private:
    struct Closer
    {
        void operator()(sqlite3 *handle) const;
    };

    std::shared_ptr<SealedVfs> m_vfs; ///< outlives the handle
    std::unique_ptr<sqlite3, Closer> m_handle;
};

/// A transaction that is rolled back unless committed.
class Transaction
{
public:
    enum class Kind { Read, Write };
    static model::Result<Transaction> begin(Database &database, Kind kind);

    Transaction(Transaction &&other) noexcept
        : m_database(std::exchange(other.m_database, nullptr))
    {
    }
    Transaction &operator=(Transaction &&) = delete;
    ~Transaction();

    /// On failure nothing of the transaction is in the file.
    model::Result<void> commit();

private:
    explicit Transaction(Database &database)
        : m_database(&database)
    {
    }

    Database *m_database;
};

/// While it lives, queries of `database` end with an error soon after `stop` is requested.
class CancelScope
{
public:
    CancelScope(Database &database, std::stop_token stop);
    CancelScope(const CancelScope &) = delete;
    CancelScope &operator=(const CancelScope &) = delete;
    ~CancelScope();

private:
    sqlite3 *m_handle;
    std::stop_token m_stop;
};

} // namespace storage

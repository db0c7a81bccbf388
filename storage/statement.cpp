// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/statement.h"

#include <sqlite3.h>
#include <sys/resource.h>

#include <cerrno>
#include <string>

namespace storage {

namespace {

/// SQLite does not pass on why a write to the log failed.
bool isFileSizeLimited()
{
    struct rlimit limit = {};
    return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

/// Why a call failed, and what to try, for the result codes that people meet.
std::string reason(int code, int systemError)
{
    const std::string system = systemError != 0 ? model::errnoText(systemError) : std::string();
    switch (code & 0xff) {
    case SQLITE_FULL:
        return noRoomReason(ENOSPC);
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_DATA)
            return "it is damaged, or was altered: a part of it is not what was sealed; use another copy";
        if (systemError == ENOSPC || systemError == EDQUOT)
            return noRoomReason(systemError);
        if (systemError == EFBIG || (code == SQLITE_IOERR_WRITE && isFileSizeLimited()))
            return "the file would exceed the limit on file sizes; raise it (ulimit -f)";
        return "reading or writing failed" + (system.empty() ? std::string() : " (" + system + ")");
    case SQLITE_CANTOPEN:
        return "it cannot be opened" + (system.empty() ? std::string() : " (" + system + ")");
    case SQLITE_READONLY:
        return "it cannot be written; check the rights on the file and its folder";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "another program is using it; try again when that has ended";
    case SQLITE_CORRUPT:
        return "the file is damaged";
    case SQLITE_NOTADB:
        return "it is not a SQLite database";
    case SQLITE_INTERRUPT:
        return "stopped on request";
    case SQLITE_TOOBIG:
        return "a value in it is larger than any that is written";
    default:
        return {};
    }
}

model::Error errorOf(sqlite3 *db, std::string_view what, const std::string &why)
{
    const char *file = sqlite3_db_filename(db, "main");
    std::string text(what);
    if (file && *file)
        text += std::string(" ") + file;
    return model::Error(text + ": " + why);
}

} // namespace

std::string noRoomReason(int systemError)
{
    if (systemError == EDQUOT)
        return "the disk quota is used up; remove other files, or have it raised";
    return "the disk is full; make room on it";
}

model::Error databaseError(sqlite3 *db, std::string_view what)
{
    const std::string why = reason(sqlite3_extended_errcode(db), sqlite3_system_errno(db));
    return errorOf(db, what, why.empty() ? sqlite3_errmsg(db) : why);
}

model::Error databaseError(sqlite3 *db, std::string_view what, int code, int systemError)
{
    const std::string why = reason(code, systemError);
    return errorOf(db, what, why.empty() ? sqlite3_errstr(code) : why);
}

void Statement::Finalizer::operator()(sqlite3_stmt *statement) const { sqlite3_finalize(statement); }

model::Result<bool> Statement::step()
{
    const int code = sqlite3_step(m_statement.get());
    if (code == SQLITE_ROW)
        return true;
    if (code == SQLITE_DONE) {
        sqlite3_reset(m_statement.get());
        return false;
    }
    sqlite3 *db = sqlite3_db_handle(m_statement.get());
    const model::Error error
        = databaseError(db, sqlite3_stmt_readonly(m_statement.get()) ? "Cannot read" : "Cannot write");
    sqlite3_reset(m_statement.get());
    return error;
}

model::Result<void> Statement::finish()
{
    for (;;) {
        const auto row = step();
        if (!row)
            return row.error();
        if (!*row)
            return {};
    }
}

void Statement::reset() { sqlite3_reset(m_statement.get()); }

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(m_statement.get(), column); }

double Statement::real(int column) const { return sqlite3_column_double(m_statement.get(), column); }

std::string_view Statement::text(int column) const
{
    const unsigned char *text = sqlite3_column_text(m_statement.get(), column);
    const int bytes = sqlite3_column_bytes(m_statement.get(), column);
    return text ? std::string_view(reinterpret_cast<const char *>(text), static_cast<std::size_t>(bytes))
                : std::string_view();
}

std::string_view Statement::blob(int column) const
{
    if (sqlite3_column_type(m_statement.get(), column) != SQLITE_BLOB)
        return {};
    const void *bytes = sqlite3_column_blob(m_statement.get(), column);
    const int count = sqlite3_column_bytes(m_statement.get(), column);
    return bytes ? std::string_view(static_cast<const char *>(bytes), static_cast<std::size_t>(count))
                 : std::string_view();
}

bool Statement::isNull(int column) const { return sqlite3_column_type(m_statement.get(), column) == SQLITE_NULL; }

bool Statement::isInteger(int column) const { return sqlite3_column_type(m_statement.get(), column) == SQLITE_INTEGER; }

bool Statement::isReal(int column) const { return sqlite3_column_type(m_statement.get(), column) == SQLITE_FLOAT; }

int Statement::columnCount() const { return sqlite3_column_count(m_statement.get()); }

std::int64_t Statement::textBytes() const
{
    std::int64_t bytes = 0;
    for (int i = 0; i < columnCount(); ++i)
        if (const int type = sqlite3_column_type(m_statement.get(), i); type == SQLITE_TEXT || type == SQLITE_BLOB)
            bytes += sqlite3_column_bytes(m_statement.get(), i);
    return bytes;
}

std::string_view Statement::columnName(int column) const
{
    const char *name = sqlite3_column_name(m_statement.get(), column);
    return name ? name : std::string_view();
}

void Statement::bindInteger(int position, std::int64_t value)
{
    sqlite3_bind_int64(m_statement.get(), position + 1, value);
}

void Statement::bindText(int position, std::string_view value)
{
    // A view without data would bind NULL.
    sqlite3_bind_text(m_statement.get(), position + 1, value.data() ? value.data() : "", static_cast<int>(value.size()),
        SQLITE_TRANSIENT);
}

void Statement::bindBlob(int position, std::string_view bytes)
{
    sqlite3_bind_blob(m_statement.get(), position + 1, bytes.data() ? bytes.data() : "", static_cast<int>(bytes.size()),
        SQLITE_TRANSIENT);
}

void Statement::bindReal(int position, double value) { sqlite3_bind_double(m_statement.get(), position + 1, value); }

void Statement::bindNull(int position) { sqlite3_bind_null(m_statement.get(), position + 1); }

} // namespace storage

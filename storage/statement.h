// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/ids.h"
#include "model/base/result.h"

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace storage {

/// The error of the last failed call on `db`: `"<what> <file>: <why>; <what to try>"`.
model::Error databaseError(sqlite3 *db, std::string_view what);

/// The same for a call that returned `code` without leaving it in `db`; `systemError`: the errno that it left.
model::Error databaseError(sqlite3 *db, std::string_view what, int code, int systemError);

/// Why nothing more can be written, and what to try, where that failed with ENOSPC or EDQUOT.
std::string noRoomReason(int systemError);

/// Bytes to be bound as such, and not as a text.
struct Blob
{
    std::string_view bytes;
};

/// A prepared SQL statement; made by Database::prepare, and must not outlive it. Columns and parameters are counted from 0.
class Statement
{
public:
    Statement() = default;
    explicit Statement(sqlite3_stmt *statement)
        : m_statement(statement)
    {
    }

    /// Fetches the next row; false at the end, which also makes the statement ready to be run again.
    model::Result<bool> step();

    /// Binds all parameters in order, runs the statement to its end, and makes it ready for the next run.
    template <typename... Values> model::Result<void> run(const Values &...values)
    {
        bindAll(values...);
        return finish();
    }

    /// Binds all parameters in order. Integers, texts, blobs, ids (invalid is NULL) and optionals (empty is NULL). Texts are copied.
    template <typename... Values> void bindAll(const Values &...values)
    {
        int position = 0;
        (bindValue(position++, values), ...);
    }

    std::int64_t integer(int column) const;
    double real(int column) const;
    std::string_view text(int column) const; ///< valid until the next step
    std::string_view blob(int column) const; ///< the same for bytes; empty where the value is something else
    bool isNull(int column) const;
    bool isInteger(int column) const;
    bool isReal(int column) const;
    int columnCount() const;
    std::int64_t textBytes() const; ///< of all texts and blobs of the row
    std::string_view columnName(int column) const;

    /// Ends a run before its last row.
    void reset();

    void bindInteger(int position, std::int64_t value);
    void bindText(int position, std::string_view value);
    void bindBlob(int position, std::string_view bytes); ///< copied
    void bindReal(int position, double value);
    void bindNull(int position);

private:
    struct Finalizer
    {
        void operator()(sqlite3_stmt *statement) const;
    };

    template <std::integral Integer> void bindValue(int position, Integer value)
    {
        bindInteger(position, static_cast<std::int64_t>(value));
    }
    void bindValue(int position, double value) { bindReal(position, value); }
    void bindValue(int position, std::string_view value) { bindText(position, value); }
    void bindValue(int position, Blob value) { bindBlob(position, value.bytes); }
    template <typename Tag> void bindValue(int position, model::Id<Tag> id)
    {
        id.isValid() ? bindInteger(position, id.value) : bindNull(position);
    }
    template <typename Value> void bindValue(int position, const std::optional<Value> &value)
    {
        value ? bindValue(position, *value) : bindNull(position);
    }

    model::Result<void> finish();

    std::unique_ptr<sqlite3_stmt, Finalizer> m_statement;
};

} // namespace storage

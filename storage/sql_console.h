// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "model/base/units.h"
#include "model/report/query_writer.h"
#include "storage/seal/seal_key.h"

#include <memory>
#include <string>
#include <string_view>

namespace storage {

/// How far a query may go.
struct SqlLimits
{
    model::Duration time = model::Duration::fromMs(30'000); ///< of all statements together; 0: no end
    std::int64_t rows = 100'000;                            ///< of each statement; 0: all
};

/// Answers SQL about a session, and can do nothing else: only SELECT, WITH, VALUES, EXPLAIN and the pragmas that describe tables; only the
/// tables of the format, as it declares them, and its documented views. The views are this program's, not those of the file, so they are
/// there for old files too. One thread at a time.
class SqlConsole
{
public:
    /// Opens the session at `path`, saved or growing. Sets the process's limit on SQLite's memory (400 MiB).
    /// A sealed one needs its key.
    static model::Result<SqlConsole> open(const std::string &path, const SealKeyPointer &key = {});

    SqlConsole(SqlConsole &&) noexcept;
    SqlConsole &operator=(SqlConsole &&) noexcept;
    ~SqlConsole();

    /// Runs the statements of `sql` one after the other, each on the session as it is then, and hands their rows to `writer`. The first failure
    /// ends it; it says which statement, why, and what to try. Rows beyond the limit are not fetched, and the writer is told.
    model::Result<void> run(std::string_view sql, const SqlLimits &limits, model::QueryWriter &writer);

    /// What of the file is not whole, as sentences; empty when everything is.
    const std::string &damage() const;

private:
    struct Private;
    explicit SqlConsole(std::unique_ptr<Private> d);
    std::unique_ptr<Private> d;
};

} // namespace storage

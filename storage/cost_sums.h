// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/packed_loader.h"

namespace storage {

/// How much time lies between two positions of a session's ticks, in nanoseconds.
inline std::int64_t timeBetween(const TickIndex &ticks, std::size_t first, std::size_t last)
{
    const auto at = [&ticks](std::size_t position) {
        if (position < ticks.size())
            return ticks.at(position).span.begin.ns;
        return ticks.isEmpty() ? std::int64_t{0} : ticks.at(ticks.size() - 1).span.end.ns;
    };
    return at(last) - at(first) + static_cast<std::int64_t>(last - first); // also where ticks are empty
}

/// What PrefixSums asks for rows: those of one kind of costs in one session.
template <typename Prefix, typename Fetch, typename FetchTotal> struct CostSource
{
    const LoadedSession &session;
    const Fetch &fetchRows;
    const FetchTotal &fetchStored;
    model::Result<void> &done;
    std::size_t tickCount = 0;
    std::vector<typename Prefix::Stored> stored{};

    template <typename Row> bool fetch(std::size_t first, std::size_t last, const Row &row) const
    {
        done = fetchRows(first, last, row);
        return done.has_value();
    }
    template <typename Row> bool total(std::int64_t id, const Row &row) const
    {
        done = fetchStored(id, row);
        return done.has_value();
    }
    std::int64_t distance(std::size_t a, std::size_t b) const { return timeBetween(session.ticks, a, b); }
};

/// The sums of one kind of costs until position `end`, into `values`. `fetch(first, last, row)` gives the rows of positions [first, last),
/// `fetchTotal(id, row)` those of a stored total; both return a Result.
template <typename Prefix, typename Fetch, typename FetchTotal>
model::Result<void> sumUntil(const LoadedSession &session, PackedKind kind, Prefix &sums, std::size_t end,
    const Fetch &fetch, const FetchTotal &fetchTotal, typename Prefix::Shared &values)
{
    model::Result<void> done;
    CostSource<Prefix, Fetch, FetchTotal> source{session, fetch, fetchTotal, done, session.ticks.size()};
    for (const std::int64_t id : session.totals[static_cast<std::size_t>(kind)])
        source.stored.push_back({session.ticks.endOf(kTotalLevel, id), id});
    sums.until(end, source, values);
    return done;
}

} // namespace storage

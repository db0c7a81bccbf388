// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/age_loader.h"

#include "storage/age_history.h"

#include <algorithm>
#include <string>
#include <utility>

namespace storage {

namespace {

using model::Result;

constexpr std::int64_t kLongestNs = std::int64_t{1} << 60;
constexpr std::int64_t kLeastBucketNs = 1000;

bool isBelow(std::int64_t value, std::size_t end) { return value >= 0 && static_cast<std::uint64_t>(value) < end; }

bool isIn(std::int64_t value, std::int64_t least, std::int64_t most) { return least <= value && value <= most; }

Result<void> loadClocks(Database &database, Damage &damage, LoadedSession &session)
{
    return scan(database, damage, "age_clock",
        "SELECT revision, image, origin_ns, bucket_ns, buckets, followed, too_many, period_bytes FROM age_clock"
        " WHERE revision > ? AND revision <= "
            + std::to_string(session.stored.revision) + " ORDER BY revision, image",
        session.ages.revision, [&](const Statement &row) {
            const bool isValid = isBelow(row.integer(1), session.tables->images.size())
                && isIn(row.integer(2), 0, kLongestNs) && isIn(row.integer(3), kLeastBucketNs, kLongestNs)
                && isIn(row.integer(4), 0, model::kMostAgeBuckets) && row.integer(5) >= 0 && row.integer(6) >= 0
                && row.integer(7) > 0;
            if (!isValid)
                return damage.badRow("age_clock");
            const model::ImageId image(static_cast<std::uint32_t>(row.integer(1)));
            session.ages.clocks[image.value] = {image, {row.integer(2)}, {row.integer(3)},
                static_cast<std::uint32_t>(row.integer(4)), row.integer(5), row.integer(6), row.integer(7)};
        });
}

Result<void> loadStacks(Database &database, Damage &damage, LoadedSession &session)
{
    return scan(database, damage, "stack_age",
        "SELECT revision, image, stack, part, first_bucket, bucket_ns, history FROM stack_age WHERE revision > ?"
        " AND revision <= "
            + std::to_string(session.stored.revision) + " ORDER BY revision",
        session.ages.revision, [&](const Statement &row) {
            const bool isValid = isBelow(row.integer(1), session.tables->images.size())
                && isBelow(row.integer(2), session.tables->stacks.size()) && isIn(row.integer(3), 0, UINT32_MAX)
                && isIn(row.integer(4), 0, model::kMostAgeBuckets) && isIn(row.integer(5), kLeastBucketNs, kLongestNs);
            model::StackAges ages;
            if (!isValid || !decodeHistory(row.blob(6), ages))
                return damage.badRow("stack_age");
            ages.image = model::ImageId(static_cast<std::uint32_t>(row.integer(1)));
            ages.stack = model::StackId(static_cast<std::uint32_t>(row.integer(2)));
            ages.part = static_cast<std::uint32_t>(row.integer(3));
            ages.firstBucket = static_cast<std::uint32_t>(row.integer(4));
            ages.bucket = {row.integer(5)};
            const auto clock = session.ages.clocks.find(ages.image.value);
            if (clock == session.ages.clocks.end() || !model::bringUpTo(ages, clock->second))
                return damage.badRow("stack_age");
            session.ages.stacks[{ages.image.value, ages.stack.value, ages.part}] = std::move(ages);
        });
}

} // namespace

Result<void> loadAges(Database &database, Damage &damage, LoadedSession &session)
{
    if (session.ages.revision == session.stored.revision)
        return {};
    if (auto done = loadClocks(database, damage, session); !done)
        return done;
    if (auto done = loadStacks(database, damage, session); !done)
        return done;
    session.ages.revision = session.stored.revision;
    return {};
}

std::shared_ptr<const model::HeapAges> heapAges(const LoadedSession &session)
{
    auto ages = std::make_shared<model::HeapAges>();
    for (const auto &[image, clock] : session.ages.clocks)
        ages->clocks.push_back(clock);
    for (const auto &[key, part] : session.ages.stacks) {
        model::StackAges now = part;
        if (!model::bringUpTo(now, session.ages.clocks.at(part.image.value)))
            continue; // a clock that was set back; the rows are those of another writing
        std::vector<model::StackAges> &stacks = ages->stacks;
        if (!stacks.empty() && stacks.back().image == now.image && stacks.back().stack == now.stack)
            model::addPart(stacks.back(), now);
        else
            stacks.push_back(std::move(now));
    }
    return ages;
}

} // namespace storage

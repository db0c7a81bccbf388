// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/scan_loader.h"

#include <algorithm>
#include <map>

namespace storage {

namespace {

using model::Result;

constexpr std::int64_t kLongestNs = std::int64_t{1} << 60;
constexpr std::size_t kMostScans = 100'000;
constexpr const char *kLeftOut = "its stacks are not shown, as there are so many newer scans";
constexpr std::int64_t kMostPaths = 1000;

using NewScans = std::map<std::int64_t, model::MemoryScan>;

bool isBelow(std::int64_t value, std::size_t end) { return value >= 0 && static_cast<std::uint64_t>(value) < end; }

std::int64_t count(const Statement &row, int column) { return std::max<std::int64_t>(row.integer(column), 0); }

model::BlockSum sum(const Statement &row, int column) { return {count(row, column), count(row, column + 1)}; }

model::ReachSums sums(const Statement &row, int column)
{
    model::ReachSums all;
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = sum(row, column + 2 * static_cast<int>(i));
    return all;
}

constexpr const char *kClassColumns
    = "reachable_blocks, reachable_bytes, possibly_blocks, possibly_bytes, indirectly_blocks, indirectly_bytes,"
      " directly_blocks, directly_bytes, unjudged_blocks, unjudged_bytes, confirmed_blocks, confirmed_bytes";

Result<void> loadScanRows(LoadContext &context, const LoadedSession &session, NewScans &scans)
{
    return scan(context.database, context.damage, "scan",
        std::string("SELECT id, image, when_ns, proof, limits, confirms, stop_ns, analysis_ns, scanned_bytes,"
                    " unreadable_bytes, threads, missed_threads, interrupted_calls, min_age_ns, ")
            + kClassColumns + " FROM scan WHERE id > ? ORDER BY id",
        session.lastScan, [&](const Statement &row) {
            if (!isBelow(row.integer(0), UINT32_MAX) || !isBelow(row.integer(1), session.tables->images.size())
                || scans.size() + session.scans.size() >= kMostScans || !isBelow(row.integer(3), 2))
                return context.damage.badRow("scan");
            model::MemoryScan &one = scans[row.integer(0)];
            one.id = static_cast<std::uint32_t>(row.integer(0));
            one.image = model::ImageId(static_cast<std::uint32_t>(row.integer(1)));
            one.when = {std::min(count(row, 2), kLongestNs)};
            one.proof = static_cast<model::ScanProof>(row.integer(3));
            one.limits = row.text(4);
            one.confirms = static_cast<std::uint32_t>(std::min<std::int64_t>(count(row, 5), UINT32_MAX));
            one.stopNs = std::min(count(row, 6), kLongestNs);
            one.analysisNs = std::min(count(row, 7), kLongestNs);
            one.scannedBytes = count(row, 8);
            one.unreadableBytes = count(row, 9);
            one.threads = count(row, 10);
            one.missedThreads = count(row, 11);
            one.interruptedCalls = count(row, 12);
            one.minAgeNs = std::min(count(row, 13), kLongestNs);
            one.sums = sums(row, 14);
            one.confirmed = sum(row, 24);
        });
}

/// Rows of scans up to this one are not read: from the next one on there are not more stacks than are held.
Result<std::int64_t> lastWithoutStacks(LoadContext &context, const NewScans &scans, std::size_t mostStacks)
{
    auto counts = context.database.prepare("SELECT count(*) FROM scan_stack WHERE scan = ?");
    if (!counts)
        return std::int64_t{-1}; // the file has no such table
    std::size_t total = 0;
    for (auto one = scans.rbegin(); one != scans.rend(); ++one) {
        counts->bindAll(one->first);
        const auto row = counts->step();
        if (!row || !*row)
            return std::int64_t{-1}; // what can be read is found out by reading it
        total += static_cast<std::size_t>(std::max<std::int64_t>(counts->integer(0), 0));
        counts->reset();
        if (total > mostStacks && one != scans.rbegin())
            return one->first;
    }
    return std::int64_t{-1};
}

Result<void> loadStackRows(LoadContext &context, const LoadedSession &session, NewScans &scans, std::int64_t after)
{
    return scan(context.database, context.damage, "scan_stack",
        std::string("SELECT scan, stack, ") + kClassColumns
            + ", held_blocks, held_bytes, retained_blocks, retained_bytes FROM scan_stack WHERE scan > ? ORDER BY scan,"
              " directly_bytes + indirectly_bytes DESC, possibly_bytes DESC, retained_bytes DESC, stack",
        after, [&](const Statement &row) {
            const auto found = scans.find(row.integer(0));
            if (found == scans.end() || !isBelow(row.integer(1), session.tables->stacks.size()))
                return context.damage.badRow("scan_stack");
            model::ScannedStack stack;
            stack.stack = model::StackId(static_cast<std::uint32_t>(row.integer(1)));
            stack.sums = sums(row, 2);
            stack.confirmed = sum(row, 12);
            stack.held = sum(row, 14);
            stack.retained = sum(row, 16);
            found->second.stacks.push_back(stack);
        });
}

Result<void> loadPathRows(LoadContext &context, const LoadedSession &session, NewScans &scans, std::int64_t after)
{
    return scan(context.database, context.damage, "scan_path",
        "SELECT scan, rank, stack, retained_blocks, retained_bytes, root FROM scan_path WHERE scan > ? ORDER BY scan, "
        "rank",
        after, [&](const Statement &row) {
            const auto found = scans.find(row.integer(0));
            if (found == scans.end() || row.integer(1) != static_cast<std::int64_t>(found->second.paths.size())
                || row.integer(1) >= kMostPaths || !isBelow(row.integer(2), session.tables->stacks.size()))
                return context.damage.badRow("scan_path");
            found->second.paths.push_back({model::StackId(static_cast<std::uint32_t>(row.integer(2))), sum(row, 3),
                std::string(row.text(5)), {}});
        });
}

Result<void> loadStepRows(LoadContext &context, const LoadedSession &session, NewScans &scans, std::int64_t after)
{
    return scan(context.database, context.damage, "scan_step",
        "SELECT scan, rank, position, stack, blocks FROM scan_step WHERE scan > ? ORDER BY scan, rank, position", after,
        [&](const Statement &row) {
            const auto found = scans.find(row.integer(0));
            if (found == scans.end() || !isBelow(row.integer(1), found->second.paths.size())
                || !isBelow(row.integer(3), session.tables->stacks.size()))
                return context.damage.badRow("scan_step");
            found->second.paths[static_cast<std::size_t>(row.integer(1))].way.push_back(
                {model::StackId(static_cast<std::uint32_t>(row.integer(3))), count(row, 4)});
        });
}

void leaveOut(model::MemoryScan &scan)
{
    scan.stacks = {};
    scan.paths = {};
    if (scan.limits.find(kLeftOut) == std::string::npos)
        scan.limits += (scan.limits.empty() ? "" : "; ") + std::string(kLeftOut);
}

/// Snapshots that were made before keep what they have.
void forgetOldStacks(LoadedSession &session, std::size_t mostStacks)
{
    std::size_t total = 0;
    for (std::size_t i = session.scans.size(); i-- > 0;) {
        std::shared_ptr<const model::MemoryScan> &scan = session.scans[i];
        total += scan->stacks.size();
        if (total <= mostStacks || i + 1 == session.scans.size() || (scan->stacks.empty() && scan->paths.empty()))
            continue;
        total -= scan->stacks.size();
        model::MemoryScan rest = *scan;
        leaveOut(rest);
        scan = std::make_shared<const model::MemoryScan>(std::move(rest));
    }
}

} // namespace

Result<void> loadScans(LoadContext &context, LoadedSession &session, std::size_t mostStacks)
{
    NewScans scans;
    if (auto done = loadScanRows(context, session, scans); !done)
        return done;
    if (scans.empty())
        return {};
    const auto leftOut = lastWithoutStacks(context, scans, mostStacks);
    if (!leftOut)
        return leftOut.error();
    const std::int64_t after = std::max(*leftOut, session.lastScan);
    for (const auto load : {loadStackRows, loadPathRows, loadStepRows})
        if (auto done = load(context, session, scans, after); !done)
            return done;
    for (auto &[id, one] : scans) {
        if (id <= *leftOut)
            leaveOut(one);
        session.lastScan = id;
        session.scans.push_back(std::make_shared<const model::MemoryScan>(std::move(one)));
    }
    forgetOldStacks(session, mostStacks);
    return {};
}

} // namespace storage

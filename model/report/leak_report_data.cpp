// SPDX-License-Identifier: GPL-3.0-or-later
// Leaks as CSV and JSON.
#include "model/report/csv_writer.h"
#include "model/report/leak_report.h"
#include "model/report/session_words.h"
#include "model/report/summary_object.h"

#include <algorithm>
#include <array>
#include <ostream>

namespace model {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 3> kStates{"no_data", "not_enough_data", "done"};

Json interval(const Interval &values) { return Json::array({values.low, values.high}); }

template <typename Value> Json column(const StackAges &ages, Value AgeBucket::*value)
{
    Json values = Json::array();
    for (const AgeBucket &bucket : ages.buckets)
        values.push_back(bucket.*value);
    return values;
}

Json testOf(const LeakTest &test)
{
    return {{"buckets", test.buckets},
        {"plateau",
            {{"holds", test.hasPlateau}, {"death_age99_buckets", test.deathAge99},
                {"mature_age_buckets", test.matureAge}, {"late_deaths", test.lateDeaths},
                {"late_block_buckets", test.lateRisk}, {"cleared_by_another_window", test.clearedShare}}},
        {"recurrence",
            {{"holds", test.recurs}, {"cohorts", test.cohorts}, {"with_survivors", test.cohortsWithSurvivors},
                {"born", test.born}, {"survivors", test.survivors}, {"older_half", test.olderSurvivors},
                {"younger_half", test.youngerSurvivors}}},
        {"growth",
            {{"holds", test.grows}, {"by_survivors_alone", test.growsUnderneath}, {"blocks_per_bucket", test.slope},
                {"t", test.slopeT}, {"first_half_blocks_per_bucket", test.halfSlope1},
                {"last_half_blocks_per_bucket", test.halfSlope2}}},
        {"leak_share", test.leakShare}, {"leak_share_interval95", interval(test.leakShare95)},
        {"is_never_freed", test.isNeverFreed}, {"is_slowing", test.isConcave}, {"is_still_freed", test.isStillFreed},
        {"survival", test.survival}};
}

Json examplesOf(const StackAges &ages)
{
    Json examples = Json::array();
    for (const LiveExample &example : ages.examples)
        examples.push_back({{"size_bytes", example.size}, {"birth_ns", example.birth.ns}});
    return examples;
}

Json framesOf(FunctionIndex &functions, StackId stack)
{
    Json frames = Json::array();
    for (const StackLine &line : stackLines(functions, stack)) {
        Json frame = {{"function", line.name}, {"module", line.modulePath}};
        if (!line.file.empty())
            frame.update({{"file", line.file}, {"line", line.line}});
        frames.push_back(std::move(frame));
    }
    return frames;
}

Json stackOf(FunctionIndex &functions, const LeakStack &stack)
{
    static const StackAges kNone;
    const StackAges &ages = stack.ages ? *stack.ages : kNone;
    return {{"stack_id", stack.stack.value}, {"live_bytes", stack.liveBytes}, {"live_blocks", stack.liveBlocks},
        {"lost", {{"blocks", stack.lost.blocks}, {"bytes", stack.lost.bytes}}},
        {"lost_in_two_scans", {{"blocks", stack.lostTwice.blocks}, {"bytes", stack.lostTwice.bytes}}},
        {"bytes_per_hour", stack.bytesPerHour}, {"bytes_per_hour_interval95", interval(stack.bytesPerHour95)},
        {"test", testOf(stack.test)},
        {"history",
            {{"begin_ns", stack.followedFrom.ns}, {"bucket_ns", ages.bucket.ns},
                {"born", column(ages, &AgeBucket::born)}, {"alive", column(ages, &AgeBucket::alive)},
                {"died_by_age", column(ages, &AgeBucket::died)}, {"live_blocks", column(ages, &AgeBucket::liveBlocks)},
                {"live_bytes", column(ages, &AgeBucket::liveBytes)}}},
        {"examples", examplesOf(ages)}, {"frames", framesOf(functions, stack.stack)}};
}

Json itemOf(const Snapshot &snapshot, FunctionIndex &functions, const LeakItem &item)
{
    Json object = {{"tier", leakTierKey(item.tier)}, {"is_confirmed", item.isConfirmed}, {"title", item.title},
        {"function", item.function}, {"where", item.where}, {"module", item.module},
        {"pid", pidOf(snapshot, item.image)}, {"program", programOf(snapshot, item.image)},
        {"bytes_per_hour", item.bytesPerHour}, {"bytes_per_hour_interval95", interval(item.bytesPerHour95)},
        {"live_bytes", item.liveBytes}, {"live_blocks", item.liveBlocks}, {"leak_share", item.leakShare},
        {"lost", {{"blocks", item.lost.blocks}, {"bytes", item.lost.bytes}}},
        {"lost_in_two_scans", {{"blocks", item.lostTwice.blocks}, {"bytes", item.lostTwice.bytes}}},
        {"scan", item.scan ? Json(item.scan->id) : Json()}, {"leak_share_interval95", interval(item.leakShare95)},
        {"evidence", item.evidence}, {"caution", item.caution}, {"other_stacks", item.neighbourCount},
        {"largest_others", Json::array()}, {"stacks", Json::array()}};
    for (const LeakNeighbour &other : item.neighbours)
        object["largest_others"].push_back({{"stack_id", other.stack.value}, {"allocations", other.allocations},
            {"frees", other.frees}, {"live_bytes", other.liveBytes}});
    for (const LeakStack &stack : item.stacks)
        object["stacks"].push_back(stackOf(functions, stack));
    return object;
}

} // namespace

void writeLeaksCsv(std::ostream &out, const Snapshot &snapshot, const LeakReport &report, std::size_t rows)
{
    FunctionIndex functions(snapshot.tables);
    CsvWriter csv(out);
    csv.row("tier", "is_confirmed", "pid", "function", "where", "bytes_per_hour", "bytes_per_hour_low95",
        "bytes_per_hour_high95", "live_bytes", "live_blocks", "buckets", "bucket_s", "born", "survivors", "leak_share",
        "cohorts", "cohorts_with_survivors", "mature_age_s", "late_deaths", "cleared_by_another_window", "growth_t",
        "lost_blocks", "lost_bytes", "lost_twice_bytes", "stack_id", "stack");
    std::size_t written = 0;
    for (const LeakItem &item : report.items)
        for (const LeakStack &stack : item.stacks) {
            if (rows > 0 && written++ == rows)
                return;
            const LeakTest &test = stack.test;
            const double bucket = stack.ages ? stack.ages->bucket.seconds() : 0;
            csv.row(leakTierKey(item.tier), item.isConfirmed ? 1 : 0, pidOf(snapshot, item.image), item.function,
                item.where, stack.bytesPerHour, stack.bytesPerHour95.low, stack.bytesPerHour95.high, stack.liveBytes,
                stack.liveBlocks, test.buckets, bucket, test.born, test.survivors, test.leakShare, test.cohorts,
                test.cohortsWithSurvivors, static_cast<double>(test.matureAge) * bucket, test.lateDeaths,
                test.clearedShare, test.slopeT, stack.lost.blocks, stack.lost.bytes, stack.lostTwice.bytes,
                stack.stack.value, collapsedStack(functions, stack.stack));
        }
}

void writeLeaksJson(std::ostream &out, const Snapshot &snapshot, const LeakReport &report, std::size_t items)
{
    FunctionIndex functions(snapshot.tables);
    Json object = {{"selection", selectionObject(snapshot)},
        {"state", kStates.at(static_cast<std::size_t>(report.state))}, {"sentence", report.sentence},
        {"notes", report.notes}, {"stacks_followed", report.followed}, {"stacks_tested", report.tested},
        {"stacks_not_followed", report.tooMany}, {"stacks_left_out", report.folded},
        {"left_out_below_bytes", report.foldedBelow}, {"expected_false_reports", report.expectedFalse},
        {"buckets", report.buckets}, {"bucket_ns", report.bucket.ns}, {"accusations", report.claims},
        {"accusations_withdrawn", Json::array()}, {"items", Json::array()}};
    for (const LeakClaim &claim : snapshot.leakClaims)
        if (claim.withdrawn)
            object["accusations_withdrawn"].push_back({{"stack_id", claim.stack.value},
                {"pid", pidOf(snapshot, claim.image)}, {"accused_ns", claim.accused.ns},
                {"accused_of_blocks", claim.accusedOf}, {"alive_blocks", claim.alive},
                {"withdrawn_ns", claim.withdrawn->ns}, {"stack", collapsedStack(functions, claim.stack)}});
    const std::size_t count = items == 0 ? report.items.size() : std::min(items, report.items.size());
    for (std::size_t i = 0; i < count; ++i)
        object["items"].push_back(itemOf(snapshot, functions, report.items[i]));
    out << object.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

} // namespace model

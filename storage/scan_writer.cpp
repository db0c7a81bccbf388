// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/scan_writer.h"

namespace storage {

namespace {

constexpr const char *kScanSql
    = "INSERT OR REPLACE INTO scan (id, image, when_ns, proof, limits, confirms, stop_ns, analysis_ns, scanned_bytes,"
      " unreadable_bytes, threads, missed_threads, interrupted_calls, min_age_ns, reachable_blocks, reachable_bytes,"
      " possibly_blocks, possibly_bytes, indirectly_blocks, indirectly_bytes, directly_blocks, directly_bytes,"
      " unjudged_blocks, unjudged_bytes, confirmed_blocks, confirmed_bytes)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

constexpr const char *kStackSql
    = "INSERT OR REPLACE INTO scan_stack (scan, stack, reachable_blocks, reachable_bytes, possibly_blocks,"
      " possibly_bytes, indirectly_blocks, indirectly_bytes, directly_blocks, directly_bytes, unjudged_blocks,"
      " unjudged_bytes, confirmed_blocks, confirmed_bytes, held_blocks, held_bytes, retained_blocks, retained_bytes)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

constexpr std::string_view kThinned = "Of what is not lost only the sums are kept, as there are newer scans";

} // namespace

model::Result<void> thinScans(Database &database)
{
    auto older = database.prepare(
        "SELECT id FROM scan s WHERE (SELECT count(*) FROM scan n WHERE n.image = s.image AND n.id > s.id) >= ?");
    if (!older)
        return older.error();
    std::vector<std::int64_t> scans;
    older->bindAll(kWholeScans);
    for (;;) {
        const auto row = older->step();
        if (!row)
            return row.error();
        if (!*row)
            break;
        scans.push_back(older->integer(0));
    }
    if (scans.empty())
        return {};
    // First it is said, so that nothing goes unsaid; what a recording said already, a copy of it may still have to do.
    Statement say, stacks, paths, steps;
    const auto done = prepareAll(database,
        {{&say,
             "UPDATE scan SET limits = iif(limits = '', '', limits || '. ') || ?1 WHERE id = ?2 AND instr(limits, ?1) "
             "= 0"},
            {&stacks, "DELETE FROM scan_stack WHERE scan = ? AND indirectly_blocks + directly_blocks = 0"},
            {&paths, "DELETE FROM scan_path WHERE scan = ?"}, {&steps, "DELETE FROM scan_step WHERE scan = ?"}});
    if (!done)
        return done.error();
    RowWriter rows;
    for (const std::int64_t scan : scans) {
        rows.row(say, kThinned, scan);
        for (Statement *drop : {&stacks, &paths, &steps})
            rows.row(*drop, scan);
    }
    return rows.take();
}

model::Result<ScanWriter> ScanWriter::prepare(Database &database)
{
    ScanWriter writer;
    const auto done = prepareAll(database,
        {{&writer.m_scan, kScanSql}, {&writer.m_stack, kStackSql},
            {&writer.m_path,
                "INSERT OR REPLACE INTO scan_path (scan, rank, stack, retained_blocks, retained_bytes, root)"
                " VALUES (?, ?, ?, ?, ?, ?)"},
            {&writer.m_step,
                "INSERT OR REPLACE INTO scan_step (scan, rank, position, stack, blocks) VALUES (?, ?, ?, ?, ?)"}});
    if (!done)
        return done.error();
    writer.m_database = &database;
    return writer;
}

void ScanWriter::write(const model::MemoryScan &scan, RowWriter &rows)
{
    const auto &[reachable, possibly, indirectly, directly, unjudged] = scan.sums;
    rows.row(m_scan, scan.id, scan.image, scan.when.ns, static_cast<int>(scan.proof), scan.limits, scan.confirms,
        scan.stopNs, scan.analysisNs, scan.scannedBytes, scan.unreadableBytes, scan.threads, scan.missedThreads,
        scan.interruptedCalls, scan.minAgeNs, reachable.blocks, reachable.bytes, possibly.blocks, possibly.bytes,
        indirectly.blocks, indirectly.bytes, directly.blocks, directly.bytes, unjudged.blocks, unjudged.bytes,
        scan.confirmed.blocks, scan.confirmed.bytes);
    for (const model::ScannedStack &stack : scan.stacks) {
        const auto &[r, p, i, d, u] = stack.sums;
        rows.row(m_stack, scan.id, stack.stack, r.blocks, r.bytes, p.blocks, p.bytes, i.blocks, i.bytes, d.blocks,
            d.bytes, u.blocks, u.bytes, stack.confirmed.blocks, stack.confirmed.bytes, stack.held.blocks,
            stack.held.bytes, stack.retained.blocks, stack.retained.bytes);
    }
    for (std::uint32_t rank = 0; rank < scan.paths.size(); ++rank) {
        const model::HolderPath &path = scan.paths[rank];
        rows.row(m_path, scan.id, rank, path.stack, path.retained.blocks, path.retained.bytes, path.root);
        for (std::uint32_t position = 0; position < path.way.size(); ++position)
            rows.row(m_step, scan.id, rank, position, path.way[position].stack, path.way[position].blocks);
    }
    (void)thinScans(*m_database); // what cannot be done now is tried with the next
}

} // namespace storage

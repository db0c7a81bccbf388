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

constexpr std::string_view kThinned = "of what is not lost only the sums are kept, as there are newer scans";

} // namespace

model::Result<ScanWriter> ScanWriter::prepare(Database &database)
{
    ScanWriter writer;
    const auto done = prepareAll(database,
        {{&writer.m_scan, kScanSql}, {&writer.m_stack, kStackSql},
            {&writer.m_path,
                "INSERT OR REPLACE INTO scan_path (scan, rank, stack, retained_blocks, retained_bytes, root)"
                " VALUES (?, ?, ?, ?, ?, ?)"},
            {&writer.m_step,
                "INSERT OR REPLACE INTO scan_step (scan, rank, position, stack, blocks) VALUES (?, ?, ?, ?, ?)"},
            {&writer.m_oldest,
                "SELECT id FROM scan WHERE image = ? AND id < ? AND instr(limits, ?) = 0 ORDER BY id DESC"
                " LIMIT -1 OFFSET ?"},
            {&writer.m_thin, "DELETE FROM scan_stack WHERE scan = ? AND indirectly_blocks + directly_blocks = 0"},
            {&writer.m_dropPaths, "DELETE FROM scan_path WHERE scan = ?"},
            {&writer.m_dropSteps, "DELETE FROM scan_step WHERE scan = ?"},
            {&writer.m_say, "UPDATE scan SET limits = iif(limits = '', '', limits || '; ') || ? WHERE id = ?"}});
    if (!done)
        return done.error();
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
    thinOlder(scan, rows);
}

void ScanWriter::thinOlder(const model::MemoryScan &newest, RowWriter &rows)
{
    std::vector<std::int64_t> older;
    m_oldest.bindAll(newest.image, newest.id, kThinned, kWholeScans - 1);
    for (auto row = m_oldest.step(); row && *row; row = m_oldest.step()) // what cannot be read is tried again next time
        older.push_back(m_oldest.integer(0));
    m_oldest.reset();
    for (const std::int64_t scan : older) {
        for (Statement *drop : {&m_thin, &m_dropPaths, &m_dropSteps})
            rows.row(*drop, scan);
        rows.row(m_say, kThinned, scan);
    }
}

} // namespace storage

-- SPDX-License-Identifier: GPL-3.0-or-later
-- Scans for lost memory. A released migration is never edited.

-- One look at all pointers of a stopped process. proof 0: all blocks were known; 1: a lower bound, `limits` says why. confirms: the
-- earlier scan that confirmed_* is about; 0: there was none. Classes as in model/memory_scan.h: reachable, possibly, indirectly,
-- directly lost, not judged.
CREATE TABLE scan (
    id INTEGER PRIMARY KEY,
    image INTEGER NOT NULL,
    when_ns INTEGER NOT NULL,
    proof INTEGER NOT NULL,
    limits TEXT NOT NULL,
    confirms INTEGER NOT NULL,
    stop_ns INTEGER NOT NULL,
    analysis_ns INTEGER NOT NULL,
    scanned_bytes INTEGER NOT NULL,
    unreadable_bytes INTEGER NOT NULL,
    threads INTEGER NOT NULL,
    missed_threads INTEGER NOT NULL,
    interrupted_calls INTEGER NOT NULL,
    min_age_ns INTEGER NOT NULL,
    reachable_blocks INTEGER NOT NULL,
    reachable_bytes INTEGER NOT NULL,
    possibly_blocks INTEGER NOT NULL,
    possibly_bytes INTEGER NOT NULL,
    indirectly_blocks INTEGER NOT NULL,
    indirectly_bytes INTEGER NOT NULL,
    directly_blocks INTEGER NOT NULL,
    directly_bytes INTEGER NOT NULL,
    unjudged_blocks INTEGER NOT NULL,
    unjudged_bytes INTEGER NOT NULL,
    confirmed_blocks INTEGER NOT NULL,
    confirmed_bytes INTEGER NOT NULL
);

-- The same of the blocks of one stack. held: behind its directly lost blocks; retained: what only its reachable blocks lead to.
CREATE TABLE scan_stack (
    scan INTEGER NOT NULL,
    stack INTEGER NOT NULL,
    reachable_blocks INTEGER NOT NULL,
    reachable_bytes INTEGER NOT NULL,
    possibly_blocks INTEGER NOT NULL,
    possibly_bytes INTEGER NOT NULL,
    indirectly_blocks INTEGER NOT NULL,
    indirectly_bytes INTEGER NOT NULL,
    directly_blocks INTEGER NOT NULL,
    directly_bytes INTEGER NOT NULL,
    unjudged_blocks INTEGER NOT NULL,
    unjudged_bytes INTEGER NOT NULL,
    confirmed_blocks INTEGER NOT NULL,
    confirmed_bytes INTEGER NOT NULL,
    held_blocks INTEGER NOT NULL,
    held_bytes INTEGER NOT NULL,
    retained_blocks INTEGER NOT NULL,
    retained_bytes INTEGER NOT NULL,
    PRIMARY KEY (scan, stack)
) WITHOUT ROWID;

-- Who holds the blocks that retain most, rank from 0: a root, and the blocks from there on. blocks: so many of that stack in a row.
CREATE TABLE scan_path (
    scan INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    stack INTEGER NOT NULL,
    retained_blocks INTEGER NOT NULL,
    retained_bytes INTEGER NOT NULL,
    root TEXT NOT NULL,
    PRIMARY KEY (scan, rank)
) WITHOUT ROWID;
CREATE TABLE scan_step (
    scan INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    position INTEGER NOT NULL,
    stack INTEGER NOT NULL,
    blocks INTEGER NOT NULL,
    PRIMARY KEY (scan, rank, position)
) WITHOUT ROWID;

CREATE VIEW v_scans AS
SELECT s.id AS scan, p.pid, round(s.when_ns / 1e9, 3) AS time_s,
    CASE s.proof WHEN 0 THEN 'complete' ELSE 'lower bound' END AS proof,
    s.directly_blocks AS definitely_lost_blocks, s.directly_bytes AS definitely_lost_bytes,
    s.indirectly_blocks AS indirectly_lost_blocks, s.indirectly_bytes AS indirectly_lost_bytes,
    s.possibly_blocks, s.possibly_bytes, s.reachable_blocks, s.reachable_bytes,
    nullif(s.confirms, 0) AS confirms, s.confirmed_blocks, s.confirmed_bytes,
    round(s.stop_ns / 1e6, 3) AS stop_ms, s.threads, s.interrupted_calls, s.limits
FROM scan s
LEFT JOIN image i ON i.id = s.image
LEFT JOIN process p ON p.id = i.process
ORDER BY s.id;

CREATE VIEW v_lost AS
SELECT r.scan, f.function, f.file, f.line, r.directly_blocks AS definitely_lost_blocks,
    r.directly_bytes AS definitely_lost_bytes, r.indirectly_blocks AS indirectly_lost_blocks,
    r.indirectly_bytes AS indirectly_lost_bytes, r.confirmed_bytes, r.held_bytes, r.stack
FROM scan_stack r
LEFT JOIN stack s ON s.id = r.stack
LEFT JOIN v_frame f ON f.frame = s.frame
WHERE r.directly_blocks + r.indirectly_blocks > 0
ORDER BY r.scan, r.directly_bytes + r.indirectly_bytes DESC;

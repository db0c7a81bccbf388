-- SPDX-License-Identifier: GPL-3.0-or-later
-- Version 2: memory beside malloc's blocks, sampled heaps, what resident memory consists of, and phases. A released migration is never edited.

-- A span of a thread that the program named; end_ns NULL: it went on. depth: phases of the thread that it lies in.
CREATE TABLE phase (
    id INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    thread INTEGER NOT NULL,
    depth INTEGER NOT NULL,
    name TEXT NOT NULL,
    begin_ns INTEGER NOT NULL,
    end_ns INTEGER
);
CREATE INDEX phase_by_revision ON phase (revision);

-- What the resident memory of a process consisted of at the end of a tick; the parts add up to its RSS.
CREATE TABLE memory_part (
    tick INTEGER NOT NULL,
    process INTEGER NOT NULL,
    heap_bytes INTEGER NOT NULL,
    mapping_bytes INTEGER NOT NULL,
    stack_bytes INTEGER NOT NULL,
    file_bytes INTEGER NOT NULL,
    shared_bytes INTEGER NOT NULL,
    tracer_bytes INTEGER NOT NULL,
    unknown_bytes INTEGER NOT NULL,
    is_measured INTEGER NOT NULL,
    PRIMARY KEY (tick, process)
) WITHOUT ROWID;

-- Areas: memory that is counted apart. kind 0: mappings of the sort `name`; 1: the pool `name`.
CREATE TABLE area_tick (
    tick INTEGER NOT NULL,
    image INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    name INTEGER NOT NULL,
    live_bytes INTEGER NOT NULL,
    live_blocks INTEGER NOT NULL,
    most_live_bytes INTEGER NOT NULL,
    PRIMARY KEY (tick, image, kind, name)
) WITHOUT ROWID;
CREATE TABLE area (
    tick INTEGER NOT NULL,
    image INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    name INTEGER NOT NULL,
    stack INTEGER NOT NULL,
    allocations INTEGER NOT NULL,
    allocated_bytes INTEGER NOT NULL,
    frees INTEGER NOT NULL,
    freed_bytes INTEGER NOT NULL,
    PRIMARY KEY (tick, image, kind, name, stack)
) WITHOUT ROWID;

CREATE VIEW v_areas AS
SELECT CASE a.kind WHEN 0 THEN 'mapping' ELSE 'pool' END AS kind, n.text AS name, p.pid,
    round(sum(a.allocated_bytes - a.freed_bytes) / 1048576.0, 3) AS live_mib,
    sum(a.allocations - a.frees) AS live_blocks,
    (SELECT round(max(t.most_live_bytes) / 1048576.0, 3) FROM area_tick t
        WHERE t.image = a.image AND t.kind = a.kind AND t.name = a.name) AS peak_mib,
    sum(a.allocations) AS allocations,
    round(sum(a.allocated_bytes) / 1048576.0, 3) AS allocated_mib
FROM area a
JOIN image i ON i.id = a.image
JOIN process p ON p.id = i.process
LEFT JOIN string n ON n.id = a.name
WHERE a.tick < 1 << 40
GROUP BY a.image, a.kind, a.name
ORDER BY a.kind, sum(a.allocated_bytes - a.freed_bytes) DESC;

CREATE VIEW v_phases AS
SELECT f.name, f.depth, p.pid, t.tid, n.text AS thread,
    round(f.begin_ns / 1e9, 6) AS begin_s, round(f.end_ns / 1e9, 6) AS end_s,
    round((f.end_ns - f.begin_ns) / 1e6, 3) AS duration_ms
FROM phase f
JOIN thread t ON t.id = f.thread
JOIN process p ON p.id = t.process
LEFT JOIN string n ON n.id = t.name
ORDER BY f.begin_ns, f.id;

CREATE VIEW v_memory_parts AS
SELECT round(t.end_ns / 1e9, 3) AS time_s, p.pid,
    round(m.heap_bytes / 1048576.0, 2) AS heap_mib,
    round(m.mapping_bytes / 1048576.0, 2) AS mapping_mib,
    round(m.stack_bytes / 1048576.0, 2) AS stack_mib,
    round(m.file_bytes / 1048576.0, 2) AS file_mib,
    round(m.shared_bytes / 1048576.0, 2) AS shared_mib,
    round(m.tracer_bytes / 1048576.0, 2) AS tracer_mib,
    round(m.unknown_bytes / 1048576.0, 2) AS unknown_mib,
    m.is_measured
FROM memory_part m
JOIN tick t ON t.id = m.tick
LEFT JOIN process p ON p.id = m.process
WHERE t.level = 0
ORDER BY m.tick, m.process;

-- Sampled heaps: a row for each row of heap whose period_bytes is above 1: how many samples it rests on, and the variances of
-- what it says, which add up over rows as the counts do. Variance of live bytes = sum of (allocated_variance − freed_variance).
CREATE TABLE heap_sampling (
    tick INTEGER NOT NULL,
    image INTEGER NOT NULL,
    stack INTEGER NOT NULL,
    period_bytes INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    allocation_variance REAL NOT NULL,
    allocated_variance REAL NOT NULL,
    free_variance REAL NOT NULL,
    freed_variance REAL NOT NULL,
    PRIMARY KEY (tick, image, stack, period_bytes)
) WITHOUT ROWID;

-- Samples that short threads had no time for are a loss of their own.
DROP VIEW v_losses;
CREATE VIEW v_losses AS
SELECT
    CASE kind WHEN 0 THEN 'events_dropped' WHEN 1 THEN 'samples_lost' WHEN 2 THEN 'samples_throttled'
        WHEN 3 THEN 'stacks_truncated' WHEN 4 THEN 'stacks_no_unwind_info' WHEN 5 THEN 'stacks_bad_rule'
        WHEN 6 THEN 'stacks_unreadable' WHEN 7 THEN 'stack_table_full' WHEN 8 THEN 'unknown_frees'
        WHEN 9 THEN 'metrics_unreadable' WHEN 10 THEN 'heap_not_traced' WHEN 11 THEN 'bad_records'
        WHEN 12 THEN 'ticks_delayed' WHEN 13 THEN 'processes_missed'
        WHEN 14 THEN 'samples_missed' ELSE 'kind ' || kind END AS loss,
    l.image, sum(l.count) AS count, l.detail,
    round(min(t.begin_ns) / 1e9, 3) AS first_s, round(max(t.end_ns) / 1e9, 3) AS last_s
FROM loss l JOIN tick t ON t.id = l.tick
WHERE t.level = 0
GROUP BY l.kind, l.image, l.detail
ORDER BY l.kind;

-- A heap may be traced from an attach on.
DROP VIEW v_process;
CREATE VIEW v_process AS
SELECT i.id AS image, p.pid, i.epoch, x.text AS executable, c.text AS command_line,
    round(i.start_ns / 1e9, 3) AS start_s, round(i.end_ns / 1e9, 3) AS end_s, p.wait_status,
    CASE i.heap_state WHEN 0 THEN 'off' WHEN 1 THEN 'waiting' WHEN 2 THEN 'full' WHEN 3 THEN 'dormant'
        WHEN 4 THEN 'not traced' WHEN 5 THEN 'inherited' ELSE 'attached' END AS heap,
    n.text AS heap_note
FROM image i
JOIN process p ON p.id = i.process
LEFT JOIN string x ON x.id = i.executable
LEFT JOIN string c ON c.id = i.command_line
LEFT JOIN string n ON n.id = i.heap_note
ORDER BY i.id;

-- SPDX-License-Identifier: GPL-3.0-or-later
-- Memory beside malloc's blocks, what resident memory consists of, and phases. A released migration is never edited.

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

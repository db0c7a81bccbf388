-- SPDX-License-Identifier: GPL-3.0-or-later
-- Version 1 of the session format. storage/README.md explains tables, views and units. A released migration is never edited.
-- The order matters: a finished file stores tables in this order, so one that is cut off loses the last ones first.

-- What is said once about the recording.
CREATE TABLE session (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE argument (position INTEGER PRIMARY KEY, value TEXT NOT NULL);

-- Buckets of time. id = level × 2^40 + count from 1; levels: 0 as recorded, 1: 10 s, 2: 1 min, 3: 10 min.
CREATE TABLE tick (
    id INTEGER PRIMARY KEY,
    level INTEGER NOT NULL,
    begin_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    recorder_cpu_ns INTEGER NOT NULL,
    recorder_rss_bytes INTEGER NOT NULL
);
CREATE INDEX tick_by_time ON tick (level, begin_ns);

-- What ids refer to; ids are dense and start at 0. revision: the transaction that last wrote the row.
CREATE TABLE string (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE module (id INTEGER PRIMARY KEY, path INTEGER NOT NULL, build_id INTEGER NOT NULL, kind INTEGER NOT NULL);
CREATE TABLE process (
    id INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    parent INTEGER,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER,
    wait_status INTEGER
);
CREATE INDEX process_by_revision ON process (revision);
CREATE TABLE image (
    id INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    process INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    executable INTEGER NOT NULL,
    command_line INTEGER NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER,
    heap_state INTEGER NOT NULL,
    heap_note INTEGER NOT NULL
);
CREATE INDEX image_by_revision ON image (revision);
CREATE TABLE thread (
    id INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    process INTEGER NOT NULL,
    tid INTEGER NOT NULL,
    name INTEGER NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER
);
CREATE INDEX thread_by_revision ON thread (revision);
CREATE TABLE frame (id INTEGER PRIMARY KEY, module INTEGER NOT NULL, address INTEGER NOT NULL, kind INTEGER NOT NULL);
CREATE TABLE stack (id INTEGER PRIMARY KEY, parent INTEGER, frame INTEGER);
CREATE TABLE line (id INTEGER PRIMARY KEY, function INTEGER NOT NULL, file INTEGER NOT NULL, line INTEGER NOT NULL);
CREATE TABLE symbol (
    frame INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    state INTEGER NOT NULL,
    first_line INTEGER NOT NULL,
    line_count INTEGER NOT NULL
);
CREATE INDEX symbol_by_revision ON symbol (revision);

CREATE TABLE mark (id INTEGER PRIMARY KEY, when_ns INTEGER NOT NULL, kind INTEGER NOT NULL, text TEXT NOT NULL);
CREATE TABLE gap (id INTEGER PRIMARY KEY, begin_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, kind INTEGER NOT NULL);
CREATE TABLE loss (
    id INTEGER PRIMARY KEY,
    tick INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    image INTEGER,
    count INTEGER NOT NULL,
    detail TEXT NOT NULL
);

-- Metrics of a process at the end of a tick; NULL: could not be read. Columns are the keys of model/metrics.h.
CREATE TABLE metric (
    tick INTEGER NOT NULL,
    process INTEGER NOT NULL,
    rss_bytes INTEGER,
    pss_bytes INTEGER,
    anonymous_bytes INTEGER,
    file_bytes INTEGER,
    shared_bytes INTEGER,
    swap_bytes INTEGER,
    virtual_bytes INTEGER,
    cpu_user_millipercent INTEGER,
    cpu_system_millipercent INTEGER,
    threads_count INTEGER,
    open_files_count INTEGER,
    voluntary_switches_per_second INTEGER,
    involuntary_switches_per_second INTEGER,
    minor_faults_per_second INTEGER,
    major_faults_per_second INTEGER,
    read_bytes_per_second INTEGER,
    written_bytes_per_second INTEGER,
    memory_limit_bytes INTEGER,
    cgroup_memory_bytes INTEGER,
    memory_pressure_millipercent INTEGER,
    system_available_bytes INTEGER,
    PRIMARY KEY (tick, process)
) WITHOUT ROWID;

-- The heap of an image over a tick.
CREATE TABLE heap_tick (
    tick INTEGER NOT NULL,
    image INTEGER NOT NULL,
    live_bytes INTEGER NOT NULL,
    live_blocks INTEGER NOT NULL,
    least_live_bytes INTEGER NOT NULL,
    most_live_bytes INTEGER NOT NULL,
    allocations INTEGER NOT NULL,
    allocated_bytes INTEGER NOT NULL,
    frees INTEGER NOT NULL,
    freed_bytes INTEGER NOT NULL,
    temporaries INTEGER NOT NULL,
    unknown_frees INTEGER NOT NULL,
    PRIMARY KEY (tick, image)
) WITHOUT ROWID;
CREATE TABLE heap_size (
    tick INTEGER NOT NULL,
    image INTEGER NOT NULL,
    bin INTEGER NOT NULL,
    allocations INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (tick, image, bin)
) WITHOUT ROWID;
CREATE TABLE heap_lifetime (
    tick INTEGER NOT NULL,
    image INTEGER NOT NULL,
    bin INTEGER NOT NULL,
    frees INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (tick, image, bin)
) WITHOUT ROWID;

-- The highest moment of each image's heap, and what it consisted of.
CREATE TABLE heap_peak (
    image INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    when_ns INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    blocks INTEGER NOT NULL
);
CREATE TABLE heap_peak_stack (
    image INTEGER NOT NULL,
    stack INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    blocks INTEGER NOT NULL,
    PRIMARY KEY (image, stack)
) WITHOUT ROWID;

-- Costs: what changed in a tick at one stack.
CREATE TABLE heap (
    tick INTEGER NOT NULL,
    image INTEGER NOT NULL,
    stack INTEGER NOT NULL,
    period_bytes INTEGER NOT NULL,
    allocations INTEGER NOT NULL,
    allocated_bytes INTEGER NOT NULL,
    frees INTEGER NOT NULL,
    freed_bytes INTEGER NOT NULL,
    temporaries INTEGER NOT NULL,
    temporary_bytes INTEGER NOT NULL,
    PRIMARY KEY (tick, image, stack, period_bytes)
) WITHOUT ROWID;
CREATE TABLE cpu (
    tick INTEGER NOT NULL,
    thread INTEGER NOT NULL,
    image INTEGER NOT NULL,
    stack INTEGER NOT NULL,
    period_ns INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    PRIMARY KEY (tick, thread, image, stack, period_ns)
) WITHOUT ROWID;

-- For the sqlite3 shell.

CREATE VIEW v_session AS
SELECT
    (SELECT group_concat(value, ' ') FROM (SELECT value FROM argument ORDER BY position)) AS command,
    (SELECT pid FROM process WHERE id = 0) AS pid,
    datetime((SELECT value FROM session WHERE key = 'start_wall_ns') / 1000000000, 'unixepoch') AS started_utc,
    round((SELECT value FROM session WHERE key = 'duration_ns') / 1e9, 3) AS duration_s,
    (SELECT CASE value WHEN 0 THEN 'recording' WHEN 1 THEN 'paused' WHEN 2 THEN 'stopping' ELSE 'complete' END
        FROM session WHERE key = 'state') AS state,
    (SELECT value FROM session WHERE key = 'end_reason') AS ended,
    (SELECT value FROM session WHERE key = 'host') AS host,
    (SELECT count(*) FROM tick WHERE level = 0) AS ticks,
    (SELECT count(*) FROM process) AS processes,
    (SELECT sum(allocations) FROM heap_tick WHERE tick < 1 << 40) AS allocations,
    round((SELECT sum(bytes) FROM heap_peak) / 1048576.0, 3) AS heap_peak_mib,
    (SELECT sum(samples) FROM cpu WHERE tick < 1 << 40) AS cpu_samples,
    (SELECT sum(count) FROM loss WHERE tick < 1 << 40) AS lost;

CREATE VIEW v_process AS
SELECT i.id AS image, p.pid, i.epoch, x.text AS executable, c.text AS command_line,
    round(i.start_ns / 1e9, 3) AS start_s, round(i.end_ns / 1e9, 3) AS end_s, p.wait_status,
    CASE i.heap_state WHEN 0 THEN 'off' WHEN 1 THEN 'waiting' WHEN 2 THEN 'full' WHEN 3 THEN 'dormant'
        WHEN 4 THEN 'not traced' ELSE 'inherited' END AS heap,
    n.text AS heap_note
FROM image i
JOIN process p ON p.id = i.process
LEFT JOIN string x ON x.id = i.executable
LEFT JOIN string c ON c.id = i.command_line
LEFT JOIN string n ON n.id = i.heap_note
ORDER BY i.id;

CREATE VIEW v_metrics AS
SELECT
    round(t.end_ns / 1e9, 3) AS time_s, p.pid,
    round(m.rss_bytes / 1048576.0, 2) AS rss_mib,
    round(m.pss_bytes / 1048576.0, 2) AS pss_mib,
    round(m.anonymous_bytes / 1048576.0, 2) AS anonymous_mib,
    round(m.file_bytes / 1048576.0, 2) AS file_mib,
    round(m.shared_bytes / 1048576.0, 2) AS shared_mib,
    round(m.swap_bytes / 1048576.0, 2) AS swap_mib,
    round(m.virtual_bytes / 1048576.0, 2) AS virtual_mib,
    round(m.cpu_user_millipercent / 1000.0, 1) AS cpu_user_percent,
    round(m.cpu_system_millipercent / 1000.0, 1) AS cpu_system_percent,
    m.threads_count AS threads, m.open_files_count AS open_files,
    m.voluntary_switches_per_second, m.involuntary_switches_per_second,
    m.minor_faults_per_second, m.major_faults_per_second,
    round(m.read_bytes_per_second / 1048576.0, 2) AS read_mib_per_second,
    round(m.written_bytes_per_second / 1048576.0, 2) AS written_mib_per_second,
    round(m.memory_limit_bytes / 1048576.0, 2) AS memory_limit_mib,
    round(m.cgroup_memory_bytes / 1048576.0, 2) AS cgroup_memory_mib,
    round(m.memory_pressure_millipercent / 1000.0, 3) AS memory_pressure_percent,
    round(m.system_available_bytes / 1048576.0, 2) AS system_available_mib
FROM metric m
JOIN tick t ON t.id = m.tick
LEFT JOIN process p ON p.id = m.process
WHERE t.level = 0
ORDER BY m.tick, m.process;

-- A frame in words: the real function, or module+address where it has no name.
CREATE VIEW v_frame AS
SELECT f.id AS frame,
    coalesce(n.text, '[' || m.text || '+0x' || printf('%x', f.address) || ']') AS function,
    src.text AS file, l.line AS line, m.text AS module, s.line_count AS lines
FROM frame f
LEFT JOIN module o ON o.id = f.module
LEFT JOIN string m ON m.id = o.path
LEFT JOIN symbol s ON s.frame = f.id AND s.line_count > 0
LEFT JOIN line l ON l.id = s.first_line + s.line_count - 1
LEFT JOIN string n ON n.id = l.function
LEFT JOIN string src ON src.id = l.file;

-- Costs of functions: self where the function is the last frame, total where it is anywhere in the stack (once a stack).
CREATE VIEW v_heap_by_function AS
WITH RECURSIVE
cost AS (
    SELECT stack, sum(allocations) AS allocations, sum(allocated_bytes) AS allocated,
        sum(allocated_bytes) - sum(freed_bytes) AS live, sum(allocations) - sum(frees) AS blocks,
        sum(temporaries) AS temporaries
    FROM heap WHERE tick < 1 << 40 GROUP BY stack),
up (origin, node) AS (
    SELECT stack, stack FROM cost
    UNION ALL
    SELECT up.origin, s.parent FROM up JOIN stack s ON s.id = up.node WHERE s.parent IS NOT NULL),
named AS (
    SELECT origin, f.function AS function, f.module AS module, max(origin = node) AS is_self
    FROM up JOIN stack s ON s.id = up.node JOIN v_frame f ON f.frame = s.frame
    GROUP BY origin, f.function, f.module)
SELECT n.function, n.module,
    round(sum(c.live) / 1048576.0, 3) AS live_mib,
    sum(c.blocks) AS live_blocks,
    round(sum(c.live * n.is_self) / 1048576.0, 3) AS self_live_mib,
    round(sum(c.allocated) / 1048576.0, 3) AS allocated_mib,
    sum(c.allocations) AS allocations,
    sum(c.allocations * n.is_self) AS self_allocations,
    sum(c.temporaries) AS temporaries
FROM named n JOIN cost c ON c.stack = n.origin
GROUP BY n.function, n.module
ORDER BY sum(c.live) DESC, sum(c.allocated) DESC;

CREATE VIEW v_cpu_by_function AS
WITH RECURSIVE
cost AS (
    SELECT stack, sum(samples) AS samples, sum(samples * period_ns) AS time_ns
    FROM cpu WHERE tick < 1 << 40 GROUP BY stack),
whole AS (SELECT sum(time_ns) AS time_ns FROM cost),
up (origin, node) AS (
    SELECT stack, stack FROM cost
    UNION ALL
    SELECT up.origin, s.parent FROM up JOIN stack s ON s.id = up.node WHERE s.parent IS NOT NULL),
named AS (
    SELECT origin, f.function AS function, f.module AS module, max(origin = node) AS is_self
    FROM up JOIN stack s ON s.id = up.node JOIN v_frame f ON f.frame = s.frame
    GROUP BY origin, f.function, f.module)
SELECT n.function, n.module,
    round(100.0 * sum(c.time_ns * n.is_self) / max(whole.time_ns, 1), 2) AS self_percent,
    round(100.0 * sum(c.time_ns) / max(whole.time_ns, 1), 2) AS total_percent,
    round(sum(c.time_ns * n.is_self) / 1e9, 3) AS self_s,
    round(sum(c.time_ns) / 1e9, 3) AS total_s,
    sum(c.samples) AS samples
FROM named n JOIN cost c ON c.stack = n.origin, whole
GROUP BY n.function, n.module
ORDER BY sum(c.time_ns * n.is_self) DESC, sum(c.time_ns) DESC;

CREATE VIEW v_losses AS
SELECT
    CASE kind WHEN 0 THEN 'events_dropped' WHEN 1 THEN 'samples_lost' WHEN 2 THEN 'samples_throttled'
        WHEN 3 THEN 'stacks_truncated' WHEN 4 THEN 'stacks_no_unwind_info' WHEN 5 THEN 'stacks_bad_rule'
        WHEN 6 THEN 'stacks_unreadable' WHEN 7 THEN 'stack_table_full' WHEN 8 THEN 'unknown_frees'
        WHEN 9 THEN 'metrics_unreadable' WHEN 10 THEN 'heap_not_traced' WHEN 11 THEN 'bad_records'
        WHEN 12 THEN 'ticks_delayed' WHEN 13 THEN 'processes_missed' ELSE 'kind ' || kind END AS loss,
    l.image, sum(l.count) AS count, l.detail,
    round(min(t.begin_ns) / 1e9, 3) AS first_s, round(max(t.end_ns) / 1e9, 3) AS last_s
FROM loss l JOIN tick t ON t.id = l.tick
WHERE t.level = 0
GROUP BY l.kind, l.image, l.detail
ORDER BY l.kind;

CREATE VIEW v_timeline AS
SELECT round(t.begin_ns / 1e9, 3) AS begin_s, round(t.end_ns / 1e9, 3) AS end_s,
    (SELECT round(sum(rss_bytes) / 1048576.0, 2) FROM metric WHERE tick = t.id) AS rss_mib,
    (SELECT round(sum(live_bytes) / 1048576.0, 2) FROM heap_tick WHERE tick = t.id) AS heap_live_mib,
    (SELECT sum(allocations) FROM heap_tick WHERE tick = t.id) AS allocations,
    (SELECT round(sum(samples * period_ns) / 1e9, 3) FROM cpu WHERE tick = t.id) AS cpu_s,
    (SELECT group_concat(text, '; ') FROM mark WHERE when_ns >= t.begin_ns AND when_ns < t.end_ns) AS marks
FROM tick t
WHERE t.level = 0
ORDER BY t.id;

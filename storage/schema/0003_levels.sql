-- SPDX-License-Identifier: GPL-3.0-or-later
-- Version 3: levels of 10 s, 1 min and 10 min beside the ticks, from which older costs are read. A released migration is never edited.

-- How long each level is kept, and from which moment on it is there. keep_ns NULL: for ever. Together the parts
-- [kept_from_ns of a level, kept_from_ns of the next finer one) cover the recording once: see v_bucket.
CREATE TABLE level (
    level INTEGER PRIMARY KEY,
    bucket_ns INTEGER NOT NULL,
    keep_ns INTEGER,
    usual_keep_ns INTEGER,
    kept_from_ns INTEGER NOT NULL
);
INSERT INTO level (level, bucket_ns, keep_ns, usual_keep_ns, kept_from_ns) VALUES
    (0, 0, 3600000000000, 3600000000000, 0),
    (1, 10000000000, 28800000000000, 28800000000000, 0),
    (2, 60000000000, 86400000000000, 86400000000000, 0),
    (3, 600000000000, NULL, NULL, 0);

-- CPU samples of a thread in a bucket, all stacks together.
CREATE TABLE cpu_tick (
    tick INTEGER NOT NULL,
    thread INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    time_ns INTEGER NOT NULL,
    PRIMARY KEY (tick, thread)
) WITHOUT ROWID;
INSERT INTO cpu_tick (tick, thread, samples, time_ns)
SELECT tick, thread, sum(samples), sum(samples * period_ns) FROM cpu GROUP BY tick, thread;

-- The costs of a bucket of level 1 to 3 by stack, packed; kind 0 heap, 1 heap_sampling, 2 cpu, 3 area. storage/README.md has the format.
CREATE TABLE packed_cost (
    kind INTEGER NOT NULL,
    tick INTEGER NOT NULL,
    part INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (kind, tick, part)
) WITHOUT ROWID;

-- The same from the begin of the recording to the end of a bucket of level 3, for some of these buckets.
CREATE TABLE packed_total (
    kind INTEGER NOT NULL,
    tick INTEGER NOT NULL,
    part INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (kind, tick, part)
) WITHOUT ROWID;

-- The finest buckets that there are, which cover the recording once.
CREATE VIEW v_bucket AS
SELECT t.id, t.level, round(t.begin_ns / 1e9, 3) AS begin_s, round(t.end_ns / 1e9, 3) AS end_s, t.begin_ns, t.end_ns
FROM tick t
JOIN level l ON l.level = t.level
LEFT JOIN level f ON f.level = t.level - 1
WHERE t.begin_ns >= l.kept_from_ns AND (f.level IS NULL OR t.begin_ns < f.kept_from_ns)
ORDER BY t.begin_ns, t.id;

CREATE VIEW v_level AS
SELECT level, CASE level WHEN 0 THEN 'as recorded' WHEN 1 THEN '10 s' WHEN 2 THEN '1 min' ELSE '10 min' END AS step,
    round(kept_from_ns / 1e9, 3) AS kept_from_s, round(keep_ns / 3.6e12, 3) AS kept_for_h,
    round(usual_keep_ns / 3.6e12, 3) AS usually_kept_for_h
FROM level
ORDER BY level;

-- These showed ticks alone. Of ticks that are gone the sums stand in the rows of tick 0, their losses in those of the buckets.
DROP VIEW v_session;
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
    (SELECT max(id) FROM tick WHERE level = 0) AS ticks,
    (SELECT count(*) FROM process) AS processes,
    (SELECT sum(allocations) FROM heap_tick WHERE tick < 1 << 40) AS allocations,
    round((SELECT sum(bytes) FROM heap_peak) / 1048576.0, 3) AS heap_peak_mib,
    (SELECT sum(samples) FROM cpu WHERE tick < 1 << 40) AS cpu_samples,
    (SELECT sum(count) FROM loss) AS lost;

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
GROUP BY l.kind, l.image, l.detail
ORDER BY l.kind;

DROP VIEW v_timeline;
CREATE VIEW v_timeline AS
SELECT t.begin_s, t.end_s,
    (SELECT round(sum(rss_bytes) / 1048576.0, 2) FROM metric WHERE tick = t.id) AS rss_mib,
    (SELECT round(sum(live_bytes) / 1048576.0, 2) FROM heap_tick WHERE tick = t.id) AS heap_live_mib,
    (SELECT sum(allocations) FROM heap_tick WHERE tick = t.id) AS allocations,
    (SELECT round(sum(time_ns) / 1e9, 3) FROM cpu_tick WHERE tick = t.id) AS cpu_s,
    (SELECT group_concat(text, '; ') FROM mark WHERE when_ns >= t.begin_ns AND when_ns < t.end_ns) AS marks
FROM v_bucket t;

DROP VIEW v_metrics;
CREATE VIEW v_metrics AS
SELECT
    t.end_s AS time_s, p.pid,
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
FROM v_bucket t
JOIN metric m ON m.tick = t.id
LEFT JOIN process p ON p.id = m.process
ORDER BY t.begin_ns, t.id, m.process;

DROP VIEW v_memory_parts;
CREATE VIEW v_memory_parts AS
SELECT t.end_s AS time_s, p.pid,
    round(m.heap_bytes / 1048576.0, 2) AS heap_mib,
    round(m.mapping_bytes / 1048576.0, 2) AS mapping_mib,
    round(m.stack_bytes / 1048576.0, 2) AS stack_mib,
    round(m.file_bytes / 1048576.0, 2) AS file_mib,
    round(m.shared_bytes / 1048576.0, 2) AS shared_mib,
    round(m.tracer_bytes / 1048576.0, 2) AS tracer_mib,
    round(m.unknown_bytes / 1048576.0, 2) AS unknown_mib,
    m.is_measured
FROM v_bucket t
JOIN memory_part m ON m.tick = t.id
LEFT JOIN process p ON p.id = m.process
ORDER BY t.begin_ns, t.id, m.process;

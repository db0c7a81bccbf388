-- SPDX-License-Identifier: GPL-3.0-or-later
-- Version 13: what threads did in the kernel, and what they waited for. A released migration is never edited.

-- What a thread did in a tick at a stack, whose leaf names it. activity: the number of a system call (of x86-64), or 65536 + the class of a wait:
-- 0 lock, 1 I/O, 2 memory, 3 other, 4 condition, 5 events, 6 sleep, 7 child process, 8 processor. count: begun in the tick; time_ns: that passed in
-- them within it; own_stacks: of count, those whose own stack was copied; estimated: of count, those that were not recorded one by one.
CREATE TABLE activity (
    tick INTEGER NOT NULL,
    thread INTEGER NOT NULL,
    image INTEGER NOT NULL,
    activity INTEGER NOT NULL,
    stack INTEGER NOT NULL,
    count INTEGER NOT NULL,
    time_ns INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    own_stacks INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    PRIMARY KEY (tick, thread, image, activity, stack)
) WITHOUT ROWID;

-- How often each read and wrote by a system call; where these are not recorded one by one, it is what there is.
ALTER TABLE metric ADD COLUMN read_calls_per_second INTEGER;
ALTER TABLE metric ADD COLUMN write_calls_per_second INTEGER;

CREATE VIEW v_system_calls AS
SELECT coalesce(f.function, 'call ' || a.activity) AS call, a.calls, round(a.time_ns / 1e9, 6) AS time_s, a.errors, a.bytes,
    round(1.0 * a.bytes / max(a.calls, 1), 1) AS bytes_per_call, a.own_stacks, a.estimated
FROM (SELECT activity, sum(count) AS calls, sum(time_ns) AS time_ns, sum(errors) AS errors, sum(bytes) AS bytes,
        sum(own_stacks) AS own_stacks, sum(estimated) AS estimated, min(stack) AS stack
    FROM activity WHERE tick < 1 << 40 AND activity < 65536 GROUP BY activity) a
LEFT JOIN stack s ON s.id = a.stack
LEFT JOIN v_frame f ON f.frame = s.frame
ORDER BY a.calls DESC, a.activity;

CREATE VIEW v_waits AS
SELECT p.pid, t.tid, n.text AS thread,
    CASE a.activity - 65536 WHEN 0 THEN 'lock' WHEN 1 THEN 'I/O' WHEN 2 THEN 'memory' WHEN 3 THEN 'other'
        WHEN 4 THEN 'condition' WHEN 5 THEN 'events' WHEN 6 THEN 'sleep' WHEN 7 THEN 'child process'
        WHEN 8 THEN 'processor' ELSE 'class ' || (a.activity - 65536) END AS waits_for,
    a.waits, round(a.time_ns / 1e9, 6) AS time_s
FROM (SELECT thread, activity, sum(count) AS waits, sum(time_ns) AS time_ns
    FROM activity WHERE tick < 1 << 40 AND activity >= 65536 GROUP BY thread, activity) a
LEFT JOIN thread t ON t.id = a.thread
LEFT JOIN process p ON p.id = t.process
LEFT JOIN string n ON n.id = t.name
ORDER BY a.time_ns DESC, a.thread, a.activity;

-- Two more causes.
DROP VIEW v_losses;
CREATE VIEW v_losses AS
SELECT
    CASE kind WHEN 0 THEN 'events_dropped' WHEN 1 THEN 'samples_lost' WHEN 2 THEN 'samples_throttled'
        WHEN 3 THEN 'stacks_truncated' WHEN 4 THEN 'stacks_no_unwind_info' WHEN 5 THEN 'stacks_bad_rule'
        WHEN 6 THEN 'stacks_unreadable' WHEN 7 THEN 'stack_table_full' WHEN 8 THEN 'unknown_frees'
        WHEN 9 THEN 'metrics_unreadable' WHEN 10 THEN 'heap_not_traced' WHEN 11 THEN 'bad_records'
        WHEN 12 THEN 'ticks_delayed' WHEN 13 THEN 'processes_missed'
        WHEN 14 THEN 'samples_missed' WHEN 15 THEN 'calls_estimated' WHEN 16 THEN 'activity_lost'
        ELSE 'kind ' || kind END AS loss,
    l.image, sum(l.count) AS count, l.detail,
    round(min(t.begin_ns) / 1e9, 3) AS first_s, round(max(t.end_ns) / 1e9, 3) AS last_s
FROM loss l JOIN tick t ON t.id = l.tick
GROUP BY l.kind, l.image, l.detail
ORDER BY l.kind;

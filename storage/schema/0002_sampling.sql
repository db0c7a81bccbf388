-- SPDX-License-Identifier: GPL-3.0-or-later
-- Version 2: sampled heaps. A row for each row of heap whose period_bytes is above 1: how many samples it rests on, and the variances of
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

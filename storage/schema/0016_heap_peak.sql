-- SPDX-License-Identifier: GPL-3.0-or-later
-- Version 16: the heap's peak counts what lived at the same time. A released migration is never edited.

-- heap_peak_mib added up what each image had at its own peak, also of programs that ran one after the other. Now it is the most that images which
-- lived together had in a step of v_bucket, added up from their begins and ends. Of one image it is the
-- exact peak; of several that changed within the same step it is a bound from above, as their own most may be of other moments.
-- An image counts in each of its rows, as two clocks may put the last one behind its end.
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
    round((SELECT max(bytes) FROM (
        SELECT sum(change) OVER (PARTITION BY tick ORDER BY when_ns, is_begin ROWS UNBOUNDED PRECEDING) AS bytes
        FROM (
            SELECT t.id AS tick, max(i.start_ns, t.begin_ns) AS when_ns, 1 AS is_begin, h.most_live_bytes AS change
            FROM v_bucket t JOIN heap_tick h ON h.tick = t.id JOIN image i ON i.id = h.image
            UNION ALL
            SELECT t.id, max(i.end_ns, i.start_ns + 1, t.begin_ns + 1), 0, -h.most_live_bytes
            FROM v_bucket t JOIN heap_tick h ON h.tick = t.id JOIN image i ON i.id = h.image
            WHERE i.end_ns IS NOT NULL))) / 1048576.0, 3) AS heap_peak_mib,
    (SELECT sum(samples) FROM cpu WHERE tick < 1 << 40) AS cpu_samples,
    (SELECT sum(count) FROM loss) AS lost;

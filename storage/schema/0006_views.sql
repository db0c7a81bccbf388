-- SPDX-License-Identifier: GPL-3.0-or-later
-- More views for the sqlite3 shell and for `genprof sql`; no table changes. A released migration is never edited.

CREATE VIEW v_threads AS
SELECT p.pid, t.tid, n.text AS name,
    round(t.start_ns / 1e9, 3) AS start_s, round(t.end_ns / 1e9, 3) AS end_s,
    coalesce(c.samples, 0) AS cpu_samples,
    round(coalesce(c.time_ns, 0) / 1e9, 3) AS cpu_s,
    round(100.0 * coalesce(c.time_ns, 0) / max((SELECT sum(samples * period_ns) FROM cpu WHERE tick < 1 << 40), 1), 2)
        AS cpu_percent
FROM thread t
JOIN process p ON p.id = t.process
LEFT JOIN string n ON n.id = t.name
LEFT JOIN (SELECT thread, sum(samples) AS samples, sum(samples * period_ns) AS time_ns
    FROM cpu WHERE tick < 1 << 40 GROUP BY thread) c ON c.thread = t.id
ORDER BY coalesce(c.time_ns, 0) DESC, t.id;

-- What happened when: named moments, and spans that were not recorded.
CREATE VIEW v_events AS
SELECT round(when_ns / 1e9, 3) AS time_s,
    CASE kind WHEN 0 THEN 'mark' WHEN 1 THEN 'process' WHEN 2 THEN 'alert' ELSE 'program' END AS kind,
    text, NULL AS duration_s
FROM mark
UNION ALL
SELECT round(begin_ns / 1e9, 3),
    CASE kind WHEN 0 THEN 'paused' WHEN 1 THEN 'target stopped' ELSE 'recorder stopped' END,
    '', round((end_ns - begin_ns) / 1e9, 3)
FROM gap
ORDER BY 1, 2;

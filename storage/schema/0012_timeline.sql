-- SPDX-License-Identifier: GPL-3.0-or-later
-- A bucket has rows of all processes and images that lived at any time in it: only those that still live at its end have memory then, as
-- at the end of a tick. A released migration is never edited.
DROP VIEW v_timeline;
CREATE VIEW v_timeline AS
SELECT t.begin_s, t.end_s,
    (SELECT round(sum(m.rss_bytes) / 1048576.0, 2) FROM metric m LEFT JOIN process p ON p.id = m.process
        WHERE m.tick = t.id AND (t.level = 0 OR p.end_ns IS NULL OR p.end_ns >= t.end_ns)) AS rss_mib,
    (SELECT round(sum(h.live_bytes) / 1048576.0, 2) FROM heap_tick h LEFT JOIN image i ON i.id = h.image
        WHERE h.tick = t.id AND (t.level = 0 OR i.end_ns IS NULL OR i.end_ns >= t.end_ns)) AS heap_live_mib,
    (SELECT sum(allocations) FROM heap_tick WHERE tick = t.id) AS allocations,
    (SELECT round(sum(time_ns) / 1e9, 3) FROM cpu_tick WHERE tick = t.id) AS cpu_s,
    (SELECT group_concat(text, '; ') FROM mark WHERE when_ns >= t.begin_ns AND when_ns < t.end_ns) AS marks
FROM v_bucket t;

-- SPDX-License-Identifier: GPL-3.0-or-later
-- Version 15: memory between ticks, and of programs that end within one. A released migration is never edited.

-- The most that a process had resident within the tick, as far as the kernel says: VmHWM where that rose, else what was read.
ALTER TABLE metric ADD COLUMN rss_peak_bytes INTEGER;

-- A tick, too, has rows of what ended in it: its memory is that of what lives at its end; where nothing does, what one process or image had.
DROP VIEW v_timeline;
CREATE VIEW v_timeline AS
SELECT t.begin_s, t.end_s,
    (SELECT round(coalesce(sum(m.rss_bytes) FILTER (WHERE p.end_ns IS NULL OR p.end_ns >= t.end_ns),
            max(m.rss_bytes) FILTER (WHERE t.level = 0)) / 1048576.0, 2)
        FROM metric m LEFT JOIN process p ON p.id = m.process WHERE m.tick = t.id) AS rss_mib,
    (SELECT round(coalesce(sum(h.live_bytes) FILTER (WHERE i.end_ns IS NULL OR i.end_ns >= t.end_ns),
            max(h.live_bytes) FILTER (WHERE t.level = 0)) / 1048576.0, 2)
        FROM heap_tick h LEFT JOIN image i ON i.id = h.image WHERE h.tick = t.id) AS heap_live_mib,
    (SELECT sum(allocations) FROM heap_tick WHERE tick = t.id) AS allocations,
    (SELECT round(sum(time_ns) / 1e9, 3) FROM cpu_tick WHERE tick = t.id) AS cpu_s,
    (SELECT group_concat(text, '; ') FROM mark WHERE when_ns >= t.begin_ns AND when_ns < t.end_ns) AS marks
FROM v_bucket t;

-- SPDX-License-Identifier: GPL-3.0-or-later
-- Version 4: alerts. A released migration is never edited.

-- A rule whose condition held long enough. ended_ns NULL: it went on. value, worst and threshold in `unit`, as model/base/format_units.h
-- numbers them: 0 bytes, 1 bytes/s, 2 bytes/h, 3 percent, 4 count, 5 per second, 6 nanoseconds.
CREATE TABLE alert (
    id INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    rule TEXT NOT NULL,
    source TEXT NOT NULL,
    condition TEXT NOT NULL,
    began_ns INTEGER NOT NULL,
    fired_ns INTEGER NOT NULL,
    ended_ns INTEGER,
    value REAL NOT NULL,
    worst REAL NOT NULL,
    threshold REAL NOT NULL,
    unit INTEGER NOT NULL
);
CREATE INDEX alert_by_revision ON alert (revision);

CREATE VIEW v_alerts AS
SELECT rule, condition, round(began_ns / 1e9, 3) AS began_s, round(fired_ns / 1e9, 3) AS fired_s,
    round(ended_ns / 1e9, 3) AS ended_s, value, worst, threshold,
    CASE unit WHEN 0 THEN 'bytes' WHEN 1 THEN 'bytes/s' WHEN 2 THEN 'bytes/h' WHEN 3 THEN '%' WHEN 4 THEN 'count'
        WHEN 5 THEN '/s' ELSE 'ns' END AS unit
FROM alert
ORDER BY fired_ns, id;

-- SPDX-License-Identifier: GPL-3.0-or-later
-- Version 8: how the heap of an image was recorded, which may change while it runs. A released migration is never edited.

-- From when_ns on, until the image's next row. period_bytes 1: every event; else one of so many bytes was sampled. cause 0 the image began,
-- 1 somebody asked for it, 2 recording cost more than its budget, 3 the program had to wait for the recorder. live_…_before and _after:
-- the live set as it was known and as it is estimated from then on, with its variance, where it was thinned to samples.
CREATE TABLE heap_mode (
    id INTEGER PRIMARY KEY,
    image INTEGER NOT NULL,
    when_ns INTEGER NOT NULL,
    period_bytes INTEGER NOT NULL,
    cause INTEGER NOT NULL,
    live_bytes_before INTEGER NOT NULL,
    live_blocks_before INTEGER NOT NULL,
    live_bytes_after INTEGER NOT NULL,
    live_blocks_after INTEGER NOT NULL,
    live_variance REAL NOT NULL
);

CREATE VIEW v_heap_modes AS
SELECT round(m.when_ns / 1e9, 3) AS time_s, p.pid, i.epoch,
    CASE WHEN m.period_bytes <= 1 THEN 'every allocation' ELSE 'one of ' || m.period_bytes || ' bytes' END AS mode,
    CASE m.cause WHEN 0 THEN 'began' WHEN 1 THEN 'asked for' WHEN 2 THEN 'over budget' WHEN 3 THEN 'program waited'
        ELSE 'cause ' || m.cause END AS cause,
    round(m.live_bytes_before / 1048576.0, 3) AS live_before_mib,
    round(m.live_bytes_after / 1048576.0, 3) AS live_after_mib,
    round(sqrt(m.live_variance) / 1048576.0, 3) AS live_error_mib
FROM heap_mode m
JOIN image i ON i.id = m.image
JOIN process p ON p.id = i.process
ORDER BY m.when_ns, m.id;

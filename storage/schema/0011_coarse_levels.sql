-- SPDX-License-Identifier: GPL-3.0-or-later
-- Levels of 1 h and 4 h, so that a small budget can let those of 10 min expire too. A released migration is never edited.
INSERT INTO level (level, bucket_ns, keep_ns, usual_keep_ns, kept_from_ns) VALUES
    (4, 3600000000000, NULL, NULL, 0),
    (5, 14400000000000, NULL, NULL, 0);

DROP VIEW v_level;
CREATE VIEW v_level AS
SELECT level,
    CASE level WHEN 0 THEN 'as recorded' WHEN 1 THEN '10 s' WHEN 2 THEN '1 min' WHEN 3 THEN '10 min' WHEN 4 THEN '1 h'
        ELSE '4 h' END AS step,
    round(kept_from_ns / 1e9, 3) AS kept_from_s, round(keep_ns / 3.6e12, 3) AS kept_for_h,
    round(usual_keep_ns / 3.6e12, 3) AS usually_kept_for_h
FROM level
ORDER BY level;

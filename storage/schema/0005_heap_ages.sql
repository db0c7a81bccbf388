-- SPDX-License-Identifier: GPL-3.0-or-later
-- How the blocks of a stack are born, age and die: what leaks are found by. A released migration is never edited.

-- The clock that the histories of an image share: `buckets` whole ones of bucket_ns since origin_ns; 144 at most, then pairs are merged.
-- followed: stacks with a history; too_many: stacks that were due for one and found no room. period_bytes as in heap.
CREATE TABLE age_clock (
    image INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    origin_ns INTEGER NOT NULL,
    bucket_ns INTEGER NOT NULL,
    buckets INTEGER NOT NULL,
    followed INTEGER NOT NULL,
    too_many INTEGER NOT NULL,
    period_bytes INTEGER NOT NULL
);

-- The history of a stack as of its last change; nothing happened to it since. A stack may have several parts, which add up. Where
-- bucket_ns is less than the clock's, pairs have to be merged. history: storage/README.md.
CREATE TABLE stack_age (
    image INTEGER NOT NULL,
    stack INTEGER NOT NULL,
    part INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    first_bucket INTEGER NOT NULL,
    bucket_ns INTEGER NOT NULL,
    born INTEGER NOT NULL,
    died INTEGER NOT NULL,
    live_bytes INTEGER NOT NULL,
    history BLOB NOT NULL,
    PRIMARY KEY (image, stack, part)
) WITHOUT ROWID;
CREATE INDEX stack_age_by_revision ON stack_age (revision);

CREATE VIEW v_stack_ages AS
SELECT f.function, p.pid, a.born, a.died, a.born - a.died AS kept,
    round(a.live_bytes / 1048576.0, 3) AS live_mib,
    round(a.bucket_ns * a.first_bucket / 1e9, 1) AS followed_from_s, a.stack
FROM stack_age a
JOIN image i ON i.id = a.image
JOIN process p ON p.id = i.process
LEFT JOIN stack s ON s.id = a.stack
LEFT JOIN v_frame f ON f.frame = s.frame
ORDER BY a.live_bytes DESC;

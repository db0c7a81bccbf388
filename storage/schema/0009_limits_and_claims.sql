-- SPDX-License-Identifier: GPL-3.0-or-later
-- More limits, the disk, and accusations of leaking. A released migration is never edited.

-- disk_*: of the file system that the recorded processes write to and that has least left; the session's value `disk` names it.
ALTER TABLE metric ADD COLUMN address_limit_bytes INTEGER;
ALTER TABLE metric ADD COLUMN open_file_limit_count INTEGER;
ALTER TABLE metric ADD COLUMN thread_limit_count INTEGER;
ALTER TABLE metric ADD COLUMN disk_used_bytes INTEGER;
ALTER TABLE metric ADD COLUMN disk_size_bytes INTEGER;

-- A stack that was accused of leaking while it was recorded. accused_of: its old blocks that were alive then, alive: those that still are;
-- withdrawn_ns: when more than half of them had been freed, NULL: the accusation stands.
CREATE TABLE leak_claim (
    image INTEGER NOT NULL,
    stack INTEGER NOT NULL,
    part INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    accused_ns INTEGER NOT NULL,
    accused_of INTEGER NOT NULL,
    alive INTEGER NOT NULL,
    withdrawn_ns INTEGER,
    PRIMARY KEY (image, stack, part)
) WITHOUT ROWID;
CREATE INDEX leak_claim_by_revision ON leak_claim (revision);

CREATE VIEW v_leak_claims AS
SELECT p.pid, f.function, f.file, f.line, round(c.accused_ns / 1e9, 3) AS accused_s, c.accused_of, c.alive,
    round(c.withdrawn_ns / 1e9, 3) AS withdrawn_s, c.stack
FROM leak_claim c
LEFT JOIN image i ON i.id = c.image
LEFT JOIN process p ON p.id = i.process
LEFT JOIN stack s ON s.id = c.stack
LEFT JOIN v_frame f ON f.frame = s.frame
ORDER BY c.accused_ns, c.stack;

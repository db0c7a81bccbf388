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

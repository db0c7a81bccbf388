-- SPDX-License-Identifier: GPL-3.0-or-later
-- Stability tests (genprof soak). A released migration is never edited.

-- The test that this session is a leg of; one row (id 0) or none. stop_early: 0 never, 1 pass, 2 fail, 3 both. outcome: 0 runs or was broken
-- off, 1 stable, 2 leaking, 3 undecided, 4 the target failed, 5 its load failed. is_whole: the whole time had passed. sentence: what was said.
CREATE TABLE soak (
    id INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    length_ns INTEGER NOT NULL,
    most_growth REAL NOT NULL,
    stop_early INTEGER NOT NULL,
    checkpoint_ns INTEGER NOT NULL,
    began_wall_ns INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    is_whole INTEGER NOT NULL,
    reason TEXT NOT NULL,
    sentence TEXT NOT NULL
);

-- A run of the recorder. Legs of one segment saw the same process. file: the session that holds the rest of the leg; empty: this one.
CREATE TABLE soak_leg (
    id INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    began_wall_ns INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    start_ticks INTEGER NOT NULL,
    boot TEXT NOT NULL,
    file TEXT NOT NULL
);

-- A command that was kept running beside the target, over all legs.
CREATE TABLE soak_load (
    id INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    command TEXT NOT NULL,
    starts INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    trouble TEXT NOT NULL
);

-- The median of a 2,880th of the test's length, counted from the segment's begin. quantity: 0 resident, 1 anonymous, 2 live heap; bytes.
-- stack_growth: share of the value that the worst leaking stack alone projects over the length.
CREATE TABLE soak_point (
    segment INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    part INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    value REAL NOT NULL,
    stack_growth REAL NOT NULL,
    PRIMARY KEY (segment, part, quantity)
) WITHOUT ROWID;
CREATE INDEX soak_point_by_revision ON soak_point (revision);

-- Why a quantity is not judged.
CREATE TABLE soak_exclusion (
    segment INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (segment, quantity)
) WITHOUT ROWID;

-- What was known at a checkpoint. state: 0 undecided, 1 provisional pass, 2 pass, 3 fail, 4 at the limit. Shares over the test's length; low and
-- high hold the truth at all looks at once with 95 %; decided once evidence reaches threshold.
CREATE TABLE soak_check (
    segment INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    part INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    state INTEGER NOT NULL,
    growth REAL NOT NULL,
    low REAL NOT NULL,
    high REAL NOT NULL,
    evidence REAL NOT NULL,
    threshold REAL NOT NULL,
    PRIMARY KEY (segment, part, quantity)
) WITHOUT ROWID;

CREATE VIEW v_soak AS
SELECT CASE s.outcome WHEN 1 THEN 'stable' WHEN 2 THEN 'leaking' WHEN 3 THEN 'undecided' WHEN 4 THEN 'target failed'
        WHEN 5 THEN 'load failed' ELSE 'running' END AS outcome,
    CASE c.quantity WHEN 0 THEN 'resident' WHEN 1 THEN 'anonymous' ELSE 'live heap' END AS quantity,
    c.segment + 1 AS segment, round(c.part * s.length_ns / 2880 / 3.6e12, 3) AS hours,
    CASE c.state WHEN 1 THEN 'provisional pass' WHEN 2 THEN 'pass' WHEN 3 THEN 'fail' WHEN 4 THEN 'at the limit'
        ELSE 'undecided' END AS verdict,
    round(c.growth * 100, 2) AS growth_percent, round(c.low * 100, 2) AS low_percent,
    round(c.high * 100, 2) AS high_percent, round(c.evidence, 2) AS evidence, c.threshold, s.sentence
FROM soak s JOIN soak_check c
ORDER BY c.segment, c.part, c.quantity;

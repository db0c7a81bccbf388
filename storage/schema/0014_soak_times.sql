-- SPDX-License-Identifier: GPL-3.0-or-later
-- Version 14: what a stability test has to know of time. A released migration is never edited.

-- Length of a cycle of the load that was declared; 0: none.
ALTER TABLE soak ADD COLUMN period_ns INTEGER NOT NULL DEFAULT 0;

-- CLOCK_BOOTTIME when the leg began, which nobody sets; 0: not known.
ALTER TABLE soak_leg ADD COLUMN began_boot_ns INTEGER NOT NULL DEFAULT 0;

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/soak_trial.h"
#include "model/report/text_report.h"

namespace model {

// The verdict of a stability test; of a selected time only the places that grew. They never fail; check the stream. Without a test they say so.

/// "STABLE SO FAR. Resident memory: …", a line.
std::string soakVerdictText(const SoakAnswer &answer);
/// The same of a session, as the first of what is said about such a session; empty where it is none.
std::string soakHeadline(const Snapshot &snapshot);
/// For people: the answer with its bound, each quantity, what grew, what limits it, the legs and the loads.
void writeSoakText(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options = {});
/// A row for the answer, then one for each quantity, each place that grew and each point, as `row` says; seconds are those tested, of a quantity its
/// segment's, of a point since that began. Empty is what a row does not have. See csv_report.h.
void writeSoakCsv(std::ostream &out, const Snapshot &snapshot);
/// One object: the numbers behind each sentence, without the points.
void writeSoakJson(std::ostream &out, const Snapshot &snapshot);
/// As JUnit XML, for what shows tests: one test case a quantity of the last segment, one for the target and one for each load. Undecided is "skipped".
void writeSoakJunit(std::ostream &out, const Snapshot &snapshot);

} // namespace model

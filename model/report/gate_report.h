// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/gate/gate_result.h"

#include <iosfwd>
#include <string>
#include <vector>

namespace model {

/// What a run of the gate says.
struct GateReport
{
    std::string command; ///< of the current version
    std::string against; ///< what it was compared with: a command, or a baseline
    std::vector<GateFinding> findings;
    std::vector<std::string> notes; ///< what limits the answer, and what was noticed beside it, as sentences
    std::string failure;            ///< why there is no answer; empty where there is one
    bool hasProgramFailed = false;  ///< the failure is the program's
    double seconds = 0;             ///< that the gate took

    GateOutcome verdict() const { return verdictOf(findings); }
};

/// "worse", "unclear", "passed", "program failed", "failed".
std::string gateVerdictText(const GateReport &report);

// They never fail; check the stream. Texts of programs cannot be taken for markup in any of them.
void writeGateText(std::ostream &out, const GateReport &report);
/// For a pull request: GitHub's Markdown.
void writeGateMarkdown(std::ostream &out, const GateReport &report);
void writeGateJson(std::ostream &out, const GateReport &report);
/// A test suite with a case for each quantity; absent ones are skipped, unclear ones errors (as testmoapp/junitxml describes the format).
void writeGateJunit(std::ostream &out, const GateReport &report);
/// SARIF 2.1.0: a result for each stack that is responsible, at its line; paths below `root` relative to it.
void writeGateSarif(std::ostream &out, const GateReport &report, const std::string &root);

} // namespace model

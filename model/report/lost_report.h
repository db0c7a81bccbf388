// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/function_index.h"
#include "model/report/text_report.h"

#include <memory>
#include <string>
#include <vector>

namespace model {

/// The last scan for lost memory of each image, in the order of their ids.
std::vector<std::shared_ptr<const MemoryScan>> lastScans(const Snapshot &snapshot);

/// Whether any block of the stack is lost.
bool isLost(const ScannedStack &stack);

/// What a scan found, in one sentence for people.
std::string scanSentence(const Snapshot &snapshot, const MemoryScan &scan);
/// How much of what is reachable the ways to holders say nothing of, where that is worth a sentence; else empty.
std::string restOfHeldText(const MemoryScan &scan);
/// "redis-server, process 4711": what a scan looked through.
std::string scannedText(const Snapshot &snapshot, const MemoryScan &scan);
/// What its classes rest on: a proof, or a lower bound and why. Sentences.
std::string scanProofText(const MemoryScan &scan);
/// How long the program stood still for it, and what that did.
std::string scanCostText(const MemoryScan &scan);
/// "variables of redis-server +0x4f20 → 3 × initServer → dictCreate": who holds a block. Functions are the nearest of the program's own.
std::string holderText(FunctionIndex &index, const HolderPath &path);

/// The last scan of each process: its classes, the stacks that lost most, and who holds most of the rest.
void writeLostText(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options = {});
/// One row a stack of the last scans, with all its classes; the stack collapsed in the last column. `stacks` of each scan, 0: all.
void writeLostCsv(std::ostream &out, const Snapshot &snapshot, std::size_t stacks = 0);
/// All scans with their totals; of the last ones stacks and ways too. `stacks` 0: all.
void writeLostJson(std::ostream &out, const Snapshot &snapshot, std::size_t stacks = 0);

} // namespace model

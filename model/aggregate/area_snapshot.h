// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <optional>
#include <string>

namespace model {

/// A snapshot whose heap is the areas of one kind instead of malloc's: so all that is made from a heap's costs (trees, lists, reports) can
/// be made from mappings or pools; or of those of one name. Without series, peaks of single stacks and temporaries, which areas do not
/// have. Pure.
Snapshot areaSnapshot(const Snapshot &snapshot, AreaKind kind, std::optional<StringId> name = std::nullopt);

/// An area in words: "pool arena", "mappings: anonymous".
std::string areaName(const Snapshot &snapshot, const MemoryArea &area);

/// "mapping" or "pool".
std::string_view areaKindKey(AreaKind kind);

} // namespace model

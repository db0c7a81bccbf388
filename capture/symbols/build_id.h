// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace capture {

/// Bytes as lower-case hex, as all build-ids are written here.
std::string hexOf(std::span<const std::uint8_t> bytes);

/// The GNU build-id in a segment of notes, lower-case hex; empty where there is none.
std::string buildIdInNotes(std::span<const std::uint8_t> notes);

/// The build-id of the image whose file is mapped from its first byte on at [begin, end) of process `pid`, as it stands in the memory of
/// the process: what is on disk under the same name may be another build. Empty where it has none, or where its memory may not be read.
std::string loadedBuildId(std::int32_t pid, std::uint64_t begin, std::uint64_t end);

} // namespace capture

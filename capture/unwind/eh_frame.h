// SPDX-License-Identifier: MIT
#pragma once

#include "capture/unwind/cfi_row.h"
#include "capture/unwind/frame_rule.h"

#include <cstddef>
#include <cstdint>

namespace capture::unwind {

/// The call-frame information of one module. Nothing is owned; reads stay within the given ranges, whatever the bytes
/// say, and every loop is bounded by them. Any thread; no heap, no lock.
struct EhFrameTables
{
    Section header; ///< .eh_frame_hdr, the sorted index; may be empty: then every search reads .eh_frame through
    Section frames; ///< .eh_frame
    /// The module's entry point (e_entry, biased like the sections), 0 where unknown. Code there without information
    /// of its own, up to the first that has some, is the start of a thread: ld.so's `_dl_start_user` is the caller of all constructors.
    std::uint64_t entry = 0;
};

/// What a search for a pc found.
enum class FindResult : std::uint8_t { Found, NotCovered, Damaged };

/// One frame description entry, decoded, with what it takes from its common entry.
struct FrameEntry
{
    std::uint64_t begin = 0, end = 0;                          ///< the code it covers: [begin, end)
    std::uint32_t cieInstructions = 0, cieInstructionsEnd = 0; ///< offsets into .eh_frame
    std::uint32_t instructions = 0, instructionsEnd = 0;
    std::uint64_t codeAlignment = 1;
    std::int64_t dataAlignment = 1;
    std::uint64_t returnRegister = reg::kReturnAddress;
    std::uint8_t pointerEncoding = 0;
    bool isSignalFrame = false;
};

/// The entry that covers `pc`.
FindResult findEntry(const EhFrameTables &tables, std::uint64_t pc, FrameEntry &entry);

/// Whether code with information begins within [first, last].
bool hasEntryBetween(const EhFrameTables &tables, std::uint64_t first, std::uint64_t last);

/// Reads the record at `offset` of .eh_frame and moves `offset` behind it. `Found` for a frame description,
/// `NotCovered` for a common entry, a terminator (linkers leave some in the middle) or the end of the section, `Damaged`
/// for a record that cannot be understood; where not even its length can, `offset` becomes the section's size.
FindResult readEntry(const Section &frames, std::size_t &offset, FrameEntry &entry);

/// Runs the instructions of `entry` up to `pc`. False where they are damaged or unknown.
bool computeRow(const Section &frames, const FrameEntry &entry, std::uint64_t pc, CfiRow &row);

/// The row that holds at `pc`.
FindResult rowAt(const EhFrameTables &tables, std::uint64_t pc, CfiRow &row);

/// The rule of a pc that no entry covers: EndOfStack at the module's entry point and where a stack was made up to return to the
/// begin of a function, else NoInfo.
FrameRule ruleOfUncovered(const EhFrameTables &tables, std::uint64_t pc);

/// The compact rule that holds at `pc`; its kind says NoInfo or Bad where there is none. About 1 µs: cache it.
FrameRule ruleAt(const EhFrameTables &tables, std::uint64_t pc);

} // namespace capture::unwind

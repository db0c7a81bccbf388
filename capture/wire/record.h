// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace capture::wire {

/// What a record says. Numbers are part of the format; see FORMAT.md.
enum class RecordType : std::uint8_t {
    None = 0,          ///< never written: what zeroed memory reads as
    Malloc = 1,        ///< pointer, size, node; written after the allocator returned
    Free = 2,          ///< pointer; written before the allocator is called; sampling: node 1 if the thread allocated last this block
    ReallocBegin = 3,  ///< pointer; the block may be gone from here on
    ReallocEnd = 4,    ///< new pointer (0: the block was freed), size, node; closes the thread's last ReallocBegin
    ReallocFailed = 5, ///< the block of the thread's last ReallocBegin lives on
    Time = 6,          ///< the first word is the absolute time of what follows, in clock units
    Wide = 7,          ///< high bits of the pointer and size of the next record
    Jump = 8,          ///< the thread goes on in the ring that the recorder had offered
};
inline constexpr unsigned kRecordTypeCount = 9;

/// One event, 16 bytes. A malloc/free pair takes 32 bytes of a ring.
///
/// first:  bits 0–47 pointer · 48–63 clock units since the thread's record before
/// second: bits 0–3 type · 4–27 node · 28–63 size in bytes
struct Record
{
    std::uint64_t first = 0;
    std::uint64_t second = 0;

    static constexpr unsigned kPointerBits = 48, kTimeBits = 16, kTypeBits = 4, kNodeBits = 24, kSizeBits = 36;
    static constexpr std::uint64_t kPointerMask = (std::uint64_t{1} << kPointerBits) - 1;
    static constexpr std::uint64_t kSizeMask = (std::uint64_t{1} << kSizeBits) - 1;
    static constexpr std::uint64_t kNodeMask = (std::uint64_t{1} << kNodeBits) - 1;
    static constexpr std::uint64_t kTimeLimit = std::uint64_t{1} << kTimeBits;

    /// A record of any type but Time and Wide. Bits beyond the fields are cut: a Wide record before it carries them.
    static constexpr Record of(
        RecordType type, std::uint64_t pointer, std::uint64_t size, std::uint32_t node, std::uint64_t timeDelta)
    {
        return {(pointer & kPointerMask) | (timeDelta << kPointerBits),
            static_cast<std::uint64_t>(type) | ((std::uint64_t{node} & kNodeMask) << kTypeBits)
                | (size << (kTypeBits + kNodeBits))};
    }
    static constexpr Record time(std::uint64_t units) { return {units, static_cast<std::uint64_t>(RecordType::Time)}; }
    static constexpr bool needsWide(std::uint64_t pointer, std::uint64_t size)
    {
        return ((pointer >> kPointerBits) | (size >> kSizeBits)) != 0;
    }
    static constexpr Record wide(std::uint64_t pointer, std::uint64_t size)
    {
        return {
            pointer >> kPointerBits, static_cast<std::uint64_t>(RecordType::Wide) | ((size >> kSizeBits) << kTypeBits)};
    }

    constexpr RecordType type() const { return static_cast<RecordType>(second & 0xf); }
    constexpr std::uint64_t pointer() const { return first & kPointerMask; }
    constexpr std::uint64_t timeDelta() const { return first >> kPointerBits; }
    constexpr std::uint32_t node() const { return static_cast<std::uint32_t>((second >> kTypeBits) & kNodeMask); }
    constexpr std::uint64_t size() const { return second >> (kTypeBits + kNodeBits); }
    /// Of a Time record: the absolute time in clock units.
    constexpr std::uint64_t absoluteTime() const { return first; }
    /// Of a Wide record: what to add to the next record's pointer and size.
    constexpr std::uint64_t widePointer() const { return first << kPointerBits; }
    constexpr std::uint64_t wideSize() const { return (second >> kTypeBits) << kSizeBits; }
};
static_assert(sizeof(Record) == 16);

/// Records that one event may take: a time, a wide prefix, the event itself.
inline constexpr std::uint32_t kRecordsPerEvent = 3;

/// Where bytes are sampled, an allocation counts as no less: an allocator gives out no smaller block, and a block of a few bytes that
/// stood for a whole period would make every number of blocks worthless.
inline constexpr std::uint64_t kLeastSampledBytes = 32;

/// A clock unit is this many time stamp counter ticks (or nanoseconds), as a shift.
inline constexpr unsigned kClockShift = 6;

} // namespace capture::wire

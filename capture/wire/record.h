// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace capture::wire {

/// What a record says. Numbers are part of the format; see FORMAT.md.
enum class RecordType : std::uint8_t {
    None = 0,          ///< never written: what zeroed memory reads as
    Malloc = 1,        ///< pointer, size, node; written after the allocator returned
    Free = 2,          ///< pointer; written before the allocator is called; sampling: node holds kFreed… flags
    ReallocBegin = 3,  ///< pointer; the block may be gone from here on
    ReallocEnd = 4,    ///< new pointer (0: the block was freed), size, node; closes the thread's last ReallocBegin
    ReallocFailed = 5, ///< the block of the thread's last ReallocBegin lives on
    Time = 6,          ///< the first word is the absolute time of what follows, in clock units
    Wide = 7,          ///< high bits of the pointer and size of the next record
    Jump = 8,          ///< the thread goes on in the ring that the recorder had offered
    Order = 9,         ///< size: the number of the order that the thread's records follow from here on
    Map = 10, ///< begin of a mapping with kMapFlags in its lowest bits, size, node; written after the kernel was called
    Unmap = 11,     ///< the same of what is no longer mapped, without node; written before the kernel is called
    PoolAlloc = 12, ///< block and, in the 16 bits above its address, its pool; size, node
    PoolFree = 13,  ///< block and pool
    Text = 14,      ///< 13 bytes of text for the thread's next Note; see textRecord
    Note
    = 15, ///< node: a NoteKind; size: bytes of its text; pointer: the pool in bits 48 and up, where it is about one
};
inline constexpr unsigned kRecordTypeCount = 16;

/// Of a Free or ReallocBegin record whose thread samples, in its node.
inline constexpr std::uint32_t kFreedLast = 1;     ///< the thread allocated nothing after this block
inline constexpr std::uint32_t kFreedFollowed = 2; ///< it was sampled: the thread took it out of the SampledBlocks
inline constexpr std::uint32_t kFreedKept = 4;     ///< the thread took out an entry that the recorder had made

/// What a program says about itself through its API header. Numbers are those of genesis_profiler.h.
enum class NoteKind : std::uint8_t {
    Mark = 1,
    PhaseBegin = 2,
    PhaseEnd = 3,
    ThreadName = 4,
    PoolCreate = 5,
    PoolDestroy = 6,
    ScopeBegin = 7, ///< its text is a ScopeBegin, see scope.h
    ScopeEnd = 8,   ///< a ScopeEnd; the thread waits for the answer
    Exit = 9,       ///< an ExitQuestion, likewise
    Unseen = 10,    ///< the name of a library that may call past the tracer; its pool is an Unseen
};
/// Why calls of a library that the program opened are not all seen. One that could not be opened is not told where its path leads nowhere, or
/// where the loader need not know which library asks (a path with dlmopen; any name that the program itself opens); else it is, as the note
/// comes before the call.
enum class Unseen : std::uint8_t {
    Namespace = 1, ///< dlmopen: it has a C library and a heap of its own
    /// RTLD_DEEPBIND: it may bind to another allocator, of those that came with the program, or symbols could not be changed. Not told is what
    /// binds to an allocator that it, or a library before it, brought along.
    Binding = 2,
};
inline constexpr std::uint32_t kMostNoteBytes = 255;
inline constexpr unsigned kPoolShift = 48;

/// Of a Map or Unmap record, in the lowest bits of its address, which is that of a page.
inline constexpr std::uint64_t kMapAnonymous = 1;
inline constexpr std::uint64_t kMapShared = 2;
inline constexpr std::uint64_t kMapBreak = 4;    ///< the program break was moved
inline constexpr std::uint64_t kMapReserved = 8; ///< not accessible: address space alone
/// Unmap: the thread's next Map is the same mapping elsewhere. Map: it is, or it could not be moved.
inline constexpr std::uint64_t kMapMoved = 16;
inline constexpr std::uint64_t kMapFlags = 31;

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

    /// Whether a Time record must stand before a record at `now`, where the one before was at `last`. Another core's counter may be a little
    /// behind, which is no time at all; one that is far behind begins anew, as after a suspend.
    static constexpr bool needsTime(std::uint64_t last, std::uint64_t now)
    {
        return now - last >= kTimeLimit && last - now >= kTimeLimit;
    }

    /// A record of any type but Time and Wide. Bits beyond the fields are cut: a Wide record before it carries them.
    static constexpr Record of(
        RecordType type, std::uint64_t pointer, std::uint64_t size, std::uint32_t node, std::uint64_t timeDelta)
    {
        return {(pointer & kPointerMask) | (timeDelta << kPointerBits),
            static_cast<std::uint64_t>(type) | ((std::uint64_t{node} & kNodeMask) << kTypeBits)
                | (size << (kTypeBits + kNodeBits))};
    }
    /// The same of what fits: no needsWide(), a node and a delta below their limits. One instruction less for each.
    static constexpr Record plain(
        RecordType type, std::uint64_t pointer, std::uint64_t size, std::uint32_t node, std::uint64_t timeDelta)
    {
        return {pointer | (timeDelta << kPointerBits),
            static_cast<std::uint64_t>(type) | (std::uint64_t{node} << kTypeBits) | (size << (kTypeBits + kNodeBits))};
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

/// Text of a Text record: bytes 0–5 are the pointer, 6–8 the node, 9–12 the size.
inline constexpr std::uint32_t kTextRecordBytes = 13;
struct TextPiece
{
    std::uint64_t pointer = 0;
    std::uint32_t node = 0;
    std::uint64_t size = 0;
};
constexpr TextPiece textPiece(const char *text, std::uint64_t bytes)
{
    TextPiece piece;
    for (std::uint32_t i = 0; i < kTextRecordBytes && i < bytes; ++i) {
        const std::uint64_t byte = static_cast<unsigned char>(text[i]);
        if (i < 6)
            piece.pointer |= byte << (8 * i);
        else if (i < 9)
            piece.node |= static_cast<std::uint32_t>(byte << (8 * (i - 6)));
        else
            piece.size |= byte << (8 * (i - 9));
    }
    return piece;
}
constexpr char textByte(const TextPiece &piece, std::uint32_t i)
{
    const std::uint64_t byte = i < 6 ? piece.pointer >> (8 * i)
        : i < 9                      ? std::uint64_t{piece.node} >> (8 * (i - 6))
                                     : piece.size >> (8 * (i - 9));
    return static_cast<char>(byte & 0xff);
}

/// Records that one event may take: a time, a wide prefix, the event itself.
inline constexpr std::uint32_t kRecordsPerEvent = 3;

/// Where bytes are sampled, an allocation counts as no less: an allocator gives out no smaller block, and a block of a few bytes that
/// stood for a whole period would make every number of blocks worthless.
inline constexpr std::uint64_t kLeastSampledBytes = 32;

/// A clock unit is this many time stamp counter ticks (or nanoseconds), as a shift.
inline constexpr unsigned kClockShift = 6;

} // namespace capture::wire

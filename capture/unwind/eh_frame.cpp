// SPDX-License-Identifier: MIT
#include "capture/unwind/eh_frame.h"

#include "capture/unwind/byte_cursor.h"

#include <cstring>

namespace capture::unwind {

namespace {

/// Code at the entry point that has no information of its own is taken for the start of a thread up to this length.
constexpr std::uint64_t kEntryCodeBytes = 256;

/// Offsets into the section are kept as 32-bit numbers.
constexpr std::size_t kLargestSection = 0x7fffffff;

/// The record at a cursor: where its content begins (behind the id) and ends, and what the id says.
struct RecordHead
{
    std::size_t content = 0, end = 0;
    std::size_t commonEntry = 0; ///< offset of the common entry, for a frame description
    bool isCommonEntry = false;
};

/// Reads length and id at `offset`, sets `next` behind the record.
FindResult readHead(const Section &frames, std::size_t offset, std::size_t &next, RecordHead &head)
{
    ByteCursor cursor(frames, offset, frames.size);
    next = frames.size;
    if (frames.size > kLargestSection)
        return FindResult::Damaged;
    if (cursor.atEnd())
        return FindResult::NotCovered;
    std::uint64_t length = cursor.number<std::uint32_t>();
    const bool isLong = length == 0xffffffff;
    if (isLong)
        length = cursor.number<std::uint64_t>();
    if (cursor.failed() || length > cursor.remaining())
        return FindResult::Damaged;
    next = cursor.position() + static_cast<std::size_t>(length);
    if (length == 0)
        return FindResult::NotCovered;
    const std::size_t idAt = cursor.position();
    const std::uint64_t id = isLong ? cursor.number<std::uint64_t>() : cursor.number<std::uint32_t>();
    head.content = cursor.position();
    head.end = next;
    head.isCommonEntry = id == 0;
    head.commonEntry = idAt - static_cast<std::size_t>(id);
    if (cursor.failed() || head.content > head.end || id > idAt)
        return FindResult::Damaged;
    return FindResult::Found;
}

/// The letters of a common entry's augmentation that follow its 'z'. False where one says something unknown that
/// changes how the rest is read.
bool readAugmentation(const char *letters, std::size_t count, ByteCursor &cursor, FrameEntry &entry)
{
    const std::uint64_t length = cursor.uleb();
    const std::size_t begin = cursor.position();
    if (cursor.failed() || length > cursor.remaining())
        return false;
    for (std::size_t i = 0; i < count; ++i) {
        if (letters[i] == 'L') {
            cursor.u8();
        } else if (letters[i] == 'R') {
            entry.pointerEncoding = cursor.u8();
        } else if (letters[i] == 'S') {
            entry.isSignalFrame = true;
        } else if (letters[i] == 'P') {
            const auto encoding = static_cast<std::uint8_t>(cursor.u8() & 0x0f); // only its size matters
            cursor.pointer(encoding, 0);
        } else {
            break; // the length tells where the rest ends
        }
    }
    if (cursor.failed() || cursor.position() - begin > length)
        return false;
    cursor.skip(length - (cursor.position() - begin));
    return !cursor.failed();
}

/// Fills what `entry` takes from the common entry at `offset`.
bool readCommonEntry(const Section &frames, std::size_t offset, FrameEntry &entry, bool &hasAugmentation)
{
    RecordHead head;
    std::size_t next = 0;
    if (readHead(frames, offset, next, head) != FindResult::Found || !head.isCommonEntry)
        return false;
    ByteCursor cursor(frames, head.content, head.end);
    const std::uint8_t version = cursor.u8();
    if (version != 1 && version != 3 && version != 4)
        return false;
    const auto *letters = reinterpret_cast<const char *>(frames.data) + cursor.position();
    const std::size_t count = strnlen(letters, cursor.remaining());
    cursor.skip(count + 1);
    hasAugmentation = count > 0 && letters[0] == 'z';
    if (cursor.failed() || (count > 0 && !hasAugmentation))
        return false;
    if (version == 4)
        cursor.skip(2); // address and segment size
    entry.codeAlignment = cursor.uleb();
    entry.dataAlignment = cursor.sleb();
    entry.returnRegister = version == 1 ? cursor.u8() : cursor.uleb();
    if (hasAugmentation && !readAugmentation(letters + 1, count - 1, cursor, entry))
        return false;
    entry.cieInstructions = static_cast<std::uint32_t>(cursor.position());
    entry.cieInstructionsEnd = static_cast<std::uint32_t>(head.end);
    return !cursor.failed();
}

/// Reads the record at `offset`; `next` is set behind it.
FindResult readRecord(const Section &frames, std::size_t offset, std::size_t &next, FrameEntry &entry)
{
    RecordHead head;
    const FindResult result = readHead(frames, offset, next, head);
    if (result != FindResult::Found)
        return result;
    if (head.isCommonEntry)
        return FindResult::NotCovered;
    entry = FrameEntry{};
    bool hasAugmentation = false;
    if (!readCommonEntry(frames, head.commonEntry, entry, hasAugmentation))
        return FindResult::Damaged;
    ByteCursor cursor(frames, head.content, head.end);
    entry.begin = cursor.pointer(entry.pointerEncoding, 0);
    entry.end = entry.begin + cursor.pointer(entry.pointerEncoding & 0x0f, 0);
    if (hasAugmentation)
        cursor.skip(cursor.uleb());
    if (cursor.failed() || entry.end < entry.begin)
        return FindResult::Damaged;
    entry.instructions = static_cast<std::uint32_t>(cursor.position());
    entry.instructionsEnd = static_cast<std::uint32_t>(head.end);
    return FindResult::Found;
}

/// The sorted table of .eh_frame_hdr: pairs of 32-bit offsets from the header.
struct SearchTable
{
    const std::uint8_t *rows = nullptr;
    std::size_t count = 0;
    std::uint64_t base = 0;

    std::uint64_t value(std::size_t row, std::size_t column) const
    {
        std::int32_t offset;
        std::memcpy(&offset, rows + row * 8 + column * 4, 4);
        return base + static_cast<std::uint64_t>(std::int64_t{offset});
    }
};

/// False where there is no table, or not in the one encoding that all linkers write.
bool readSearchTable(const Section &header, SearchTable &table)
{
    constexpr std::uint8_t kDatarelSdata4 = 0x3b;
    ByteCursor cursor(header, 0, header.size);
    const std::uint8_t version = cursor.u8();
    const std::uint8_t framesEncoding = cursor.u8();
    const std::uint8_t countEncoding = cursor.u8();
    const std::uint8_t tableEncoding = cursor.u8();
    if (version != 1 || countEncoding == kEncodingOmitted || tableEncoding != kDatarelSdata4)
        return false;
    cursor.pointer(framesEncoding, header.address);
    const std::uint64_t count = cursor.pointer(countEncoding, header.address);
    if (cursor.failed() || count > cursor.remaining() / 8)
        return false;
    table = {header.data + cursor.position(), static_cast<std::size_t>(count), header.address};
    return true;
}

/// How many rows begin at or before `pc`.
std::size_t rowsUpTo(const SearchTable &table, std::uint64_t pc)
{
    std::size_t low = 0, high = table.count;
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        if (table.value(middle, 0) <= pc)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

FindResult searchTable(const EhFrameTables &tables, const SearchTable &table, std::uint64_t pc, FrameEntry &entry)
{
    const std::size_t rows = rowsUpTo(table, pc);
    if (rows == 0)
        return FindResult::NotCovered;
    const std::uint64_t offset = table.value(rows - 1, 1) - tables.frames.address;
    if (offset >= tables.frames.size)
        return FindResult::Damaged;
    std::size_t next = 0;
    if (readRecord(tables.frames, static_cast<std::size_t>(offset), next, entry) != FindResult::Found)
        return FindResult::Damaged;
    return pc >= entry.begin && pc < entry.end ? FindResult::Found : FindResult::NotCovered;
}

/// Whether `pc` is the byte before a function: a return address behind it was never called from, but put there by who made the stack
/// (glibc's makecontext: `__start_context`). One that returns from a signal is no start of anything. Where a function without call-frame
/// information ends with a call that does not return, and one that has some follows at once, its stacks are taken for whole, too.
bool isBeforeAFunction(const EhFrameTables &tables, std::uint64_t pc)
{
    FrameEntry next;
    return findEntry(tables, pc + 1, next) == FindResult::Found && next.begin == pc + 1 && !next.isSignalFrame;
}

} // namespace

FindResult readEntry(const Section &frames, std::size_t &offset, FrameEntry &entry)
{
    std::size_t next = frames.size;
    const FindResult result = readRecord(frames, offset, next, entry);
    offset = next;
    return result;
}

FindResult findEntry(const EhFrameTables &tables, std::uint64_t pc, FrameEntry &entry)
{
    SearchTable table;
    if (readSearchTable(tables.header, table))
        return searchTable(tables, table, pc, entry);
    bool isDamaged = false;
    for (std::size_t offset = 0; offset < tables.frames.size;) {
        const FindResult result = readEntry(tables.frames, offset, entry);
        if (result == FindResult::Found && pc >= entry.begin && pc < entry.end)
            return FindResult::Found;
        isDamaged |= result == FindResult::Damaged;
    }
    return isDamaged ? FindResult::Damaged : FindResult::NotCovered;
}

FindResult rowAt(const EhFrameTables &tables, std::uint64_t pc, CfiRow &row)
{
    FrameEntry entry;
    const FindResult result = findEntry(tables, pc, entry);
    if (result != FindResult::Found)
        return result;
    return computeRow(tables.frames, entry, pc, row) ? FindResult::Found : FindResult::Damaged;
}

FrameRule ruleAt(const EhFrameTables &tables, std::uint64_t pc)
{
    CfiRow row;
    switch (rowAt(tables, pc, row)) {
    case FindResult::Found:
        return compactRule(row, tables.frames);
    case FindResult::Damaged:
        return FrameRule::ofKind(RuleKind::Bad);
    case FindResult::NotCovered:
        break;
    }
    return ruleOfUncovered(tables, pc);
}

bool hasEntryBetween(const EhFrameTables &tables, std::uint64_t first, std::uint64_t last)
{
    SearchTable table;
    if (readSearchTable(tables.header, table)) {
        const std::size_t rows = rowsUpTo(table, last);
        return rows > 0 && table.value(rows - 1, 0) >= first;
    }
    for (std::size_t offset = 0; offset < tables.frames.size;) {
        FrameEntry entry;
        if (readEntry(tables.frames, offset, entry) == FindResult::Found && entry.begin >= first && entry.begin <= last)
            return true;
    }
    return false;
}

FrameRule ruleOfUncovered(const EhFrameTables &tables, std::uint64_t pc)
{
    const bool isEntryCode = tables.entry != 0 && pc >= tables.entry && pc - tables.entry < kEntryCodeBytes
        && !hasEntryBetween(tables, tables.entry, pc);
    const bool isStart = isEntryCode || isBeforeAFunction(tables, pc);
    return FrameRule::ofKind(isStart ? RuleKind::EndOfStack : RuleKind::NoInfo);
}

} // namespace capture::unwind

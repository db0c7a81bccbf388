// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/go_functions.h"
#include "capture/unwind/eh_frame.h"
#include "capture/unwind/rule_cache.h"
#include "model/base/result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace capture {

/// What the recorder needs of one ELF file to unwind through it: its call-frame information, read into memory, and
/// how offsets in the file become addresses (p_vaddr space, in which all pcs of this class are).
/// One per file, shared by all processes that map it; owned by the capture thread.
class ElfTables
{
public:
    /// Reads an open file. Fails for what is not a readable x86-64 ELF file; a file without call-frame information is
    /// none the less a value (its rules are NoInfo). Does not keep `fd`.
    static model::Result<std::unique_ptr<ElfTables>> fromFile(int fd);
    /// The vdso, which this process and all others of the machine share; null where the kernel gives none.
    static std::unique_ptr<ElfTables> fromOwnVdso();

    ElfTables(const ElfTables &) = delete;
    ElfTables &operator=(const ElfTables &) = delete;

    /// The address at which the code at `offset` of the file is linked; empty where no segment of code holds it.
    std::optional<std::uint64_t> addressOf(std::uint64_t offset) const;
    /// Lower-case hex; empty where the file has none.
    const std::string &buildId() const { return m_buildId; }
    /// Of memory that it takes, but for some hundreds.
    std::size_t bytes() const
    {
        return m_bytes.size() + m_headerBytes.size() + m_index.size() * sizeof(IndexRow) + m_cacheBytes;
    }
    const unwind::EhFrameTables &tables() const { return m_tables; }

    /// The rule at a linked address, cached.
    unwind::FrameRule rule(std::uint64_t address);
    bool row(std::uint64_t address, unwind::CfiRow &row, unwind::Section &section) const;
    /// Whether a call that returns to the function at `address` is a stack's first, by what is known of Go's runtime, which has no call-frame information.
    bool isStackBottom(std::uint64_t address) const;

private:
    struct Segment
    {
        std::uint64_t offset = 0, fileBytes = 0, address = 0;
        bool isCode = false;
    };
    struct IndexRow
    {
        std::uint64_t begin = 0;
        std::uint32_t offset = 0;
    };
    class Reader;

    ElfTables() = default;
    static model::Result<std::unique_ptr<ElfTables>> parse(const Reader &reader);
    void makeCache();
    void makeIndex();
    unwind::FindResult rowOf(std::uint64_t address, unwind::CfiRow &row) const;

    std::vector<Segment> m_segments;
    std::vector<std::uint8_t> m_bytes;       ///< the part of the file with .eh_frame_hdr and .eh_frame
    std::vector<std::uint8_t> m_headerBytes; ///< .eh_frame_hdr where it lies apart
    unwind::EhFrameTables m_tables;
    std::vector<IndexRow> m_index; ///< of files without .eh_frame_hdr, ascending
    std::vector<CodeRange> m_goBottoms;
    std::string m_buildId;
    std::unique_ptr<unwind::RuleCache::Entry[]> m_entries;
    unwind::RuleCache m_cache;
    std::size_t m_cacheBytes = 0;
};

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/elf_tables.h"

#include "capture/symbols/build_id.h"
#include "capture/unwind/byte_cursor.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace capture {

namespace {

/// More than any real file has (the largest browsers have 60 MB); a damaged header must not cost more memory.
constexpr std::uint64_t kMostTableBytes = std::uint64_t{512} << 20;
constexpr std::size_t kMostHeaders = 4096;

} // namespace

/// Reads ranges of a file, or of an image in memory that is laid out as its file (the vdso).
class ElfTables::Reader
{
public:
    explicit Reader(int fd)
        : m_fd(fd)
    {
        struct stat status = {};
        if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
            m_size = static_cast<std::uint64_t>(status.st_size);
    }
    Reader(const std::uint8_t *data, std::uint64_t size)
        : m_data(data)
        , m_size(size)
    {
    }
    std::uint64_t size() const { return m_size; }

    /// The bytes [offset, offset + count), or nothing where the file does not have them all.
    std::vector<std::uint8_t> bytes(std::uint64_t offset, std::uint64_t count) const
    {
        if (count == 0 || offset > m_size || count > m_size - offset || count > kMostTableBytes)
            return {};
        std::vector<std::uint8_t> result(static_cast<std::size_t>(count));
        if (m_data) {
            std::memcpy(result.data(), m_data + offset, result.size());
            return result;
        }
        std::size_t done = 0;
        while (done < result.size()) {
            const ssize_t got
                = pread(m_fd, result.data() + done, result.size() - done, static_cast<off_t>(offset + done));
            if (got <= 0 && !(got < 0 && errno == EINTR))
                return {};
            done += got > 0 ? static_cast<std::size_t>(got) : 0;
        }
        return result;
    }
    template <typename T> std::vector<T> array(std::uint64_t offset, std::size_t count) const
    {
        const std::vector<std::uint8_t> raw = bytes(offset, count * sizeof(T));
        std::vector<T> result(raw.size() / sizeof(T));
        if (!result.empty())
            std::memcpy(static_cast<void *>(result.data()), raw.data(), result.size() * sizeof(T));
        return result;
    }
    /// The section called `name`; sh_type SHT_NULL where there is none, or where the section headers were stripped.
    Elf64_Shdr section(const Elf64_Ehdr &header, std::string_view name) const
    {
        if (header.e_shnum == 0 || header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shstrndx >= header.e_shnum)
            return {};
        const auto sections = array<Elf64_Shdr>(header.e_shoff, std::min<std::size_t>(header.e_shnum, kMostHeaders));
        if (header.e_shstrndx >= sections.size())
            return {};
        const Elf64_Shdr &strings = sections[header.e_shstrndx];
        const auto text = bytes(strings.sh_offset, strings.sh_size);
        for (const Elf64_Shdr &candidate : sections) {
            if (candidate.sh_type == SHT_NOBITS || candidate.sh_name >= text.size()
                || text.size() - candidate.sh_name <= name.size())
                continue;
            const auto *begin = reinterpret_cast<const char *>(text.data()) + candidate.sh_name;
            if (std::memcmp(begin, name.data(), name.size()) == 0 && begin[name.size()] == '\0')
                return candidate;
        }
        return {};
    }

private:
    int m_fd = -1;
    const std::uint8_t *m_data = nullptr;
    std::uint64_t m_size = 0;
};

model::Result<std::unique_ptr<ElfTables>> ElfTables::parse(const Reader &reader)
{
    const auto headers = reader.array<Elf64_Ehdr>(0, 1);
    if (headers.empty() || std::memcmp(headers[0].e_ident, ELFMAG, SELFMAG) != 0)
        return model::Error("not an ELF file");
    const Elf64_Ehdr &header = headers[0];
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64)
        return model::Error("an ELF file of another architecture than x86-64");
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > kMostHeaders)
        return model::Error("an ELF file with damaged program headers");
    const auto segments = reader.array<Elf64_Phdr>(header.e_phoff, header.e_phnum);
    if (segments.size() != header.e_phnum)
        return model::Error("an ELF file that is cut off");

    std::unique_ptr<ElfTables> result(new ElfTables);
    result->m_tables.entry = header.e_entry;
    Elf64_Phdr index = {};
    for (const Elf64_Phdr &segment : segments) {
        if (segment.p_type == PT_LOAD)
            result->m_segments.push_back(
                {segment.p_offset, segment.p_filesz, segment.p_vaddr, (segment.p_flags & PF_X) != 0});
        else if (segment.p_type == PT_GNU_EH_FRAME)
            index = segment;
        else if (segment.p_type == PT_NOTE && result->m_buildId.empty() && segment.p_filesz < 65536)
            result->m_buildId = buildIdInNotes(reader.bytes(segment.p_offset, segment.p_filesz));
    }

    // The section says where .eh_frame ends; without it the index says where it begins, and its segment bounds it.
    Elf64_Shdr frames = reader.section(header, ".eh_frame");
    result->m_headerBytes = reader.bytes(index.p_offset, index.p_filesz);
    result->m_tables.header = {result->m_headerBytes.data(), result->m_headerBytes.size(), index.p_vaddr};
    if (frames.sh_type == SHT_NULL && !result->m_headerBytes.empty()) {
        unwind::ByteCursor cursor(result->m_tables.header, 1, result->m_headerBytes.size());
        const std::uint8_t encoding = cursor.u8();
        cursor.skip(2);
        const std::uint64_t begin = cursor.pointer(encoding, index.p_vaddr);
        for (const Segment &segment : result->m_segments) {
            if (cursor.failed() || begin < segment.address || begin - segment.address >= segment.fileBytes)
                continue;
            frames.sh_addr = begin;
            frames.sh_offset = segment.offset + (begin - segment.address);
            frames.sh_size = segment.fileBytes - (begin - segment.address);
        }
    }
    result->m_bytes = reader.bytes(frames.sh_offset, frames.sh_size);
    result->m_tables.frames = {result->m_bytes.data(), result->m_bytes.size(), frames.sh_addr};
    for (const char *name : {".gopclntab", ".data.rel.ro.gopclntab"})
        if (const Elf64_Shdr go = reader.section(header, name); go.sh_type != SHT_NULL)
            result->m_goBottoms
                = goStackBottoms(reader.bytes(go.sh_offset, go.sh_size), reader.section(header, ".text").sh_addr);
    if (result->m_headerBytes.empty())
        result->makeIndex();
    result->makeCache();
    return result;
}

model::Result<std::unique_ptr<ElfTables>> ElfTables::fromFile(int fd) { return parse(Reader(fd)); }

std::unique_ptr<ElfTables> ElfTables::fromOwnVdso()
{
    const std::uint64_t base = getauxval(AT_SYSINFO_EHDR);
    if (base == 0)
        return nullptr;
    const auto *data = reinterpret_cast<const std::uint8_t *>(base);
    Elf64_Ehdr header;
    std::memcpy(&header, data, sizeof(header));
    std::uint64_t end = 0;
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment;
        std::memcpy(&segment, data + header.e_phoff + i * sizeof(segment), sizeof(segment));
        if (segment.p_type == PT_LOAD)
            end = std::max(end, segment.p_offset + segment.p_filesz);
    }
    auto result = parse(Reader(data, end));
    return result ? std::move(*result) : nullptr;
}

std::optional<std::uint64_t> ElfTables::addressOf(std::uint64_t offset) const
{
    // The kernel maps whole pages: a mapping begins a little before its segment and ends a little behind it.
    constexpr std::uint64_t kPage = 4096;
    for (const Segment &segment : m_segments) {
        const std::uint64_t begin = segment.offset & ~(kPage - 1);
        const std::uint64_t end = (segment.offset + segment.fileBytes + kPage - 1) & ~(kPage - 1);
        if (segment.isCode && offset >= begin && offset < end)
            return offset - segment.offset + segment.address;
    }
    return std::nullopt;
}

void ElfTables::makeCache()
{
    // One entry for about every third function, within 4 KiB and 512 KiB.
    const auto bits
        = static_cast<unsigned>(std::clamp(static_cast<int>(std::bit_width(m_tables.frames.size / 128)), 8, 15));
    m_entries = std::make_unique<unwind::RuleCache::Entry[]>(std::size_t{1} << bits);
    m_cache.assign(m_entries.get(), bits);
    m_cacheBytes = unwind::RuleCache::bytesFor(bits);
}

/// Files without .eh_frame_hdr (static programs of some linkers) would be read through at each search.
void ElfTables::makeIndex()
{
    unwind::FrameEntry entry;
    for (std::size_t offset = 0; offset < m_tables.frames.size;) {
        const std::size_t at = offset;
        if (unwind::readEntry(m_tables.frames, offset, entry) == unwind::FindResult::Found && entry.end > entry.begin)
            m_index.push_back({entry.begin, static_cast<std::uint32_t>(at)});
    }
    std::sort(m_index.begin(), m_index.end(), [](const IndexRow &a, const IndexRow &b) { return a.begin < b.begin; });
}

unwind::FindResult ElfTables::rowOf(std::uint64_t address, unwind::CfiRow &row) const
{
    if (!m_headerBytes.empty())
        return unwind::rowAt(m_tables, address, row);
    const auto next = std::upper_bound(m_index.begin(), m_index.end(), address,
        [](std::uint64_t pc, const IndexRow &candidate) { return pc < candidate.begin; });
    if (next == m_index.begin())
        return unwind::FindResult::NotCovered;
    std::size_t offset = std::prev(next)->offset;
    unwind::FrameEntry entry;
    if (unwind::readEntry(m_tables.frames, offset, entry) != unwind::FindResult::Found || address >= entry.end)
        return unwind::FindResult::NotCovered;
    return unwind::computeRow(m_tables.frames, entry, address, row) ? unwind::FindResult::Found
                                                                    : unwind::FindResult::Damaged;
}

unwind::FrameRule ElfTables::rule(std::uint64_t address)
{
    unwind::FrameRule rule = m_cache.find(address);
    if (rule.kind() != unwind::RuleKind::Empty)
        return rule;
    unwind::CfiRow row;
    switch (rowOf(address, row)) {
    case unwind::FindResult::Found:
        rule = unwind::compactRule(row, m_tables.frames);
        break;
    case unwind::FindResult::NotCovered:
        rule = unwind::ruleOfUncovered(m_tables, address);
        break;
    case unwind::FindResult::Damaged:
        rule = unwind::FrameRule::ofKind(unwind::RuleKind::Bad);
        break;
    }
    m_cache.insert(address, rule, m_cache.generation());
    return rule;
}

bool ElfTables::isStackBottom(std::uint64_t address) const
{
    return std::any_of(m_goBottoms.begin(), m_goBottoms.end(),
        [address](CodeRange range) { return address >= range.begin && address < range.end; });
}

bool ElfTables::row(std::uint64_t address, unwind::CfiRow &row, unwind::Section &section) const
{
    section = m_tables.frames;
    return rowOf(address, row) == unwind::FindResult::Found;
}

} // namespace capture

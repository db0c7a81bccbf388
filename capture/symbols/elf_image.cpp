// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/symbols/elf_image.h"

#include "capture/symbols/demangler.h"
#include "capture/symbols/mapped_file.h"

#include <fmt/format.h>
#include <gelf.h>
#include <sys/auxv.h>

#include <algorithm>
#include <string_view>

namespace capture {

namespace {

/// Bytes of our own vdso, as its headers say: the section headers come last. 0 if they make no sense.
std::size_t vdsoBytes(const Elf64_Ehdr *header)
{
    constexpr std::size_t kMostVdsoBytes = 64 * 1024;
    const std::size_t bytes = header->e_shoff + std::size_t{header->e_shentsize} * header->e_shnum;
    return header->e_shnum != 0 && bytes <= kMostVdsoBytes ? bytes : 0;
}

} // namespace

std::unique_ptr<ElfImage> ElfImage::open(const ImageQuery &query)
{
    auto image = std::make_unique<ElfImage>();
    if (query.kind == model::ModuleKind::Vdso) {
        image->openVdso();
        return image;
    }
    if (query.kind != model::ModuleKind::File)
        return image;
    const bool hasFile = image->openFile(query);
    if (hasFile)
        image->m_debugFile = findDebugFile(
            image->m_file->elf.get(), image->m_file->path, buildIdOf(image->m_file->elf.get()), query.debugRoot);
    else
        image->m_debugFile = debugFileOfBuildId(query.buildId, query.debugRoot);
    image->readSymbols();
    return image;
}

bool ElfImage::openFile(const ImageQuery &query)
{
    const std::string path = withoutDeletedMark(query.path);
    if (query.buildId.empty() && isMarkedDeleted(query.path)) {
        m_unresolved = State::FileChanged; // and nothing would tell a copy of it
        return false;
    }
    for (const std::string &root : query.roots) {
        if (useFile(root + path, root + path, query.buildId))
            return true;
    }
    if (query.buildId.empty())
        return false;
    for (const std::int32_t pid : query.pids) {
        for (const std::string &copy : mappedCopies(pid, path)) {
            if (useFile(copy, path, query.buildId))
                return true;
        }
    }
    return false;
}

bool ElfImage::useFile(const std::string &place, const std::string &path, const std::string &buildId)
{
    auto file = ElfFile::open(place);
    if (!file)
        return false;
    if (!buildId.empty() && buildIdOf(file->elf.get()) != buildId) {
        m_unresolved = State::FileChanged;
        return false;
    }
    m_file = std::move(file);
    m_file->path = path;
    readFrameTables();
    return true;
}

void ElfImage::openVdso()
{
    // Every process of a kernel has the same one (but for 32-bit programs, which have another).
    const auto address = ::getauxval(AT_SYSINFO_EHDR);
    if (address == 0)
        return;
    auto *header = reinterpret_cast<Elf64_Ehdr *>(address);
    elf_version(EV_CURRENT);
    if (const std::size_t bytes = vdsoBytes(header))
        m_vdso.reset(elf_memory(reinterpret_cast<char *>(header), bytes));
    readSymbols();
}

void ElfImage::readSymbols()
{
    for (Elf *elf :
        {m_vdso.get(), m_file ? m_file->elf.get() : nullptr, m_debugFile ? m_debugFile->elf.get() : nullptr}) {
        if (elf)
            m_symbols.add(elf);
    }
    m_symbols.sort();
    if (m_debugFile)
        m_debugInfo = DebugInfo::open(m_debugFile->elf.get());
    if (!m_debugInfo && m_file)
        m_debugInfo = DebugInfo::open(m_file->elf.get());
    if (m_symbols.size() > 0 || m_debugInfo || m_file)
        m_unresolved = State::NoSymbol;
}

void ElfImage::readFrameTables()
{
    Elf *elf = m_file->elf.get();
    std::size_t names = 0;
    if (elf_getshdrstrndx(elf, &names) != 0)
        return;
    for (Elf_Scn *section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == nullptr || header.sh_type == SHT_NOBITS)
            continue;
        const char *name = elf_strptr(elf, names, header.sh_name);
        const std::string_view text = name ? name : "";
        unwind::Section *wanted = text == ".eh_frame" ? &m_frameTables.frames
            : text == ".eh_frame_hdr"                 ? &m_frameTables.header
                                                      : nullptr;
        const Elf_Data *data = wanted ? elf_rawdata(section, nullptr) : nullptr;
        if (data && data->d_buf)
            *wanted = {static_cast<const std::uint8_t *>(data->d_buf), data->d_size, header.sh_addr};
    }
    m_name = m_file->path.substr(m_file->path.rfind('/') + 1);
}

/// Null where there is none. One without size ends where call-frame information says that its function does, or that another begins.
const char *ElfImage::symbolAt(std::uint64_t address) const
{
    const SymbolTable::Found found = m_symbols.find(address);
    if (!found.name || found.isSized || found.inside == 0 || m_frameTables.header.size == 0)
        return found.name;
    const std::uint64_t begin = address - found.inside;
    unwind::FrameEntry entry;
    const bool hasEnded
        = unwind::findEntry(m_frameTables, begin, entry) == unwind::FindResult::Found && entry.end <= address;
    return hasEnded || unwind::hasEntryBetween(m_frameTables, begin + 1, address) ? nullptr : found.name;
}

/// Empty where nothing is said about it, and without the sorted index: each search would read all.
std::string ElfImage::nameByBegin(std::uint64_t address) const
{
    unwind::FrameEntry entry;
    if (m_frameTables.header.size == 0 || unwind::findEntry(m_frameTables, address, entry) != unwind::FindResult::Found)
        return {};
    return fmt::format("{}+{:#x}", m_name, entry.begin);
}

ElfImage::State ElfImage::find(std::uint64_t address, std::vector<SourceFrame> &frames)
{
    frames = m_debugInfo ? m_debugInfo->find(address) : std::vector<SourceFrame>();
    if (frames.empty())
        frames.emplace_back();
    SourceFrame &real = frames.back();
    if (real.function.empty() || real.hasShortName) {
        const char *symbol = symbolAt(address);
        // The symbol of a lambda or a constructor says more than "operator()"; that of a C function may be an alias.
        if (symbol && (real.function.empty() || std::string_view(symbol).starts_with("_Z")))
            real.function = demangled(symbol);
    }
    if (!frames.back().function.empty())
        return State::Resolved;
    frames.clear();
    if (std::string name = nameByBegin(address); !name.empty())
        frames.push_back({std::move(name), {}, 0, false});
    return m_unresolved;
}

ElfImage::State ElfImage::findCaller(std::uint64_t address, std::vector<SourceFrame> &frames)
{
    const State state = find(address - 1, frames);
    return state != State::Resolved && m_symbols.begins(address) ? find(address, frames) : state;
}

} // namespace capture

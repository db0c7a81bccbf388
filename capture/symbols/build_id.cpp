// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/symbols/build_id.h"

#include "capture/unwind/byte_cursor.h"

#include <elf.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace capture {

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kMostNoteBytes = 65536;

/// [address, address + bytes) of another process; empty where not all of it can be read.
std::vector<std::uint8_t> memoryOf(std::int32_t pid, std::uint64_t address, std::size_t bytes)
{
    std::vector<std::uint8_t> copy(bytes);
    const iovec local{copy.data(), bytes};
    const iovec remote{reinterpret_cast<void *>(address), bytes};
    if (bytes == 0 || ::process_vm_readv(pid, &local, 1, &remote, 1, 0) != static_cast<ssize_t>(bytes))
        copy.clear();
    return copy;
}

/// The program headers in the first page of an image; empty where it is none.
std::vector<Elf64_Phdr> segmentsIn(const std::vector<std::uint8_t> &page)
{
    Elf64_Ehdr header;
    if (page.size() < sizeof header)
        return {};
    std::memcpy(&header, page.data(), sizeof header);
    const std::size_t bytes = std::size_t{header.e_phnum} * sizeof(Elf64_Phdr);
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64
        || header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phoff > page.size()
        || bytes > page.size() - header.e_phoff)
        return {};
    std::vector<Elf64_Phdr> segments(header.e_phnum);
    if (bytes != 0)
        std::memcpy(static_cast<void *>(segments.data()), page.data() + header.e_phoff, bytes);
    return segments;
}

} // namespace

std::string hexOf(std::span<const std::uint8_t> bytes)
{
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const std::uint8_t byte : bytes) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

std::string buildIdInNotes(std::span<const std::uint8_t> notes)
{
    const unwind::Section section{notes.data(), notes.size(), 0};
    unwind::ByteCursor cursor(section, 0, section.size);
    while (!cursor.atEnd()) {
        const auto nameBytes = cursor.number<std::uint32_t>();
        const auto contentBytes = cursor.number<std::uint32_t>();
        const auto type = cursor.number<std::uint32_t>();
        const std::size_t name = cursor.position();
        cursor.skip((std::uint64_t{nameBytes} + 3) & ~std::uint64_t{3});
        const std::size_t content = cursor.position();
        cursor.skip(contentBytes);
        if (cursor.failed())
            break;
        if (type == NT_GNU_BUILD_ID && nameBytes == 4 && std::memcmp(notes.data() + name, "GNU", 4) == 0)
            return hexOf(notes.subspan(content, contentBytes));
        cursor.skip((4 - contentBytes % 4) % 4);
    }
    return {};
}

std::string loadedBuildId(std::int32_t pid, std::uint64_t begin, std::uint64_t end)
{
    if (end <= begin)
        return {};
    const std::vector<Elf64_Phdr> segments
        = segmentsIn(memoryOf(pid, begin, std::min<std::uint64_t>(end - begin, kPage)));
    const auto first = std::find_if(segments.begin(), segments.end(),
        [](const Elf64_Phdr &segment) { return segment.p_type == PT_LOAD && segment.p_offset == 0; });
    if (first == segments.end())
        return {};
    for (const Elf64_Phdr &segment : segments) {
        if (segment.p_type != PT_NOTE || segment.p_filesz > kMostNoteBytes)
            continue;
        const std::uint64_t address = begin - first->p_vaddr + segment.p_vaddr;
        if (std::string id = buildIdInNotes(memoryOf(pid, address, segment.p_filesz)); !id.empty())
            return id;
    }
    return {};
}

} // namespace capture

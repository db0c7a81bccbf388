// SPDX-License-Identifier: MIT
#include "capture/unwind/find_module.h"

#include "capture/unwind/byte_cursor.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include <cstring>

#if defined(DLFO_STRUCT_HAS_EH_DBASE)
#define GENESIS_HAS_FIND_OBJECT 1
extern "C" int _dl_find_object(void *address, struct dl_find_object *result) noexcept __attribute__((weak));
#endif

namespace capture::unwind {

namespace {

Section mapped(std::uint64_t begin, std::uint64_t end)
{
    return {reinterpret_cast<const std::uint8_t *>(begin), static_cast<std::size_t>(end - begin), begin};
}

/// The program headers of a mapped image, and by how much its addresses differ from those in the file.
struct Image
{
    const Elf64_Phdr *headers = nullptr;
    std::size_t count = 0;
    std::uint64_t bias = 0;
    std::uint64_t entry = 0;

    /// Behind the last loaded segment, in whole pages.
    std::uint64_t end() const
    {
        std::uint64_t last = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t segmentEnd = bias + headers[i].p_vaddr + headers[i].p_memsz;
            if (headers[i].p_type == PT_LOAD && segmentEnd > last)
                last = segmentEnd;
        }
        return (last + 4095) & ~std::uint64_t{4095};
    }

    /// The loaded segment that holds `address`, as run-time addresses.
    bool segmentOf(std::uint64_t address, std::uint64_t &begin, std::uint64_t &end) const
    {
        for (std::size_t i = 0; i < count; ++i) {
            begin = bias + headers[i].p_vaddr;
            end = begin + headers[i].p_filesz;
            if (headers[i].p_type == PT_LOAD && address >= begin && address < end)
                return true;
        }
        return false;
    }
};

/// The image whose ELF header lies at `base`: the first loaded segment begins with the file.
bool readImage(std::uint64_t base, Image &image)
{
    const auto *header = reinterpret_cast<const Elf64_Ehdr *>(base);
    if (std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64
        || header->e_phentsize != sizeof(Elf64_Phdr))
        return false;
    // Program headers stand behind the header, in the first page, in whatever a linker writes; elsewhere they need
    // not be mapped at all.
    const std::uint64_t headersEnd = header->e_phoff + std::uint64_t{header->e_phnum} * sizeof(Elf64_Phdr);
    if (header->e_phoff > 4096 || headersEnd > 4096)
        return false;
    image.headers = reinterpret_cast<const Elf64_Phdr *>(base + header->e_phoff);
    image.count = header->e_phnum;
    for (std::size_t i = 0; i < image.count; ++i) {
        const Elf64_Phdr &segment = image.headers[i];
        if (segment.p_type == PT_LOAD && segment.p_offset == 0) {
            image.bias = base - segment.p_vaddr;
            image.entry = header->e_entry != 0 ? image.bias + header->e_entry : 0;
            return true;
        }
    }
    return false;
}

/// .eh_frame begins where its header says, and ends with the segment at the latest.
bool framesOf(const Section &header, std::uint64_t segmentBegin, std::uint64_t segmentEnd, Section &frames)
{
    ByteCursor cursor(header, 0, header.size);
    const std::uint8_t version = cursor.u8();
    const std::uint8_t encoding = cursor.u8();
    cursor.skip(2);
    const std::uint64_t begin = cursor.pointer(encoding, header.address);
    if (cursor.failed() || version != 1 || begin < segmentBegin || begin >= segmentEnd)
        return false;
    frames = mapped(begin, segmentEnd);
    return true;
}

/// Where an object begins of which glibc names the segment around the pc alone, because its segments leave a page free between them
/// (Debian's make): the first page of the file is mapped at the load bias; a program at a fixed address has its program headers there.
std::uint64_t imageBase(const link_map *module)
{
    if (module->l_addr != 0)
        return module->l_addr;
    const std::uint64_t programHeaders = getauxval(AT_PHDR);
    return programHeaders & ~std::uint64_t{4095};
}

} // namespace

bool moduleFromImage(std::uint64_t base, std::uint64_t end, LocalModule &module)
{
    Image image;
    if (end - base < 4096 || !readImage(base, image))
        return false;
    module.begin = base;
    module.end = end;
    module.tables = {};
    module.tables.entry = image.entry;
    for (std::size_t i = 0; i < image.count; ++i) {
        if (image.headers[i].p_type != PT_GNU_EH_FRAME)
            continue;
        const std::uint64_t header = image.bias + image.headers[i].p_vaddr;
        std::uint64_t segmentBegin = 0, segmentEnd = 0;
        if (!image.segmentOf(header, segmentBegin, segmentEnd) || segmentEnd > end || segmentBegin < base
            || image.headers[i].p_memsz > segmentEnd - header)
            return false;
        module.tables.header = mapped(header, header + image.headers[i].p_memsz);
        return framesOf(module.tables.header, segmentBegin, segmentEnd, module.tables.frames);
    }
    return image.entry != 0; // without information, but its entry point is known
}

FindObject weakFindObject()
{
#if defined(GENESIS_HAS_FIND_OBJECT)
    return &_dl_find_object;
#else
    return nullptr;
#endif
}

bool findModule(FindObject findObject, std::uint64_t pc, LocalModule &module)
{
#if defined(GENESIS_HAS_FIND_OBJECT)
    dl_find_object found;
    if (findObject && findObject(reinterpret_cast<void *>(pc), &found) == 0) {
        module.linkMap = found.dlfo_link_map;
        const auto begin = reinterpret_cast<std::uint64_t>(found.dlfo_map_start);
        const auto end = reinterpret_cast<std::uint64_t>(found.dlfo_map_end);
        module.nearBegin = begin;
        module.nearEnd = end;
        if (reinterpret_cast<std::uint64_t>(found.dlfo_eh_frame) - begin < end - begin || !module.linkMap)
            return moduleFromImage(begin, end, module);
        const std::uint64_t base = imageBase(module.linkMap); // glibc names one segment
        Image image;
        return base != 0 && readImage(base, image) && moduleFromImage(base, image.end(), module) && pc >= module.begin
            && pc < module.end;
    }
#else
    static_cast<void>(findObject);
#endif
    constexpr std::uint64_t kVdsoBytes = 64 * 1024; // one to four pages today
    const std::uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
    if (vdso == 0 || pc < vdso || pc - vdso >= kVdsoBytes)
        return false;
    Image image;
    std::uint64_t begin = 0, end = 0;
    if (!readImage(vdso, image) || !image.segmentOf(pc, begin, end))
        return false;
    module.linkMap = nullptr;
    module.nearBegin = vdso;
    module.nearEnd = (end + 4095) & ~std::uint64_t{4095};
    return moduleFromImage(vdso, module.nearEnd, module);
}

} // namespace capture::unwind

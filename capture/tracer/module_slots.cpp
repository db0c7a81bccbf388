// SPDX-License-Identifier: MIT
#include "capture/tracer/module_slots.h"

#include "capture/tracer/raw_syscall.h"

#include <sys/mman.h>

namespace capture::tracer {

namespace {

constexpr std::uint64_t kPageMask = ~std::uint64_t{4095};

} // namespace

ModuleSlots::ModuleSlots(const dl_phdr_info &info)
    : m_info(info)
{
    const Elf64_Dyn *dynamic = nullptr;
    for (unsigned i = 0; i < info.dlpi_phnum; ++i) {
        const Elf64_Phdr &header = info.dlpi_phdr[i];
        const std::uint64_t begin = info.dlpi_addr + header.p_vaddr;
        if (header.p_type == PT_DYNAMIC) {
            dynamic = reinterpret_cast<const Elf64_Dyn *>(begin);
        } else if (header.p_type == PT_GNU_RELRO) {
            // As the loader rounds it: a page that is only partly meant stays writable.
            m_relroBegin = begin & kPageMask;
            m_relroEnd = (begin + header.p_memsz) & kPageMask;
        }
    }
    if (dynamic != nullptr)
        readDynamic(dynamic, info.dlpi_addr);
}

void ModuleSlots::readDynamic(const Elf64_Dyn *dynamic, std::uint64_t bias)
{
    // glibc relocates these pointers in place, except where the section is read-only (the vdso).
    const auto at = [bias](std::uint64_t value) { return value < bias ? value + bias : value; };
    bool hasOtherFormat = false;
    for (const Elf64_Dyn *entry = dynamic; entry->d_tag != DT_NULL; ++entry) {
        const std::uint64_t value = entry->d_un.d_val;
        switch (entry->d_tag) {
        case DT_SYMTAB:
            m_symbols = reinterpret_cast<const Elf64_Sym *>(at(value));
            break;
        case DT_STRTAB:
            m_names = reinterpret_cast<const char *>(at(value));
            break;
        case DT_RELA:
            m_relocations = reinterpret_cast<const Elf64_Rela *>(at(value));
            break;
        case DT_RELASZ:
            m_relocationBytes = value;
            break;
        case DT_JMPREL:
            m_calls = reinterpret_cast<const Elf64_Rela *>(at(value));
            break;
        case DT_PLTRELSZ:
            m_callBytes = value;
            break;
        case DT_RELAENT:
            hasOtherFormat = hasOtherFormat || value != sizeof(Elf64_Rela);
            break;
        case DT_PLTREL:
            hasOtherFormat = hasOtherFormat || value != DT_RELA;
            break;
        default:
            break;
        }
    }
    if (hasOtherFormat)
        m_symbols = nullptr;
}

bool ModuleSlots::slotOf(const Elf64_Rela &relocation, Slot &slot) const
{
    const std::uint64_t type = ELF64_R_TYPE(relocation.r_info);
    const bool isAddress
        = type == R_X86_64_GLOB_DAT || type == R_X86_64_JUMP_SLOT || (type == R_X86_64_64 && relocation.r_addend == 0);
    if (!isAddress)
        return false;
    const Elf64_Sym &symbol = m_symbols[ELF64_R_SYM(relocation.r_info)];
    const char *name = m_names + symbol.st_name;
    // Most symbols of large modules are mangled: what we look for begins with a letter, or is operator new or delete.
    const bool isOperator = name[0] == '_' && name[1] == 'Z' && (name[2] == 'n' || name[2] == 'd');
    if (!isOperator && (name[0] < 'a' || name[0] > 'z'))
        return false;
    const std::uint64_t address = m_info.dlpi_addr + relocation.r_offset;
    if ((address & 7) != 0 || !isInSegment(address, PF_W))
        return false;
    slot.word = reinterpret_cast<std::uint64_t *>(address);
    slot.name = name;
    const std::uint64_t value = symbol.st_value != 0 ? m_info.dlpi_addr + symbol.st_value : 0;
    slot.defined = symbol.st_shndx != SHN_UNDEF ? value : 0;
    slot.standIn = symbol.st_shndx == SHN_UNDEF ? value : 0;
    slot.isCall = type == R_X86_64_JUMP_SLOT;
    return true;
}

bool ModuleSlots::isInSegment(std::uint64_t address, std::uint32_t flag) const
{
    for (unsigned i = 0; i < m_info.dlpi_phnum; ++i) {
        const Elf64_Phdr &header = m_info.dlpi_phdr[i];
        if (header.p_type == PT_LOAD && (header.p_flags & flag) != 0
            && address - (m_info.dlpi_addr + header.p_vaddr) < header.p_memsz)
            return true;
    }
    return false;
}

bool ModuleSlots::holds(std::uint64_t address) const { return isInSegment(address, PF_R | PF_W | PF_X); }

bool ModuleSlots::isCode(std::uint64_t address) const { return isInSegment(address, PF_X); }

bool ModuleSlots::write(std::uint64_t *word, std::uint64_t value)
{
    const auto address = reinterpret_cast<std::uint64_t>(word);
    if (address >= m_relroBegin && address < m_relroEnd && !m_isOpen) {
        if (failed(rawSyscall(SYS_mprotect, static_cast<long>(m_relroBegin),
                static_cast<long>(m_relroEnd - m_relroBegin), PROT_READ | PROT_WRITE)))
            return false;
        m_isOpen = true;
    }
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
    return true;
}

void ModuleSlots::protect()
{
    if (m_isOpen)
        rawSyscall(
            SYS_mprotect, static_cast<long>(m_relroBegin), static_cast<long>(m_relroEnd - m_relroBegin), PROT_READ);
    m_isOpen = false;
}

} // namespace capture::tracer

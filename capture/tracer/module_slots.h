// SPDX-License-Identifier: MIT
#pragma once

#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstdint>

namespace capture::tracer {

/// A word that holds the address of a function, because a relocation by the function's name put it there.
struct Slot
{
    std::uint64_t *word = nullptr;
    const char *name = nullptr;
    std::uint64_t defined = 0; ///< where the module itself defines that name; 0: it does not
    std::uint64_t standIn
        = 0;             ///< a stub of the module that stands for the function everywhere (programs at fixed addresses)
    bool isCall = false; ///< a jump slot: before its first call it may hold its own stub
};

/// The relocations of one loaded module, and the protection of the pages they are in. Reads mapped memory only.
class ModuleSlots
{
public:
    explicit ModuleSlots(const dl_phdr_info &info);
    ~ModuleSlots() { protect(); }
    ModuleSlots(const ModuleSlots &) = delete;
    ModuleSlots &operator=(const ModuleSlots &) = delete;

    /// False if its tables cannot be used.
    bool isUsable() const { return m_symbols != nullptr && m_names != nullptr; }

    /// Calls visit(Slot) for each slot of a name that may be one of ours.
    template <typename Visit> void forEach(Visit visit) const
    {
        forEachIn(m_relocations, m_relocationBytes, visit);
        forEachIn(m_calls, m_callBytes, visit);
    }

    bool holds(std::uint64_t address) const;
    /// Whether `address` lies in this module's code.
    bool isCode(std::uint64_t address) const;
    /// The part that relocation made read-only; empty where there is none.
    std::uint64_t relroBegin() const { return m_relroBegin; }
    std::uint64_t relroEnd() const { return m_relroEnd; }

    /// Writes a word of a slot; false if its page cannot be written.
    bool write(std::uint64_t *word, std::uint64_t value);

private:
    void readDynamic(const Elf64_Dyn *dynamic, std::uint64_t bias);
    bool isInSegment(std::uint64_t address, std::uint32_t flag) const;
    bool slotOf(const Elf64_Rela &relocation, Slot &slot) const;
    void protect();

    template <typename Visit> void forEachIn(const Elf64_Rela *first, std::size_t bytes, Visit visit) const
    {
        for (std::size_t i = 0; first != nullptr && i < bytes / sizeof(Elf64_Rela); ++i) {
            Slot slot;
            if (slotOf(first[i], slot))
                visit(slot);
        }
    }

    const dl_phdr_info &m_info;
    const Elf64_Sym *m_symbols = nullptr;
    const char *m_names = nullptr;
    const Elf64_Rela *m_relocations = nullptr;
    std::size_t m_relocationBytes = 0;
    const Elf64_Rela *m_calls = nullptr;
    std::size_t m_callBytes = 0;
    std::uint64_t m_relroBegin = 0, m_relroEnd = 0;
    bool m_isOpen = false; ///< the read-only part is writable now
};

} // namespace capture::tracer

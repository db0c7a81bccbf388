// SPDX-License-Identifier: MIT
#include "capture/tracer/module_registry.h"

#include "capture/tracer/raw_syscall.h"

#include <elf.h>
#include <link.h>

#include <cstring>

namespace capture::tracer {

namespace {

constexpr std::uint64_t kRemoved = 0xffff;
constexpr std::size_t kSlotBytes = 2 * wire::kMaxModules * sizeof(std::uint64_t);
constexpr std::size_t kEntryBytes = wire::kMaxModules * sizeof(void *);

std::uint32_t slotOf(std::uint64_t page) { return static_cast<std::uint32_t>((page * 0x9e3779b97f4a7c15) >> 40); }

const char *pathOf(const link_map *module)
{
    static constexpr char kVdso[] = "[vdso]";
    const char *path = module != nullptr ? module->l_name : kVdso;
    return std::strncmp(path, "linux-vdso", 10) == 0 ? kVdso : path;
}

constexpr std::size_t kFirstPage = 4096;

/// The build-id among `bytes` of notes; false if it is not there, or longer than a record takes.
bool findIn(const unsigned char *notes, std::uint64_t bytes, ModuleRegistry::BuildId &id)
{
    while (bytes >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr note;
        std::memcpy(&note, notes, sizeof note);
        const std::uint64_t content = sizeof note + ((std::uint64_t{note.n_namesz} + 3) & ~std::uint64_t{3});
        const std::uint64_t next = content + ((std::uint64_t{note.n_descsz} + 3) & ~std::uint64_t{3});
        if (content + note.n_descsz > bytes)
            return false;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(notes + sizeof note, "GNU", 4) == 0) {
            if (note.n_descsz > wire::kMostBuildIdBytes)
                return false;
            std::memcpy(id.bytes, notes + content, note.n_descsz);
            id.count = static_cast<std::uint8_t>(note.n_descsz);
            return true;
        }
        if (next >= bytes)
            return false;
        notes += next;
        bytes -= next;
    }
    return false;
}

} // namespace

bool ModuleRegistry::reset(wire::MemoryView memory, unwind::FindObject findObject)
{
    m_memory = memory;
    m_findObject = findObject;
    if (m_slots == nullptr) {
        auto *area = static_cast<unsigned char *>(mapPrivate(kSlotBytes + kEntryBytes));
        if (area == nullptr)
            return false;
        m_slots = reinterpret_cast<std::atomic<std::uint64_t> *>(area);
        m_entries = reinterpret_cast<std::atomic<const link_map *> *>(area + kSlotBytes);
        return true;
    }
    for (std::uint32_t i = 0; i < kSlots; ++i)
        if (m_slots[i].load(std::memory_order_relaxed) != 0)
            m_slots[i].store(0, std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < wire::kMaxModules; ++i)
        if (m_entries[i].load(std::memory_order_relaxed) != nullptr)
            m_entries[i].store(nullptr, std::memory_order_relaxed);
    return true;
}

ModuleRegistry::Found ModuleRegistry::moduleAt(std::uint64_t pc)
{
    unwind::LocalModule module;
    if (m_slots == nullptr || !unwind::findModule(m_findObject, pc, module))
        return {wire::kNoModule, 0, 0};
    const std::uint32_t index = indexOf(module);
    return {index, module.nearBegin, index == wire::kNoModule ? 0 : module.nearEnd - module.nearBegin};
}

std::uint32_t ModuleRegistry::indexOf(const unwind::LocalModule &module)
{
    const std::uint64_t page = module.begin >> 12;
    for (std::uint32_t i = 0, at = slotOf(page); i < kSlots; ++i, ++at) {
        const std::uint64_t slot = m_slots[at % kSlots].load(std::memory_order_acquire);
        if (slot == 0)
            return publish(module);
        if (slot >> 16 == page && slot != kRemoved)
            return static_cast<std::uint32_t>(slot & 0xffff) - 1;
    }
    return wire::kNoModule;
}

std::uint32_t ModuleRegistry::moduleOf(const link_map *module)
{
    return module != nullptr ? moduleAt(reinterpret_cast<std::uint64_t>(module->l_ld)).index : wire::kNoModule;
}

std::uint32_t ModuleRegistry::publish(const unwind::LocalModule &module)
{
    wire::Header &header = m_memory.header();
    const BuildId id = buildIdOf(module);
    std::uint32_t index = findUnloaded(module, id);
    if (index == wire::kNoModule) {
        // Two threads that find the same module at once both publish it; one of the records is never referred to.
        index = header.usedModules.fetch_add(1, std::memory_order_relaxed);
        if (index >= wire::kMaxModules) {
            header.usedModules.store(wire::kMaxModules, std::memory_order_relaxed);
            header.losses.modulesRefused.fetch_add(1, std::memory_order_relaxed);
            return wire::kNoModule;
        }
        wire::ModuleRecord &record = m_memory.module(index);
        record.begin = module.begin;
        record.end = module.end;
        record.loadBias = module.linkMap != nullptr ? module.linkMap->l_addr : module.begin;
        copyPath(module.linkMap, record);
        std::memcpy(record.buildId, id.bytes, sizeof record.buildId);
        record.buildIdBytes = id.count;
        record.ready.store(1, std::memory_order_release);
    }
    m_memory.module(index).unloaded.store(0, std::memory_order_release);
    m_entries[index].store(module.linkMap, std::memory_order_release);

    const std::uint64_t page = module.begin >> 12;
    const std::uint64_t wanted = page << 16 | (index + 1);
    for (std::uint32_t i = 0, at = slotOf(page); i < kSlots; ++i, ++at) {
        std::uint64_t slot = 0;
        if (m_slots[at % kSlots].compare_exchange_strong(slot, wanted, std::memory_order_acq_rel))
            return index;
        if (slot == kRemoved && m_slots[at % kSlots].compare_exchange_strong(slot, wanted, std::memory_order_acq_rel))
            return index;
        if (slot >> 16 == page && slot != kRemoved)
            return static_cast<std::uint32_t>(slot & 0xffff) - 1;
    }
    return index;
}

std::uint32_t ModuleRegistry::findUnloaded(const unwind::LocalModule &module, const BuildId &id) const
{
    const std::uint32_t used = m_memory.header().usedModules.load(std::memory_order_acquire);
    const char *path = pathOf(module.linkMap);
    const std::size_t pathBytes = std::strlen(path);
    for (std::uint32_t index = 0; index < used && index < wire::kMaxModules; ++index) {
        const wire::ModuleRecord &record = m_memory.module(index);
        if (record.unloaded.load(std::memory_order_acquire) != 0 && record.begin == module.begin
            && record.end == module.end && record.pathBytes == pathBytes && record.buildIdBytes == id.count
            && std::memcmp(record.buildId, id.bytes, id.count) == 0
            && std::memcmp(m_memory.paths() + record.pathOffset, path, pathBytes) == 0)
            return index;
    }
    return wire::kNoModule;
}

bool ModuleRegistry::copyPath(const link_map *module, wire::ModuleRecord &record)
{
    const char *path = pathOf(module);
    const auto bytes = static_cast<std::uint32_t>(std::strlen(path));
    const std::uint32_t offset = m_memory.header().usedPathBytes.fetch_add(bytes, std::memory_order_relaxed);
    if (bytes > wire::kModulePathBytes || offset > wire::kModulePathBytes - bytes) {
        m_memory.header().losses.modulesRefused.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    std::memcpy(m_memory.paths() + offset, path, bytes);
    record.pathOffset = offset;
    record.pathBytes = bytes;
    return true;
}

/// From the notes in the memory of the image: the file of its name may be another one by now, and of another mount namespace. Only what lies in
/// the loaded segment that the ELF header stands in is read: that one has been read already.
ModuleRegistry::BuildId ModuleRegistry::buildIdOf(const unwind::LocalModule &module)
{
    BuildId id;
    const auto *header = reinterpret_cast<const Elf64_Ehdr *>(module.begin);
    if (module.end - module.begin < kFirstPage || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0
        || header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phoff > kFirstPage
        || std::size_t{header->e_phnum} * sizeof(Elf64_Phdr) > kFirstPage - header->e_phoff)
        return id;
    const auto *segments = reinterpret_cast<const Elf64_Phdr *>(module.begin + header->e_phoff);
    const Elf64_Phdr *first = nullptr;
    for (std::uint32_t i = 0; i < header->e_phnum && first == nullptr; ++i)
        if (segments[i].p_type == PT_LOAD && segments[i].p_offset == 0 && (segments[i].p_flags & PF_R) != 0)
            first = &segments[i];
    if (first == nullptr || first->p_filesz > module.end - module.begin)
        return id;
    for (std::uint32_t i = 0; i < header->e_phnum; ++i) {
        const std::uint64_t offset = segments[i].p_vaddr - first->p_vaddr;
        if (segments[i].p_type != PT_NOTE || offset >= first->p_filesz
            || segments[i].p_filesz > first->p_filesz - offset)
            continue;
        const auto *note = reinterpret_cast<const unsigned char *>(module.begin + offset);
        if (findIn(note, segments[i].p_filesz, id))
            break;
    }
    return id;
}

bool ModuleRegistry::loaderFreed(const void *pointer)
{
    if (m_slots == nullptr)
        return false;
    const std::uint32_t used = m_memory.header().usedModules.load(std::memory_order_acquire);
    bool isModule = false;
    for (std::uint32_t index = 0; index < used && index < wire::kMaxModules; ++index) {
        if (m_entries[index].load(std::memory_order_acquire) != pointer)
            continue;
        isModule = true;
        m_entries[index].store(nullptr, std::memory_order_release);
        m_memory.module(index).unloaded.store(1, std::memory_order_release);
        const std::uint64_t page = m_memory.module(index).begin >> 12;
        for (std::uint32_t i = 0, at = slotOf(page); i < kSlots; ++i, ++at) {
            std::uint64_t slot = m_slots[at % kSlots].load(std::memory_order_acquire);
            if (slot == 0)
                break;
            if (slot == (page << 16 | (index + 1))) {
                m_slots[at % kSlots].compare_exchange_strong(slot, kRemoved, std::memory_order_acq_rel);
                break;
            }
        }
    }
    return isModule;
}

} // namespace capture::tracer

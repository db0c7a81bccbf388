// SPDX-License-Identifier: MIT
#include "capture/tracer/module_registry.h"

#include "capture/tracer/raw_syscall.h"

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
    std::uint32_t index = findUnloaded(module);
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

std::uint32_t ModuleRegistry::findUnloaded(const unwind::LocalModule &module) const
{
    const std::uint32_t used = m_memory.header().usedModules.load(std::memory_order_acquire);
    const char *path = pathOf(module.linkMap);
    const std::size_t pathBytes = std::strlen(path);
    for (std::uint32_t index = 0; index < used && index < wire::kMaxModules; ++index) {
        const wire::ModuleRecord &record = m_memory.module(index);
        if (record.unloaded.load(std::memory_order_acquire) != 0 && record.begin == module.begin
            && record.end == module.end && record.pathBytes == pathBytes
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

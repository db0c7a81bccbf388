// SPDX-License-Identifier: MIT
#pragma once

#include "capture/unwind/find_module.h"
#include "capture/wire/layout.h"

#include <atomic>

namespace capture::tracer {

/// The modules whose code stood in a stack, published to the recorder the first time each is seen, so that even a
/// process that is gone a moment later can be resolved. Any thread; no lock, no heap, no loader call but
/// _dl_find_object.
class ModuleRegistry
{
public:
    /// Forgets everything and publishes into `memory` from now on. False if it got no memory of its own.
    bool reset(wire::MemoryView memory, unwind::FindObject findObject);

    /// Of an image, from its notes; 0 bytes: it has none.
    struct BuildId
    {
        std::uint8_t bytes[wire::kMostBuildIdBytes] = {};
        std::uint8_t count = 0;
    };

    struct Found
    {
        std::uint32_t index; ///< wire::kNoModule: none is known there
        std::uint64_t begin,
            bytes; ///< around the pc, all that is the same module's until one goes; bytes 0: only what was asked for
    };
    /// The module that holds `pc`, published if it is new.
    Found moduleAt(std::uint64_t pc);

    /// The index of a loader entry's module, by its dynamic section; published likewise.
    std::uint32_t moduleOf(const link_map *module);

    /// The loader frees `pointer`: if that was a module's entry, the module is gone. True if so.
    bool loaderFreed(const void *pointer);

private:
    static constexpr std::uint32_t kSlots = 2 * wire::kMaxModules;

    std::uint32_t indexOf(const unwind::LocalModule &module);
    std::uint32_t publish(const unwind::LocalModule &module);
    /// The record of the same build at the same place, if it was there before and went.
    std::uint32_t findUnloaded(const unwind::LocalModule &module, const BuildId &id) const;
    bool copyPath(const link_map *module, wire::ModuleRecord &record);
    static BuildId buildIdOf(const unwind::LocalModule &module);

    wire::MemoryView m_memory;
    unwind::FindObject m_findObject = nullptr;
    /// Open addressing by first page: page << 16 | index + 1; 0: empty; kRemoved: was a module, keep looking.
    std::atomic<std::uint64_t> *m_slots = nullptr;
    std::atomic<const link_map *> *m_entries = nullptr; ///< by index
};

} // namespace capture::tracer

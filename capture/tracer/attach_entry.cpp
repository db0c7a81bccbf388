// SPDX-License-Identifier: MIT
#include "capture/tracer/attach_entry.h"

#include "capture/tracer/elf_lookup.h"
#include "capture/tracer/got_patches.h"
#include "capture/tracer/interpose.h"
#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/rendezvous.h"
#include "capture/tracer/tracer_api.h"
#include "capture/tracer/tracing.h"

#include <cstring>

using namespace capture;
using namespace capture::tracer;

namespace {

using Dlsym = void *(*)(void *handle, const char *name);
using LockedStep = void (*)(wire::AttachCommand &command);

/// One command at a time; only the thread that runs it writes the rest.
constinit std::atomic<std::uint32_t> g_isBusy = 0;
constinit wire::AttachCommand *g_command = nullptr;
constinit LockedStep g_step = nullptr;
/// The library was loaded with the program, so calls are bound to it and no slot is ever changed.
constinit bool g_isPreloaded = false;
constinit bool g_isPrepared = false;

/// Runs `step` with the loader's lock held: no module is being loaded, relocated or let go meanwhile.
void withLoaderLock(wire::AttachCommand &command, LockedStep step)
{
    g_command = &command;
    g_step = step;
    reinterpret_cast<Dlsym>(command.dlsym)(reinterpret_cast<void *>(command.handle), wire::kLockedFunction);
    // A C library so old that it finds symbols without the lock does not ask indirect functions either.
    if (g_step != nullptr)
        step(command);
    g_step = nullptr;
}

void findAllocator(wire::AttachCommand &command)
{
    g_isPreloaded = __atomic_load_n(&g_next.malloc, __ATOMIC_ACQUIRE) != nullptr;
    const link_map *program = firstModule();
    if (program != nullptr && symbolOf(program, "malloc") != 0)
        command.status = wire::AttachStatus::OwnAllocator;
    else
        g_isPrepared = g_isPreloaded || findPresentFunctions();
    g_tracing.findLoaderFunctions();
}

void answer(wire::AttachCommand &command, const PatchCounts &counts)
{
    command.modules = counts.modules;
    command.slots = counts.slots;
    command.slotsElsewhere = counts.slotsElsewhere;
    command.slotsFailed = counts.slotsFailed;
    command.modulesSkipped = counts.modulesSkipped;
}

void redirect(wire::AttachCommand &command)
{
    if (!g_isPreloaded)
        answer(command, redirectSlots());
    command.status = wire::AttachStatus::Done;
}

/// The first time, when this process has just met the recorder.
void redirectAndOffer(wire::AttachCommand &command)
{
    offerApi();
    redirect(command);
}

void restore(wire::AttachCommand &command)
{
    if (!g_isPreloaded)
        answer(command, restoreSlots());
    command.status = wire::AttachStatus::Done;
}

/// Whether the recorder that asks is the one that was met last. To another one this process only has the number of one of its own.
bool isFromOurRecorder(const wire::AttachCommand &command)
{
    return std::memcmp(command.address, g_recorderAddress, sizeof g_recorderAddress) == 0;
}

void start(wire::AttachCommand &command)
{
    if (g_tracing.isServing()) {
        command.status = wire::AttachStatus::AlreadyActive;
        return;
    }
    if (!g_isPrepared)
        withLoaderLock(command, findAllocator);
    if (!g_isPrepared) {
        if (command.status == wire::AttachStatus::NotRun)
            command.status = wire::AttachStatus::NoAllocator;
        return;
    }
    if (!g_tracing.leave()) {
        command.status = wire::AttachStatus::Busy;
        return;
    }
    command.address[wire::kAddressBytes - 1] = 0;
    std::memcpy(g_recorderAddress, command.address, sizeof g_recorderAddress);
    if (!g_tracing.attach()) {
        command.status = wire::AttachStatus::NotMet;
        return;
    }
    command.memoryBase = reinterpret_cast<std::uint64_t>(g_tracing.memory.base);
    withLoaderLock(command, redirectAndOffer);
    if (command.status == wire::AttachStatus::Done && g_tracing.activate())
        return;
    g_tracing.goDormant();
    if (command.status == wire::AttachStatus::Done) {
        withLoaderLock(command, restore);
        command.status = wire::AttachStatus::NotMet;
    }
    g_tracing.leave();
}

void stop(wire::AttachCommand &command)
{
    if (!isFromOurRecorder(command)) {
        command.status = wire::AttachStatus::NotActive;
        return;
    }
    g_tracing.goDormant();
    withLoaderLock(command, restore);
    if (command.status == wire::AttachStatus::Done && !g_tracing.leave())
        command.status = wire::AttachStatus::Busy;
}

void scan(wire::AttachCommand &command)
{
    if (isFromOurRecorder(command) && g_tracing.isServing())
        withLoaderLock(command, redirect);
    else
        command.status = wire::AttachStatus::NotActive;
}

void doNothing() { }

} // namespace

void genesis_tracer_command(wire::AttachCommand *command)
{
    if (command->magic != wire::kMagic || command->version != wire::kVersion || command->dlsym == 0
        || g_isBusy.exchange(1, std::memory_order_acq_rel) != 0)
        return;
    switch (command->action) {
    case wire::AttachAction::Start:
        start(*command);
        break;
    case wire::AttachAction::Scan:
        scan(*command);
        break;
    case wire::AttachAction::Stop:
        stop(*command);
        break;
    }
    g_isBusy.store(0, std::memory_order_release);
}

extern "C" {

/// Called by the loader, which holds its lock, when the symbol is looked up; by anybody's lookup, so it looks for a step.
__attribute__((used)) static void (*genesisResolveLocked())()
{
    if (const LockedStep step = g_step) {
        g_step = nullptr;
        step(*g_command);
    }
    return doNothing;
}

void genesis_tracer_locked() __attribute__((ifunc("genesisResolveLocked")));
}

// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/sample_unwinder.h"
#include "capture/target/remote_process.h"
#include "capture/target/thread_registers.h"
#include "model/tables/table_builder.h"

#include <sys/user.h>

#include <cstdint>
#include <string>
#include <vector>

namespace capture {

/// Judges whether a stopped thread may be borrowed for a call of dlopen: it must not be in the middle of what dlopen uses itself. Its
/// whole stack is looked at, by call-frame information; where that ends early, every word above is taken for a return address. The signal frame,
/// by which it comes back, must have room below its stack pointer (stack_room.h); the call itself has another stack.
class SafePoint
{
public:
    /// `libc` must be mapped by `process`. Both outlive it.
    SafePoint(const RemoteProcess &process, const RemoteLibrary &libc);

    /// Empty if the thread may be borrowed; else where it is, to follow "is in": "the allocator". Takes some 50 µs.
    /// By the mappings of the process as they were last read. The thread is stopped and traced by the calling one.
    std::string obstacle(const ThreadRegisters &stopped, std::int32_t tid);

private:
    struct Forbidden
    {
        AddressRange addresses;
        const char *what;
    };

    void forbidLibc(const RemoteLibrary &libc);
    void forbidModules();
    void forbidProgram(const MemoryMapping &mapping);
    const char *forbiddenAt(std::uint64_t address) const;
    PerfSample sampleOf(const user_regs_struct &registers) const;
    const char *scan(const PerfSample &sample, std::uint64_t from) const;

    const RemoteProcess &m_process;
    std::vector<Forbidden> m_forbidden;
    AddressRange m_libc;
    model::TableBuilder m_tables;
    CodeFiles m_files;
    AddressSpace m_space;
    SampleUnwinder m_unwinder;
};

} // namespace capture

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/signal_frame.h"

#include <cpuid.h>
#include <signal.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstring>

namespace capture {

namespace {

constexpr std::uint64_t kRedZoneBytes = 128; // of the System V ABI: below the stack pointer, and in use

// Of the kernel's include/linux/errno.h: never seen by programs, only by tracers.
constexpr std::int64_t kRestartSys = -512, kRestartNoIntr = -513, kRestartNoHand = -514, kRestartBlock = -516;

// Of arch/x86/include/uapi/asm/{ucontext,sigcontext}.h.
constexpr std::uint64_t kUcFpXstate = 1, kUcSigcontextSs = 2, kUcStrictRestoreSs = 4;
constexpr std::uint32_t kFpXstateMagic1 = 0x46505853, kFpXstateMagic2 = 0x46505845;
constexpr std::size_t kLegacyBytes = 512, kHeaderBytes = 64, kSoftwareBytesAt = 464;

/// struct rt_sigframe of the kernel without its siginfo, which rt_sigreturn does not read.
struct KernelFrame
{
    std::uint64_t returnAddress;
    std::uint64_t flags;
    std::uint64_t link;
    std::uint64_t stackPointer;
    std::uint32_t stackFlags, stackPadding;
    std::uint64_t stackBytes;
    std::uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
    std::uint16_t cs, gs, fs, ss;
    std::uint64_t error, trap, oldMask, cr2;
    std::uint64_t extendedState;
    std::uint64_t reserved[8];
    std::uint64_t signalMask;
};
static_assert(sizeof(KernelFrame) == 8 + 304 && offsetof(KernelFrame, signalMask) == 8 + 296);
static_assert(sizeof(siginfo_t) == SignalFrame::kSpareBytes); // lies behind it

/// What the kernel keeps in the last bytes of the legacy area of a frame.
struct SoftwareBytes
{
    std::uint32_t magic1;
    std::uint32_t extendedBytes;
    std::uint64_t features;
    std::uint32_t stateBytes;
    std::uint32_t padding[7];
};
static_assert(sizeof(SoftwareBytes) == 48);

/// Size of an XSAVE area in standard form that holds these features.
std::size_t bytesOfFeatures(std::uint64_t features)
{
    std::size_t bytes = kLegacyBytes + kHeaderBytes;
    for (unsigned i = 2; i < 63; ++i) {
        unsigned size = 0, offset = 0, c = 0, d = 0;
        if ((features >> i & 1) != 0 && __get_cpuid_count(0xd, i, &size, &offset, &c, &d) != 0)
            bytes = std::max(bytes, std::size_t{offset} + size);
    }
    return bytes;
}

/// Brings the extended state into the form that rt_sigreturn takes; empty if it is not one.
std::vector<std::uint8_t> frameState(const std::vector<std::uint8_t> &extended)
{
    if (extended.size() < kLegacyBytes + kHeaderBytes)
        return {};
    std::uint64_t features = 0; // those that are not in their first state, which is what the others are put in
    std::memcpy(&features, extended.data() + kLegacyBytes, sizeof features);
    features |= 3;
    const std::size_t stateBytes = std::min(bytesOfFeatures(features), extended.size());
    // Larger at once: GCC 12 otherwise takes the state for empty and the copies for out of bounds.
    std::vector<std::uint8_t> state(stateBytes + sizeof kFpXstateMagic2);
    std::copy_n(extended.begin(), stateBytes, state.begin());
    const SoftwareBytes software{kFpXstateMagic1, static_cast<std::uint32_t>(stateBytes + sizeof kFpXstateMagic2),
        features, static_cast<std::uint32_t>(stateBytes), {}};
    std::memcpy(state.data() + kSoftwareBytesAt, &software, sizeof software);
    std::memcpy(state.data() + stateBytes, &kFpXstateMagic2, sizeof kFpXstateMagic2);
    return state;
}

KernelFrame kernelFrame(const user_regs_struct &r, std::uint64_t signalMask)
{
    KernelFrame frame{};
    frame.flags = kUcFpXstate | kUcSigcontextSs | kUcStrictRestoreSs;
    // The thread's alternate stack is not known to us: with flags that make no sense it stays as it is.
    frame.stackFlags = 0x7f;
    frame.r8 = r.r8;
    frame.r9 = r.r9;
    frame.r10 = r.r10;
    frame.r11 = r.r11;
    frame.r12 = r.r12;
    frame.r13 = r.r13;
    frame.r14 = r.r14;
    frame.r15 = r.r15;
    frame.rdi = r.rdi;
    frame.rsi = r.rsi;
    frame.rbp = r.rbp;
    frame.rbx = r.rbx;
    frame.rdx = r.rdx;
    frame.rax = r.rax;
    frame.rcx = r.rcx;
    frame.rsp = r.rsp;
    frame.rip = r.rip;
    frame.eflags = r.eflags;
    frame.cs = static_cast<std::uint16_t>(r.cs);
    frame.ss = static_cast<std::uint16_t>(r.ss);
    frame.signalMask = signalMask;
    return frame;
}

} // namespace

user_regs_struct resumedRegisters(const user_regs_struct &stopped)
{
    user_regs_struct r = stopped;
    if (static_cast<std::int64_t>(r.orig_rax) < 0)
        return r;
    const auto result = static_cast<std::int64_t>(r.rax);
    if (result == kRestartSys || result == kRestartNoIntr || result == kRestartNoHand || result == kRestartBlock) {
        r.rip -= 2; // the syscall instruction
        r.rax = result == kRestartBlock ? SYS_restart_syscall : r.orig_rax;
    }
    r.orig_rax = static_cast<unsigned long long>(-1);
    return r;
}

SignalFrame makeSignalFrame(const ThreadRegisters &stopped, std::uint64_t restorer)
{
    const user_regs_struct registers = resumedRegisters(stopped.general);
    const std::vector<std::uint8_t> state = frameState(stopped.extended);
    KernelFrame head = kernelFrame(registers, stopped.signalMask);
    head.returnAddress = restorer;
    const std::uint64_t stateAt = (registers.rsp - kRedZoneBytes - state.size()) & ~std::uint64_t{63};
    head.extendedState = state.empty() ? 0 : stateAt;
    SignalFrame frame;
    frame.address = ((stateAt - sizeof head - sizeof(siginfo_t)) & ~std::uint64_t{15}) - 8;
    frame.bytes.resize(stateAt - frame.address + state.size());
    std::memcpy(frame.bytes.data(), &head, sizeof head);
    std::memcpy(frame.bytes.data() + (stateAt - frame.address), state.data(), state.size());
    return frame;
}

} // namespace capture

// SPDX-License-Identifier: MIT
// The hooks of what a program gives up rights with: prctl and syscall where they install a seccomp filter, chroot.
#include "capture/tracer/elf_lookup.h"
#include "capture/tracer/hook_declarations.h"
#include "capture/tracer/interpose.h"
#include "capture/tracer/own_variables.h"
#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/restrictions.h"
#include "capture/tracer/tracing.h"

#include <link.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include <cerrno>
#include <cstdarg>

using namespace capture;
using namespace capture::tracer;

namespace {

constexpr long kReadable = 4; // R_OK, whose header declares the functions below otherwise

/// The kernel's answer as libc gives it.
long resultOf(long answer)
{
    if (!failed(answer))
        return answer;
    errno = static_cast<int>(-answer);
    return -1;
}

/// Calls the kernel through `install`, then finds out what that means to us. A filter's memory is the program's: it is read only
/// after the kernel could. Null: the strict mode.
template <typename Install> long installing(const sock_fprog *filter, Install install)
{
    long result = 0;
    {
        const Restrictions::Installing now;
        result = install();
        if (result < 0)
            return result;
        if (filter != nullptr)
            Restrictions::add(*filter);
        else
            Restrictions::addAll();
    }
    g_tracing.respectRestrictions();
    return result;
}

} // namespace

/// prctl(), as the program asks for it through `call`.
template <typename Call> static long prctlThrough(Call call, long option, unsigned long a, unsigned long b)
{
    if (option == PR_SET_SECCOMP && (a == SECCOMP_MODE_STRICT || a == SECCOMP_MODE_FILTER))
        return installing(a == SECCOMP_MODE_FILTER ? reinterpret_cast<const sock_fprog *>(b) : nullptr, call);
    const long result = call();
    if (option == PR_SET_TSC && a == PR_TSC_SIGSEGV && result == 0) {
        Restrictions::add(Ask::Stamp);
        g_tracing.respectRestrictions();
    }
    return result;
}

int prctl(int option, ...) noexcept
{
    va_list list;
    va_start(list, option);
    const auto a = va_arg(list, unsigned long), b = va_arg(list, unsigned long), c = va_arg(list, unsigned long),
               d = va_arg(list, unsigned long);
    va_end(list);
    const auto call = [=] {
        return canForward() && g_next.prctl != nullptr
            ? static_cast<long>(g_next.prctl(option, a, b, c, d))
            : resultOf(rawSyscall(SYS_prctl, option, static_cast<long>(a), static_cast<long>(b), static_cast<long>(c),
                static_cast<long>(d)));
    };
    return static_cast<int>(prctlThrough(call, option, a, b));
}

int chroot(const char *path) noexcept
{
    const long result = canForward() && g_next.chroot != nullptr ? g_next.chroot(path)
                                                                 : resultOf(rawSyscall(SYS_chroot, asLong(path)));
    const link_map *own = ownModule();
    const auto canBeFound = [own] {
        return Restrictions::allow(Ask::Look) && !failed(rawSyscall(SYS_access, asLong(own->l_name), kReadable));
    };
    if (result == 0 && own != nullptr && !canBeFound())
        OwnVariables::stopPreloading();
    return static_cast<int>(result);
}

// syscall() has to leave the stack as it found it: some call it to make a child that goes on from there. So it goes on with a jump, and
// only the calls that can install a filter come to us.
asm(R"(
.globl syscall
.type syscall, @function
syscall:
    .cfi_startproc
    cmpq $317, %rdi
    je genesisSeccomp
    cmpq $157, %rdi
    je genesisPrctl
    movq genesisNextSyscall(%rip), %rax
    testq %rax, %rax
    je genesisAnySyscall
    jmp *%rax
    .cfi_endproc
.size syscall, . - syscall
)");

extern "C" {
/// Where syscall() goes on to: g_next.syscall, under a name that assembler finds.
__attribute__((used, visibility("hidden"))) long (*genesisNextSyscall)(long, ...);

__attribute__((used, visibility("hidden"))) long genesisAnySyscall(
    long number, long a, long b, long c, long d, long e, long f)
{
    // At the first call, or without a C library to go on to.
    if (canForward() && g_next.syscall != nullptr) {
        __atomic_store_n(&genesisNextSyscall, g_next.syscall, __ATOMIC_RELEASE);
        return g_next.syscall(number, a, b, c, d, e, f);
    }
    return resultOf(rawSyscall(number, a, b, c, d, e, f));
}

__attribute__((used, visibility("hidden"))) long genesisPrctl(
    long number, long option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
    static_assert(SYS_prctl == 157);
    const auto call = [=] {
        return genesisAnySyscall(
            number, option, static_cast<long>(a), static_cast<long>(b), static_cast<long>(c), static_cast<long>(d), 0);
    };
    // The kernel takes the option as an int.
    return prctlThrough(call, static_cast<int>(option), a, b);
}

__attribute__((used, visibility("hidden"))) long genesisSeccomp(
    long number, unsigned operation, unsigned long flags, const sock_fprog *filter)
{
    static_assert(SYS_seccomp == 317);
    const auto call
        = [=] { return genesisAnySyscall(number, operation, static_cast<long>(flags), asLong(filter), 0, 0, 0); };
    if (operation == SECCOMP_SET_MODE_STRICT || operation == SECCOMP_SET_MODE_FILTER)
        return installing(operation == SECCOMP_SET_MODE_FILTER ? filter : nullptr, call);
    return call();
}
}

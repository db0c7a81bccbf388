// SPDX-License-Identifier: MIT
#pragma once

#include "capture/unwind/frame_rule.h"

#include <cstdint>

namespace capture::unwind {

/// The registers of one frame, those that are known. A value type.
struct Registers
{
    std::uint64_t value[reg::kCount]; ///< by DWARF number, value[16] is the pc; meaningless where not known
    std::uint32_t known = 0;          ///< bit n set: value[n] holds

    std::uint64_t pc() const { return value[reg::kReturnAddress]; }
    std::uint64_t sp() const { return value[reg::kRsp]; }
    bool isKnown(unsigned number) const { return number < reg::kCount && ((known >> number) & 1U) != 0; }
    void set(unsigned number, std::uint64_t newValue)
    {
        value[number] = newValue;
        known |= 1U << number;
    }
    void forget(unsigned number) { known &= ~(1U << number); }

    /// The registers of the function this is written in (it is always inlined): its pc, rsp and the callee-saved
    /// ones. Unwinding from them gives that function as frame 0.
    [[gnu::always_inline]] static inline Registers here()
    {
        Registers r;
        std::uint64_t *v = r.value;
        asm volatile("leaq 0f(%%rip), %%rax\n0:\n\t"
                     "movq %%rax, 128(%0)\n\t"
                     "movq %%rsp, 56(%0)\n\t"
                     "movq %%rbp, 48(%0)\n\t"
                     "movq %%rbx, 24(%0)\n\t"
                     "movq %%r12, 96(%0)\n\t"
                     "movq %%r13, 104(%0)\n\t"
                     "movq %%r14, 112(%0)\n\t"
                     "movq %%r15, 120(%0)"
                     :
                     : "r"(v)
                     : "rax", "memory");
        r.known
            = (1U << reg::kReturnAddress) | (1U << reg::kRsp) | (1U << reg::kRbp) | (1U << reg::kRbx) | (0xfU << 12);
        return r;
    }
};

} // namespace capture::unwind

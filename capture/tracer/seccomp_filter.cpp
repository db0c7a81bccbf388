// SPDX-License-Identifier: MIT
#include "capture/tracer/seccomp_filter.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstring>

namespace capture::tracer {

namespace {

/// The registers of the machine of bpf(4), as filters see them.
struct Machine
{
    const seccomp_data &call;
    std::uint32_t accumulator = 0;
    std::uint32_t index = 0;
    std::uint32_t memory[BPF_MEMWORDS] = {};
    bool isValid = true;

    std::uint32_t &word(std::uint32_t place)
    {
        isValid = isValid && place < BPF_MEMWORDS;
        return memory[place % BPF_MEMWORDS];
    }

    std::uint32_t load(const sock_filter &step)
    {
        switch (BPF_MODE(step.code)) {
        case BPF_IMM:
            return step.k;
        case BPF_MEM:
            return word(step.k);
        case BPF_LEN:
            return sizeof call;
        case BPF_ABS: {
            std::uint32_t value = 0;
            isValid = isValid && step.k % 4 == 0 && step.k <= sizeof call - sizeof value;
            if (isValid)
                std::memcpy(&value, reinterpret_cast<const char *>(&call) + step.k, sizeof value);
            return value;
        }
        default:
            isValid = false;
            return 0;
        }
    }

    void calculate(const sock_filter &step)
    {
        const std::uint32_t operand = BPF_SRC(step.code) == BPF_X ? index : step.k;
        std::uint32_t &a = accumulator;
        switch (BPF_OP(step.code)) {
        case BPF_ADD:
            a += operand;
            break;
        case BPF_SUB:
            a -= operand;
            break;
        case BPF_MUL:
            a *= operand;
            break;
        case BPF_DIV:
            isValid = isValid && operand != 0;
            a = operand != 0 ? a / operand : 0;
            break;
        case BPF_OR:
            a |= operand;
            break;
        case BPF_AND:
            a &= operand;
            break;
        case BPF_XOR:
            a ^= operand;
            break;
        case BPF_LSH:
            a = operand < 32 ? a << operand : 0;
            break;
        case BPF_RSH:
            a = operand < 32 ? a >> operand : 0;
            break;
        case BPF_NEG:
            a = 0 - a;
            break;
        default:
            isValid = false;
        }
    }

    /// How many steps are left out.
    std::uint32_t jump(const sock_filter &step)
    {
        const std::uint32_t operand = BPF_SRC(step.code) == BPF_X ? index : step.k;
        bool holds = false;
        switch (BPF_OP(step.code)) {
        case BPF_JA:
            return step.k;
        case BPF_JEQ:
            holds = accumulator == operand;
            break;
        case BPF_JGT:
            holds = accumulator > operand;
            break;
        case BPF_JGE:
            holds = accumulator >= operand;
            break;
        case BPF_JSET:
            holds = (accumulator & operand) != 0;
            break;
        default:
            isValid = false;
        }
        return holds ? step.jt : step.jf;
    }
};

} // namespace

std::uint32_t runSeccompFilter(const sock_fprog &filter, const seccomp_data &call)
{
    Machine machine{call};
    // Jumps go forward only, so it ends.
    for (std::uint64_t at = 0; at < filter.len && machine.isValid; ++at) {
        const sock_filter &step = filter.filter[at];
        switch (BPF_CLASS(step.code)) {
        case BPF_LD:
            machine.accumulator = machine.load(step);
            break;
        case BPF_LDX:
            machine.index = machine.load(step);
            break;
        case BPF_ST:
            machine.word(step.k) = machine.accumulator;
            break;
        case BPF_STX:
            machine.word(step.k) = machine.index;
            break;
        case BPF_ALU:
            machine.calculate(step);
            break;
        case BPF_JMP:
            at += machine.jump(step);
            break;
        case BPF_RET:
            return BPF_RVAL(step.code) == BPF_A ? machine.accumulator : step.k;
        case BPF_MISC:
            if (BPF_MISCOP(step.code) == BPF_TAX)
                machine.index = machine.accumulator;
            else
                machine.accumulator = machine.index;
            break;
        }
    }
    return SECCOMP_RET_KILL_PROCESS;
}

} // namespace capture::tracer

// SPDX-License-Identifier: MIT
#include "capture/unwind/expression.h"

#include "capture/unwind/byte_cursor.h"

namespace capture::unwind {

namespace {

/// The operators used, by their names in DWARF 5, table 7.9.
enum Operator : std::uint8_t {
    kAddr = 0x03,
    kDeref = 0x06,
    kConst1u = 0x08,
    kConst1s,
    kConst2u,
    kConst2s,
    kConst4u,
    kConst4s,
    kConst8u,
    kConst8s,
    kConstu,
    kConsts,
    kDup,
    kDrop,
    kOver,
    kPick,
    kSwap,
    kRot,
    kAbs = 0x19,
    kAnd,
    kDiv,
    kMinus,
    kMod,
    kMul,
    kNeg,
    kNot,
    kOr,
    kPlus,
    kPlusUconst,
    kShl,
    kShr,
    kShra,
    kXor,
    kBra,
    kEq,
    kGe,
    kGt,
    kLe,
    kLt,
    kNe,
    kSkip,
    kLit0 = 0x30,
    kLit31 = 0x4f,
    kBreg0 = 0x70,
    kBreg31 = 0x8f,
    kBregx = 0x92,
    kDerefSize = 0x94,
    kNop = 0x96,
};

std::uint64_t asUnsigned(std::int64_t value) { return static_cast<std::uint64_t>(value); }
std::int64_t asSigned(std::uint64_t value) { return static_cast<std::int64_t>(value); }

/// The stack machine of DWARF expressions. Anything wrong sets the outcome and stops it.
class Evaluator
{
public:
    Evaluator(const Registers &registers, const MemoryView &memory)
        : m_registers(registers)
        , m_memory(memory)
    {
    }
    StepResult run(ByteCursor cursor, const std::uint64_t *initial, std::uint64_t &result)
    {
        const std::size_t first = cursor.position();
        if (initial)
            push(*initial);
        // Branches can go back, so the number of operators is bounded rather than the bytes.
        for (unsigned steps = 0; !cursor.atEnd() && m_outcome == StepResult::Stepped; ++steps) {
            if (steps == kMostOperators)
                return StepResult::BadRule;
            one(cursor.u8(), cursor, first);
        }
        if (m_outcome == StepResult::Stepped && (cursor.failed() || m_depth == 0))
            return StepResult::BadRule;
        if (m_outcome == StepResult::Stepped)
            result = m_stack[m_depth - 1];
        return m_outcome;
    }

private:
    static constexpr unsigned kMostOperators = 256, kDepth = 16;

    void bad() { m_outcome = StepResult::BadRule; }
    void push(std::uint64_t value)
    {
        if (m_depth == kDepth)
            return bad();
        m_stack[m_depth++] = value;
    }
    std::uint64_t pop()
    {
        if (m_depth == 0) {
            bad();
            return 0;
        }
        return m_stack[--m_depth];
    }
    void pick(std::uint64_t index)
    {
        if (index >= m_depth)
            return bad();
        push(m_stack[m_depth - 1 - index]);
    }
    void pushRegister(std::uint64_t number, std::int64_t offset)
    {
        if (!m_registers.isKnown(static_cast<unsigned>(number < reg::kCount ? number : reg::kCount)))
            return bad();
        push(m_registers.value[number] + asUnsigned(offset));
    }
    void dereference(unsigned size)
    {
        std::uint64_t value = 0;
        if (size == 0 || size > 8)
            return bad();
        if (!m_memory.read(pop(), value)) {
            if (m_outcome == StepResult::Stepped)
                m_outcome = StepResult::Unreadable;
            return;
        }
        push(size == 8 ? value : value & ((std::uint64_t{1} << (size * 8)) - 1));
    }
    void rotate()
    {
        const std::uint64_t a = pop(), b = pop(), c = pop();
        push(a);
        push(c);
        push(b);
    }
    void branch(std::uint8_t opcode, ByteCursor &cursor, std::size_t first)
    {
        const auto distance = cursor.number<std::int16_t>();
        if (opcode == kSkip || pop() != 0)
            cursor.jump(distance, first);
    }
    void one(std::uint8_t opcode, ByteCursor &cursor, std::size_t first);
    bool constant(std::uint8_t opcode, ByteCursor &cursor);
    bool unary(std::uint8_t opcode, ByteCursor &cursor);
    void binary(std::uint8_t opcode);

    const Registers &m_registers;
    const MemoryView &m_memory;
    std::uint64_t m_stack[kDepth] = {};
    unsigned m_depth = 0;
    StepResult m_outcome = StepResult::Stepped;
};

bool Evaluator::constant(std::uint8_t opcode, ByteCursor &cursor)
{
    switch (opcode) {
    case kAddr:
    case kConst8u:
    case kConst8s:
        push(cursor.number<std::uint64_t>());
        return true;
    case kConst1u:
        push(cursor.u8());
        return true;
    case kConst1s:
        push(asUnsigned(cursor.number<std::int8_t>()));
        return true;
    case kConst2u:
        push(cursor.number<std::uint16_t>());
        return true;
    case kConst2s:
        push(asUnsigned(cursor.number<std::int16_t>()));
        return true;
    case kConst4u:
        push(cursor.number<std::uint32_t>());
        return true;
    case kConst4s:
        push(asUnsigned(cursor.number<std::int32_t>()));
        return true;
    case kConstu:
        push(cursor.uleb());
        return true;
    case kConsts:
        push(asUnsigned(cursor.sleb()));
        return true;
    default:
        return false;
    }
}

bool Evaluator::unary(std::uint8_t opcode, ByteCursor &cursor)
{
    switch (opcode) {
    case kAbs: {
        const std::uint64_t value = pop();
        push(asSigned(value) < 0 ? 0 - value : value);
        return true;
    }
    case kNeg:
        push(0 - pop());
        return true;
    case kNot:
        push(~pop());
        return true;
    case kPlusUconst: {
        const std::uint64_t value = pop();
        push(value + cursor.uleb());
        return true;
    }
    default:
        return false;
    }
}

void Evaluator::binary(std::uint8_t opcode)
{
    const std::uint64_t b = pop(), a = pop();
    switch (opcode) {
    case kAnd:
        return push(a & b);
    case kOr:
        return push(a | b);
    case kXor:
        return push(a ^ b);
    case kPlus:
        return push(a + b);
    case kMinus:
        return push(a - b);
    case kMul:
        return push(a * b);
    case kDiv:
        return b == 0 || (asSigned(a) == INT64_MIN && asSigned(b) == -1) ? bad()
                                                                         : push(asUnsigned(asSigned(a) / asSigned(b)));
    case kMod:
        return b == 0 ? bad() : push(a % b);
    case kShl:
        return push(b < 64 ? a << b : 0);
    case kShr:
        return push(b < 64 ? a >> b : 0);
    case kShra:
        return push(asUnsigned(asSigned(a) >> (b < 64 ? b : 63)));
    case kEq:
        return push(a == b);
    case kNe:
        return push(a != b);
    case kGe:
        return push(asSigned(a) >= asSigned(b));
    case kGt:
        return push(asSigned(a) > asSigned(b));
    case kLe:
        return push(asSigned(a) <= asSigned(b));
    case kLt:
        return push(asSigned(a) < asSigned(b));
    default:
        return bad();
    }
}

void Evaluator::one(std::uint8_t opcode, ByteCursor &cursor, std::size_t first)
{
    if (opcode >= kLit0 && opcode <= kLit31)
        return push(opcode - kLit0);
    if (opcode >= kBreg0 && opcode <= kBreg31)
        return pushRegister(opcode - kBreg0, cursor.sleb());
    if (constant(opcode, cursor) || unary(opcode, cursor))
        return;
    switch (opcode) {
    case kBregx: {
        const std::uint64_t number = cursor.uleb();
        return pushRegister(number, cursor.sleb());
    }
    case kDeref:
        return dereference(8);
    case kDerefSize:
        return dereference(cursor.u8());
    case kDup:
        return pick(0);
    case kDrop:
        pop();
        return;
    case kOver:
        return pick(1);
    case kPick:
        return pick(cursor.u8());
    case kSwap: {
        const std::uint64_t a = pop(), b = pop();
        push(a);
        return push(b);
    }
    case kRot:
        return rotate();
    case kBra:
    case kSkip:
        return branch(opcode, cursor, first);
    case kNop:
        return;
    default:
        return binary(opcode);
    }
}

} // namespace

StepResult evaluate(const Section &section, std::int32_t at, const Registers &registers, const MemoryView &memory,
    const std::uint64_t *initial, std::uint64_t &result)
{
    ByteCursor head(section, static_cast<std::size_t>(at), section.size);
    const std::uint64_t length = head.uleb();
    if (head.failed() || length > head.remaining())
        return StepResult::BadRule;
    const ByteCursor body(section, head.position(), head.position() + static_cast<std::size_t>(length));
    return Evaluator(registers, memory).run(body, initial, result);
}

} // namespace capture::unwind

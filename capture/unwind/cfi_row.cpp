// SPDX-License-Identifier: MIT
#include "capture/unwind/cfi_row.h"

#include "capture/unwind/byte_cursor.h"
#include "capture/unwind/eh_frame.h"

#include <cstring>

namespace capture::unwind {

namespace {

/// Runs call-frame instructions and keeps the row that holds at the current location.
class Machine
{
public:
    Machine(const Section &frames, const FrameEntry &entry, CfiRow &row)
        : m_frames(frames)
        , m_entry(entry)
        , m_row(row)
        , m_location(entry.begin)
    {
    }

    /// Runs [begin, end) until a row begins behind `pc`. False for what is damaged or unknown.
    bool run(std::size_t begin, std::size_t end, std::uint64_t pc)
    {
        ByteCursor cursor(m_frames, begin, end);
        while (!cursor.atEnd() && m_location <= pc && m_isGood) {
            const std::uint8_t opcode = cursor.u8();
            const auto operand = static_cast<std::uint8_t>(opcode & 0x3f);
            switch (opcode >> 6) {
            case 1:
                m_location += operand * m_entry.codeAlignment;
                break;
            case 2:
                setOffset(operand, RegisterRule::Offset, unsignedOffset(cursor));
                break;
            case 3:
                restore(operand);
                break;
            default:
                extended(opcode, cursor);
            }
            m_isGood = m_isGood && !cursor.failed();
        }
        return m_isGood && !cursor.failed();
    }
    /// What the common entry's instructions made is what restore() goes back to.
    void keepInitialRow() { m_initial = m_row; }

private:
    std::int64_t unsignedOffset(ByteCursor &cursor)
    {
        return static_cast<std::int64_t>(cursor.uleb() * static_cast<std::uint64_t>(m_entry.dataAlignment));
    }
    std::int64_t signedOffset(ByteCursor &cursor)
    {
        return static_cast<std::int64_t>(
            static_cast<std::uint64_t>(cursor.sleb()) * static_cast<std::uint64_t>(m_entry.dataAlignment));
    }
    std::int32_t narrow(std::int64_t value)
    {
        if (value < INT32_MIN || value > INT32_MAX)
            m_isGood = false;
        return static_cast<std::int32_t>(value);
    }
    /// Registers that we do not follow (vector registers of functions in another convention) are let pass.
    void setOffset(std::uint64_t number, RegisterRule rule, std::int64_t value)
    {
        const std::int32_t narrowed = narrow(value);
        if (number >= reg::kCount)
            return;
        m_row.rules[number] = rule;
        m_row.values[number] = narrowed;
    }
    void restore(std::uint64_t number)
    {
        if (number >= reg::kCount)
            return;
        m_row.rules[number] = m_initial.rules[number];
        m_row.values[number] = m_initial.values[number];
    }
    void setCfaRegister(std::uint64_t number)
    {
        if (number >= reg::kReturnAddress)
            m_isGood = false;
        m_row.cfaIsExpression = false;
        m_row.cfaRegister = static_cast<std::uint8_t>(number);
    }
    void setCfaOffset(std::int64_t offset)
    {
        if (m_row.cfaIsExpression)
            m_isGood = false;
        m_row.cfaValue = narrow(offset);
    }
    /// Where the expression at the cursor stands; moves behind it.
    std::int32_t expression(ByteCursor &cursor)
    {
        const auto at = static_cast<std::int32_t>(cursor.position());
        cursor.skip(cursor.uleb());
        return at;
    }
    void remember()
    {
        if (m_depth == kDepth)
            m_isGood = false;
        else
            m_remembered[m_depth++] = m_row;
    }
    void restoreState()
    {
        if (m_depth == 0)
            m_isGood = false;
        else
            m_row = m_remembered[--m_depth];
    }
    void extended(std::uint8_t opcode, ByteCursor &cursor);
    void registerRule(std::uint8_t opcode, ByteCursor &cursor);
    void cfaRule(std::uint8_t opcode, ByteCursor &cursor);

    static constexpr unsigned kDepth = 6; // compilers nest one deep

    const Section &m_frames;
    const FrameEntry &m_entry;
    CfiRow &m_row;
    CfiRow m_initial;
    CfiRow m_remembered[kDepth];
    unsigned m_depth = 0;
    std::uint64_t m_location;
    bool m_isGood = true;
};

/// The instructions with opcodes below 0x40 (DWARF 5, table 7.29, and the GNU ones of the LSB).
void Machine::extended(std::uint8_t opcode, ByteCursor &cursor)
{
    switch (opcode) {
    case 0x00: // nop
        break;
    case 0x01: // set_loc
        m_location = cursor.pointer(m_entry.pointerEncoding, 0);
        break;
    case 0x02: // advance_loc1, 2, 4
        m_location += cursor.u8() * m_entry.codeAlignment;
        break;
    case 0x03:
        m_location += cursor.number<std::uint16_t>() * m_entry.codeAlignment;
        break;
    case 0x04:
        m_location += cursor.number<std::uint32_t>() * m_entry.codeAlignment;
        break;
    case 0x0a:
        remember();
        break;
    case 0x0b:
        restoreState();
        break;
    case 0x0c: // def_cfa, _register, _offset, _expression
    case 0x0d:
    case 0x0e:
    case 0x0f:
    case 0x12: // def_cfa_sf, _offset_sf
    case 0x13:
        cfaRule(opcode, cursor);
        break;
    case 0x2e: // GNU_args_size: matters to who throws, not to who looks
        cursor.uleb();
        break;
    default:
        registerRule(opcode, cursor);
    }
}

void Machine::cfaRule(std::uint8_t opcode, ByteCursor &cursor)
{
    switch (opcode) {
    case 0x0c:
        setCfaRegister(cursor.uleb());
        setCfaOffset(narrow(static_cast<std::int64_t>(cursor.uleb())));
        break;
    case 0x12:
        setCfaRegister(cursor.uleb());
        setCfaOffset(signedOffset(cursor));
        break;
    case 0x0d:
        if (m_row.cfaIsExpression)
            m_isGood = false;
        setCfaRegister(cursor.uleb());
        break;
    case 0x0e:
        setCfaOffset(narrow(static_cast<std::int64_t>(cursor.uleb())));
        break;
    case 0x13:
        setCfaOffset(signedOffset(cursor));
        break;
    default:
        m_row.cfaIsExpression = true;
        m_row.cfaValue = expression(cursor);
    }
}

void Machine::registerRule(std::uint8_t opcode, ByteCursor &cursor)
{
    const std::uint64_t number = cursor.uleb();
    switch (opcode) {
    case 0x05: // offset_extended
        setOffset(number, RegisterRule::Offset, unsignedOffset(cursor));
        break;
    case 0x06: // restore_extended
        restore(number);
        break;
    case 0x07:
        setOffset(number, RegisterRule::Undefined, 0);
        break;
    case 0x08:
        setOffset(number, RegisterRule::Same, 0);
        break;
    case 0x09: // register
        setOffset(number, RegisterRule::Register, narrow(static_cast<std::int64_t>(cursor.uleb())));
        break;
    case 0x10:
        setOffset(number, RegisterRule::Expression, expression(cursor));
        break;
    case 0x11: // offset_extended_sf
        setOffset(number, RegisterRule::Offset, signedOffset(cursor));
        break;
    case 0x14:
        setOffset(number, RegisterRule::ValueOffset, unsignedOffset(cursor));
        break;
    case 0x15:
        setOffset(number, RegisterRule::ValueOffset, signedOffset(cursor));
        break;
    case 0x16:
        setOffset(number, RegisterRule::ValueExpression, expression(cursor));
        break;
    case 0x2f: // GNU_negative_offset_extended
        setOffset(number, RegisterRule::Offset,
            static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(unsignedOffset(cursor))));
        break;
    default:
        m_isGood = false;
    }
}

/// One register and an offset: the most common expression.
struct RegisterOffset
{
    unsigned number = 0;
    std::int64_t offset = 0;
    bool isDereferenced = false;
};

/// Recognises `breg n, offset` and `breg n, offset; deref`.
bool matchRegisterOffset(const Section &section, std::int32_t at, RegisterOffset &found)
{
    constexpr std::uint8_t kBreg0 = 0x70, kDeref = 0x06;
    ByteCursor head(section, static_cast<std::size_t>(at), section.size);
    const std::uint64_t length = head.uleb();
    if (head.failed() || length > head.remaining() || length < 2)
        return false;
    ByteCursor cursor(section, head.position(), head.position() + static_cast<std::size_t>(length));
    const std::uint8_t opcode = cursor.u8();
    if (opcode < kBreg0 || opcode >= kBreg0 + reg::kReturnAddress)
        return false;
    found.number = opcode - kBreg0;
    found.offset = cursor.sleb();
    found.isDereferenced = !cursor.atEnd();
    if (found.isDereferenced && cursor.u8() != kDeref)
        return false;
    return !cursor.failed() && cursor.atEnd();
}

/// What linkers write for .plt: breg7 8; breg16 0; lit15; and; lit11; ge; lit3; shl; plus.
bool isPltExpression(const Section &section, std::int32_t at)
{
    static constexpr std::uint8_t kBytes[] = {11, 0x77, 0x08, 0x80, 0x00, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22};
    const auto begin = static_cast<std::size_t>(at);
    return begin + sizeof(kBytes) <= section.size && std::memcmp(section.data + begin, kBytes, sizeof(kBytes)) == 0;
}

bool compactCfa(const CfiRow &row, const Section &section, FrameRule &rule)
{
    if (!row.cfaIsExpression)
        return rule.setCfa(RuleKind::Register, row.cfaRegister, row.cfaValue);
    if (isPltExpression(section, row.cfaValue))
        return rule.setCfa(RuleKind::PltStub, reg::kRsp, 8);
    RegisterOffset found;
    if (!matchRegisterOffset(section, row.cfaValue, found))
        return false;
    return rule.setCfa(
        found.isDereferenced ? RuleKind::MemoryAtRegister : RuleKind::Register, found.number, found.offset);
}

/// The fields of the callee-saved registers: all near the CFA, or all near its register.
bool compactSaved(const CfiRow &row, const Section &section, FrameRule &rule)
{
    unsigned fromCfa = 0, fromRegister = 0;
    for (unsigned i = 0; i < FrameRule::SavedCount; ++i) {
        const auto which = static_cast<FrameRule::Saved>(i);
        const unsigned number = FrameRule::kSavedRegister[i];
        RegisterOffset found;
        switch (row.rules[number]) {
        case RegisterRule::Same:
            break;
        case RegisterRule::Undefined:
            rule.setUndefined(which);
            break;
        case RegisterRule::Offset:
            ++fromCfa;
            if (!rule.setSavedAt(which, row.values[number]))
                return false;
            break;
        case RegisterRule::Expression:
            ++fromRegister;
            if (!matchRegisterOffset(section, row.values[number], found) || found.isDereferenced
                || found.number != rule.cfaRegister() || !rule.setSavedAt(which, found.offset))
                return false;
            break;
        default:
            return false;
        }
    }
    if (fromRegister > 0)
        rule.setSavedFromRegister();
    return fromCfa == 0 || fromRegister == 0;
}

} // namespace

FrameRule compactRule(const CfiRow &row, const Section &section)
{
    const FrameRule complex = FrameRule::ofKind(RuleKind::Complex, row.isSignalFrame);
    if (row.rules[reg::kReturnAddress] == RegisterRule::Undefined)
        return FrameRule::ofKind(RuleKind::EndOfStack);
    if (row.rules[reg::kReturnAddress] != RegisterRule::Offset || row.values[reg::kReturnAddress] != -8)
        return complex;
    FrameRule rule;
    if (!compactCfa(row, section, rule) || !compactSaved(row, section, rule))
        return complex;
    for (unsigned number = 0; number < reg::kReturnAddress; ++number) {
        const bool isFollowed = number == reg::kRbx || number == reg::kRbp || number >= reg::kR12;
        if (!isFollowed && row.rules[number] != RegisterRule::Same && row.rules[number] != RegisterRule::Undefined)
            return complex;
    }
    if (row.isSignalFrame)
        rule.setSignalFrame();
    return rule;
}

bool computeRow(const Section &frames, const FrameEntry &entry, std::uint64_t pc, CfiRow &row)
{
    row = CfiRow{};
    row.isSignalFrame = entry.isSignalFrame;
    if (entry.returnRegister != reg::kReturnAddress)
        return false;
    Machine machine(frames, entry, row);
    if (!machine.run(entry.cieInstructions, entry.cieInstructionsEnd, ~std::uint64_t{0}))
        return false;
    machine.keepInitialRow();
    return machine.run(entry.instructions, entry.instructionsEnd, pc);
}

} // namespace capture::unwind

// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace capture::unwind {

#if !defined(__x86_64__)
#error "capture/unwind knows the frames of x86-64 only"
#endif

/// Register numbers of the x86-64 psABI, as DWARF uses them.
namespace reg {
inline constexpr unsigned kRax = 0, kRdx = 1, kRcx = 2, kRbx = 3, kRsi = 4, kRdi = 5, kRbp = 6, kRsp = 7, kR8 = 8,
                          kR9 = 9, kR10 = 10, kR11 = 11, kR12 = 12, kR13 = 13, kR14 = 14, kR15 = 15;
inline constexpr unsigned kReturnAddress = 16;
inline constexpr unsigned kCount = 17;
} // namespace reg

/// What a FrameRule says about a pc.
enum class RuleKind : std::uint8_t {
    Empty = 0,        ///< no rule; what zeroed memory reads as
    Register,         ///< CFA = register + offset
    MemoryAtRegister, ///< CFA = the word at register + offset (GCC's realigned frames)
    PltStub,          ///< CFA = rsp + 8, or rsp + 16 once the stub has pushed its index (pc & 15 >= 11)
    Complex,          ///< only a full CfiRow can say (signal frames, odd expressions); always re-evaluated
    EndOfStack,       ///< this function has no caller: the thread starts here
    NoInfo,           ///< no call-frame information covers the pc
    Bad,              ///< the information that covers the pc is damaged or uses what we do not know
};

/// How a frame leads to its caller's, for one pc, in one machine word.
///
/// A word, so that a cache can publish it without a lock. It covers what compilers emit: the return address at
/// CFA - 8 and each callee-saved register either unchanged, lost, or saved near the CFA (or near the frame register
/// in realigned frames). All else is RuleKind::Complex. A value type; any thread.
class FrameRule
{
public:
    /// The registers a rule can restore besides rsp and rip, in the order of their fields.
    enum Saved : unsigned { Rbp, Rbx, R12, R13, R14, R15, SavedCount };
    /// DWARF numbers of the registers of `Saved`.
    static constexpr unsigned kSavedRegister[SavedCount]
        = {reg::kRbp, reg::kRbx, reg::kR12, reg::kR13, reg::kR14, reg::kR15};

    /// Field values: the register is unchanged, or its value is lost; others encode a slot (see savedOffset()).
    static constexpr unsigned kSame = 0;
    static constexpr unsigned kUndefined = 63;

    constexpr FrameRule() = default;

    /// A rule that carries nothing but its kind (EndOfStack, NoInfo, Bad, Complex).
    static constexpr FrameRule ofKind(RuleKind kind, bool signalFrame = false)
    {
        return FrameRule((static_cast<std::uint64_t>(kind) << kKindShift)
            | (static_cast<std::uint64_t>(reg::kRsp) << kRegisterShift)
            | (signalFrame ? kSignalBit : std::uint64_t{0}));
    }
    /// From a word() made earlier.
    static constexpr FrameRule fromWord(std::uint64_t word) { return FrameRule(word); }

    /// Sets the CFA; false where `offset` does not fit (it must be a multiple of 8 within ±256 KiB).
    constexpr bool setCfa(RuleKind kind, unsigned cfaRegister, std::int64_t offset)
    {
        if (offset % 8 != 0 || offset / 8 < -0x8000 || offset / 8 > 0x7fff || cfaRegister > 15)
            return false;
        m_word |= static_cast<std::uint64_t>(static_cast<std::uint16_t>(offset / 8))
            | (static_cast<std::uint64_t>(cfaRegister) << kRegisterShift)
            | (static_cast<std::uint64_t>(kind) << kKindShift);
        return true;
    }
    /// Says where `which` is saved: `offset` bytes from the base (0 to -480 in words); false where that does not fit.
    constexpr bool setSavedAt(Saved which, std::int64_t offset)
    {
        if (offset % 8 != 0 || offset > 0 || offset < -8 * 60)
            return false;
        setField(which, static_cast<unsigned>(-offset / 8) + 1);
        return true;
    }
    constexpr void setUndefined(Saved which) { setField(which, kUndefined); }
    constexpr void setSignalFrame() { m_word |= kSignalBit; }
    /// Saved registers lie relative to the CFA's register instead of the CFA.
    constexpr void setSavedFromRegister() { m_word |= kFromRegisterBit; }

    constexpr RuleKind kind() const { return static_cast<RuleKind>((m_word >> kKindShift) & 7); }
    constexpr unsigned cfaRegister() const { return static_cast<unsigned>(m_word >> kRegisterShift) & 15; }
    /// Bytes added to the CFA's register.
    constexpr std::int64_t cfaOffset() const
    {
        return static_cast<std::int64_t>(static_cast<std::int16_t>(m_word & 0xffff)) * 8;
    }
    /// True where the frame was interrupted rather than called: its caller's pc is exact, not a return address.
    constexpr bool isSignalFrame() const { return (m_word & kSignalBit) != 0; }
    constexpr bool savedFromRegister() const { return (m_word & kFromRegisterBit) != 0; }
    /// kSame, kUndefined, or a slot for savedOffset().
    constexpr unsigned saved(Saved which) const
    {
        return static_cast<unsigned>(m_word >> (kSavedShift + kSavedBits * which)) & 63;
    }
    /// Bytes from the base (see savedFromRegister()) to the slot that `field` stands for.
    static constexpr std::int64_t savedOffset(unsigned field) { return -8 * (static_cast<std::int64_t>(field) - 1); }

    /// True where the CFA is this register + offset: one comparison, for the hot path.
    constexpr bool isPlainFrom(unsigned cfaRegister) const
    {
        constexpr std::uint64_t kKind = static_cast<std::uint64_t>(RuleKind::Register) << kKindShift;
        return (m_word & (std::uint64_t{0x7f} << kRegisterShift))
            == (kKind | (static_cast<std::uint64_t>(cfaRegister) << kRegisterShift));
    }
    /// True where rbp must be known to find the caller (what an incremental unwinder compares).
    constexpr bool cfaFromRbp() const
    {
        return (kind() == RuleKind::Register || kind() == RuleKind::MemoryAtRegister) && cfaRegister() == reg::kRbp;
    }
    /// True where the CFA is a fixed distance from rsp: the frame's size follows from its pc alone.
    constexpr bool cfaFromRsp() const { return kind() == RuleKind::Register && cfaRegister() == reg::kRsp; }

    constexpr std::uint64_t word() const { return m_word; }
    friend constexpr bool operator==(FrameRule a, FrameRule b) { return a.m_word == b.m_word; }

private:
    constexpr explicit FrameRule(std::uint64_t word)
        : m_word(word)
    {
    }
    constexpr void setField(Saved which, unsigned value)
    {
        m_word |= static_cast<std::uint64_t>(value) << (kSavedShift + kSavedBits * which);
    }

    // bits 0–15 CFA offset in words · 16–19 register · 20–22 kind · 23 signal · 24 base · 25–60 saved registers
    static constexpr unsigned kRegisterShift = 16, kKindShift = 20, kSavedShift = 25, kSavedBits = 6;
    static constexpr std::uint64_t kSignalBit = std::uint64_t{1} << 23, kFromRegisterBit = std::uint64_t{1} << 24;

    std::uint64_t m_word = 0;
};
static_assert(sizeof(FrameRule) == 8);

} // namespace capture::unwind

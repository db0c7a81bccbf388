// SPDX-License-Identifier: MIT
#pragma once

#include "capture/unwind/frame_rule.h"
#include "capture/unwind/registers.h"

#include <cstdint>

namespace capture::tracer {

/// A frame's way to its caller, for a return address, as IncrementalStack walks it: an unwind::FrameRule taken apart, so that a step is an
/// addition and a load. What is not among the common kinds has to be looked up again as a rule.
struct FrameStep
{
    /// Of `fromRsp`: the frame's size does not follow from its pc. Further than any stack reaches.
    static constexpr std::uint32_t kNotFromRsp = 0xffffffff;

    /// Bytes from the slot of the frame's own return address to that of its caller's, whatever rbp holds.
    std::uint32_t fromRsp = kNotFromRsp;
    /// Bytes from the slot of the caller's return address to where rbp was saved; 0: it is the caller's already.
    std::int16_t rbpFrom = 0;
    /// Where it is not from rsp: bytes from rbp to the slot of the caller's return address; 0: it needs the rule, or there is none.
    std::int16_t fromRbp = 0;

    /// Of code that no rule covers, but that a call stands before: rbp is taken for its frame pointer.
    static constexpr FrameStep byFramePointer() { return {kNotFromRsp, -kWord, 0}; }

    /// Of a function that begins with push %rbp; mov %rsp,%rbp.
    static constexpr FrameStep standard() { return {kNotFromRsp, -kWord, kWord}; }

    bool needsRule() const { return fromRsp == kNotFromRsp && fromRbp == 0 && rbpFrom == 0; }
    bool isFromRbp() const { return fromRbp != 0; }
    bool isByFramePointer() const { return fromRsp == kNotFromRsp && fromRbp == 0 && rbpFrom != 0; }

    /// Packed into 28 bits, for a cache whose entry is one word: from the lowest, 16 bits of `fromRsp` or `fromRbp`, 11 bits of the words that `rbpFrom`
    /// is below, and 1 bit that says that it is not from rsp.
    static constexpr unsigned kPackedBits = 28;
    static constexpr std::uint32_t kPackedNotFromRsp = std::uint32_t{1} << 27; ///< the bit that says so
    static constexpr std::uint32_t kNotPacked = 0xffffffff; ///< it does not fit: a frame of 64 KiB or more, as a rule

    /// Whether what is packed is a size from rsp, and leaves rbp as it is; the size is all that is packed then.
    static constexpr bool isSizeAlone(std::uint64_t packed) { return packed <= 0xffff; }

    constexpr std::uint32_t packed() const
    {
        const auto saved = static_cast<std::uint32_t>(-rbpFrom / kWord);
        if (saved >= kPackedNotFromRsp >> 16 || (fromRsp != kNotFromRsp && fromRsp > 0xffff))
            return kNotPacked;
        if (fromRsp != kNotFromRsp)
            return saved << 16 | fromRsp;
        return kPackedNotFromRsp | saved << 16 | static_cast<std::uint16_t>(fromRbp);
    }
    static constexpr FrameStep unpacked(std::uint32_t packed)
    {
        const auto saved = static_cast<int>((packed & ~kPackedNotFromRsp) >> 16);
        const auto rbpFrom = static_cast<std::int16_t>(-saved * kWord);
        if (packed < kPackedNotFromRsp)
            return {unpackedFromRsp(packed), rbpFrom, 0};
        return {kNotFromRsp, rbpFrom, static_cast<std::int16_t>(packed & 0xffff)};
    }
    /// `fromRsp` of what is packed below kPackedNotFromRsp.
    static constexpr std::uint32_t unpackedFromRsp(std::uint64_t packed) { return packed & 0xffff; }

    static constexpr FrameStep of(unwind::FrameRule rule)
    {
        using unwind::FrameRule;
        const bool isFromRsp = rule.isPlainFrom(unwind::reg::kRsp);
        const bool isPlain = isFromRsp || rule.isPlainFrom(unwind::reg::kRbp);
        if (!isPlain || rule.isSignalFrame() || rule.savedFromRegister() || (isFromRsp && rule.cfaOffset() <= 0))
            return {};
        const unsigned saved = rule.saved(FrameRule::Rbp);
        const bool isSaved = saved != FrameRule::kSame && saved != FrameRule::kUndefined;
        // From the CFA, below which the return address lies, to where it lies.
        const std::int64_t rbpFrom = isSaved ? FrameRule::savedOffset(saved) + 8 : 0;
        if (isSaved && rbpFrom >= 0)
            return {}; // in the place of the return address, or above: nobody does that
        if (isFromRsp)
            return {static_cast<std::uint32_t>(rule.cfaOffset()), static_cast<std::int16_t>(rbpFrom), 0};
        const std::int64_t fromRbp = rule.cfaOffset() - 8;
        if (fromRbp == 0 || fromRbp != static_cast<std::int16_t>(fromRbp))
            return {};
        return {kNotFromRsp, static_cast<std::int16_t>(rbpFrom), static_cast<std::int16_t>(fromRbp)};
    }

private:
    static constexpr int kWord = 8; ///< all offsets are of whole words: see unwind::FrameRule
};
static_assert(sizeof(FrameStep) == 8);

} // namespace capture::tracer

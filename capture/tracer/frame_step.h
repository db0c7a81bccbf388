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
    enum class Kind : std::uint8_t {
        Other = 0,    ///< needs the rule; what zeroed memory reads as
        FromRsp,      ///< the frame's size follows from its pc; rbp is the caller's already
        FromRspSaved, ///< the same, but rbp is restored
        FromRbp,      ///< the CFA is rbp + constant, and rbp may be restored
    };

    /// FromRsp: bytes from the slot of the frame's own return address to that of its caller's. FromRbp: from rbp to there.
    std::int32_t size = 0;
    std::int16_t rbpFrom
        = 0; ///< bytes from the slot of the caller's return address to where rbp was saved; 0: it was not
    Kind kind = Kind::Other;

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
        const std::int64_t size = isFromRsp ? rule.cfaOffset() : rule.cfaOffset() - 8;
        const std::int64_t rbpFrom = isSaved ? FrameRule::savedOffset(saved) + 8 : 0;
        if (isSaved && rbpFrom >= 0)
            return {}; // in the place of the return address, or above: nobody does that
        const Kind kind = !isFromRsp ? Kind::FromRbp : isSaved ? Kind::FromRspSaved : Kind::FromRsp;
        return {static_cast<std::int32_t>(size), static_cast<std::int16_t>(rbpFrom), kind};
    }
};
static_assert(sizeof(FrameStep) == 8);

} // namespace capture::tracer

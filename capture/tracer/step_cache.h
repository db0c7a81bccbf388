// SPDX-License-Identifier: MIT
#pragma once

#include "capture/tracer/call_site.h"
#include "capture/tracer/frame_step.h"
#include "capture/unwind/local_rules.h"
#include "capture/unwind/unwinder.h"

#include <cstddef>
#include <cstdint>

namespace capture::tracer {

/// A thread's own cache of steps, by return address, in front of the process's rules: a few pages that stay near and in the TLB, where
/// the large one, hashed over 64 pages, does not.
///
/// An entry is one word. Multiplied by an odd number, the 47 bits of an address become a number that is its alone: its upper bits say
/// which entry, the rest is compared, and the step stands in the bits that are left. What has more bits, and so is no code's address, is taken for
/// the address of its lowest 47. The steps of frames that do not fit (FrameStep::packed()) are looked up in the process's rules each time.
class StepCache
{
public:
    FrameStep step(unwind::RuleCache &shared, unwind::FindObject findObject, std::uint64_t returnAddress,
        unwind::Lead lead = unwind::Lead::Rule)
    {
        const std::uint64_t mixed = mix(returnAddress), packed = entry(mixed) ^ mixed << kBits;
        return packed < kPackedEnd ? FrameStep::unpacked(static_cast<std::uint32_t>(packed))
                                   : find(mixed, shared, findObject, returnAddress, lead);
    }
    /// Its `fromRsp` alone.
    std::uint64_t fromRsp(unwind::RuleCache &shared, unwind::FindObject findObject, std::uint64_t returnAddress)
    {
        const std::uint64_t mixed = mix(returnAddress), found = entry(mixed), packed = found ^ mixed << kBits;
        if (packed < FrameStep::kPackedNotFromRsp) [[likely]]
            return FrameStep::unpackedFromRsp(found); // the same bits, and nothing to wait for
        return packed < kPackedEnd ? FrameStep::kNotFromRsp
                                   : find(mixed, shared, findObject, returnAddress, unwind::Lead::Rule).fromRsp;
    }
    /// FrameStep::packed() of the step, if it is known here; otherwise more than any is.
    std::uint64_t packed(std::uint64_t returnAddress)
    {
        const std::uint64_t mixed = mix(returnAddress);
        return entry(mixed) ^ mixed << kBits;
    }
    /// Also before the first use.
    void flush()
    {
        // The one address that this could belong to would have to ask for its rule.
        for (std::uint64_t &each : m_entries)
            each = ~std::uint64_t{0} << FrameStep::kPackedBits | FrameStep().packed();
    }

private:
    static constexpr unsigned kBits = 11, kAddressBits = 47;
    static constexpr std::uint64_t kPackedEnd = std::uint64_t{1} << FrameStep::kPackedBits;
    static_assert(kAddressBits - kBits + FrameStep::kPackedBits == 64);

    /// The number of an address, in the upper bits.
    static std::uint64_t mix(std::uint64_t address) { return address * (0x9e3779b97f4a7c15 << (64 - kAddressBits)); }
    /// Its bits above kPackedBits are those of `mixed << kBits`, or it is of another address.
    std::uint64_t &entry(std::uint64_t mixed) { return m_entries[mixed >> (64 - kBits)]; }
    [[gnu::noinline]] FrameStep find(std::uint64_t mixed, unwind::RuleCache &shared, unwind::FindObject findObject,
        std::uint64_t returnAddress, unwind::Lead lead)
    {
        const unwind::FrameRule rule
            = unwind::LocalRules(shared, findObject).rule(unwind::lookupAddress(returnAddress, false));
        // Code that no table covers: mostly what a JIT has made. Should it be known a moment later, all of it is forgotten then.
        const bool isCovered = rule.kind() != unwind::RuleKind::NoInfo;
        if (!isCovered && lead == unwind::Lead::Break)
            return {}; // nothing is learnt from what may be any number
        const bool isGuess = !isCovered && g_uncoveredCode.holds(returnAddress, lead);
        const FrameStep step = isGuess ? FrameStep::byFramePointer() : FrameStep::of(rule);
        if (const std::uint32_t packed = step.packed(); packed != FrameStep::kNotPacked)
            entry(mixed) = mixed << kBits | packed;
        return step;
    }

    std::uint64_t m_entries[std::size_t{1} << kBits];
};

} // namespace capture::tracer

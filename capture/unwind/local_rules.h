// SPDX-License-Identifier: MIT
#pragma once

#include "capture/unwind/eh_frame.h"
#include "capture/unwind/find_module.h"
#include "capture/unwind/rule_cache.h"

#include <cstdint>

namespace capture::unwind {

/// The rules of this process' own code, through a cache: the `rules` of unwind() in the target.
/// Any thread, any signal handler; `cache` must outlive it and be flushed when a module goes.
class LocalRules
{
public:
    LocalRules(RuleCache &cache, FindObject findObject)
        : m_cache(cache)
        , m_findObject(findObject)
        , m_generation(cache.generation())
    {
    }

    /// The rule of `pc`: a few nanoseconds when cached, about a microsecond when not.
    FrameRule rule(std::uint64_t pc)
    {
        const FrameRule cached = m_cache.find(pc, m_generation);
        return cached.kind() != RuleKind::Empty ? cached : compute(pc);
    }
    /// The complete row of `pc` and the section its expressions stand in.
    bool row(std::uint64_t pc, CfiRow &row, Section &section);

private:
    FrameRule compute(std::uint64_t pc);

    RuleCache &m_cache;
    FindObject m_findObject;
    std::uint64_t m_generation;
};

} // namespace capture::unwind

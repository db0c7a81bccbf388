// SPDX-License-Identifier: MIT
#include "capture/unwind/local_rules.h"

namespace capture::unwind {

FrameRule LocalRules::compute(std::uint64_t pc)
{
    LocalModule module;
    const FrameRule rule
        = findModule(m_findObject, pc, module) ? ruleAt(module.tables, pc) : FrameRule::ofKind(RuleKind::NoInfo);
    // Code that nobody knows may be known a moment later (a library being loaded, a page of a JIT): ask again then.
    if (module.begin != 0)
        m_cache.insert(pc, rule, m_generation);
    return rule;
}

bool LocalRules::row(std::uint64_t pc, CfiRow &row, Section &section)
{
    LocalModule module;
    if (!findModule(m_findObject, pc, module))
        return false;
    section = module.tables.frames;
    return rowAt(module.tables, pc, row) == FindResult::Found;
}

} // namespace capture::unwind

// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/soak_writer.h"

namespace storage {

model::Result<SoakWriter> SoakWriter::prepare(Database &database)
{
    SoakWriter writer;
    const auto done = prepareAll(database,
        {{&writer.m_plan,
             "INSERT OR REPLACE INTO soak (id, revision, length_ns, most_growth, stop_early, checkpoint_ns,"
             " began_wall_ns, period_ns, outcome, is_whole, reason, sentence)"
             " VALUES (0, ?, ?, ?, ?, ?, ?, ?, 0, 0, '', '')"},
            {&writer.m_end, "UPDATE soak SET revision = ?, outcome = ?, is_whole = ?, reason = ?, sentence = ?"},
            {&writer.m_leg,
                "INSERT OR REPLACE INTO soak_leg (id, revision, segment, began_wall_ns, pid, start_ticks, boot, file,"
                " began_boot_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"},
            {&writer.m_load,
                "INSERT OR REPLACE INTO soak_load (id, revision, command, starts, failures, trouble)"
                " VALUES (?, ?, ?, ?, ?, ?)"},
            {&writer.m_point,
                "INSERT OR REPLACE INTO soak_point (segment, quantity, part, revision, value, stack_growth)"
                " VALUES (?, ?, ?, ?, ?, ?)"},
            {&writer.m_exclusion,
                "INSERT OR REPLACE INTO soak_exclusion (segment, quantity, revision, reason) VALUES (?, ?, ?, ?)"},
            {&writer.m_check,
                "INSERT OR REPLACE INTO soak_check (segment, quantity, part, revision, state, growth, low, high,"
                " evidence, threshold) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"}});
    if (!done)
        return done.error();
    return writer;
}

model::Result<void> SoakWriter::write(const model::SoakRecord &soak, std::int64_t revision)
{
    if (const auto &plan = soak.plan)
        m_rows.row(m_plan, revision, plan->length.ns, plan->mostGrowth, static_cast<int>(plan->stopEarly),
            plan->checkpoint.ns, plan->beganWallNs, plan->period.ns);
    for (const model::SoakLeg &leg : soak.legs)
        m_rows.row(m_leg, leg.id, revision, leg.segment, leg.beganWallNs, leg.pid, leg.startTicks, leg.boot, leg.file,
            leg.beganBootNs);
    for (const model::SoakLoad &load : soak.loads)
        m_rows.row(m_load, load.id, revision, load.command, load.starts, load.failures, load.trouble);
    for (const model::SoakPoint &point : soak.points)
        m_rows.row(m_point, point.segment, static_cast<int>(point.quantity), point.part, revision, point.value,
            point.stackGrowth);
    for (const model::SoakExclusion &exclusion : soak.exclusions)
        m_rows.row(m_exclusion, exclusion.segment, static_cast<int>(exclusion.quantity), revision, exclusion.reason);
    for (const model::SoakCheck &check : soak.checks)
        m_rows.row(m_check, check.segment, static_cast<int>(check.quantity), check.part, revision,
            static_cast<int>(check.state), check.growth, check.low, check.high, check.evidence, check.threshold);
    if (const auto &end = soak.end)
        m_rows.row(m_end, revision, static_cast<int>(end->outcome), end->isWhole ? 1 : 0, end->reason, end->sentence);
    return m_rows.take();
}

} // namespace storage

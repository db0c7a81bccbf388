// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/living_series.h"

#include "model/aggregate/fork_parents.h"
#include "model/aggregate/most_at_once.h"

#include <algorithm>
#include <numeric>

namespace model {

namespace {

bool endsMergedStep(const Snapshot &snapshot, Timestamp when)
{
    return std::any_of(snapshot.resolutions.begin(), snapshot.resolutions.end(),
        [when](const Resolution &part) { return part.step.ns > 0 && part.span.begin < when && when <= part.span.end; });
}

} // namespace

LivingSeries::LivingSeries(const Snapshot &snapshot, std::vector<Span> spans)
    : m_snapshot(snapshot)
    , m_spans(std::move(spans))
    , m_order(m_spans.size())
{
    std::iota(m_order.begin(), m_order.end(), std::size_t{0});
    std::stable_sort(m_order.begin(), m_order.end(),
        [this](std::size_t a, std::size_t b) { return m_spans[a].first < m_spans[b].first; });
}

const std::vector<std::size_t> &LivingSeries::at(Timestamp when)
{
    m_when = when;
    m_isMerged = endsMergedStep(m_snapshot, when);
    const std::size_t known = m_living.size();
    for (; m_nextStart < m_order.size() && m_spans[m_order[m_nextStart]].first <= when; ++m_nextStart)
        m_living.push_back(m_order[m_nextStart]);
    if (m_living.size() > known) {
        const auto middle = m_living.begin() + static_cast<std::ptrdiff_t>(known);
        std::sort(middle, m_living.end());
        std::inplace_merge(m_living.begin(), middle, m_living.end());
    }
    std::erase_if(m_living, [&](std::size_t series) { return m_spans[series].last < when; });
    return m_living;
}

bool LivingSeries::counts(std::size_t series, Timestamp said) const
{
    const std::optional<Timestamp> &ended = m_spans[series].ended;
    return !ended || *ended >= m_when || (!m_isMerged && said == m_when);
}

void LivingSeries::keepTogether(std::vector<Said> &said, const std::vector<Span> &spans, Timestamp when)
{
    const auto isGone = [&](const Said &one) {
        const std::optional<Timestamp> &gone = spans[one.series].gone;
        return gone && *gone < when;
    };
    if (said.size() < 2 || std::none_of(said.begin(), said.end(), isGone))
        return;
    const std::vector<Said> all = said;
    std::erase_if(said, [&](const Said &one) {
        const std::optional<std::size_t> parent = spans[one.series].forkedFrom;
        return parent && isGone(one) && std::any_of(all.begin(), all.end(), [&](const Said &other) {
            return other.series == *parent && other.value >= one.value;
        });
    });
    std::vector<Stay> stays;
    for (const Said &one : said) {
        const Span &span = spans[one.series];
        const std::int64_t endNs = isGone(one) ? span.gone->ns : when.ns + 1;
        stays.push_back({std::min(span.began.ns, endNs - 1), endNs, one.value});
    }
    const std::optional<std::int64_t> moment = mostAtOnce(stays);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < said.size(); ++i)
        if (moment && stays[i].lastsAt(*moment))
            said[kept++] = said[i];
    said.resize(kept);
}

void setForks(
    std::vector<LivingSeries::Span> &spans, const std::vector<ProcessId> &processes, const ProgramTables &tables)
{
    if (processes.size() < 2)
        return;
    const std::vector<ProcessId> parents = forkParents(tables);
    std::vector<std::optional<std::size_t>> places(parents.size());
    for (std::size_t i = 0; i < processes.size(); ++i)
        if (processes[i].index() < places.size())
            places[processes[i].index()] = i;
    for (std::size_t i = 0; i < processes.size(); ++i)
        if (processes[i].index() < parents.size() && parents[processes[i].index()].isValid())
            spans[i].forkedFrom = places[parents[processes[i].index()].index()];
}

} // namespace model

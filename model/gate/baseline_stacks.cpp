// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/stack_functions.h"
#include "model/compare/match_name.h"
#include "model/gate/baseline.h"
#include "model/tables/table_builder.h"

#include <algorithm>

namespace model {

namespace {

/// A stack as its functions under the names by which they are matched; ';' and control characters cannot be taken for separators.
std::string matchText(FunctionIndex &index, StackId stack, std::vector<std::uint32_t> &places)
{
    stackPlaces(index, stack, places);
    std::string text;
    for (auto place = places.rbegin(); place != places.rend(); ++place) {
        if (!text.empty())
            text += ';';
        const FunctionId function = index.place(*place).function;
        const bool hasName = FunctionIndex::isEnd(function) || index.function(function).name.value != 0;
        // An address is another one in each build.
        std::string name
            = hasName ? matchName(index.name(function)) : moduleMatchName(index.modulePath(function)) + "+";
        for (char &c : name)
            c = c == ';' ? ':' : static_cast<unsigned char>(c) < 0x20 ? '?' : c;
        text += name;
    }
    return text.empty() ? "[no stack]" : text;
}

BaselineStack costsOf(const HeapCost &row)
{
    BaselineStack costs{};
    for (std::size_t i = 0; i < costs.size(); ++i)
        costs[i] = costOf(row, *gateKeyInfo(kBaselineCosts[i]).cost);
    return costs;
}

void add(BaselineStack &sum, const BaselineStack &costs)
{
    for (std::size_t i = 0; i < sum.size(); ++i)
        sum[i] += costs[i];
}

/// Moves all but the `most` stacks with the greatest share of any cost into `rest`.
void keepCostliest(SessionStacks &session, std::size_t most)
{
    BaselineStack all{};
    for (const auto &[text, costs] : session.stacks)
        add(all, costs);
    const auto weight = [&all](const BaselineStack &costs) {
        double greatest = 0;
        for (std::size_t i = 0; i < costs.size(); ++i)
            greatest = std::max(greatest, all[i] > 0 ? static_cast<double>(costs[i]) / static_cast<double>(all[i]) : 0);
        return greatest;
    };
    std::vector<std::pair<double, const std::string *>> order;
    for (const auto &[text, costs] : session.stacks)
        order.emplace_back(-weight(costs), &text);
    std::sort(order.begin(), order.end(),
        [](const auto &a, const auto &b) { return a.first != b.first ? a.first < b.first : *a.second < *b.second; });
    for (std::size_t i = most; i < order.size(); ++i) {
        const auto found = session.stacks.find(*order[i].second);
        add(session.rest, found->second);
        session.stacks.erase(found);
    }
}

/// A snapshot with these stacks for a heap, in one module.
std::shared_ptr<const Snapshot> snapshotOf(const BaselineStacks &stacks)
{
    TableBuilder tables;
    const ModuleId module = tables.module("program", "", ModuleKind::File);
    std::map<std::string, FrameId, std::less<>> frames;
    auto snapshot = std::make_shared<Snapshot>();
    for (const auto &[text, costs] : stacks) {
        StackId stack = TableBuilder::root(StackEnd::ReachedStart);
        for (std::size_t begin = 0; begin <= text.size();) {
            const std::size_t end = std::min(text.find(';', begin), text.size());
            const std::string name = text.substr(begin, end - begin);
            begin = end + 1;
            const auto [it, isNew] = frames.try_emplace(name, FrameId());
            if (isNew) {
                it->second = tables.frame(module, frames.size(), FrameKind::Exact);
                tables.setSymbols(it->second, FrameSymbols::State::Resolved, {{tables.string(name), StringId(0u), 0}});
            }
            stack = tables.stack(stack, it->second);
        }
        HeapCost row{.stack = stack};
        row.allocations = costs[0];
        row.allocatedBytes = costs[1];
        row.temporaries = costs[2];
        row.peakBytes = costs[3];
        row.liveBytes = costs[4];
        row.liveBlocks = costs[5];
        snapshot->heap.push_back(row);
    }
    snapshot->tables = std::make_shared<const ProgramTables>(tables.tables());
    return snapshot;
}

} // namespace

SessionStacks stacksOf(const Snapshot &snapshot, std::size_t most)
{
    FunctionIndex index(snapshot.tables);
    SessionStacks session;
    std::map<std::string, std::int64_t, std::less<>> greatest;
    std::vector<std::uint32_t> places;
    for (const HeapCost &row : snapshot.heap) {
        const std::string text = matchText(index, row.stack, places);
        add(session.stacks[text], costsOf(row));
        const auto [it, isNew] = greatest.try_emplace(text, row.allocations);
        if (isNew || row.allocations > it->second) {
            it->second = row.allocations;
            session.examples[text] = row.stack;
        }
    }
    keepCostliest(session, most);
    return session;
}

std::vector<GateStack> grownStacks(const Baseline &baseline, const Snapshot &snapshot, GateKey key, std::size_t most)
{
    // Of a baseline that does not keep all stacks, those are compared that either would keep: what is new and small is left out.
    const bool isWhole = baseline.rest == BaselineStack{};
    const SessionStacks session = stacksOf(snapshot, isWhole ? SIZE_MAX : kMostBaselineStacks);
    const auto a = snapshotOf(baseline.stacks);
    const auto b = snapshotOf(session.stacks);
    const Comparison comparison = *compare({a, 1}, {b, 1}, *gateKeyInfo(key).cost);
    std::vector<GateStack> stacks = grownStacks(comparison, most);
    FunctionIndex index(snapshot.tables);
    for (GateStack &stack : stacks)
        if (const auto found = session.examples.find(stack.stack); found != session.examples.end())
            setFrames(stack, index, found->second, CostSource::Heap);
    return stacks;
}

} // namespace model

// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/hot_paths.h"

#include "model/aggregate/tracer_time.h"
#include "model/analysis/share_interval.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

namespace model {

namespace {

constexpr double kFollowedShare = 0.5; ///< of the parent: less, and the cost splits there (hpcviewer's customary value)
constexpr double kBranchShare = 0.05;  ///< of everything: what branches off is worth a path of its own
constexpr double kWorthwhileShare = 0.01; ///< of everything
constexpr double kSelfShare = 0.2;        ///< of the node: its own code is the place

double ratio(std::int64_t part, std::int64_t whole)
{
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

/// Adds the path that goes on at `node` after `callers`, and those that branch off from it.
void follow(const CallTree &tree, const std::vector<NodeId> &callers, NodeId node, std::vector<HotPath> &paths)
{
    HotPath path{.nodes = callers, .share95 = {}};
    for (;;) {
        path.nodes.push_back(node);
        path.total = tree.total(node);
        path.self = tree.self(node);
        path.endsInSelf = ratio(path.self, path.total) >= kSelfShare;
        const std::uint32_t count = tree.node(node).childCount;
        if (path.endsInSelf || count == 0)
            break;
        const NodeId heaviest = tree.child(node, 0);
        const double share = ratio(tree.total(heaviest), tree.all());
        const bool goesOn = ratio(tree.total(heaviest), path.total) >= kFollowedShare && share >= kWorthwhileShare;
        std::vector<NodeId> branches;
        std::int64_t branching = 0;
        for (std::uint32_t i = goesOn ? 1 : 0; i < count; ++i)
            if (const NodeId branch = tree.child(node, i); ratio(tree.total(branch), tree.all()) >= kBranchShare) {
                branches.push_back(branch);
                branching += tree.total(branch);
            }
        // Where most of it goes into small parts, that is where the path ends.
        const bool forks = !goesOn && ratio(branching, path.total) >= kFollowedShare;
        if (goesOn || forks)
            for (const NodeId branch : branches)
                follow(tree, path.nodes, branch, paths);
        if (forks)
            return; // its branches tell where it goes
        if (!goesOn)
            break;
        node = heaviest;
    }
    path.share = ratio(path.total, tree.all());
    paths.push_back(std::move(path));
}

/// How many nodes from the root on the path at `position` has in common with one before it.
std::size_t sharedWith(const std::vector<HotPath> &paths, std::size_t position)
{
    std::size_t most = 0;
    const std::vector<NodeId> &nodes = paths[position].nodes;
    for (std::size_t i = 0; i < position; ++i) {
        const auto end = std::mismatch(nodes.begin(), nodes.end(), paths[i].nodes.begin(), paths[i].nodes.end());
        most = std::max(most, static_cast<std::size_t>(end.first - nodes.begin()));
    }
    return most;
}

} // namespace

Interval shareInterval(double share, SampleBase samples)
{
    if (samples.taken <= 0)
        return {share, share};
    const Interval seen = wilsonInterval(std::llround(share * static_cast<double>(samples.taken)), samples.taken);
    const double missed = static_cast<double>(samples.missed), taken = static_cast<double>(samples.taken);
    return {seen.low * taken / (taken + missed), (seen.high * taken + missed) / (taken + missed)};
}

std::vector<HotPath> hotPaths(const CallTree &tree, std::size_t most, SampleBase samples)
{
    std::vector<HotPath> paths;
    const CallNode &root = tree.node(CallTree::root());
    for (std::uint32_t i = 0; i < root.childCount; ++i) {
        const NodeId child = tree.child(CallTree::root(), i);
        if (ratio(tree.total(child), tree.all()) >= kWorthwhileShare)
            follow(tree, {}, child, paths);
    }
    std::stable_sort(paths.begin(), paths.end(), [](const HotPath &a, const HotPath &b) { return a.share > b.share; });
    if (paths.size() > most)
        paths.resize(most);
    for (std::size_t i = 0; i < paths.size(); ++i) {
        paths[i].fork = sharedWith(paths, i);
        paths[i].share95 = shareInterval(paths[i].share, samples);
        paths[i].rank = i + 1;
        if (i == 0)
            continue;
        const HotPath &leader = paths[paths[i - 1].rank - 1];
        if (samples.taken > 0 ? paths[i].share95.high >= leader.share95.low : paths[i].total == leader.total)
            paths[i].rank = leader.rank;
    }
    return paths;
}

std::vector<NodeId> heaviestWay(const CallTree &tree, double share)
{
    std::vector<NodeId> way;
    NodeId node = CallTree::root();
    while (tree.node(node).childCount > 0) {
        const NodeId next = tree.child(node, 0);
        if (ratio(tree.total(next), tree.total(node)) < share)
            break;
        way.push_back(next);
        node = next;
    }
    return way;
}

std::size_t firstDividing(const CallTree &tree, const std::vector<NodeId> &way)
{
    constexpr double kWorthALook = 0.1;
    const auto divides = [&tree](NodeId node) {
        return tree.node(node).childCount > 1
            && ratio(tree.total(tree.child(node, 1)), tree.total(node)) >= kWorthALook;
    };
    const auto found = std::find_if(way.begin(), way.end(), divides);
    if (found == way.end())
        return way.empty() ? 0 : way.size() - 1;
    return static_cast<std::size_t>(found - way.begin());
}

std::vector<HotFunction> hotFunctions(const FunctionTable &table, SampleBase samples, std::size_t most)
{
    std::vector<HotFunction> hot;
    for (const FunctionCost &row : table.rows) {
        if (hot.size() == most || row.self <= 0)
            break;
        const double selfShare = ratio(row.self, table.all);
        const double totalShare = ratio(row.total, table.all);
        HotFunction function{row.function, row.self, row.total, selfShare, shareInterval(selfShare, samples),
            totalShare, shareInterval(totalShare, samples), row.file, row.line, hot.size() + 1};
        if (!hot.empty()) {
            const HotFunction &leader = hot[hot.back().rank - 1];
            if (samples.taken > 0 ? function.selfShare95.high >= leader.selfShare95.low : function.self == leader.self)
                function.rank = leader.rank;
        }
        hot.push_back(function);
    }
    return hot;
}

namespace {

std::int64_t sampleCountOf(const std::vector<CpuCost> &rows)
{
    return std::accumulate(rows.begin(), rows.end(), std::int64_t{0},
        [](std::int64_t sum, const CpuCost &row) { return sum + row.samples; });
}

} // namespace

std::optional<HotSpots> hotSpots(
    const Snapshot &snapshot, CostKind kind, std::size_t mostFunctions, std::stop_token stop)
{
    constexpr std::size_t kMostPaths = 10;
    const bool isCpu = costInfo(kind).source == CostSource::Cpu;
    WithoutTracer own{std::shared_ptr<const Snapshot>(std::shared_ptr<void>(), &snapshot)};
    if (isCpu)
        own = withoutTracer(own.snapshot);
    auto table = functionTable(*own.snapshot, kind, stop);
    auto tree = callTree(*own.snapshot, {kind}, {}, stop);
    if (!table || !tree)
        return std::nullopt;
    HotSpots hot{.table = std::move(*table),
        .functions = {},
        .tree = std::move(*tree),
        .paths = {},
        .samples = isCpu ? SampleBase{sampleCountOf(own.snapshot->cpu), missedSamples(snapshot)} : SampleBase(),
        .tracerNs = own.tracerNs};
    hot.functions = hotFunctions(hot.table, hot.samples, mostFunctions);
    hot.paths = hotPaths(hot.tree, std::min(mostFunctions, kMostPaths), hot.samples);
    return hot;
}

} // namespace model

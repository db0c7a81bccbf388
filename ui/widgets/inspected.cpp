// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/inspected.h"

#include "model/aggregate/own_code.h"
#include "model/aggregate/subtree_cost.h"
#include "model/aggregate/temporary_blocks.h"
#include "model/base/format_units.h"
#include "ui/models/cost_columns.h"
#include "ui/text.h"

#include <QCoreApplication>

#include <algorithm>

namespace ui {

namespace {

using model::CostKind;
using Scope = model::StackScope::Kind;

QString tr(const char *words) { return QCoreApplication::translate("Inspector", words); }

QString costOf(const model::ScopeCost &cost, CostKind kind)
{
    return costText(cost.of(kind), model::costInfo(kind).unit);
}

QString blocksText(std::int64_t blocks)
{
    return blocks == 1 ? tr("1 block")
                       : tr("%1 blocks").arg(text(model::formatShortCount(static_cast<double>(blocks))));
}

QString bytesInBlocks(std::int64_t bytes, std::int64_t blocks)
{
    if (bytes == 0 && blocks == 0)
        return tr("none");
    return QStringLiteral("%1 · %2").arg(costText(bytes, model::Unit::Bytes), blocksText(blocks));
}

/// The heap's side of a set of stacks. What was `chosen` stands above already, with its share.
void addHeap(std::vector<InspectedFigure> &figures, const model::ScopeCost &cost, std::optional<CostKind> chosen)
{
    if (cost.of(CostKind::Allocations) == 0 && cost.of(CostKind::LiveBlocks) == 0 && cost.of(CostKind::Peak) == 0)
        return;
    const auto count = [&](CostKind kind) { return text(model::formatCount(cost.of(kind))); };
    if (chosen == CostKind::Live)
        figures.push_back({tr("Live blocks"), count(CostKind::LiveBlocks)});
    else
        figures.push_back({tr("Live"), bytesInBlocks(cost.of(CostKind::Live), cost.of(CostKind::LiveBlocks))});
    if (const std::int64_t growth = cost.of(CostKind::Growth); growth != 0 && growth != cost.of(CostKind::Live))
        figures.push_back(
            {tr("Change"), (growth > 0 ? QStringLiteral("+") : QString()) + costOf(cost, CostKind::Growth)});
    if (chosen == CostKind::Allocated)
        figures.push_back({tr("Allocations"), count(CostKind::Allocations)});
    else if (chosen == CostKind::Allocations)
        figures.push_back({tr("Allocated"), costOf(cost, CostKind::Allocated)});
    else
        figures.push_back(
            {tr("Allocated"), bytesInBlocks(cost.of(CostKind::Allocated), cost.of(CostKind::Allocations))});
    figures.push_back({tr("Freed"), bytesInBlocks(cost.freedBytes, cost.of(CostKind::Frees))});
    const std::int64_t allocations = cost.of(CostKind::Allocations);
    const std::int64_t temporaries = model::temporariesAmong(allocations, cost.of(CostKind::Temporary));
    if (chosen != CostKind::Temporary)
        figures.push_back({tr("Temporary"),
            temporaries == 0 ? tr("none")
                             : tr("%1 · %2 of these allocations")
                                   .arg(text(model::formatCount(temporaries)),
                                       text(model::formatShareOf(temporaries, allocations)))});
    if (chosen != CostKind::Peak)
        figures.push_back({tr("At the peak"), costOf(cost, CostKind::Peak)});
}

/// What else the chosen kind's source counted; what is 0, or no other figure than the chosen one's, is left out.
void addOthers(std::vector<InspectedFigure> &figures, const model::ScopeCost &cost, std::optional<CostKind> chosen,
    std::initializer_list<CostKind> kinds)
{
    for (const CostKind kind : kinds) {
        const bool isSaid = chosen
            && (kind == *chosen
                || (model::costInfo(kind).unit == model::costInfo(*chosen).unit
                    && costOf(cost, kind) == costOf(cost, *chosen))); // as it reads
        if (!isSaid && cost.of(kind) != 0)
            figures.push_back({text(model::costInfo(kind).label), costOf(cost, kind)});
    }
}

/// The chosen row's figures: first what it was chosen by. `isPart`: not all that was recorded is selected.
std::vector<InspectedFigure> figuresOf(const model::ScopeCost &cost, const ChosenCost &chosen, bool isPart)
{
    const auto kind = static_cast<std::size_t>(chosen.kind);
    const model::CostInfo &info = model::costInfo(chosen.kind);
    std::vector<InspectedFigure> figures{{text(info.label),
        (isPart ? tr("%1 · %2 of the selection’s %3") : tr("%1 · %2 of all %3"))
            .arg(costOf(cost, chosen.kind), text(model::formatShareOf(cost.total[kind], cost.all[kind])),
                costText(cost.all[kind], info.unit))}};
    if (cost.self[kind] != 0 && cost.self[kind] != cost.total[kind])
        figures.push_back({tr("Self"), costText(cost.self[kind], info.unit)});
    switch (info.source) {
    case model::CostSource::Heap:
        addHeap(figures, cost, chosen.kind);
        break;
    case model::CostSource::Cpu:
        addOthers(figures, cost, chosen.kind, {CostKind::CpuTime, CostKind::CpuSamples});
        break;
    case model::CostSource::SystemCall:
        addOthers(figures, cost, chosen.kind,
            {CostKind::SystemCalls, CostKind::SystemCallTime, CostKind::SystemCallErrors, CostKind::SystemCallBytes});
        break;
    case model::CostSource::Wait:
        addOthers(figures, cost, chosen.kind, {CostKind::WaitTime, CostKind::Waits});
        break;
    }
    return figures;
}

/// The figures of one stack of an image, whatever was counted of it.
std::vector<InspectedFigure> figuresOf(const model::SubtreeCost &stack)
{
    model::ScopeCost cost;
    for (const model::CostInfo &info : model::kCostKinds)
        cost.total[static_cast<std::size_t>(info.kind)] = model::costOf(stack.heap, info.kind);
    cost.total[static_cast<std::size_t>(CostKind::CpuTime)] = stack.cpuTimeNs;
    cost.total[static_cast<std::size_t>(CostKind::CpuSamples)] = stack.cpuSamples;
    cost.freedBytes = stack.heap.freedBytes;
    std::vector<InspectedFigure> figures;
    addHeap(figures, cost, std::nullopt);
    addOthers(figures, cost, std::nullopt, {CostKind::CpuTime, CostKind::CpuSamples});
    return figures;
}

QString captionOf(const model::StackScope &scope, const QString &leaf)
{
    switch (scope.kind) {
    case Scope::OnPath:
        return tr("Function on this path, with what it calls");
    case Scope::Anywhere:
        return tr("Function on all its paths, with what it calls");
    case Scope::FromLeaf:
        break;
    }
    return scope.functions.size() == 1 ? tr("Function by itself, whoever calls it") : tr("Caller of %1").arg(leaf);
}

/// Keeps to what the scope is about: a path ends in its function, not in what was inlined there.
void takeScope(Inspected &shown, const model::FunctionIndex &index, const model::StackScope &scope)
{
    if (scope.kind == Scope::FromLeaf) {
        shown.chosenLine = std::min(scope.functions.size(), shown.lines.size()) - 1;
        shown.framesCaption = tr("Its heaviest stack");
        return;
    }
    const auto found = std::find_if(shown.lines.begin(), shown.lines.end(), [&](const model::StackLine &line) {
        return model::stableFunction(index, line.function) == scope.functions.back();
    });
    if (found != shown.lines.end())
        shown.lines.erase(shown.lines.begin(), found);
    shown.framesCaption = scope.kind == Scope::OnPath ? tr("Its path") : tr("Its heaviest path");
}

} // namespace

Inspected inspect(const model::Snapshot &snapshot, const InspectedStack &what)
{
    Inspected shown;
    model::FunctionIndex index(snapshot.tables);
    shown.lines = model::stackLines(index, what.stack);
    if (what.chosen) {
        const model::ScopeCost cost
            = model::scopeCost(snapshot, what.chosen->scope, model::costInfo(what.chosen->kind).source);
        const bool isThere
            = std::any_of(cost.total.begin(), cost.total.end(), [](std::int64_t each) { return each != 0; });
        if (isThere && !shown.lines.empty()) {
            const QString leaf = text(model::shortFunctionName(shown.lines.front().name));
            shown.caption = captionOf(what.chosen->scope, leaf);
            const model::Selection &selected = snapshot.selection;
            shown.figures = figuresOf(cost, *what.chosen, selected.time || selected.process || selected.thread);
            takeScope(shown, index, what.chosen->scope);
            return shown;
        }
    }
    // A function that has got its name since is found by its stack.
    if (!what.chosen)
        shown.chosenLine = model::namedPosition(index, shown.lines);
    shown.caption = tr("Selected stack, with what it calls");
    shown.figures = figuresOf(model::subtreeCost(snapshot, what.stack, what.image));
    if (shown.figures.empty())
        shown.figures.push_back({tr("Costs"), tr("none in what is selected")});
    return shown;
}

} // namespace ui

// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/scope_book.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace capture {

namespace {

constexpr std::size_t kMostScopes = 64;         // open at once; a program that wants more is no test
constexpr std::size_t kMostEntries = 4'000'000; // blocks and stacks, of all scopes together
constexpr std::size_t kMostStacks = 3;          // told of each excess
constexpr std::uint64_t kUnlimited = UINT64_MAX;

} // namespace

void ScopeBook::begin(const wire::ScopeBegin &begin, const ThreadHistory *thread, std::uint64_t losses)
{
    if (m_scopes.size() >= kMostScopes)
        return; // its end then finds nothing
    Scope &scope = m_scopes.emplace_back();
    scope.number = begin.scope;
    scope.owner = thread;
    scope.thread = begin.threads == wire::ScopeThreads::All ? nullptr : thread;
    scope.losses = losses;
}

void ScopeBook::end(const wire::ScopeEnd &end, std::uint64_t units, std::uint64_t losses)
{
    m_hasEnded = true;
    const auto found = std::find_if(m_scopes.begin(), m_scopes.end(),
        [&end](const Scope &scope) { return scope.number == end.scope && scope.endUnits == UINT64_MAX; });
    if (found == m_scopes.end()) {
        if (m_refused.size() < kMostScopes)
            m_refused.push_back({static_cast<std::uint32_t>(end.question), wire::ScopeVerdict::Unknown,
                "the scope did not begin in this process, or too many are open", {}});
        return;
    }
    found->endUnits = units;
    found->question = end;
    found->losses = losses - found->losses;
}

void ScopeBook::endThread(const ThreadHistory *thread)
{
    std::erase_if(
        m_scopes, [thread](const Scope &scope) { return scope.owner == thread && scope.endUnits == UINT64_MAX; });
    countEntries();
}

/// After scopes went.
void ScopeBook::countEntries()
{
    m_entries = 0;
    for (const Scope &scope : m_scopes)
        m_entries += scope.live.size() + scope.parts.size();
}

/// Before a part changes: what it had at the last peak is what it has now.
void ScopeBook::remember(const Scope &scope, Part &part)
{
    if (part.peak == scope.peak)
        return;
    part.peakBlocks = part.liveBlocks;
    part.peakBytes = part.liveBytes;
    part.peak = scope.peak;
}

void ScopeBook::add(Scope &scope, std::uint64_t pointer, const Block &block)
{
    remove(scope, pointer); // its free was lost
    ++scope.counts.allocations;
    scope.counts.bytes += block.size;
    if (m_entries + 2 > kMostEntries) {
        scope.isFull = true;
        return;
    }
    const auto [found, isNew] = scope.parts.try_emplace(block.node);
    m_entries += isNew ? 2 : 1;
    Part &part = found->second;
    remember(scope, part);
    ++part.blocks;
    part.bytes += block.size;
    scope.live[pointer] = block;
    ++part.liveBlocks;
    part.liveBytes += block.size;
    ++scope.counts.leftBlocks;
    scope.counts.leftBytes += block.size;
    if (scope.counts.leftBytes > scope.counts.peakBytes) {
        scope.counts.peakBytes = scope.counts.leftBytes;
        ++scope.peak;
    }
}

void ScopeBook::remove(Scope &scope, std::uint64_t pointer)
{
    const auto found = scope.live.find(pointer);
    if (found == scope.live.end())
        return;
    Part &part = scope.parts[found->second.node];
    remember(scope, part);
    --part.liveBlocks;
    part.liveBytes -= found->second.size;
    --scope.counts.leftBlocks;
    scope.counts.leftBytes -= found->second.size;
    scope.live.erase(found);
    --m_entries;
}

void ScopeBook::allocated(
    const ThreadHistory *thread, std::uint64_t pointer, std::uint64_t size, std::uint32_t node, std::uint64_t units)
{
    for (Scope &scope : m_scopes) {
        if (units > scope.endUnits)
            continue;
        if (scope.thread == nullptr || scope.thread == thread)
            add(scope, pointer, {size, node});
        else
            remove(scope, pointer); // somebody else's block now
    }
}

void ScopeBook::freed(std::uint64_t pointer, std::uint64_t units)
{
    for (Scope &scope : m_scopes)
        if (units <= scope.endUnits)
            remove(scope, pointer);
}

std::vector<ScopeStack> ScopeBook::stacksOf(const Scope &scope, ScopeExcess::Quantity quantity)
{
    using Quantity = ScopeExcess::Quantity;
    const bool isLeft = quantity == Quantity::LeftBlocks || quantity == Quantity::LeftBytes;
    const bool isByBlocks = quantity == Quantity::Allocations || quantity == Quantity::LeftBlocks;
    std::vector<ScopeStack> stacks;
    for (const auto &[node, part] : scope.parts) {
        ScopeStack stack{node, part.blocks, part.bytes};
        if (isLeft)
            stack = {node, part.liveBlocks, part.liveBytes};
        else if (quantity == Quantity::PeakBytes)
            stack = part.peak == scope.peak ? ScopeStack{node, part.peakBlocks, part.peakBytes}
                                            : ScopeStack{node, part.liveBlocks, part.liveBytes};
        if (stack.blocks > 0)
            stacks.push_back(stack);
    }
    std::sort(stacks.begin(), stacks.end(), [isByBlocks](const ScopeStack &a, const ScopeStack &b) {
        const std::uint64_t left = isByBlocks ? a.blocks : a.bytes, right = isByBlocks ? b.blocks : b.bytes;
        return left != right ? left > right : a.node < b.node;
    });
    return stacks;
}

ScopeAnswer ScopeBook::answer(const Scope &scope, bool isSampled)
{
    using Quantity = ScopeExcess::Quantity;
    ScopeAnswer answer;
    answer.question = static_cast<std::uint32_t>(scope.question.question);
    if (isSampled)
        answer.reason = "the heap is recorded in samples; scopes need --heap full";
    else if (scope.losses > 0)
        answer.reason = "events were lost within the scope";
    else if (scope.isFull)
        answer.reason = "more blocks are live than a scope can follow";
    if (!answer.reason.empty())
        return answer;
    const wire::ScopeLimits &limits = scope.question.limits;
    const ScopeCounts &counts = scope.counts;
    const std::tuple<Quantity, std::uint64_t, std::uint64_t> all[]{
        {Quantity::Allocations, counts.allocations, limits.allocations}, {Quantity::Bytes, counts.bytes, limits.bytes},
        {Quantity::PeakBytes, counts.peakBytes, limits.peakBytes},
        {Quantity::LeftBlocks, counts.leftBlocks, limits.leftBlocks},
        {Quantity::LeftBytes, counts.leftBytes, limits.leftBytes}};
    for (const auto &[quantity, value, limit] : all) {
        if (limit == kUnlimited || value <= limit)
            continue;
        ScopeExcess excess{quantity, value, limit, stacksOf(scope, quantity), 0};
        if (excess.stacks.size() > kMostStacks) {
            excess.otherStacks = excess.stacks.size() - kMostStacks;
            excess.stacks.resize(kMostStacks);
        }
        answer.excesses.push_back(std::move(excess));
    }
    answer.verdict = answer.excesses.empty() ? wire::ScopeVerdict::Met : wire::ScopeVerdict::Exceeded;
    return answer;
}

std::vector<ScopeAnswer> ScopeBook::takeAnswers(bool isSampled)
{
    std::vector<ScopeAnswer> answers = std::exchange(m_refused, {});
    for (const Scope &scope : m_scopes)
        if (scope.endUnits != UINT64_MAX)
            answers.push_back(answer(scope, isSampled));
    std::erase_if(m_scopes, [](const Scope &scope) { return scope.endUnits != UINT64_MAX; });
    countEntries();
    m_hasEnded = false;
    return answers;
}

} // namespace capture

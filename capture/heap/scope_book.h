// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/wire/scope.h"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace capture {

struct ThreadHistory;

/// What a scope came to.
struct ScopeCounts
{
    std::uint64_t allocations = 0;
    std::uint64_t bytes = 0;
    std::uint64_t peakBytes = 0;
    std::uint64_t leftBlocks = 0;
    std::uint64_t leftBytes = 0;
};

/// What a stack had a part in.
struct ScopeStack
{
    std::uint32_t node = 0;
    std::uint64_t blocks = 0;
    std::uint64_t bytes = 0;
};

/// Something of a scope that went beyond its limit.
struct ScopeExcess
{
    enum class Quantity : std::uint8_t { Allocations, Bytes, PeakBytes, LeftBlocks, LeftBytes };
    Quantity quantity = Quantity::Allocations;
    std::uint64_t value = 0;
    std::uint64_t limit = 0;
    std::vector<ScopeStack> stacks; ///< the greatest parts first, by blocks or by bytes as the quantity is
    std::size_t otherStacks = 0;    ///< that are not among them
};

/// The answer to the end of a scope.
struct ScopeAnswer
{
    std::uint32_t question = 0;
    wire::ScopeVerdict verdict = wire::ScopeVerdict::Unknown;
    std::string reason; ///< of an unknown one
    std::vector<ScopeExcess> excesses;
};

/// The open scopes of one image: counts what is allocated in them and what of that is freed again. Events come as EventPairing applies them.
/// Costs nothing while no scope is open. Drain thread.
class ScopeBook
{
public:
    bool isOpen() const { return !m_scopes.empty(); }

    /// `losses`: events that the image has lost until now.
    void begin(const wire::ScopeBegin &begin, const ThreadHistory *thread, std::uint64_t losses);
    /// The scope ends at `units`; what others do later is not its own. Its answer comes with takeAnswers().
    void end(const wire::ScopeEnd &end, std::uint64_t units, std::uint64_t losses);
    /// The thread is gone, and its open scopes with it.
    void endThread(const ThreadHistory *thread);

    void allocated(const ThreadHistory *thread, std::uint64_t pointer, std::uint64_t size, std::uint32_t node,
        std::uint64_t units);
    void freed(std::uint64_t pointer, std::uint64_t units);

    bool hasEnded() const { return m_hasEnded; }
    /// The answers to all ends, once every event before them is applied. `isSampled`: not all blocks were recorded.
    std::vector<ScopeAnswer> takeAnswers(bool isSampled);

private:
    struct Block
    {
        std::uint64_t size = 0;
        std::uint32_t node = 0;
    };
    /// What a stack has allocated, has live, and had live at the peak.
    struct Part
    {
        std::uint64_t blocks = 0, bytes = 0;
        std::uint64_t liveBlocks = 0, liveBytes = 0;
        std::uint64_t peakBlocks = 0,
                      peakBytes = 0; ///< as of the peak of number `peak`; an older one's is what is live
        std::uint64_t peak = 0;
    };
    struct Scope
    {
        std::uint64_t number = 0;
        const ThreadHistory *owner = nullptr;
        const ThreadHistory *thread = nullptr; ///< whose allocations count; null: all
        std::uint64_t losses = 0;
        std::uint64_t endUnits = UINT64_MAX;
        wire::ScopeEnd question;
        ScopeCounts counts;
        std::uint64_t peak = 0; ///< number of the peak: rises with it
        bool isFull = false;    ///< more blocks, or stacks, than are kept
        std::unordered_map<std::uint64_t, Block> live;
        std::unordered_map<std::uint32_t, Part> parts;
    };

    static void remember(const Scope &scope, Part &part);
    void add(Scope &scope, std::uint64_t pointer, const Block &block);
    void remove(Scope &scope, std::uint64_t pointer);
    void countEntries();
    static ScopeAnswer answer(const Scope &scope, bool isSampled);
    static std::vector<ScopeStack> stacksOf(const Scope &scope, ScopeExcess::Quantity quantity);

    std::vector<Scope> m_scopes;        ///< open ones, and ended ones whose answer is due
    std::vector<ScopeAnswer> m_refused; ///< ends without a begin
    bool m_hasEnded = false;            ///< answers are due
    std::size_t m_entries = 0;          ///< of the maps of all scopes
};

} // namespace capture
